package padron_test

import (
	"flag"
	"testing"

	"pgregory.net/rapid"

	"padron"
)

var update = flag.Bool("update", false, "write the golden files")

// clean is a record with nothing to object to, by field.
var clean = map[padron.Field]string{
	padron.FieldID:            "7",
	padron.FieldRegisteredAt:  "2021-03-04T05:06:07.891Z",
	padron.FieldUserName:      "Íñigo Peña 🌻",
	padron.FieldAddress:       "Calle de los Álamos 12, Piso 3, Bogotá",
	padron.FieldZipCode:       "01234",
	padron.FieldLatitude:      "-12.0464",
	padron.FieldLongitude:     "-77.0428",
	padron.FieldIPAddress:     "192.0.2.7",
	padron.FieldAvatarURL:     "https://avatars.example/7.png",
	padron.FieldIDPhotoURL:    "https://photos.example/dni/7.jpg",
	padron.FieldBirthday:      "1990-02-28T00:00:00.000Z",
	padron.FieldCardNumber:    "4111-1111-1111-1111",
	padron.FieldAccountNumber: "0012345678",
	padron.FieldFavoriteColor: "añil",
	padron.FieldCar:           "SEAT",
	padron.FieldCarModel:      "León",
	padron.FieldCarType:       "Hatchback",
	padron.FieldCarColor:      "rojo",
	padron.FieldPurchases:     "42",
}

func text(s string) padron.Value {
	return padron.Value{Kind: padron.KindText, Text: padron.Sensitive(s)}
}

func number(s string) padron.Value {
	return padron.Value{Kind: padron.KindNumber, Text: padron.Sensitive(s)}
}

// record is the clean record.
func record() *padron.Record {
	r := &padron.Record{}
	for f, s := range clean {
		r.Values[f] = text(s)
	}
	r.Values[padron.FieldPurchases].Kind = padron.KindNumber
	return r
}

// with is the clean record with one value in the place of another.
func with(f padron.Field, v padron.Value) *padron.Record {
	r := record()
	r.Values[f] = v
	return r
}

// customer is the clean record's customer.
func customer(t testing.TB) padron.Customer {
	t.Helper()
	c, warnings, reasons := record().Validate()
	if len(warnings)+len(reasons) > 0 {
		t.Fatalf("the clean record has %v %v", warnings, reasons)
	}
	return c
}

// values draws values of every kind, many of them nearly right.
func values() *rapid.Generator[padron.Value] {
	texts := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			"", " ", "7", "-1", "+1", "0000-00-00", "2021-03-04", "2021-03-04T05:06:07Z", "2021-03-04T23:59:59-23:59", "12345", "1234",
			"180.1", "-90", "1e2", "NaN", "::1", "fe80::1%eth0", "192.0.2.7", "http://x", "javascript:alert(1)", "4111 1111 1111 1111",
			"a\x00b", "\xff", "\ufffd", "99999999999999999999",
		}),
		rapid.StringMatching(`[0-9 -]{0,24}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	return rapid.Custom(func(t *rapid.T) padron.Value {
		kind := rapid.SampledFrom([]padron.Kind{
			padron.KindText, padron.KindText, padron.KindText, padron.KindNumber, padron.KindNull, padron.KindBool, padron.KindOther, padron.KindAbsent,
		}).Draw(t, "kind")
		return padron.Value{Kind: kind, Text: padron.Sensitive(texts.Draw(t, "text"))}
	})
}

// records draws clean records with some values replaced.
func records() *rapid.Generator[*padron.Record] {
	return rapid.Custom(func(t *rapid.T) *padron.Record {
		r := record()
		fields := rapid.SliceOfNDistinct(rapid.SampledFrom(padron.Fields()), 0, 4, rapid.ID[padron.Field]).Draw(t, "fields")
		for _, f := range fields {
			r.Values[f] = values().Draw(t, f.String())
		}
		return r
	})
}
