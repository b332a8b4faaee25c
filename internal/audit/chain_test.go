package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/audit"
)

var update = flag.Bool("update", false, "write testdata/chain.jsonl anew: the format has changed, and kept anchors no longer hold")

// goldenEntries are entries of every kind: one customer, several, none, text
// that JSON escapes.
func goldenEntries() []padron.AuditEntry {
	return []padron.AuditEntry{
		{Principal: "token:7Q2M", Role: padron.RoleAnalyst, Action: padron.ActionGet, Customers: []padron.CustomerID{"1048576"},
			Fields: []string{"id", "user_name"}, Outcome: padron.AuditAllowed, RequestID: "r-1"},
		{Principal: "token:7Q2M", Role: padron.RoleAnalyst, Action: padron.ActionList, Customers: []padron.CustomerID{"1", "ñ-2", "<3>"},
			Fields: []string{"id"}, Outcome: padron.AuditAllowed, RequestID: "r-2"},
		{Principal: "token:9ZZZ", Role: padron.RoleAdmin, Action: padron.ActionReveal, Customers: []padron.CustomerID{"1048576"},
			Fields: []string{"id", "card_number"}, Purpose: "reclamación «R&D» de la titular 👩🏽‍🚀", Outcome: padron.AuditDenied, RequestID: "r-3"},
		{Principal: "", Role: "", Action: padron.ActionMe, Outcome: padron.AuditFailed, RequestID: "r-4"},
	}
}

// goldenAnchor is the end of the chain in testdata/chain.jsonl.
const goldenAnchor = "4:09463282c033806c7fbe2f4a9faf4a44e7291f2c4dc42138f97bbd1f798dc54c"

func goldenChain(t *testing.T) *chain {
	t.Helper()
	c := &chain{}
	at := time.Date(2023, 4, 5, 6, 7, 8, 901e6, time.UTC)
	l := audit.New(c, func() time.Time { at = at.Add(1234 * time.Millisecond); return at })
	for _, e := range goldenEntries() {
		if err := l.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// The export of a chain is, to the byte, what it was when it was committed.
func TestGoldenChain(t *testing.T) {
	const file = "testdata/chain.jsonl"
	c := goldenChain(t)
	export := c.export(t)
	if *update {
		if err := os.WriteFile(file, []byte(export), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if export != string(want) {
		t.Errorf("the export is\n%s\nwant\n%s", export, want)
	}
	if got := audit.FormatAnchor(c.head()); got != goldenAnchor {
		t.Errorf("the anchor is %s, want %s", got, goldenAnchor)
	}
	anchor, err := audit.ParseAnchor(goldenAnchor)
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.VerifyJSONL(strings.NewReader(string(want)), &anchor)
	if err != nil || r.Broken != nil || r.Entries != 4 {
		t.Errorf("the chain of old does not verify: %+v, broken at %+v, %v", r, r.Broken, err)
	}
}

// The hash in other words than the package's own: the bytes by hand.
func TestHashByTheBook(t *testing.T) {
	e := goldenEntries()[0]
	e.Seq, e.Time = 258, time.UnixMilli(0x0102030405)
	prev := [32]byte{0: 0xaa, 31: 0xbb}
	text := "\x0fpadron/audit/v1" +
		"\xaa" + strings.Repeat("\x00", 30) + "\xbb" +
		"\x00\x00\x00\x00\x00\x00\x01\x02" +
		"\x00\x00\x00\x01\x02\x03\x04\x05" +
		"\x0atoken:7Q2M" + "\x07analyst" + "\x0ccustomer.get" +
		"\x01" + "\x071048576" +
		"\x02" + "\x02id" + "\x09user_name" +
		"\x00" + "\x07allowed" + "\x03r-1"
	want := sha256.Sum256([]byte(text))
	if got := audit.Hash(prev, &e); got != want {
		t.Errorf("the hash is %x, want %x", got, want)
	}
	const known = "3dd8ff062f81483c1b772f181bd543778c2cb959e0753f599349b9eeed15b9e4"
	if got := hex.EncodeToString(want[:]); got != known {
		t.Errorf("the hash is %s, want %s", got, known)
	}
}

// Prev and Hash of the entry are no part of its hash, what it is linked to is.
func TestHashIsOfContentAndLink(t *testing.T) {
	e := entry(1)
	want := audit.Hash([32]byte{1}, &e)
	e.Prev, e.Hash = [32]byte{7}, [32]byte{8}
	if audit.Hash([32]byte{1}, &e) != want {
		t.Error("the hash is of the fields that hold hashes")
	}
	if audit.Hash([32]byte{2}, &e) == want {
		t.Error("the hash is not of the entry before")
	}
	e.Time = e.Time.In(time.FixedZone("Lima", -5*3600)).Add(time.Microsecond)
	if audit.Hash([32]byte{1}, &e) != want {
		t.Error("the hash is of how the time is written, not of its milliseconds")
	}
}

// However texts and lists are cut, other entries have another hash.
func TestHashIsInjective(t *testing.T) {
	part := rapid.StringMatching(`[a\x00\x01]{0,2}`)
	draw := func(t *rapid.T) padron.AuditEntry {
		e := padron.AuditEntry{Principal: part.Draw(t, "principal"), Fields: rapid.SliceOfN(part, 0, 2).Draw(t, "fields"), Purpose: part.Draw(t, "purpose")}
		for _, c := range rapid.SliceOfN(part, 0, 2).Draw(t, "customers") {
			e.Customers = append(e.Customers, padron.CustomerID(c))
		}
		return e
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t), draw(t)
		same := string(lineOf(&a)) == string(lineOf(&b))
		if (audit.Hash([32]byte{}, &a) == audit.Hash([32]byte{}, &b)) != same {
			t.Fatalf("%q and %q", lineOf(&a), lineOf(&b))
		}
	})
}

// lineOf tells entries apart by their lists and texts.
func lineOf(e *padron.AuditEntry) []byte {
	line := []byte{byte(len(e.Customers)), byte(len(e.Fields))}
	for _, c := range e.Customers {
		line = append(line, string(c)+"|"...)
	}
	for _, f := range append([]string{e.Principal, e.Purpose}, e.Fields...) {
		line = append(line, f+"|"...)
	}
	return line
}

func TestAnchorsThatAreNone(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	for _, s := range []string{
		"", ":", "7", "7:", ":" + hash, hash, "x:" + hash, "-1:" + hash, "1.5:" + hash, "0x7:" + hash, "7;" + hash, "7:" + hash[1:], "7:" + hash + "00",
		"7:" + hash[:62] + "zz", "9223372036854775808:" + hash, " 7:" + hash, "7: " + hash, "7:" + hash + "\n", "7:7:" + hash,
	} {
		h, err := audit.ParseAnchor(s)
		if padron.ErrorCode(err) != padron.CodeInvalid || h != (padron.AuditHead{}) {
			t.Errorf("ParseAnchor(%q) = %v, %v; want an invalid anchor", s, h, err)
		}
		if err != nil && !strings.Contains(err.Error(), "SEQ:HASH") {
			t.Errorf("the error %q does not say what is wanted", err)
		}
	}
}

func FuzzParseAnchor(f *testing.F) {
	f.Add(goldenAnchor)
	f.Add(audit.FormatAnchor(padron.AuditHead{}))
	f.Add("9223372036854775807:" + strings.Repeat("Ff", 32))
	f.Fuzz(func(t *testing.T, s string) {
		h, err := audit.ParseAnchor(s)
		if err != nil {
			if h != (padron.AuditHead{}) || padron.ErrorCode(err) != padron.CodeInvalid {
				t.Fatalf("ParseAnchor(%q) = %v, %v", s, h, err)
			}
			return
		}
		if h.Seq < 0 {
			t.Fatalf("ParseAnchor(%q) is number %d", s, h.Seq)
		}
		if again, err := audit.ParseAnchor(audit.FormatAnchor(h)); err != nil || again != h {
			t.Fatalf("%q is %v, written and read again %v, %v", s, h, again, err)
		}
	})
}
