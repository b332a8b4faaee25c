package seal_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
)

func TestGroupsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := customers().Draw(t, "customer")
		p, err := seal.DecodePersonal(seal.EncodePersonal(&c.Personal))
		if err != nil || p != c.Personal {
			t.Fatal("the personal group is not what it was:", err)
		}
		f, err := seal.DecodeFinancial(seal.EncodeFinancial(&c.Financial))
		if err != nil || f != c.Financial {
			t.Fatal("the financial group is not what it was:", err)
		}
	})
}

// An older reader survives what a newer writer adds, of any wire type.
func TestUnknownNumbersAreSkipped(t *testing.T) {
	c := maria()
	var newer []byte
	newer = protowire.AppendTag(newer, 900, protowire.VarintType)
	newer = protowire.AppendVarint(newer, 1<<40)
	newer = protowire.AppendTag(newer, 901, protowire.Fixed64Type)
	newer = protowire.AppendFixed64(newer, 7)
	newer = protowire.AppendTag(newer, 902, protowire.BytesType)
	newer = protowire.AppendString(newer, "a field of tomorrow")
	newer = append(newer, seal.EncodePersonal(&c.Personal)...)
	newer = protowire.AppendTag(newer, 903, protowire.Fixed32Type)
	newer = protowire.AppendFixed32(newer, 7)
	got, err := seal.DecodePersonal(newer)
	if err != nil || got != c.Personal {
		t.Error("a newer writer's group is not read:", err)
	}
}

func TestDamagedGroups(t *testing.T) {
	for name, data := range map[string]string{
		"tag only":             "\x1a",
		"length beyond end":    "\x1a\x05abcd",
		"endless varint":       strings.Repeat("\x80", 12),
		"field number 0":       "\x02\x00",
		"wire type 7":          "\x1f\x00",
		"end of no group":      "\x1c",
		"text then half a tag": "\x1a\x01a\x80",
	} {
		if _, err := seal.DecodePersonal([]byte(data)); err == nil {
			t.Errorf("%s: is read", name)
		}
		if _, err := seal.DecodeRecord([]byte(data)); err == nil {
			t.Errorf("%s: is read as a record", name)
		}
	}
	for name, data := range map[string]string{"value without a kind": "\x1a\x00", "kind of tomorrow": "\x1a\x02\x06a"} {
		if _, err := seal.DecodeRecord([]byte(data)); err == nil {
			t.Errorf("%s: is read as a record", name)
		}
	}
}

func FuzzGroup(f *testing.F) {
	c := maria()
	f.Add(seal.EncodePersonal(&c.Personal))
	f.Add(seal.EncodeFinancial(&c.Financial))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := seal.DecodePersonal(data)
		if err == nil {
			again, err := seal.DecodePersonal(seal.EncodePersonal(&p))
			if err != nil || again != p {
				t.Error("a personal group that was read is not written as it is:", err)
			}
		}
		fin, err := seal.DecodeFinancial(data)
		if err == nil {
			again, err := seal.DecodeFinancial(seal.EncodeFinancial(&fin))
			if err != nil || again != fin {
				t.Error("a financial group that was read is not written as it is:", err)
			}
		}
	})
}

func FuzzRecord(f *testing.F) {
	var r padron.Record
	for i := range r.Values {
		r.Values[i] = padron.Value{Kind: padron.Kind(i % int(padron.KindOther+1)), Text: "text"}
	}
	r.Values[0].Kind, r.Unknown, r.Fault = padron.KindText, []string{"apodo", ""}, padron.ReasonTooLarge
	f.Add(seal.EncodeRecord(&r))
	f.Add(seal.EncodeRecord(&padron.Record{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := seal.DecodeRecord(data)
		if err != nil {
			return
		}
		for i := range r.Values {
			if r.Values[i].Kind == padron.KindAbsent {
				r.Values[i] = padron.Value{} // what is absent is not written
			}
		}
		again, err := seal.DecodeRecord(seal.EncodeRecord(&r))
		if err != nil || !cmp.Equal(again, r) {
			t.Error("a record that was read is not written as it is:", err)
		}
	})
}
