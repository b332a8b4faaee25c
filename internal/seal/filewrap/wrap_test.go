package filewrap_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/seal/wraptest"
)

var (
	personal  = seal.Context{Purpose: padron.PurposeSeal, Group: "personal"}
	financial = seal.Context{Purpose: padron.PurposeSeal, Group: "financial"}
)

func newWrapper(t *testing.T) *filewrap.Wrapper {
	t.Helper()
	return mustOpen(t, filepath.Join(t.TempDir(), "keys.json"))
}

func TestConformance(t *testing.T) {
	wraptest.Run(t, func(t *testing.T) seal.KeyWrapper { return newWrapper(t) })
}

func TestIDNamesTheKey(t *testing.T) {
	if id := newWrapper(t).ID(); !regexp.MustCompile(`^file:[0-9a-f]{8}$`).MatchString(id) {
		t.Errorf("the key is named %q, want file: and 8 hexadecimal digits", id)
	}
}

var update = flag.Bool("update", false, "wrap testdata/wrapped.json anew: the format has changed, and registers must be migrated")

// wrappedVector is a data key as it was wrapped once by the key in
// testdata/keys.json, which protects nothing else.
type wrappedVector struct {
	Purpose padron.Purpose `json:"purpose"`
	Group   string         `json:"group"`
	Plain   string         `json:"plain_hex"`
	Wrapped []byte         `json:"wrapped_base64"`
}

// committedKey opens a copy of testdata/keys.json with the mode a key file
// needs, which a checkout does not keep.
func committedKey(t *testing.T) *filewrap.Wrapper {
	t.Helper()
	const from = "testdata/keys.json"
	if _, err := os.Stat(from); *update && errors.Is(err, os.ErrNotExist) {
		mustOpen(t, from)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	write(t, path, mustRead(t, from), 0o600)
	return mustOpen(t, path)
}

func TestWrappedKeysOfOldUnwrap(t *testing.T) {
	w := committedKey(t)
	if *update {
		wrapVectors(t, w)
	}
	var vectors []wrappedVector
	if err := json.Unmarshal(mustRead(t, "testdata/wrapped.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 3 {
		t.Fatal("there are too few vectors")
	}
	for _, v := range vectors {
		got, err := w.Unwrap(t.Context(), seal.Context{Purpose: v.Purpose, Group: v.Group}, v.Wrapped)
		if err != nil || hex.EncodeToString(got) != v.Plain {
			t.Errorf("the %s %s key, wrapped earlier, unwraps to something else: %v", v.Purpose, v.Group, err)
		}
	}
}

func wrapVectors(t *testing.T, w *filewrap.Wrapper) {
	t.Helper()
	var vectors []wrappedVector
	for _, c := range []seal.Context{personal, financial, {Purpose: padron.PurposeIndex}} {
		plain, wrapped, err := w.NewKey(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, wrappedVector{c.Purpose, c.Group, hex.EncodeToString(plain), wrapped})
	}
	data, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "testdata/wrapped.json", append(data, '\n'), 0o644)
}
