package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"padron/infra/cli"
)

// TestEnvironment exits with 2 where a description is wrong, and with 1 where
// there is none.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cdk.json": "{}", filepath.Join("config", "dev.yaml"): "name: other\n", filepath.Join("config", "odd.yaml"): "odd: true\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"dev": 2, "odd": 2, "nowhere": 1} {
		_, _, err := cli.Environment(name)
		if code := cli.Code(err); code != want || !strings.HasPrefix(err.Error(), "config/"+name+".yaml: ") {
			t.Errorf("%s: exit code %d of %v, want %d", name, code, err, want)
		}
	}
}
