// Package cdkout knows the folder of synthesized templates, cdk.out/ENVIRONMENT,
// and whether it is still what the sources say.
package cdkout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Root returns the folder of the infrastructure's module: the working folder
// or the nearest above it that holds cdk.json.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "cdk.json")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not inside the folder infra of padron: run this there", dir)
		}
	}
}

// Dir returns where the environment's templates are.
func Dir(root, environment string) string { return filepath.Join(root, "cdk.out", environment) }

// sources are the folders whose change makes templates stale.
var sources = []string{"config", "estate", "ledger", "synth", "cmd/padron-infra"}

// Sum returns the hash of everything that templates are made of: the programs,
// the configuration, the ledger and the pinned libraries.
func Sum(root string) (string, error) {
	h := sha256.New()
	files := []string{"go.mod", "go.sum", "cdk.json"}
	for _, folder := range sources {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(root, path)
			files = append(files, name)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(files)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // a source of ours
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(text)) //nolint:errcheck // a hash takes everything
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func out(root string) string { return filepath.Join(root, "cdk.out") }

func stamp(root string) string { return filepath.Join(out(root), "sources.sha256") }

// made returns the hash of what the synthesis wrote: templates, manifests,
// reports and assets. What tests and the cdk command put beside them is not
// among it.
func made(root string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(out(root), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "variants" || d.Name() == ".cache"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".json" && !strings.HasPrefix(filepath.Base(filepath.Dir(path)), "asset."):
			return nil
		}
		text, err := os.ReadFile(path)                                            //nolint:gosec // below our own folder
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(path, out(root)), len(text)) //nolint:errcheck // a hash takes everything
		h.Write(text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// Fresh reports whether the templates were made of the present sources, and are
// still as they were made: one that was changed by hand is made anew.
func Fresh(root string) (bool, error) {
	last, err := os.ReadFile(stamp(root))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sum, err := Sum(root)
	if err != nil {
		return false, err
	}
	files, err := made(root)
	return string(last) == sum+" "+files, err
}

// Mark writes down that the templates, as they are, were made of sources with
// the sum.
func Mark(root, sum string) error {
	files, err := made(root)
	if err != nil {
		return err
	}
	return os.WriteFile(stamp(root), []byte(sum+" "+files), 0o600)
}
