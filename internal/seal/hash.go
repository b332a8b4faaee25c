package seal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"padron"
)

// macPool hands out HMAC-SHA256 states of one key; making one costs two blocks
// more than resetting it.
type macPool struct{ pool sync.Pool }

// macState is a state with room for what goes in and comes out.
type macState struct {
	mac hash.Hash
	in  []byte
	out [sha256.Size]byte
}

// newMACPool takes a copy of the key and wipes the caller's.
func newMACPool(key []byte) *macPool {
	kept := slices.Clone(key)
	clear(key)
	return &macPool{sync.Pool{New: func() any { return &macState{mac: hmac.New(sha256.New, kept)} }}}
}

// sum returns the first 128 bits of the HMAC over what fill appends.
func (p *macPool) sum(fill func([]byte) []byte) (out [16]byte) {
	s := p.pool.Get().(*macState) //nolint:forcetypeassert // the pool holds nothing else
	defer p.pool.Put(s)
	s.in = fill(s.in[:0])
	s.mac.Reset()
	_, _ = s.mac.Write(s.in) // a hash never fails
	copy(out[:], s.mac.Sum(s.out[:0]))
	clear(s.in)
	return out
}

// fingerprintLabel changes with the format: a change writes every customer anew.
const fingerprintLabel = "padron/fingerprint/v1"

// appendCanonical appends every field of c, each with its length.
func appendCanonical(b []byte, c *padron.Customer) []byte {
	b = appendPart(b, fingerprintLabel)
	b = appendPart(b, string(c.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Profile.RegisteredAt.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Profile.Purchases)) //nolint:gosec // never negative
	for _, s := range [...]string{c.Profile.FavoriteColor, c.Profile.Car, c.Profile.CarModel, c.Profile.CarType, c.Profile.CarColor} {
		b = appendPart(b, s)
	}
	for _, s := range personalSlots(&c.Personal) {
		b = appendPart(b, s.value.Expose())
	}
	for _, s := range financialSlots(&c.Financial) {
		b = appendPart(b, s.value.Expose())
	}
	return b
}

// Indexer makes blind indexes: HMAC-SHA256, cut to 128 bits, under a key the
// database never sees (PCI DSS 3.5.1.1).
type Indexer struct{ macs *macPool }

// NewIndexer loads the key that runs and readers share.
func NewIndexer(ctx context.Context, w KeyWrapper, ks KeyStore) (*Indexer, error) {
	_, key, err := sharedKey(ctx, w, ks, padron.PurposeIndex)
	if err != nil {
		return nil, err
	}
	return &Indexer{newMACPool(key)}, nil
}

const indexLabel = "padron/index/v1"

// Index returns the blind index of a value, normalised so that the ways of
// writing it find each other: digits of card and account numbers, canonical IP
// addresses, names without regard to case, accents' encoding and spacing.
func (x *Indexer) Index(i padron.Index, value padron.Sensitive) padron.BlindIndex {
	text := normalize(i, value.Expose())
	return x.macs.sum(func(b []byte) []byte {
		b = appendPart(b, indexLabel)
		b = appendPart(b, i.String())
		return appendPart(b, text)
	})
}

func normalize(i padron.Index, s string) string {
	switch i {
	case padron.IndexCardNumber, padron.IndexAccountNumber:
		return padron.Digits(s)
	case padron.IndexIPAddress:
		if addr, err := netip.ParseAddr(strings.TrimSpace(s)); err == nil {
			return addr.Unmap().String()
		}
		return strings.TrimSpace(s)
	case padron.IndexUserName:
		return foldName(strings.Join(strings.Fields(s), " "))
	}
	return strings.TrimSpace(s)
}

// foldName takes case and the encoding of accents out of a name. Many names have
// nothing but ASCII, for which lower case is the same and costs a tenth.
func foldName(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

// rejectedID names a quarantine entry: the same fault of the same customer is
// one entry.
func rejectedID(macs *macPool, r *padron.Record, reasons []padron.Reason) string {
	sum := macs.sum(func(b []byte) []byte {
		b = appendPart(b, "padron/rejected/v1")
		if id, ok := r.Identity(); ok {
			b = appendPart(b, "customer")
			b = appendPart(b, string(id))
		} else {
			b = appendPart(b, "record")
			b = appendPart(b, string(encodeRecord(r)))
		}
		for _, reason := range slices.Sorted(slices.Values(reasons)) {
			b = appendPart(b, string(reason))
		}
		return b
	})
	return "q_" + hex.EncodeToString(sum[:])
}
