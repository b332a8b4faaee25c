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

// Variant returns the environment's templates as they would be if its
// configuration were changed so. They are made once for each name, and made anew
// when the sources or what the change leads to differ.
func Variant(t testing.TB, environment, name string, change func(*config.Environment)) *cfn.Assembly {
	t.Helper()
	Dir(t, environment) // a stale cdk.out goes as a whole
	at := root(t)
	dir := filepath.Join(at, "cdk.out", "variants", environment+"-"+name)
	defer locked(t, at)()
	text, sum := changed(t, at, environment, change)
	stamp := filepath.Join(dir, "sources.sha256")
	if last, err := os.ReadFile(stamp); err != nil || string(last) != sum { //nolint:gosec // a file of ours
		writeConfig(t, dir, environment, text)
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

// changed returns the changed configuration, and the hash of all that its
// templates are made of.
func changed(t testing.TB, at, environment string, change func(*config.Environment)) (text []byte, sum string) {
	t.Helper()
	sources, err := cdkout.Sum(at)
	if err != nil {
		t.Fatal(err)
	}
	e := Config(t, environment)
	change(e)
	if text, err = yaml.Marshal(e); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(append([]byte(sources), text...))
	return text, hex.EncodeToString(hash[:])
}

func writeConfig(t testing.TB, dir, environment string, text []byte) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "config"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config", environment+".yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
