package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
)

var update = flag.Bool("update", false, "seal testdata/vectors.json anew: the stored format has changed, and registers must be migrated")

const vectorFile = "testdata/vectors.json"

// hexText is bytes that stand in the vectors in hexadecimal.
type hexText []byte

func (h hexText) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

// vectors is the content of the vector file: what a register held once. Its keys
// are of this file alone and protect nothing.
type vectors struct {
	KeyFile        json.RawMessage `json:"key_file"`
	DataKeys       []keyVector     `json:"data_keys"`
	AssociatedData []dataVector    `json:"associated_data"`
	Customers      []sealedVector  `json:"customers"`
	Indexes        []indexVector   `json:"indexes"`
	Rejected       rejectedVector  `json:"rejected"`
	PageTokens     []tokenVector   `json:"page_tokens"`
}

type keyVector struct {
	ID      padron.KeyID   `json:"id"`
	Purpose padron.Purpose `json:"purpose"`
	Group   string         `json:"group,omitempty"`
	Wrapped []byte         `json:"wrapped_base64"`
	Plain   hexText        `json:"plain_hex"`
}

type dataVector struct {
	What  string       `json:"what"`
	Key   padron.KeyID `json:"key"`
	Owner string       `json:"owner"`
	Data  hexText      `json:"data_hex"`
}

type sealedVector struct {
	ID             padron.CustomerID `json:"id"`
	Profile        padron.Profile    `json:"profile"`
	Personal       []string          `json:"personal"`
	Financial      []string          `json:"financial"`
	PersonalBytes  hexText           `json:"personal_plain_hex"`
	FinancialBytes hexText           `json:"financial_plain_hex"`
	PersonalSeal   []byte            `json:"personal_sealed_base64"`
	FinancialSeal  []byte            `json:"financial_sealed_base64"`
	Fingerprint    hexText           `json:"fingerprint_hex"`
}

type indexVector struct {
	Index string  `json:"index"`
	Value string  `json:"value"`
	Hash  hexText `json:"hash_hex"`
}

type rejectedVector struct {
	ID      string          `json:"id"`
	Reasons []padron.Reason `json:"reasons"`
	Plain   hexText         `json:"plain_hex"`
	Sealed  []byte          `json:"sealed_base64"`
}

type tokenVector struct {
	Payload hexText `json:"payload_hex"`
	Bind    hexText `json:"bind_hex"`
	Token   string  `json:"token"`
}

// personalTexts are the texts of a personal group in the order of the vectors.
func personalTexts(p *padron.Personal) []*padron.Sensitive {
	return []*padron.Sensitive{
		&p.UserName, &p.Address, &p.ZipCode, &p.Latitude, &p.Longitude, &p.IPAddress,
		&p.AvatarURL, &p.IDPhotoURL, &p.Birthday, &p.CardMask, &p.AccountMask,
	}
}

func financialTexts(f *padron.Financial) []*padron.Sensitive {
	return []*padron.Sensitive{&f.CardNumber, &f.AccountNumber}
}

func exposed(texts []*padron.Sensitive) []string {
	var out []string
	for _, s := range texts {
		out = append(out, s.Expose())
	}
	return out
}

func (v *sealedVector) customer() padron.Customer {
	c := padron.Customer{ID: v.ID, Profile: v.Profile}
	for i, s := range personalTexts(&c.Personal) {
		*s = padron.Sensitive(v.Personal[i])
	}
	for i, s := range financialTexts(&c.Financial) {
		*s = padron.Sensitive(v.Financial[i])
	}
	return c
}

// vectorBench is a register with the keys of the vectors.
func vectorBench(t testing.TB, v *vectors) *bench {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, v.KeyFile, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := filewrap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{keys: newKeyMap(), wrapper: &witness{KeyWrapper: w}}
	for _, k := range v.DataKeys {
		b.keys.keys[k.ID] = padron.DataKey{ID: k.ID, Purpose: k.Purpose, Group: k.Group, Wrapped: k.Wrapped, KEK: w.ID()}
	}
	b.sealer, b.opener = b.newSealer(t), b.newOpener(t)
	return b
}

func readVectors(t testing.TB) *vectors {
	t.Helper()
	if *update {
		writeVectors(t)
	}
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	v := &vectors{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatal(err)
	}
	if len(v.Customers) < 2 || len(v.Indexes) < 5 || len(v.DataKeys) < 6 || len(v.PageTokens) < 1 || len(v.AssociatedData) < 3 {
		t.Fatal(vectorFile, "lacks vectors")
	}
	return v
}

// The whole way from the key file to the customer, with what was stored then.
func TestVectorsOpen(t *testing.T) {
	v := readVectors(t)
	b := vectorBench(t, v)
	for i := range v.Customers {
		want := v.Customers[i].customer()
		sc := padron.SealedCustomer{ID: want.ID, Profile: want.Profile, Personal: v.Customers[i].PersonalSeal, Financial: v.Customers[i].FinancialSeal}
		got, err := b.opener.Open(t.Context(), &sc, everything())
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("customer %s, sealed earlier, does not open to the same: %v", want.ID, err)
		}
	}
	r, err := b.opener.OpenRecord(t.Context(), &padron.QuarantineEntry{ID: v.Rejected.ID, Record: v.Rejected.Sealed})
	if want := rejectedRecord(); err != nil || !cmp.Equal(r, want) {
		t.Error("a record, sealed earlier, does not open to the same:", err)
	}
	p := newPager(t, b)
	for _, tok := range v.PageTokens {
		if got, err := p.Open(tok.Token, tok.Bind); err != nil || !bytes.Equal(got, tok.Payload) {
			t.Errorf("page token %s opens to %x, %v; want %x", tok.Token, got, err, tok.Payload)
		}
	}
}

func TestVectorsOfDataKeys(t *testing.T) {
	v := readVectors(t)
	b := vectorBench(t, v)
	for _, k := range v.DataKeys {
		plain, err := b.wrapper.Unwrap(t.Context(), seal.Context{Purpose: k.Purpose, Group: k.Group}, k.Wrapped)
		if err != nil || !bytes.Equal(plain, k.Plain) {
			t.Errorf("the %s %s key unwraps to something else: %v", k.Purpose, k.Group, err)
		}
	}
}

// Hashes are exact: a change finds nobody, and writes everybody anew.
func TestVectorsOfHashes(t *testing.T) {
	v := readVectors(t)
	b := vectorBench(t, v)
	for i := range v.Customers {
		c := v.Customers[i].customer()
		if got := b.sealer.Fingerprint(&c); !bytes.Equal(got[:], v.Customers[i].Fingerprint) {
			t.Errorf("the fingerprint of customer %s is %x, want %x", c.ID, got, v.Customers[i].Fingerprint)
		}
	}
	for _, x := range v.Indexes {
		i, ok := padron.ParseIndex(x.Index)
		if got := b.sealer.Index(i, padron.Sensitive(x.Value)); !ok || !bytes.Equal(got[:], x.Hash) {
			t.Errorf("the %s index of %q is %s, want %x", x.Index, x.Value, hex.EncodeToString(got[:]), x.Hash)
		}
	}
	r := rejectedRecord()
	if got := b.sealer.RejectedID(&r, v.Rejected.Reasons); got != v.Rejected.ID {
		t.Errorf("the id of the rejected record is %s, want %s", got, v.Rejected.ID)
	}
}

func TestVectorsOfEncodings(t *testing.T) {
	v := readVectors(t)
	for _, a := range v.AssociatedData {
		if got := seal.AssociatedData(a.What, a.Key, a.Owner); !bytes.Equal(got, a.Data) {
			t.Errorf("the associated data of %q, %d, %q are %x, want %x", a.What, a.Key, a.Owner, got, a.Data)
		}
	}
	for i := range v.Customers {
		c := v.Customers[i].customer()
		if got := seal.EncodePersonal(&c.Personal); !bytes.Equal(got, v.Customers[i].PersonalBytes) {
			t.Errorf("the personal group of %s is encoded as %x, want %x", c.ID, got, v.Customers[i].PersonalBytes)
		}
		if got := seal.EncodeFinancial(&c.Financial); !bytes.Equal(got, v.Customers[i].FinancialBytes) {
			t.Errorf("the financial group of %s is encoded as %x, want %x", c.ID, got, v.Customers[i].FinancialBytes)
		}
	}
	r := rejectedRecord()
	if got := seal.EncodeRecord(&r); !bytes.Equal(got, v.Rejected.Plain) {
		t.Errorf("the rejected record is encoded as %x, want %x", got, v.Rejected.Plain)
	}
}

// The format in other words than the package's own, with the standard library.
func TestVectorsByTheBook(t *testing.T) {
	v := readVectors(t)
	plain := map[padron.KeyID][]byte{}
	shared := map[padron.Purpose][]byte{}
	for _, k := range v.DataKeys {
		plain[k.ID], shared[k.Purpose] = k.Plain, k.Plain
	}
	for _, c := range v.Customers {
		for _, g := range []struct {
			name   string
			sealed []byte
			want   []byte
		}{{"personal", c.PersonalSeal, c.PersonalBytes}, {"financial", c.FinancialSeal, c.FinancialBytes}} {
			if got := openByTheBook(t, plain, g.sealed, g.name, string(c.ID)); !bytes.Equal(got, g.want) {
				t.Errorf("the %s group of %s opens to %x, want %x", g.name, c.ID, got, g.want)
			}
		}
	}
	if got := openByTheBook(t, plain, v.Rejected.Sealed, "quarantine", v.Rejected.ID); !bytes.Equal(got, v.Rejected.Plain) {
		t.Errorf("the rejected record opens to %x, want %x", got, v.Rejected.Plain)
	}
	for _, tok := range v.PageTokens {
		if got := openByTheBook(t, plain, decode(t, tok.Token), "page", string(tok.Bind)); !bytes.Equal(got, tok.Payload) {
			t.Errorf("page token %s opens to %x, want %x", tok.Token, got, tok.Payload)
		}
	}
	mac := hmac.New(sha256.New, shared[padron.PurposeIndex])
	mac.Write(lengthPrefixed("padron/index/v1", "card_number", "4539148803436467"))
	if want := mac.Sum(nil)[:16]; !bytes.Equal(v.index(t, "card_number", "4539-1488-0343-6467"), want) {
		t.Errorf("the index of the card is not the first half of an HMAC-SHA256: want %x", want)
	}
}

func (v *vectors) index(t *testing.T, index, value string) []byte {
	t.Helper()
	for _, x := range v.Indexes {
		if x.Index == index && x.Value == value {
			return x.Hash
		}
	}
	t.Fatalf("there is no vector of %s %s", index, value)
	return nil
}

func lengthPrefixed(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

// openByTheBook opens version | key id | nonce | ciphertext and tag.
func openByTheBook(t *testing.T, keys map[padron.KeyID][]byte, sealed []byte, what, owner string) []byte {
	t.Helper()
	if sealed[0] != 1 {
		t.Fatalf("the version is %d, want 1", sealed[0])
	}
	block, err := aes.NewCipher(keys[padron.KeyID(binary.BigEndian.Uint64(sealed[1:9]))])
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	data := lengthPrefixed("padron/sealed/v1", what)
	data = append(data, sealed[1:9]...)
	data = append(data, lengthPrefixed(owner)...)
	plain, err := gcm.Open(nil, sealed[9:21], sealed[21:], data)
	if err != nil {
		t.Fatalf("%s of %s: %v", what, owner, err)
	}
	return plain
}

// rejectedRecord is a record with a value of every kind.
func rejectedRecord() padron.Record {
	r := padron.Record{Unknown: []string{"apodo", "signo"}, Fault: padron.ReasonTooLarge}
	r.Values[padron.FieldID] = padron.Value{Kind: padron.KindText, Text: "1048576"}
	r.Values[padron.FieldUserName] = padron.Value{Kind: padron.KindText, Text: "María 👩🏽‍🚀"}
	r.Values[padron.FieldAddress] = padron.Value{Kind: padron.KindNull}
	r.Values[padron.FieldLatitude] = padron.Value{Kind: padron.KindNumber, Text: "-34.6037"}
	r.Values[padron.FieldBirthday] = padron.Value{Kind: padron.KindBool, Text: "true"}
	r.Values[padron.FieldPurchases] = padron.Value{Kind: padron.KindOther}
	return r
}
