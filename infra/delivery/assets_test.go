package delivery

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"padron/infra/synthtest"
)

// TestPacked makes the same archive of the same files, and knows one that
// another program made of them from one that holds something else.
func TestPacked(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "index.js", "code")
	if err := os.Mkdir(filepath.Join(dir, "lib"), 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "lib/x.js", "more")
	first, err := packed(dir, "zip")
	if err != nil {
		t.Fatal(err)
	}
	if second, err := packed(dir, "zip"); err != nil || !bytes.Equal(first, second) {
		t.Errorf("two archives of the same files differ: %v", err)
	}
	for name, tt := range map[string]struct {
		object []byte
		want   bool
	}{
		"ours":              {first, true},
		"another program's": {archive(t, zip.Store, "lib/", "", "lib/x.js", "more", "index.js", "code"), true},
		"another content":   {archive(t, zip.Store, "lib/x.js", "evil", "index.js", "code"), false},
		"a file more":       {archive(t, zip.Store, "lib/x.js", "more", "index.js", "code", "evil", ""), false},
		"a file less":       {archive(t, zip.Store, "index.js", "code"), false},
		"no archive":        {[]byte("no archive"), false},
	} {
		if got, err := holds(tt.object, dir, "zip"); err != nil || got != tt.want {
			t.Errorf("%s: holds is %v, want %v (%v)", name, got, tt.want, err)
		}
	}
}

// archive packs pairs of name and content.
func archive(t *testing.T, method uint16, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		in, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err == nil {
			_, err = in.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestNobodyIsAsked wants a synthesis that looks nothing up in the account: the
// role that plans cannot, and templates would differ by the day.
func TestNobodyIsAsked(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		text, err := os.ReadFile(filepath.Join(synthtest.Dir(t, name), "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		var manifest struct {
			Missing []any `json:"missing"`
		}
		if err := json.Unmarshal(text, &manifest); err != nil || len(manifest.Missing) > 0 {
			t.Errorf("%s: the synthesis wants to look up %v (%v)", name, manifest.Missing, err)
		}
	}
}
