package seal

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"padron"
)

// Inside a ciphertext a group is in protobuf's wire format: text fields, the
// number of a field being its [padron.Field] plus one. Unknown numbers are
// skipped, so that an older reader survives a newer writer.
const (
	numCardMask    = 101
	numAccountMask = 102
)

// slot is where one text of a customer is kept.
type slot struct {
	num   protowire.Number
	value *padron.Sensitive
}

func fieldNum(f padron.Field) protowire.Number { return protowire.Number(f) + 1 }

func personalSlots(p *padron.Personal) [11]slot {
	return [...]slot{
		{fieldNum(padron.FieldUserName), &p.UserName},
		{fieldNum(padron.FieldAddress), &p.Address},
		{fieldNum(padron.FieldZipCode), &p.ZipCode},
		{fieldNum(padron.FieldLatitude), &p.Latitude},
		{fieldNum(padron.FieldLongitude), &p.Longitude},
		{fieldNum(padron.FieldIPAddress), &p.IPAddress},
		{fieldNum(padron.FieldAvatarURL), &p.AvatarURL},
		{fieldNum(padron.FieldIDPhotoURL), &p.IDPhotoURL},
		{fieldNum(padron.FieldBirthday), &p.Birthday},
		{numCardMask, &p.CardMask},
		{numAccountMask, &p.AccountMask},
	}
}

func financialSlots(f *padron.Financial) [2]slot {
	return [...]slot{
		{fieldNum(padron.FieldCardNumber), &f.CardNumber},
		{fieldNum(padron.FieldAccountNumber), &f.AccountNumber},
	}
}

func appendSlots(b []byte, slots []slot) []byte {
	for _, s := range slots {
		b = protowire.AppendTag(b, s.num, protowire.BytesType)
		b = protowire.AppendString(b, s.value.Expose())
	}
	return b
}

var errCodec = errors.New("what was sealed is not a field group")

// eachText calls f with every text field in data, by where its text begins and
// ends.
func eachText(data []byte, f func(num protowire.Number, begin, end int) error) error {
	for at := 0; at < len(data); {
		num, typ, n := protowire.ConsumeTag(data[at:])
		if n < 0 {
			return errCodec
		}
		at += n
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, data[at:]); n < 0 {
				return errCodec
			}
			at += n
			continue
		}
		text, n := protowire.ConsumeBytes(data[at:])
		if n < 0 {
			return errCodec
		}
		at += n
		if err := f(num, at-len(text), at); err != nil {
			return err
		}
	}
	return nil
}

// readSlots fills the slots. Their texts are parts of one string, so that a group
// is copied once and not text by text.
func readSlots(data []byte, slots []slot) error {
	group := padron.Sensitive(data)
	return eachText(data, func(num protowire.Number, begin, end int) error {
		for _, s := range slots {
			if s.num == num {
				*s.value = group[begin:end]
			}
		}
		return nil
	})
}

// The parts of a rejected record besides its fields. A field's text begins with
// a byte for its kind.
const (
	numUnknown = 201
	numFault   = 202
)

// encodeRecord encodes a rejected record: known fields, names of unknown ones,
// the fault. The security code never got into it.
func encodeRecord(r *padron.Record) []byte {
	var b []byte
	for f, v := range r.Values {
		if v.Kind == padron.KindAbsent {
			continue
		}
		b = protowire.AppendTag(b, fieldNum(padron.Field(f)), protowire.BytesType)
		b = protowire.AppendString(b, string(rune(v.Kind))+v.Text.Expose())
	}
	for _, name := range r.Unknown {
		b = protowire.AppendTag(b, numUnknown, protowire.BytesType)
		b = protowire.AppendString(b, name)
	}
	if r.Fault != "" {
		b = protowire.AppendTag(b, numFault, protowire.BytesType)
		b = protowire.AppendString(b, string(r.Fault))
	}
	return b
}

func decodeRecord(data []byte) (padron.Record, error) {
	var r padron.Record
	err := eachText(data, func(num protowire.Number, begin, end int) error {
		text := data[begin:end]
		switch {
		case num == numUnknown:
			r.Unknown = append(r.Unknown, string(text))
		case num == numFault:
			r.Fault = padron.Reason(text)
		case num <= padron.NumFields:
			if len(text) == 0 || text[0] > byte(padron.KindOther) {
				return errCodec
			}
			r.Values[num-1] = padron.Value{Kind: padron.Kind(text[0]), Text: padron.Sensitive(text[1:])}
		}
		return nil
	})
	return r, err
}
