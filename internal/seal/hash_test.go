package seal_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
)

func TestWaysOfWritingThatFindEachOther(t *testing.T) {
	s := newBench(t).sealer
	for _, tc := range []struct {
		index padron.Index
		same  []padron.Sensitive
		other []padron.Sensitive
	}{
		{
			padron.IndexUserName,
			[]padron.Sensitive{"José Ángel", "JOSÉ ÁNGEL", "Jose\u0301 A\u0301ngel", "  José \t Ángel\n", "José\u00a0Ángel"},
			[]padron.Sensitive{"Jose Angel", "JoséÁngel", "José Ángela", ""},
		},
		{padron.IndexUserName, []padron.Sensitive{"Kim Sosa", "KIM SOSA", "\u212aim \u017fosa"}, []padron.Sensitive{"KimSosa"}}, // folded to ASCII
		{padron.IndexUserName, []padron.Sensitive{"Straße", "STRASSE", "strasse"}, []padron.Sensitive{"strase"}},
		{
			padron.IndexCardNumber,
			[]padron.Sensitive{"4539-1488-0343-6467", "4539 1488 0343 6467", "4539148803436467", " 4539148803436467 "},
			[]padron.Sensitive{"4539148803436466", "453914880343646", "04539148803436467", ""},
		},
		{padron.IndexAccountNumber, []padron.Sensitive{"00412345678901", "0041-2345678901"}, []padron.Sensitive{"412345678901"}},
		{
			padron.IndexIPAddress,
			[]padron.Sensitive{"2001:db8::1", "2001:DB8:0:0:0:0:0:1", " 2001:db8::0001 "},
			[]padron.Sensitive{"2001:db8::2", "2001:db8::1%eth0"},
		},
		{padron.IndexIPAddress, []padron.Sensitive{"192.0.2.17", "::ffff:192.0.2.17", "::ffff:c000:211"}, []padron.Sensitive{"192.0.2.1", "192.0.2.170"}},
		{padron.IndexIPAddress, []padron.Sensitive{"no address", " no address "}, []padron.Sensitive{"No address"}},
		{padron.IndexZipCode, []padron.Sensitive{"02139-4307", " 02139-4307\n"}, []padron.Sensitive{"02139", "2139-4307", "021394307"}},
	} {
		want := s.Index(tc.index, tc.same[0])
		for _, v := range tc.same {
			if s.Index(tc.index, v) != want {
				t.Errorf("%s: %q is not found as %q", tc.index, v.Expose(), tc.same[0].Expose())
			}
		}
		for _, v := range tc.other {
			if s.Index(tc.index, v) == want {
				t.Errorf("%s: %q is taken for %q", tc.index, v.Expose(), tc.same[0].Expose())
			}
		}
	}
}

func TestNamesAreFoundInAnyCaseAndEncoding(t *testing.T) {
	s := newBench(t).sealer
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.RuneFrom([]rune("aeñÑüßéÁŁőĀ ΑωΣσςЖж")), 0, 12, -1).Draw(t, "name")
		want := s.Index(padron.IndexUserName, padron.Sensitive(name))
		for _, v := range []string{
			norm.NFD.String(name), norm.NFC.String(name), strings.ToUpper(name), strings.ToLower(name),
			norm.NFD.String(strings.ToUpper(name)), "\t" + strings.ReplaceAll(name, " ", "  ") + " ",
		} {
			if s.Index(padron.IndexUserName, padron.Sensitive(v)) != want {
				t.Fatalf("%q is not found as %q", v, name)
			}
		}
	})
}

// The same value has another index in each field: a dump does not show that
// somebody's account number is somebody's zip code.
func TestIndexesAreSeparate(t *testing.T) {
	s := newBench(t).sealer
	seen := map[padron.BlindIndex]padron.Index{}
	for _, i := range padron.Indexes() {
		x := s.Index(i, "4539148803436467")
		if other, ok := seen[x]; ok {
			t.Errorf("%s and %s have the same index", i, other)
		}
		seen[x] = i
	}
	for x := range seen {
		for _, verb := range []string{"%v", "%x", "%d", "%s", "%#v"} {
			if text := fmt.Sprintf(verb, x); text != padron.Redacted {
				t.Errorf("%s prints an index: %s", verb, text)
			}
		}
	}
}

func TestReaderAndSealerAgreeOnIndexes(t *testing.T) {
	b, c := newBench(t), maria()
	sc := b.seal(t, &c)
	x, err := seal.NewIndexer(t.Context(), b.wrapper, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range map[padron.Index]padron.Sensitive{
		padron.IndexUserName: c.Personal.UserName, padron.IndexCardNumber: c.Financial.CardNumber,
		padron.IndexAccountNumber: c.Financial.AccountNumber, padron.IndexIPAddress: c.Personal.IPAddress, padron.IndexZipCode: c.Personal.ZipCode,
	} {
		if x.Index(i, value) != sc.Indexes[i] {
			t.Errorf("a search by %s does not find the customer", i)
		}
	}
	other := newBench(t)
	if other.sealer.Index(padron.IndexCardNumber, c.Financial.CardNumber) == sc.Indexes[padron.IndexCardNumber] {
		t.Error("another register has the same index: it is not keyed")
	}
}

// Whatever changes of a customer changes the fingerprint.
func TestFingerprintCoversEveryField(t *testing.T) {
	b, c := newBench(t), maria()
	seen := map[padron.Fingerprint]string{b.sealer.Fingerprint(&c): "nothing"}
	fields := eachChange(t, &c, func(name string) {
		f := b.sealer.Fingerprint(&c)
		if other, ok := seen[f]; ok {
			t.Errorf("changing %s has the fingerprint of changing %s", name, other)
		}
		seen[f] = name
	})
	if want := padron.NumFields + 2; fields != want { // and the two masks
		t.Errorf("%d fields were changed, want %d", fields, want)
	}
	if other := newBench(t); other.sealer.Fingerprint(&c) == b.sealer.Fingerprint(&c) {
		t.Error("another register has the same fingerprint: it is not keyed")
	}
}

// eachChange changes one field of c at a time, calls f and restores it. It
// returns how many fields there are.
func eachChange(t *testing.T, c *padron.Customer, f func(name string)) int {
	t.Helper()
	n := 0
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		if at, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(at.Add(time.Millisecond)))
			n++
			f(name)
			v.Set(reflect.ValueOf(at))
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), v.Type().Field(i).Name)
			}
			return
		case reflect.String:
			old := v.String()
			v.SetString(old + "x")
			defer v.SetString(old)
		case reflect.Int64:
			old := v.Int()
			v.SetInt(old + 1)
			defer v.SetInt(old)
		default:
			t.Fatalf("%s is a %s: the test does not know how to change it", name, v.Kind())
		}
		n++
		f(name)
	}
	walk(reflect.ValueOf(c).Elem(), "")
	return n
}

// Text that moves from one field to the next is a change.
func TestFingerprintKeepsFieldsApart(t *testing.T) {
	b := newBench(t)
	part := rapid.StringMatching(`[ab\x00\x01\x02]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) padron.Sensitive { return padron.Sensitive(part.Draw(t, name)) }
		var one, two padron.Customer
		one.Personal.UserName, one.Personal.Address, one.Personal.ZipCode = draw("name 1"), draw("address 1"), draw("zip 1")
		two.Personal.UserName, two.Personal.Address, two.Personal.ZipCode = draw("name 2"), draw("address 2"), draw("zip 2")
		if same := one == two; (b.sealer.Fingerprint(&one) == b.sealer.Fingerprint(&two)) != same {
			t.Fatal("fingerprints agree where customers do not, or the other way about")
		}
	})
}

// The fingerprint is of the instant, not of how it is written.
func TestFingerprintIgnoresTheTimeZone(t *testing.T) {
	b, c := newBench(t), maria()
	want := b.sealer.Fingerprint(&c)
	c.Profile.RegisteredAt = c.Profile.RegisteredAt.In(time.FixedZone("Lima", -5*3600))
	if b.sealer.Fingerprint(&c) != want {
		t.Error("another time zone is another fingerprint")
	}
}

func TestRejectedID(t *testing.T) {
	b := newBench(t)
	record := func(id, name padron.Sensitive) *padron.Record {
		var r padron.Record
		r.Values[padron.FieldID] = padron.Value{Kind: padron.KindText, Text: id}
		r.Values[padron.FieldUserName] = padron.Value{Kind: padron.KindText, Text: name}
		return &r
	}
	const bad, worse = padron.Reason("user_name:empty"), padron.Reason("birthday:invalid_date")
	id := func(r *padron.Record, reasons ...padron.Reason) string { return b.sealer.RejectedID(r, reasons) }
	first := id(record("7", "María"), bad, worse)
	if !regexp.MustCompile(`^q_[0-9a-f]{32}$`).MatchString(first) {
		t.Errorf("the id is %q, want q_ and 32 hexadecimal digits", first)
	}
	for name, tc := range map[string]struct {
		got  string
		same bool
	}{
		"reasons in another order":      {id(record("7", "María"), worse, bad), true},
		"same customer, other data":     {id(record("7", "José"), bad, worse), true},
		"one reason less":               {id(record("7", "María"), bad), false},
		"another customer":              {id(record("8", "María"), bad, worse), false},
		"reason twice":                  {id(record("7", "María"), bad, worse, worse), false},
		"no usable id":                  {id(record("", "María"), bad, worse), false},
		"no usable id, other data":      {id(record("", "José"), bad, worse), false},
		"reasons that join differently": {id(record("7", "María"), bad+worse), false},
	} {
		if (tc.got == first) != tc.same {
			t.Errorf("%s: the same entry: %t, want %t", name, !tc.same, tc.same)
		}
	}
	if id(record("", "María"), bad) == id(record("", "José"), bad) {
		t.Error("two nameless records share an entry")
	}
}
