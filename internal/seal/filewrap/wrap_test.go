package filewrap_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
)

var (
	personal  = seal.Context{Purpose: padron.PurposeSeal, Group: "personal"}
	financial = seal.Context{Purpose: padron.PurposeSeal, Group: "financial"}
)

func newWrapper(t *testing.T) *filewrap.Wrapper {
	t.Helper()
	return mustOpen(t, filepath.Join(t.TempDir(), "keys.json"))
}

func TestWrapThenUnwrap(t *testing.T) {
	w := newWrapper(t)
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-b]{0,3}`))
	seen := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		c := seal.Context{Purpose: padron.Purpose(text.Draw(rt, "purpose")), Group: text.Draw(rt, "group")}
		other := seal.Context{Purpose: padron.Purpose(text.Draw(rt, "other purpose")), Group: text.Draw(rt, "other group")}
		plain, wrapped, err := w.NewKey(t.Context(), c)
		if err != nil || len(plain) != seal.KeySize || seen[string(plain)] {
			rt.Fatalf("a key of %d bytes, made before: %t, %v", len(plain), seen[string(plain)], err)
		}
		seen[string(plain)] = true
		if bytes.Contains(wrapped, plain[:8]) {
			rt.Fatal("the wrapped key holds the key in clear")
		}
		if got, err := w.Unwrap(t.Context(), c, wrapped); err != nil || !bytes.Equal(got, plain) {
			rt.Fatal("does not unwrap:", err)
		}
		if got, err := w.Unwrap(t.Context(), other, wrapped); (err == nil) != (c == other) || err != nil && got != nil {
			rt.Fatalf("wrapped under %q, unwraps under %q", c, other)
		}
	})
}

func TestContextsThatDiffer(t *testing.T) {
	w := newWrapper(t)
	_, wrapped, err := w.NewKey(t.Context(), personal)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []seal.Context{
		financial, {}, {Purpose: padron.PurposeSeal}, {Group: "personal"}, {Purpose: padron.PurposeQuarantine},
		{Purpose: "personal", Group: "seal"}, {Purpose: "sealpersonal"}, {Purpose: "seal", Group: "personal "}, {Purpose: "SEAL", Group: "personal"},
	} {
		if got, err := w.Unwrap(t.Context(), c, wrapped); err == nil || got != nil {
			t.Errorf("unwraps under %q", c)
		}
	}
}

func TestEveryBitOfWrappedKeyCounts(t *testing.T) {
	w := newWrapper(t)
	plain, wrapped, err := w.NewKey(t.Context(), personal)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(wrapped) * 8 {
		altered := bytes.Clone(wrapped)
		altered[bit/8] ^= 1 << (bit % 8)
		got, err := w.Unwrap(t.Context(), personal, altered)
		if err == nil || got != nil {
			t.Fatalf("unwraps with bit %d flipped", bit)
		}
		if strings.Contains(fmt.Sprintf("%v %x", err, err), hex.EncodeToString(plain[:4])) {
			t.Fatal("the error tells a part of the key")
		}
	}
	for n := range len(wrapped) {
		if _, err := w.Unwrap(t.Context(), personal, wrapped[:n]); err == nil {
			t.Fatalf("unwraps cut to %d bytes", n)
		}
	}
}

func TestOtherKeyFile(t *testing.T) {
	one, two := newWrapper(t), newWrapper(t)
	_, wrapped, err := one.NewKey(t.Context(), personal)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.Unwrap(t.Context(), personal, wrapped); err == nil {
		t.Error("another key file unwraps it")
	}
	if one.ID() == two.ID() || !regexp.MustCompile(`^file:[0-9a-f]{8}$`).MatchString(one.ID()) {
		t.Errorf("the keys are named %q and %q, want two of file: and 8 hexadecimal digits", one.ID(), two.ID())
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
