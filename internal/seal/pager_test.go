package seal_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
)

func newPager(t testing.TB, b *bench) *seal.Pager {
	t.Helper()
	p, err := seal.NewPager(t.Context(), b.wrapper, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPageTokenRoundTrip(t *testing.T) {
	b := newBench(t)
	here, there := newPager(t, b), newPager(t, b) // two readers behind one load balancer
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
		bind := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bind")
		token := here.Seal(payload, bind)
		if len(token) > seal.MaxPageToken || strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Fatalf("a token of %d characters does not fit into a URL: %s", len(token), token)
		}
		got, err := there.Open(token, bind)
		if err != nil || !bytes.Equal(got, payload) {
			t.Fatal("a token does not open at another reader:", err)
		}
		other := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "other bind")
		if _, err := there.Open(token, other); (err == nil) != bytes.Equal(bind, other) {
			t.Fatal("a token opens with the binding of another query")
		}
	})
}

// badToken checks that a token is refused as the caller's mistake, in words
// that tell nothing about it.
func badToken(t fataler, p *seal.Pager, token string, bind []byte) {
	t.Helper()
	got, err := p.Open(token, bind)
	if got != nil || padron.ErrorCode(err) != padron.CodeInvalid {
		t.Fatalf("Open = %q, %v; want an invalid page token", got, err)
	}
	if !contains(err, "page_token") || len(token) > 16 && contains(err, token) {
		t.Fatalf("the error %q does not name the parameter, or quotes the token", err)
	}
}

func TestPageTokensThatAreRefused(t *testing.T) {
	b, bind := newBench(t), []byte("customers\x00viewer\x00car=Fiat")
	p, stranger := newPager(t, b), newPager(t, newBench(t))
	token := p.Seal([]byte("customer-1000"), bind)
	c := maria()
	sc := b.seal(t, &c)
	for name, tc := range map[string]struct {
		token string
		bind  string
	}{
		"other filter":        {token, "customers\x00viewer\x00car=Seat"},
		"other role":          {token, "customers\x00admin\x00car=Fiat"},
		"other list":          {token, "quarantine\x00viewer\x00car=Fiat"},
		"no binding":          {token, ""},
		"longer binding":      {token, string(bind) + "\x00"},
		"another register":    {stranger.Seal([]byte("customer-1000"), bind), string(bind)},
		"empty":               {"", string(bind)},
		"padded":              {token + "=", string(bind)},
		"line break inside":   {token[:8] + "\n" + token[8:], string(bind)},
		"standard alphabet":   {"++//" + token[4:], string(bind)},
		"cut":                 {token[:len(token)-4], string(bind)},
		"longer":              {token + "AAAA", string(bind)},
		"too long":            {strings.Repeat("A", seal.MaxPageToken+1), string(bind)},
		"whole, but too long": {p.Seal(make([]byte, seal.MaxPageToken), bind), string(bind)},
		"a customer's group":  {encode(sc.Personal), string(c.ID)},
		"version of tomorrow": {"Ag" + token[2:], string(bind)},
	} {
		t.Run(name, func(t *testing.T) { badToken(t, p, tc.token, []byte(tc.bind)) })
	}
}

func TestEveryBitOfPageTokenCounts(t *testing.T) {
	p, bind := newPager(t, newBench(t)), []byte("bind")
	raw := decode(t, p.Seal([]byte("customer-1000"), bind))
	for bit := range len(raw) * 8 {
		altered := bytes.Clone(raw)
		altered[bit/8] ^= 1 << (bit % 8)
		badToken(t, p, encode(altered), bind)
	}
}

// Each token has one spelling: the spare bits of its last character are zero.
func TestPageTokenHasOneSpelling(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	p, bind := newPager(t, newBench(t)), []byte("bind")
	for _, payload := range []string{"1", "12", "123"} {
		token := p.Seal([]byte(payload), bind)
		last := token[len(token)-1]
		for _, c := range []byte(alphabet) {
			if c != last {
				badToken(t, p, token[:len(token)-1]+string(c), bind)
			}
		}
	}
}

// The keys and the token are those of the vectors, the same in every process.
func FuzzPageToken(f *testing.F) {
	v := readVectors(f)
	p, want := newPager(f, vectorBench(f, v)), v.PageTokens[1]
	f.Add(want.Token)
	f.Add(want.Token + "A")
	f.Fuzz(func(t *testing.T, s string) {
		if s != want.Token {
			badToken(t, p, s, want.Bind)
			return
		}
		if payload, err := p.Open(s, want.Bind); err != nil || !bytes.Equal(payload, want.Payload) {
			t.Fatal("the token does not open:", err)
		}
	})
}
