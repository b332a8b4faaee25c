package provider

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sync"

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
	in   bytes.Buffer
	json *jsontext.Decoder
	// text holds the record's texts end to end, and spans where each one is, so
	// that one allocation serves them all. The security code is never in it.
	text  []byte
	spans [padron.NumFields]struct{ from, to int }
}

var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.json = jsontext.NewDecoder(&d.in)
	return d
}}

// DecodeRecord reads one element of the provider's array. It never fails: what
// is no record has its Fault set, and the values that came before the fault.
// Invalid UTF-8 and names given twice are malformed, as RFC 7493 (I-JSON) has
// it. The card security code is passed over and gets nowhere; of unknown fields
// only the name is kept (32 of them, 64 bytes each, [Withheld] for what looks
// like no name), of objects and arrays only
// that they were there.
func DecodeRecord(data []byte) padron.Record {
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	d.in = *bytes.NewBuffer(data)
	d.json.Reset(&d.in)
	d.text = d.text[:0]
	d.spans = [padron.NumFields]struct{ from, to int }{}
	var r padron.Record
	// The text of an error may repeat the input, so each one ends here.
	if d.json.PeekKind() == '{' {
		if err := d.object(&r); err != nil {
			r.Fault = padron.ReasonMalformed
		}
		d.fill(&r)
		return r
	}
	r.Fault = padron.ReasonNotObject
	if d.json.SkipValue() != nil || !d.atEnd() {
		r.Fault = padron.ReasonMalformed
	}
	return r
}

// errTrailing: something follows the value.
var errTrailing = errors.New("trailing data")

func (d *decoder) object(r *padron.Record) error {
	if _, err := d.json.ReadToken(); err != nil { // {
		return err
	}
	for d.json.PeekKind() == '"' {
		if err := d.member(r); err != nil {
			return err
		}
	}
	if _, err := d.json.ReadToken(); err != nil { // }
		return err
	}
	if !d.atEnd() {
		return errTrailing
	}
	return nil
}

func (d *decoder) atEnd() bool {
	_, err := d.json.ReadToken()
	return errors.Is(err, io.EOF)
}

func (d *decoder) member(r *padron.Record) error {
	quoted, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		if name, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return err
		}
	}
	if f, ok := padron.ProviderField(string(name)); ok {
		return d.value(r, f)
	}
	if string(name) != padron.SecurityCodeName && len(r.Unknown) < maxUnknownNames {
		r.Unknown = append(r.Unknown, shown(name))
	}
	return d.json.SkipValue()
}

// Withheld stands for the name of an unknown field that does not look like one:
// somebody may have put a value there, and names are reported and logged.
const Withheld = "(withheld)"

// fieldName is what names look like: a word, without long rows of digits.
var fieldName = regexp.MustCompile(`^[\pL_](?:[\pL_.-]|[0-9]{1,4}(?:[\pL_.-]|$))*$`)

// shown returns a name as it may be shown.
func shown(name []byte) string {
	if len(name) > maxUnknownBytes || !fieldName.Match(name) {
		return Withheld
	}
	return string(name)
}

// value reads the value of a field into d.text.
func (d *decoder) value(r *padron.Record, f padron.Field) error {
	v, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	from := len(d.text)
	kind := padron.KindOther
	switch v.Kind() {
	case 'n':
		kind = padron.KindNull
	case 't', 'f':
		kind = padron.KindBool
		d.text = append(d.text, v...)
	case '0':
		kind = padron.KindNumber
		d.text = append(d.text, v...)
	case '"':
		kind = padron.KindText
		if d.text, err = appendText(d.text, v); err != nil {
			return err
		}
	}
	r.Values[f].Kind = kind
	d.spans[f].from, d.spans[f].to = from, len(d.text)
	return nil
}

func appendText(b []byte, quoted jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return append(b, quoted[1:len(quoted)-1]...), nil
	}
	return jsontext.AppendUnquote(b, quoted)
}

// fill gives the record's values their texts.
func (d *decoder) fill(r *padron.Record) {
	all := padron.Sensitive(d.text)
	for f, span := range d.spans {
		r.Values[f].Text = all[span.from:span.to]
	}
}
