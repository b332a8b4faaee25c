// Package filewrap is a key-encryption key in a local file: a Tink keyset in
// JSON, in clear, readable by its owner only. It is for a laptop and for tests;
// production wraps data keys by a key management service.
package filewrap

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"padron"
	"padron/internal/seal"
)

// maxFile bounds a key file in bytes; a keyset of a hundred keys is far smaller.
const maxFile = 64 << 10

// Wrapper wraps data keys under the file's key.
type Wrapper struct {
	id   string
	aead tink.AEAD
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// Open reads the key file, made on first use. A file that others can read or
// write, that belongs to somebody else or that is damaged is refused, and never
// replaced: to lose it is to lose the register.
func Open(path string) (*Wrapper, error) {
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, unusable("made", path, err)
		}
		data, err = read(path)
	}
	if err != nil {
		return nil, err
	}
	defer clear(data)
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		return nil, refuse(path, "is not a key file or is damaged: restore it from its backup")
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, refuse(path, "holds no AES-GCM key: restore it from its backup")
	}
	return &Wrapper{fmt.Sprintf("file:%08x", handle.KeysetInfo().GetPrimaryKeyId()), primitive}, nil
}

func refuse(path, why string) error {
	return padron.Errorf(padron.CodeUnavailable, "key file %s %s", path, why)
}

// unusable is the error of a path where the system allows no key file.
func unusable(verb, path string, err error) error {
	return &padron.Error{Code: padron.CodeUnavailable, Err: err,
		Message: fmt.Sprintf("key file %s cannot be %s: check PADRON_KEYS and the directory's owner and mode", path, verb)}
}

// read returns the file's content if nobody else may touch it.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names it
	if errors.Is(err, syscall.ELOOP) {
		return nil, refuse(path, "is a symbolic link: name the file itself")
	}
	if err != nil {
		return nil, unusable("opened", path, err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, unusable("opened", path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, refuse(path, "is not a regular file: name the file in PADRON_KEYS")
	case info.Mode().Perm()&0o077 != 0:
		return nil, refuse(path, fmt.Sprintf("can be read or written by others (mode %04o): chmod 0600 it, and rotate the key if they may have read it", info.Mode().Perm()))
	case info.Size() > maxFile:
		return nil, refuse(path, "is too large to be a key file: restore it from its backup")
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return nil, refuse(path, "belongs to another user: chown it to the one who runs padron")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, unusable("read", path, err)
	}
	return data, nil
}

// create makes a key file, whole or not at all. Two processes at once end with
// one file: the link of the second fails, and it uses the first one's.
func create(path string) (err error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // linked or useless by then
	if _, err := temp.Write(b.Bytes()); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ID names the key, not the file.
func (w *Wrapper) ID() string { return w.id }

// NewKey makes a random data key and wraps it.
func (w *Wrapper) NewKey(_ context.Context, c seal.Context) (plain, wrapped []byte, err error) {
	plain = make([]byte, seal.KeySize)
	_, _ = rand.Read(plain) // never fails: crypto/rand ends the program instead
	wrapped, err = w.aead.Encrypt(plain, encode(c))
	return plain, wrapped, err
}

// Unwrap returns the data key, if it was wrapped by this key under this context.
func (w *Wrapper) Unwrap(_ context.Context, c seal.Context, wrapped []byte) ([]byte, error) {
	return w.aead.Decrypt(wrapped, encode(c))
}

// encode is the context as associated data, each part with its length.
func encode(c seal.Context) []byte {
	b := []byte("padron/kek/v1")
	for _, s := range []string{string(c.Purpose), c.Group} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}
