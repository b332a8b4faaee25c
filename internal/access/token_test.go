package access

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))

func newToken(t *testing.T, role padron.Role, lifetime time.Duration) (string, padron.Token) {
	t.Helper()
	secret, token, err := NewToken(role, "reports", noon, lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return secret, token
}

func TestNewToken(t *testing.T) {
	secret, token := newToken(t, padron.RoleAnalyst, 90*day)
	id, hash, err := ParseToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	want := padron.Token{
		ID: id, Name: "reports", Role: padron.RoleAnalyst, Hash: hash,
		CreatedAt: time.Date(2026, 3, 1, 11, 0, 0, 123e6, time.UTC),
		ExpiresAt: time.Date(2026, 5, 30, 11, 0, 0, 123e6, time.UTC),
	}
	if diff := cmp.Diff(want, token); diff != "" {
		t.Error(diff)
	}
	if second, _ := newToken(t, padron.RoleAnalyst, 90*day); second == secret {
		t.Error("two tokens are the same")
	}
}

func TestNewTokenRefuses(t *testing.T) {
	tests := []struct {
		name, field string
		role        padron.Role
		token       string
		lifetime    time.Duration
	}{
		{"unknown role", "role", "root", "n", day},
		{"no role", "role", "", "n", day},
		{"no name", "name", padron.RoleViewer, "", day},
		{"long name", "name", padron.RoleViewer, strings.Repeat("é", 65), day},
		{"line break in name", "name", padron.RoleViewer, "a\nb", day},
		{"invalid UTF-8 in name", "name", padron.RoleViewer, "a\xffb", day},
		{"blank name", "name", padron.RoleViewer, " ", day},
		{"space at the end of name", "name", padron.RoleViewer, "a ", day},
		{"replacement character in name", "name", padron.RoleViewer, "a\ufffd", day},
		{"format character in name", "name", padron.RoleViewer, "a\u200bb", day},
		{"bidi override in name", "name", padron.RoleViewer, "a\u202eb", day},
		{"short", "expires", padron.RoleViewer, "n", time.Minute - 1},
		{"long", "expires", padron.RoleViewer, "n", 366*day + 1},
		{"negative", "expires", padron.RoleViewer, "n", -day},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret, token, err := NewToken(tt.role, tt.token, noon, tt.lifetime)
			var e *padron.Error
			if !errors.As(err, &e) || e.Code != padron.CodeInvalid || e.Field != tt.field {
				t.Errorf("got %v, want an invalid %s", err, tt.field)
			}
			if secret != "" || token != (padron.Token{}) {
				t.Error("a refused token was returned")
			}
		})
	}
}

func TestNewTokenBounds(t *testing.T) {
	for _, lifetime := range []time.Duration{time.Minute, 366 * day} {
		newToken(t, padron.RoleViewer, lifetime)
	}
	if _, _, err := NewToken(padron.RoleViewer, strings.Repeat("é", 64), noon, day); err != nil {
		t.Error(err)
	}
}

// The text form is what consumers hold for a year: it must not change.
func TestTokenKnownAnswers(t *testing.T) {
	tests := []struct {
		name string
		b    byte
		want string
	}{
		{"zeros", 0x00, "padron_aaaaaaaaaaaaaaaa_0000000000000000000000000000000000000000000" + "1Q3ZKs"},
		{"ones", 0xff, "padron_7777777777777777_" + "YHJSKWDa6oz1al1yMhwzwM8llg7hJNUca2J5RoW8xP1" + "1uuMTw"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := encodeID(bytes.Repeat([]byte{tt.b}, idBytes))
			key := encodeSecret(bytes.Repeat([]byte{tt.b}, secretBytes))
			text := assemble(id, key)
			if text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
			gotID, hash, err := ParseToken(text)
			if err != nil || gotID != id || hash != sha256.Sum256([]byte(key)) {
				t.Errorf("read back as %s, %v", gotID, err)
			}
		})
	}
}

func TestTokenRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := encodeID(rapid.SliceOfN(rapid.Byte(), idBytes, idBytes).Draw(t, "id"))
		key := encodeSecret(rapid.SliceOfN(rapid.Byte(), secretBytes, secretBytes).Draw(t, "secret"))
		got, hash, err := ParseToken(assemble(id, key))
		if err != nil || got != id || hash != sha256.Sum256([]byte(key)) {
			t.Fatalf("read back as %s, %v", got, err)
		}
	})
}

// A typo is one character replaced, or two neighbours swapped; CRC-32 finds
// every one of either.
func TestTokenTypos(t *testing.T) {
	secret, _ := newToken(t, padron.RoleViewer, day)
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(secret)
		i := rapid.IntRange(0, len(b)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "swap") {
			b[i], b[i+1] = b[i+1], b[i]
		} else {
			b[i] = rapid.SampledFrom([]byte(base62Alphabet+"_")).Draw(t, "typo")
		}
		if _, _, err := ParseToken(string(b)); string(b) != secret && err == nil {
			t.Fatalf("a typo at %d was accepted", i)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add(assemble(strings.Repeat("a", idLength), strings.Repeat("0", secretLength)))
	f.Fuzz(func(t *testing.T, s string) {
		id, _, err := ParseToken(s)
		if err == nil {
			key := s[len(tokenPrefix)+idLength+1 : tokenLength-checksumLength]
			if assemble(id, key) != s {
				t.Errorf("%q was accepted as the token of %s", s, id)
			}
			return
		}
		if padron.ErrorCode(err) != padron.CodeUnauthenticated || id != "" {
			t.Errorf("got id %q, error %v", id, err)
		}
		if len(s) >= tokenLength && strings.Contains(err.Error(), s) {
			t.Error("the error quotes the token")
		}
	})
}

func TestParseLifetime(t *testing.T) {
	tests := map[string]time.Duration{
		"90d": 90 * day, "2w": 14 * day, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute,
		"1m": time.Minute, "366d": 366 * day, "52w": 364 * day, "8784h": 366 * day, "1d": day,
	}
	for text, want := range tests {
		if got, err := ParseLifetime(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	refused := []string{
		"", "d", "w", "90", "d90", "-1d", "+1d", "1.5d", "0d", "59s", "367d", "53w", "9999999999d", "4096w",
		"1d12h", " 1d", "1D", "forever", "2562047h47m16.854775807s", "-9223372036854775808ns", "99999999999999999999h",
	}
	for _, text := range refused {
		got, err := ParseLifetime(text)
		var e *padron.Error
		if got != 0 || !errors.As(err, &e) || e.Code != padron.CodeInvalid || e.Field != "expires" {
			t.Errorf("%q: got %v, %v, want an invalid lifetime", text, got, err)
		}
	}
}

func TestChecksumFits(t *testing.T) {
	if digits := math.Log(1<<32) / math.Log(62); digits > checksumLength {
		t.Errorf("a CRC-32 has %.1f digits, more than %d", digits, checksumLength)
	}
	if digits := 256 * math.Log(2) / math.Log(62); digits > secretLength {
		t.Errorf("a secret has %.1f digits, more than %d", digits, secretLength)
	}
}
