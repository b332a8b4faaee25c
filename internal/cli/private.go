package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"padron"
)

// maxPrivate bounds a file of secrets in bytes.
const maxPrivate = 64 << 10

// ReadPrivate returns a small file that its owner alone can read: one of
// secrets. The error is [fs.ErrNotExist] where there is none.
func ReadPrivate(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxPrivate:
		return nil, padron.Errorf(padron.CodeInvalid, "%s is no file of at most %d bytes", path, maxPrivate)
	case info.Mode().Perm()&0o077 != 0:
		return nil, padron.Errorf(padron.CodeInvalid, "%s can be read or written by others (mode %04o): chmod 0600 it", path, info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(f, maxPrivate))
}

// CreatePrivate writes a new file that its owner alone can read. It replaces
// none.
func CreatePrivate(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrExist) {
		return padron.Errorf(padron.CodeInvalid, "%s is there already", path)
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
