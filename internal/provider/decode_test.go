package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"padron"
)

// values is what a record has, in clear, by padron's names.
func values(r padron.Record) map[string]string {
	out := map[string]string{}
	for _, f := range padron.Fields() {
		if v := r.Values[f]; v.Kind != padron.KindAbsent {
			out[f.String()] = v.Kind.String() + ":" + v.Text.Expose()
		}
	}
	return out
}

func TestDecodeRecord(t *testing.T) {
	tests := []struct {
		name, in string
		want     map[string]string
		unknown  []string
		fault    padron.Reason
	}{
		{name: "every kind", in: ` {"id":"7","ip":null,"auto":true,"cantidad_compras_realizadas":-1.5e3,"direccion":{"id":"8"},"avatar":[1]} `,
			want: map[string]string{"id": "text:7", "ip_address": "null:", "car": "bool:true", "purchases": "number:-1.5e3",
				"address": "other:", "avatar_url": "other:"}},
		{name: "escapes", in: `{"id":"a\u00e9\n\ud83d\ude00\u0000\"","i\u0070":"x"}`,
			want: map[string]string{"id": "text:aé\n😀\x00\"", "ip_address": "text:x"}},
		{name: "empty text and object", in: `{"id":""}`, want: map[string]string{"id": "text:"}},
		{name: "no members", in: `{}`},
		{name: "other spellings are unknown", in: `{"ID":"1","Ip":"2","user_name ":"3","credit_card_CCV":"731"}`,
			unknown: []string{"ID", "Ip", Withheld, "credit_card_CCV"}},
		{name: "unknown values are passed over", in: `{"nuevo":{"id":[{"id":"9"}]},"id":"1"}`,
			want: map[string]string{"id": "text:1"}, unknown: []string{"nuevo"}},
		{name: "name twice", in: `{"id":"1","ip":"a","ip":"b"}`, fault: padron.ReasonMalformed,
			want: map[string]string{"id": "text:1", "ip_address": "text:a"}},
		{name: "unknown name twice", in: `{"x":1,"x":2}`, fault: padron.ReasonMalformed, unknown: []string{"x"}},
		{name: "name twice by an escape", in: `{"id":"1","\u0069d":"2"}`, fault: padron.ReasonMalformed,
			want: map[string]string{"id": "text:1"}},
		{name: "name twice inside", in: `{"id":"1","direccion":{"a":1,"a":2}}`, fault: padron.ReasonMalformed,
			want: map[string]string{"id": "text:1"}},
		{name: "bad UTF-8", in: "{\"id\":\"1\",\"ip\":\"\xff\"}", fault: padron.ReasonMalformed, want: map[string]string{"id": "text:1"}},
		{name: "lone surrogate", in: `{"ip":"\ud800"}`, fault: padron.ReasonMalformed},
		{name: "no comma", in: `{"id":"1" "ip":"2"}`, fault: padron.ReasonMalformed, want: map[string]string{"id": "text:1"}},
		{name: "a comma too many", in: `{"id":"1",}`, fault: padron.ReasonMalformed, want: map[string]string{"id": "text:1"}},
		{name: "bad number", in: `{"id":01}`, fault: padron.ReasonMalformed, want: map[string]string{"id": "number:0"}},
		{name: "control character", in: "{\"id\":\"a\nb\"}", fault: padron.ReasonMalformed},
		{name: "two objects", in: `{"id":"1"}{"id":"2"}`, fault: padron.ReasonMalformed, want: map[string]string{"id": "text:1"}},
		{name: "cut off", in: `{"id":"1"`, fault: padron.ReasonMalformed, want: map[string]string{"id": "text:1"}},
		{name: "nothing", in: ``, fault: padron.ReasonMalformed},
		{name: "no JSON", in: `usuario`, fault: padron.ReasonMalformed},
		{name: "text", in: `"usuario"`, fault: padron.ReasonNotObject},
		{name: "number", in: `17`, fault: padron.ReasonNotObject},
		{name: "null", in: `null`, fault: padron.ReasonNotObject},
		{name: "array", in: `[{"id":"1"}]`, fault: padron.ReasonNotObject},
		{name: "two numbers", in: `1 2`, fault: padron.ReasonMalformed},
		{name: "too deep", in: `{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
			fault: padron.ReasonMalformed, unknown: []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := DecodeRecord([]byte(tt.in))
			if r.Fault != tt.fault {
				t.Errorf("fault %q, want %q", r.Fault, tt.fault)
			}
			if d := cmp.Diff(tt.want, values(r), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("values (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.unknown, r.Unknown, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("unknown (-want +got):\n%s", d)
			}
		})
	}
}

// TestDecodeRecordIsOwn: a record keeps nothing of its input, whose bytes are
// used again for the next one.
func TestDecodeRecordIsOwn(t *testing.T) {
	data := []byte(`{"id":"1","user_name":"Ana","nuevo":2}`)
	r := DecodeRecord(data)
	copy(data, strings.Repeat("#", len(data)))
	DecodeRecord([]byte(`{"id":"2","user_name":"Luz"}`))
	if d := cmp.Diff(map[string]string{"id": "text:1", "user_name": "text:Ana"}, values(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !slices.Equal(r.Unknown, []string{"nuevo"}) {
		t.Errorf("unknown %q", r.Unknown)
	}
}

// TestSecurityCode: PCI DSS 3.3.1. The code is nowhere in a record, not even
// behind the redaction, however it was written.
func TestSecurityCode(t *testing.T) {
	const code = "90817263"
	for _, in := range []string{
		`{"id":"1","credit_card_ccv":"90817263","ip":"192.0.2.1"}`,
		`{"id":"1","credit_card_ccv":90817263}`,
		`{"credit_card_ccv":{"v":["90817263"]},"id":"1"}`,
		`{"credit\u005fcard_ccv":"90817263","id":"1"}`,
		`{"credit_card_ccv":"90817263","credit_card_ccv":"90817263"}`,
		`{"id":"1","credit_card_ccv":"90817263`,
		`{"id":"1","credit_card_ccv":90817263x}`,
		`{"id":"1","nuevo":{"credit_card_ccv":"90817263"},"direccion":{"credit_card_ccv":"90817263"}}`,
		`["credit_card_ccv","90817263"]`,
		`"90817263"`,
	} {
		r := DecodeRecord([]byte(in))
		asJSON, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		shown := fmt.Sprintf("%+v %#v %s %q %s", r, r, asJSON, r.Unknown, r.Fault)
		for _, v := range r.Values {
			// A whole backing array can be reached from a part of it, so look at
			// all the text that the record was given.
			shown += v.Text.Expose()
		}
		if strings.Contains(shown, code) {
			t.Errorf("%s: the security code is in the record", in)
		}
		if slices.Contains(r.Unknown, padron.SecurityCodeName) {
			t.Errorf("%s: the security code's name counts as unknown", in)
		}
	}
}

// TestSecurityCodeIsNotCopied looks at what the decoder itself held on to.
func TestSecurityCodeIsNotCopied(t *testing.T) {
	d := decoders.New().(*decoder)
	d.in.WriteString(`{"id":"1","credit_card_ccv":"90817263","ip":"192.0.2.1"}`)
	d.json.Reset(&d.in)
	var r padron.Record
	if err := d.object(&r); err != nil {
		t.Fatal(err)
	}
	if got := string(d.text); got != "1192.0.2.1" {
		t.Errorf("the decoder copied %q", got)
	}
}

func TestUnknownNamesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"` + strings.Repeat("z", 65) + `":1,"año_2":1,"` + strings.Repeat("z", 64) + `":1`)
	for i := range 100 {
		fmt.Fprintf(&b, `,"n%d":%d`, i, i)
	}
	r := DecodeRecord([]byte(b.String() + "}"))
	if r.Fault != "" || len(r.Unknown) != maxUnknownNames {
		t.Fatalf("fault %q, %d names", r.Fault, len(r.Unknown))
	}
	want := []string{Withheld, "año_2", strings.Repeat("z", 64), "n0"}
	if d := cmp.Diff(want, r.Unknown[:4]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestNamesThatAreNone: what a provider put into the place of a name is not
// repeated.
func TestNamesThatAreNone(t *testing.T) {
	for name, ok := range map[string]bool{
		"nuevo": true, "_x": true, "a-b.c_d": true, "year2024": true, "n1_22_333": true, "a1234": true,
		"a12345": false, "4111 1111 1111 1111": false, "4111111111111111": false, "1a": false, "ana.perez@example.com": false, "": false,
		"+34600000000": false, "Ana Pérez": false, "<b>": false,
	} {
		want := Withheld
		if ok {
			want = name
		}
		if r := DecodeRecord([]byte(`{"` + name + `":1}`)); len(r.Unknown) != 1 || r.Unknown[0] != want {
			t.Errorf("%q is shown as %q", name, r.Unknown)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(typical))
	f.Add([]byte(`{"id":"1","x":{"a":[1,2,{"b":null}]}}`))
	f.Add([]byte(`{"id":"1","id":"2"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := DecodeRecord(data)
		if len(r.Unknown) > maxUnknownNames {
			t.Errorf("%d unknown names", len(r.Unknown))
		}
		for _, name := range r.Unknown {
			if len(name) > maxUnknownBytes || !utf8.ValidString(name) || name == padron.SecurityCodeName {
				t.Errorf("unknown name %q", name)
			}
		}
		if !json.Valid(data) {
			if r.Fault != padron.ReasonMalformed {
				t.Errorf("fault %q for what is no JSON", r.Fault)
			}
			return
		}
		var object map[string]any
		if r.Fault == "" {
			if err := json.Unmarshal(data, &object); err != nil || object == nil {
				t.Fatalf("no fault, but %v", err)
			}
			checkAgainst(t, r, object)
		}
	})
}

// checkAgainst compares texts and kinds with what encoding/json read.
func checkAgainst(t *testing.T, r padron.Record, object map[string]any) {
	t.Helper()
	for _, f := range padron.Fields() {
		want, there := object[f.ProviderName()]
		v := r.Values[f]
		if there != (v.Kind != padron.KindAbsent) {
			t.Errorf("%s: kind %s, in the object: %v", f, v.Kind, there)
		}
		if text, ok := want.(string); ok && (v.Kind != padron.KindText || v.Text.Expose() != text) {
			t.Errorf("%s: %s %q, want text %q", f, v.Kind, v.Text.Expose(), text)
		}
	}
}
