package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"padron"
)

// lockDir keeps a second `padron up` off the folder for as long as this process
// lives: it would revoke the tokens that this one gave out. The system gives the
// lock back however the process ends.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of --dir: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "up.lock"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("lock the folder of --dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, padron.Errorf(padron.CodeUnavailable, "padron is already up on %s: stop it, or choose another --dir", dir)
		}
		return nil, fmt.Errorf("lock the folder of --dir: %w", err)
	}
	return f.Close, nil
}
