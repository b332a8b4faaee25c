// Package seal encrypts customers' field groups and everything else that must
// not stand in the database in clear.
//
// Two types divide it. [Sealer] is the synchronizer's: it makes fresh data keys,
// seals, and has no way to open a customer. [Opener] is the reader's. What runs
// share with each other and with readers (fingerprints, blind indexes, the
// quarantine, page tokens) has data keys of its own purposes, so that the
// key-encryption key's policy can tell who may unwrap what.
//
// The stored format is locked by known-answer vectors in testdata.
package seal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"padron"
)

// Context is bound to a wrapped data key: the key does not unwrap under another
// one. A key management service takes it as encryption context.
type Context struct {
	Purpose padron.Purpose
	Group   string
}

// KeyWrapper is a key-encryption key.
type KeyWrapper interface {
	// NewKey returns a fresh data key of [KeySize] bytes, plain and wrapped.
	NewKey(ctx context.Context, c Context) (plain, wrapped []byte, err error)
	// Unwrap returns a wrapped data key; the context must be the one it was
	// wrapped under.
	Unwrap(ctx context.Context, c Context, wrapped []byte) (plain []byte, err error)
	// ID names the key-encryption key, without path or secret.
	ID() string
}

// KeyStore keeps wrapped data keys; see store.Keys for the contract.
type KeyStore interface {
	AddKey(ctx context.Context, key padron.DataKey) error
	EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error)
	Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error)
}

// KeySize is the size of a data key in bytes: AES-256.
const KeySize = 32

// newDataKey makes a data key for a context; the caller stores it.
func newDataKey(ctx context.Context, w KeyWrapper, c Context) (padron.DataKey, []byte, error) {
	plain, wrapped, err := w.NewKey(ctx, c)
	if err != nil {
		return padron.DataKey{}, nil, fmt.Errorf("make a data key for %s: %w", c.Purpose, err)
	}
	return padron.DataKey{
		ID: newKeyID(), Purpose: c.Purpose, Group: c.Group, Wrapped: wrapped, KEK: w.ID(),
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond),
	}, plain, nil
}

// newKeyID returns a random id from 1 to 2^63-1.
func newKeyID() padron.KeyID {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		if id := padron.KeyID(binary.BigEndian.Uint64(b[:]) >> 1); id > 0 {
			return id
		}
	}
}

// SharedPurposes are those whose one data key all runs and readers share.
func SharedPurposes() []padron.Purpose {
	return []padron.Purpose{padron.PurposeIndex, padron.PurposeFingerprint, padron.PurposeQuarantine, padron.PurposePage}
}

// MakeShared makes the shared data keys that are missing. Services do it by
// themselves where the key-encryption key's policy lets them; where only an
// operator may make such keys, this is how.
func MakeShared(ctx context.Context, w KeyWrapper, ks KeyStore) error {
	for _, p := range SharedPurposes() {
		_, plain, err := ensureKey(ctx, w, ks, p)
		clear(plain)
		if err != nil {
			return err
		}
	}
	return nil
}

// ensureKey returns a purpose's shared key, made if it is the first; plain is
// nil where it was there already. Two processes that make it at once end with
// the same one.
func ensureKey(ctx context.Context, w KeyWrapper, ks KeyStore, p padron.Purpose) (kept padron.DataKey, plain []byte, err error) {
	var fresh padron.DataKey
	kept, err = ks.EnsureKey(ctx, p, func() (made padron.DataKey, err error) {
		clear(plain)
		fresh, plain, err = newDataKey(ctx, w, Context{Purpose: p})
		return fresh, err
	})
	if err != nil {
		clear(plain)
		return kept, nil, fmt.Errorf("the shared data key for %s: %w", p, err)
	}
	if plain != nil && kept.ID != fresh.ID {
		clear(plain)
		plain = nil
	}
	return kept, plain, nil
}

// sharedKey returns a purpose's shared key, in clear.
func sharedKey(ctx context.Context, w KeyWrapper, ks KeyStore, p padron.Purpose) (padron.KeyID, []byte, error) {
	c := Context{Purpose: p}
	kept, plain, err := ensureKey(ctx, w, ks, p)
	if err != nil || plain != nil {
		return kept.ID, plain, err
	}
	if (Context{kept.Purpose, kept.Group}) != c {
		return 0, nil, fmt.Errorf("data key %d, stored for %s: %w", kept.ID, p, errAltered)
	}
	plain, err = unwrap(ctx, w, &kept)
	return kept.ID, plain, err
}

func unwrap(ctx context.Context, w KeyWrapper, k *padron.DataKey) ([]byte, error) {
	plain, err := w.Unwrap(ctx, Context{k.Purpose, k.Group}, k.Wrapped)
	if err != nil {
		return nil, &padron.Error{Code: padron.CodeUnavailable, Err: err, Message: fmt.Sprintf(
			"data key %d (%s) cannot be unwrapped by %s: it was wrapped by %s; check PADRON_KEYS", k.ID, k.Purpose, w.ID(), k.KEK)}
	}
	if len(plain) != KeySize {
		return nil, padron.Errorf(padron.CodeUnavailable, "data key %d has %d bytes, want %d", k.ID, len(plain), KeySize)
	}
	return plain, nil
}

// dataKey is a data key ready for use.
type dataKey struct {
	id   padron.KeyID
	aead *subtle.AESGCM
}

// newAEAD takes the plain key over and wipes it.
func newAEAD(id padron.KeyID, plain []byte) (*dataKey, error) {
	a, err := subtle.NewAESGCM(plain)
	clear(plain)
	if err != nil {
		return nil, fmt.Errorf("data key %d: %w", id, err)
	}
	return &dataKey{id, a}, nil
}

// The stored format: version, key id, then Tink's nonce, ciphertext and tag.
const (
	formatVersion = 1
	headerSize    = 1 + 8
	// formatLabel begins the associated data.
	formatLabel = "padron/sealed/v1"
)

var errAltered = errors.New("the ciphertext or its key was altered, or belongs to another row")

// associatedData binds a ciphertext to its place: what it is (a field group or
// "quarantine"), its key, and whose it is. Each part is length-prefixed, so that
// no two places share one encoding.
func associatedData(what string, key padron.KeyID, owner string) []byte {
	b := make([]byte, 0, len(formatLabel)+len(what)+len(owner)+16)
	b = appendPart(b, formatLabel)
	b = appendPart(b, what)
	b = binary.BigEndian.AppendUint64(b, uint64(key)) //nolint:gosec // key ids are positive
	return appendPart(b, owner)
}

func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (k *dataKey) seal(plain []byte, what, owner string) (padron.Sealed, error) {
	sealed, err := k.aead.Encrypt(plain, associatedData(what, k.id, owner))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", what, err)
	}
	out := make([]byte, 0, headerSize+len(sealed))
	out = append(out, formatVersion)
	out = binary.BigEndian.AppendUint64(out, uint64(k.id)) //nolint:gosec // key ids are positive
	return append(out, sealed...), nil
}

func (k *dataKey) open(sealed padron.Sealed, what, owner string) ([]byte, error) {
	id, err := keyOf(sealed)
	if err != nil {
		return nil, err
	}
	if id != k.id {
		return nil, errAltered
	}
	plain, err := k.aead.Decrypt(sealed[headerSize:], associatedData(what, id, owner))
	if err != nil {
		return nil, errAltered
	}
	return plain, nil
}

// keyOf returns the id of the data key that sealed it.
func keyOf(sealed padron.Sealed) (padron.KeyID, error) {
	if len(sealed) < headerSize || sealed[0] != formatVersion {
		return 0, errAltered
	}
	return padron.KeyID(binary.BigEndian.Uint64(sealed[1:headerSize])), nil //nolint:gosec // only compared
}
