package provider

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"padron"
)

// Bounds of what is kept of fields padron does not know.
const (
	maxUnknownNames = 32
	maxUnknownBytes = 64
)

// decoder is a JSON decoder with its input, used again and again.
type decoder struct {
	in  bytes.Buffer
	dec *jsontext.Decoder
}

var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.dec = jsontext.NewDecoder(&d.in)
	return d
}}

// DecodeRecord reads one element of the provider's array. It never fails: what
// is no record has its Fault set. The card security code is passed over here
// and gets nowhere; of unknown fields only the name is kept, of objects and
// arrays only that they were there.
func DecodeRecord(data []byte) padron.Record {
	d := decoders.Get().(*decoder) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	d.in.Reset()
	d.in.Write(data)
	d.dec.Reset(&d.in)
	var r padron.Record
	if d.dec.PeekKind() != '{' {
		r.Fault = padron.ReasonNotObject
		if d.dec.SkipValue() != nil {
			r.Fault = padron.ReasonMalformed
		}
		return r
	}
	if err := d.members(&r); err != nil {
		// The error's text may repeat the input, so it ends here.
		r.Fault = padron.ReasonMalformed
	}
	return r
}

func (d *decoder) members(r *padron.Record) error {
	if _, err := d.dec.ReadToken(); err != nil { // {
		return err
	}
	for d.dec.PeekKind() == '"' {
		name, err := d.dec.ReadValue()
		if err != nil {
			return err
		}
		field, known := padron.ProviderField(string(name[1 : len(name)-1]))
		if !known {
			if err := d.unknown(r, name); err != nil {
				return err
			}
			continue
		}
		value, err := d.dec.ReadValue()
		if err != nil {
			return err
		}
		if r.Values[field], err = decodeValue(value); err != nil {
			return err
		}
	}
	_, err := d.dec.ReadToken() // }
	return err
}

// unknown passes over the value of a field that padron does not know, or knows
// only to drop.
func (d *decoder) unknown(r *padron.Record, quoted jsontext.Value) error {
	name, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return err
	}
	if f, ok := padron.ProviderField(string(name)); ok { // it was written with escapes
		value, err := d.dec.ReadValue()
		if err != nil {
			return err
		}
		r.Values[f], err = decodeValue(value)
		return err
	}
	if string(name) != padron.SecurityCodeName && len(r.Unknown) < maxUnknownNames {
		r.Unknown = append(r.Unknown, cut(name))
	}
	return d.dec.SkipValue()
}

// cut shortens a name at a character's boundary.
func cut(name []byte) string {
	if len(name) > maxUnknownBytes {
		name = name[:maxUnknownBytes]
		for !utf8.Valid(name) {
			name = name[:len(name)-1]
		}
	}
	return string(name)
}

func decodeValue(v jsontext.Value) (padron.Value, error) {
	switch v.Kind() {
	case 'n':
		return padron.Value{Kind: padron.KindNull}, nil
	case 't', 'f':
		return padron.Value{Kind: padron.KindBool, Text: padron.Sensitive(v)}, nil
	case '0':
		return padron.Value{Kind: padron.KindNumber, Text: padron.Sensitive(v)}, nil
	case '"':
		if bytes.IndexByte(v, '\\') < 0 {
			return padron.Value{Kind: padron.KindText, Text: padron.Sensitive(v[1 : len(v)-1])}, nil
		}
		text, err := jsontext.AppendUnquote(nil, v)
		return padron.Value{Kind: padron.KindText, Text: padron.Sensitive(text)}, err
	}
	return padron.Value{Kind: padron.KindOther}, nil
}
