package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"padron"
)

// split returns every element of the reader's array, "(N)" for one of N bytes
// that was too large.
func split(r io.Reader, limit int64) ([]string, error) {
	s := newSplitter(r, limit)
	var out []string
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if e.tooLarge {
			out = append(out, fmt.Sprintf("(%d)", e.size))
			continue
		}
		out = append(out, string(e.raw))
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
		err      error
	}{
		{"empty array", " [ ] \n", nil, nil},
		{"objects", `[{"a":1} , {"b":[2,{"c":"]"}]},{}]`, []string{`{"a":1}`, `{"b":[2,{"c":"]"}]}`, `{}`}, nil},
		{"quotes and escapes", `[{"a":"\"}\\"},{"\\":"\\\\\""}]`, []string{`{"a":"\"}\\"}`, `{"\\":"\\\\\""}`}, nil},
		{"scalars", `[1,"a,]", null ,[2,[3]],-1.5e3]`, []string{`1`, `"a,]"`, `null`, `[2,[3]]`, `-1.5e3`}, nil},
		{"bad syntax inside", `[{"a":1},{"a" 2,,},{"b":3}]`, []string{`{"a":1}`, `{"a" 2,,}`, `{"b":3}`}, nil},
		{"wrong closing bracket", `[{"a":[1}},{"b":3}]`, []string{`{"a":[1}}`, `{"b":3}`}, nil},
		{"too large", `[{"a":"` + strings.Repeat("x", 100) + `"},{"b":1}]`, []string{"(108)", `{"b":1}`}, nil},
		{"just not too large", `["` + strings.Repeat("x", 48) + `"]`, []string{`"` + strings.Repeat("x", 48) + `"`}, nil},
		{"nothing", "", nil, formEmpty},
		{"white space", " \n\t ", nil, formEmpty},
		{"object", ` {"error":"x"}`, nil, formObject},
		{"HTML", "\n<!doctype html>", nil, formHTML},
		{"text", `"error"`, nil, formOther},
		{"byte order mark", "\ufeff[]", nil, formOther},
		{"cut in an element", `[{"a":1},{"b"`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"cut in a string", `[{"a":1},{"b`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"cut behind a comma", `[{"a":1},`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"cut before the end", `[{"a":1}`, []string{`{"a":1}`}, io.ErrUnexpectedEOF},
		{"cut in a scalar", `[1`, nil, io.ErrUnexpectedEOF},
		{"cut at once", `[`, nil, io.ErrUnexpectedEOF},
		{"second array", `[{"a":1}][]`, []string{`{"a":1}`}, formBehind},
		{"garbage behind an empty one", `[]x`, nil, formBehind},
		{"no comma", `[{"a":1}{"b":1}]`, []string{`{"a":1}`}, formBetween},
		{"comma too many", `[{"a":1},]`, []string{`{"a":1}`}, formBetween},
		{"comma at once", `[,{"a":1}]`, nil, formBetween},
	}
	for _, tt := range tests {
		for way, r := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
			"with its end": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				got, err := split(r, 50)
				if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		}
	}
}

func TestSplitPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for _, in := range []string{"", "[", `[{"a"`, `[{"a":1}`, `[{"a":1}]`} {
		_, err := split(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), 50)
		if !errors.Is(err, broken) {
			t.Errorf("%q: error %v", in, err)
		}
	}
	if _, err := split(silent{}, 50); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that brings nothing: error %v", err)
	}
}

// silent brings neither bytes nor an error.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// TestSplitHoldsOneElement: neither a long array nor a large element makes the
// buffer grow beyond what the limit allows.
func TestSplitHoldsOneElement(t *testing.T) {
	const limit = 100 << 10
	large := `{"a":"` + strings.Repeat(`\"`, 5<<20) + `"}`
	parts := []io.Reader{strings.NewReader("[" + large)}
	for range 2000 {
		parts = append(parts, strings.NewReader(","+typical))
	}
	s := newSplitter(io.MultiReader(append(parts, strings.NewReader("]"))...), limit)
	var normal, tooLarge int
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.tooLarge {
			tooLarge++
			if e.record().Fault != padron.ReasonTooLarge || e.size != int64(len(large)) {
				t.Errorf("too large: %+v", e)
			}
			continue
		}
		normal++
	}
	if normal != 2000 || tooLarge != 1 || cap(s.buf) > 4*limit {
		t.Errorf("%d elements, %d too large, a buffer of %d bytes", normal, tooLarge, cap(s.buf))
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`[{"a":"\"}"},1,null,"x",[2]]`), uint64(1))
	f.Add([]byte(`[`+typical+`]`), uint64(2))
	f.Add([]byte(`{"error":1}`), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		const limit = 1 << 10
		r := &chunks{bytes.NewReader(data), rand.New(rand.NewPCG(seed, 0))}
		s := newSplitter(r, limit)
		got, err := []string{}, error(nil)
		for err == nil {
			var e element
			if e, err = s.next(); err == nil {
				got = append(got, string(e.raw))
				if int64(len(e.raw)) > limit || e.tooLarge != (e.size > limit) {
					t.Fatalf("an element of %d bytes, too large: %v", len(e.raw), e.tooLarge)
				}
			}
		}
		if cap(s.buf) > 2*(limit+readSize) {
			t.Errorf("a buffer of %d bytes", cap(s.buf))
		}
		compareSplit(t, data, limit, got, err)
	})
}

// compareSplit holds the splitter to what encoding/json makes of a valid array,
// and expects an error where it is no array.
func compareSplit(t *testing.T, data []byte, limit int, got []string, err error) {
	t.Helper()
	var want []json.RawMessage
	if json.Unmarshal(data, &want) != nil || want == nil {
		if errors.Is(err, io.EOF) && !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
			t.Errorf("no array, but no error")
		}
		return
	}
	if !errors.Is(err, io.EOF) || len(got) != len(want) {
		t.Fatalf("%d elements and %v, want %d", len(got), err, len(want))
	}
	for i := range want {
		if len(want[i]) <= limit && got[i] != string(want[i]) {
			t.Errorf("element %d: %q, want %q", i, got[i], want[i])
		}
	}
}

// chunks reads a random number of bytes at a time.
type chunks struct {
	r   io.Reader
	rng *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) { return c.r.Read(p[:min(len(p), 1+c.rng.IntN(16))]) }
