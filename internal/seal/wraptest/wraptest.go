// Package wraptest is the conformance suite of [seal.KeyWrapper]: whatever wraps
// data keys passes it.
package wraptest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
)

// personal and financial are the contexts of the two field groups' keys.
var (
	personal  = seal.Context{Purpose: padron.PurposeSeal, Group: "personal"}
	financial = seal.Context{Purpose: padron.PurposeSeal, Group: "financial"}
)

// Run holds wrappers to the contract. open returns a wrapper of a new
// key-encryption key.
func Run(t *testing.T, open func(t *testing.T) seal.KeyWrapper) {
	t.Run("wrap then unwrap", func(t *testing.T) { testRoundTrip(t, open(t)) })
	t.Run("contexts that differ", func(t *testing.T) { testContexts(t, open(t)) })
	t.Run("every bit of a wrapped key counts", func(t *testing.T) { testBits(t, open(t)) })
	t.Run("another key", func(t *testing.T) { testOther(t, open(t), open(t)) })
}

func testRoundTrip(t *testing.T, w seal.KeyWrapper) {
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

func testContexts(t *testing.T, w seal.KeyWrapper) {
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

func testBits(t *testing.T, w seal.KeyWrapper) {
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

func testOther(t *testing.T, one, two seal.KeyWrapper) {
	_, wrapped, err := one.NewKey(t.Context(), personal)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := two.NewKey(t.Context(), personal); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Unwrap(t.Context(), personal, wrapped); err == nil {
		t.Error("another key unwraps it")
	}
	if one.ID() == two.ID() || one.ID() == "" {
		t.Errorf("two keys are named %q and %q", one.ID(), two.ID())
	}
}
