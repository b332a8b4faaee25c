package audit_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"padron"
	"padron/internal/audit"
)

// What a reader of the export sees is what is verified: a line that says more
// than the entry, or says it twice, is not what was written.
func TestLinesThatAreNoEntries(t *testing.T) {
	c := newChain(t, 3)
	export := strings.SplitAfter(c.export(t), "\n")
	good := strings.TrimSuffix(export[1], "\n")
	for name, line := range map[string]string{
		"empty":                   "",
		"no JSON":                 "entry 2",
		"cut":                     good[:len(good)-1],
		"null":                    "null",
		"an array":                "[" + good + "]",
		"two in a line":           good + good,
		"field added":             strings.Replace(good, `"role"`, `"note":"x","role"`, 1),
		"field twice, lie first":  strings.Replace(good, `{`, `{"principal":"token:OTHER",`, 1),
		"field twice in capitals": strings.Replace(good, `{`, `{"Principal":"token:OTHER",`, 1),
		"ids beside the id":       strings.Replace(good, `"fields"`, `"customer_ids":["1","2"],"fields"`, 1),
		"empty field added":       strings.Replace(good, `"outcome"`, `"purpose":"","outcome"`, 1),
		"name in capitals":        strings.Replace(good, `"outcome"`, `"OUTCOME"`, 1),
		"hash in capitals":        good[:len(good)-66] + strings.ToUpper(good[len(good)-66:]),
		"hash cut":                good[:len(good)-4] + `"}`,
		"hash of no hexadecimal":  good[:len(good)-4] + `zz"}`,
		"time in another zone":    strings.Replace(good, `Z"`, `+00:00"`, 1),
		"bad time":                strings.Replace(good, `"time":"2`, `"time":"x`, 1),
		"number as text":          strings.Replace(good, `"seq":2`, `"seq":"2"`, 1),
		"number with exponent":    strings.Replace(good, `"seq":2`, `"seq":2e0`, 1),
		"number too large":        strings.Replace(good, `"seq":2`, `"seq":99999999999999999999`, 1),
		"spaces":                  " " + good,
		"escape of a letter":      strings.Replace(good, "token", `\u0074oken`, 1),
		"bytes that are no text":  strings.Replace(good, "token", "\xfftoken", 1),
		"too long":                `{"principal":"` + strings.Repeat("x", 2<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if line == good {
				t.Fatal("the test changes nothing")
			}
			r, err := audit.VerifyJSONL(strings.NewReader(export[0]+line+"\n"+export[2]), nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Broken == nil || r.Broken.Seq != 2 || !strings.Contains(r.Broken.Why, "its line is") || r.Entries != 1 {
				t.Errorf("found %+v, broken at %+v; want one entry, and line 2 not an entry", r, r.Broken)
			}
		})
	}
}

// Mail and editors may change how lines end.
func TestLineEnds(t *testing.T) {
	c := newChain(t, 3)
	export, head := c.export(t), c.head()
	for name, text := range map[string]string{
		"as written":          export,
		"CRLF":                strings.ReplaceAll(export, "\n", "\r\n"),
		"last line not ended": strings.TrimSuffix(export, "\n"),
	} {
		r, err := audit.VerifyJSONL(iotest.OneByteReader(strings.NewReader(text)), &head)
		if err != nil || r.Broken != nil || r.Entries != 3 || r.Head != head {
			t.Errorf("%s: %+v, broken at %+v, %v", name, r, r.Broken, err)
		}
	}
}

// A file that cannot be read is an error, not a break: nobody did anything.
func TestUnreadableExport(t *testing.T) {
	c := newChain(t, 3)
	r, err := audit.VerifyJSONL(io.MultiReader(strings.NewReader(c.export(t)), iotest.ErrReader(errDown)), nil)
	if !errors.Is(err, errDown) || r != (audit.Result{}) {
		t.Errorf("found %+v, %v; want no result and the reader's error", r, err)
	}
}

// The longest entry there is fits into a line.
func TestLongestEntry(t *testing.T) {
	e := entry(1)
	e.Customers = nil
	for range 1000 {
		e.Customers = append(e.Customers, padron.CustomerID(strings.Repeat("<", 64)))
	}
	c := &chain{}
	if err := newLog(c).Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if r := c.verify(t, nil); r.Broken != nil || r.Entries != 1 {
		t.Errorf("an entry about 1000 customers: %+v, broken at %+v", r, r.Broken)
	}
}

// With the chain's end as anchor nothing passes but the chain itself, with or
// without later entries.
func FuzzVerifyJSONL(f *testing.F) {
	c := newChain(f, 3)
	export, head := c.export(f), c.head()
	f.Add([]byte(export))
	f.Add([]byte(strings.Replace(export, "{", `{"purpose":"x",`, 1)))
	f.Add([]byte(newChain(f, 4).export(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := audit.VerifyJSONL(bytes.NewReader(data), &head)
		if err != nil {
			t.Fatal("reading from memory failed:", err)
		}
		text := strings.ReplaceAll(string(data), "\r\n", "\n")
		if r.Broken == nil && !strings.HasPrefix(text+"\n", export) {
			t.Fatal("another chain passes under the anchor")
		}
		free, err := audit.VerifyJSONL(bytes.NewReader(data), nil)
		if err != nil {
			t.Fatal("reading from memory failed:", err)
		}
		if n := int64(strings.Count(strings.TrimSuffix(text, "\n")+"\n", "\n")); free.Broken == nil && len(text) > 0 && free.Entries != n {
			t.Fatalf("%d entries are found in %d lines", free.Entries, n)
		}
		if free.Broken != nil && free.Broken.Seq != free.Head.Seq+1 {
			t.Fatalf("after entry %d entry %d is named", free.Head.Seq, free.Broken.Seq)
		}
	})
}
