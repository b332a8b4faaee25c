package seal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
)

// writeVectors seals the inputs below. The keys of the file stay, so that the
// difference shows what changed.
func writeVectors(t testing.TB) {
	t.Helper()
	v := &vectors{}
	if data, err := os.ReadFile(vectorFile); err == nil {
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	} else {
		v.KeyFile, v.DataKeys = newVectorKeys(t)
	}
	b := vectorBench(t, v)
	*v = vectors{KeyFile: v.KeyFile, DataKeys: v.DataKeys}
	empty := padron.Customer{ID: "ñ-2"}
	for _, k := range v.DataKeys[:2] {
		group := map[string]padron.Group{"personal": padron.GroupPersonal, "financial": padron.GroupFinancial}[k.Group]
		if err := b.sealer.UseKey(group, k.ID, k.Plain); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []padron.Customer{maria(), jose(), empty} {
		v.Customers = append(v.Customers, b.newSealedVector(t, &c))
	}
	b.addHashes(v)
	b.addRejected(t, v)
	p := newPager(t, b)
	for _, s := range []string{"", "1048576"} {
		v.PageTokens = append(v.PageTokens, tokenVector{hexText(s), hexText("customers\x00" + s), p.Seal([]byte(s), []byte("customers\x00"+s))})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func newVectorKeys(t testing.TB) (json.RawMessage, []keyVector) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	w, err := filewrap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var keys []keyVector
	for i, c := range []seal.Context{
		{Purpose: padron.PurposeSeal, Group: "personal"}, {Purpose: padron.PurposeSeal, Group: "financial"},
		{Purpose: padron.PurposeFingerprint}, {Purpose: padron.PurposeIndex}, {Purpose: padron.PurposeQuarantine}, {Purpose: padron.PurposePage},
	} {
		plain, wrapped, err := w.NewKey(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, keyVector{padron.KeyID(1<<62 + 257*(i+1)), c.Purpose, c.Group, wrapped, plain})
	}
	return file, keys
}

func (b *bench) newSealedVector(t testing.TB, c *padron.Customer) sealedVector {
	t.Helper()
	out := sealedVector{
		ID: c.ID, Profile: c.Profile, Personal: exposed(personalTexts(&c.Personal)), Financial: exposed(financialTexts(&c.Financial)),
		PersonalBytes: seal.EncodePersonal(&c.Personal), FinancialBytes: seal.EncodeFinancial(&c.Financial),
	}
	fingerprint := b.sealer.Fingerprint(c)
	out.Fingerprint = fingerprint[:]
	sc := b.seal(t, c)
	out.PersonalSeal, out.FinancialSeal = sc.Personal, sc.Financial
	return out
}

func (b *bench) addHashes(v *vectors) {
	for _, x := range []struct {
		index  padron.Index
		values []padron.Sensitive
	}{
		{padron.IndexUserName, []padron.Sensitive{"María Fernández", "  MARI\u0301A\tfernández ", "Straße", "👩🏽‍🚀", ""}},
		{padron.IndexCardNumber, []padron.Sensitive{"4539-1488-0343-6467", "4539148803436467"}},
		{padron.IndexAccountNumber, []padron.Sensitive{"00412345678901"}},
		{padron.IndexIPAddress, []padron.Sensitive{"203.0.113.77", "::ffff:203.0.113.77", "2001:DB8::1"}},
		{padron.IndexZipCode, []padron.Sensitive{" 02139-4307 "}},
	} {
		for _, value := range x.values {
			hash := b.sealer.Index(x.index, value)
			v.Indexes = append(v.Indexes, indexVector{x.index.String(), value.Expose(), hash[:]})
		}
	}
	for _, a := range []dataVector{{What: "personal", Key: 1, Owner: "1048576"}, {What: "financial", Key: 1<<63 - 1, Owner: "ñ"}, {What: "page", Key: 256}} {
		a.Data = seal.AssociatedData(a.What, a.Key, a.Owner)
		v.AssociatedData = append(v.AssociatedData, a)
	}
}

func (b *bench) addRejected(t testing.TB, v *vectors) {
	t.Helper()
	r := rejectedRecord()
	v.Rejected.Reasons = []padron.Reason{padron.ReasonTooLarge, "address:null"}
	v.Rejected.ID, v.Rejected.Plain = b.sealer.RejectedID(&r, v.Rejected.Reasons), seal.EncodeRecord(&r)
	var err error
	if v.Rejected.Sealed, _, err = b.sealer.SealRecord(t.Context(), &r, v.Rejected.ID); err != nil {
		t.Fatal(err)
	}
}
