package synthtest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
)

// Variant returns the environment's templates as they would be if every
// environment's configuration were changed so. They are made once for each
// name, and made anew when the sources or what the change leads to differ.
func Variant(t testing.TB, environment, name string, change func(*config.Environment)) *cfn.Assembly {
	t.Helper()
	Dir(t, environment) // a stale cdk.out goes as a whole
	at := root(t)
	dir := filepath.Join(at, "cdk.out", "variants", name)
	defer locked(t, at)()
	files, sum := changed(t, at, change)
	stamp := filepath.Join(dir, "sources.sha256")
	if last, err := os.ReadFile(stamp); err != nil || string(last) != sum { //nolint:gosec // a file of ours
		writeConfigs(t, dir, files)
		run(t, at, "--config", filepath.Join(dir, "config"), "--out", dir)
		if err := os.WriteFile(stamp, []byte(sum), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := cfn.Load(filepath.Join(dir, environment))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// changed returns the changed configurations by file name, and the hash of all
// that their templates are made of.
func changed(t testing.TB, at string, change func(*config.Environment)) (files map[string][]byte, sum string) {
	t.Helper()
	sum, err := cdkout.Sum(at)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	h.Write([]byte(sum))
	files = map[string][]byte{}
	for _, name := range Environments(t) {
		e := Config(t, name)
		change(e)
		text, err := yaml.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		h.Write(text)
		files[name+".yaml"] = text
	}
	return files, hex.EncodeToString(h.Sum(nil))
}

func writeConfigs(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "config"), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "config", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
