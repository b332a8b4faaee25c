package padron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TimeLayout is how times stand in views and reports: RFC 3339 in UTC with
// milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Disclosure is how much of a field a principal may see.
type Disclosure uint8

// The disclosures, from nothing to everything.
const (
	Hidden Disclosure = iota
	Masked
	Full
)

// Disclosures says for each field how much of it may be seen.
type Disclosures [NumFields]Disclosure

// Only returns the disclosures of the named fields, every other field hidden.
func (d Disclosures) Only(fields []Field) Disclosures {
	var out Disclosures
	for _, f := range fields {
		out[f] = d[f]
	}
	return out
}

// Visible returns the fields that are not hidden, in view order.
func (d Disclosures) Visible() []Field {
	out := make([]Field, 0, NumFields)
	for f, how := range d {
		if how != Hidden {
			out = append(out, Field(f))
		}
	}
	return out
}

// Needs reports whether a view with these disclosures must open the group.
// Masked financial fields are read from the personal group.
func (d Disclosures) Needs(g Group) bool {
	for f, how := range d {
		if how == Hidden {
			continue
		}
		group := Field(f).Group()
		if group == GroupFinancial && how == Masked {
			group = GroupPersonal
		}
		if group == g {
			return true
		}
	}
	return false
}

// Parts returns the parts of a row that a view with these disclosures is made of.
func (d Disclosures) Parts() Parts {
	var p Parts
	for f := FieldFavoriteColor; f <= FieldPurchases; f++ {
		if d[f] != Hidden {
			p = PartProfile
		}
	}
	if d.Needs(GroupPersonal) {
		p |= PartPersonal
	}
	if d.Needs(GroupFinancial) {
		p |= PartFinancial
	}
	return p
}

// MaskCard masks a card number to its last four digits, "**** **** **** 1234",
// whatever its length (PCI DSS 3.4.1).
func MaskCard(number string) string { return "**** **** **** " + lastDigits(number, 12) }

// MaskAccount masks an account number to its last four digits, "****1234"; a
// number of fewer than eight digits shows none of them.
func MaskAccount(number string) string { return "****" + lastDigits(number, 8) }

// lastDigits returns the last four digits of number, or "****" where it has
// fewer than atLeast.
func lastDigits(number string, atLeast int) string {
	digits := Digits(number)
	if len(digits) < atLeast {
		return "****"
	}
	return digits[len(digits)-4:]
}

// Digits returns the ASCII digits of s, in order.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// View is one customer as a principal may see them. It is the only type whose
// JSON holds personal values in clear; in logs and fmt it is redacted.
type View struct {
	ID     CustomerID
	fields []Field
	texts  []string // of the fields, in their order
}

// NewView shows the fields of c that d discloses. The groups that
// [Disclosures.Needs] names must have been opened.
func NewView(c *Customer, d Disclosures) View {
	v := View{ID: c.ID, fields: d.Visible()}
	v.texts = make([]string, len(v.fields))
	for i, f := range v.fields {
		v.texts[i] = c.display(f, d[f])
	}
	return v
}

// Fields returns the fields shown, in view order.
func (v View) Fields() []Field { return v.fields }

// Texts returns the values of the fields shown, as text, in view order.
func (v View) Texts() []string { return v.texts }

// Text returns the field's value as text, "" where it is not shown.
func (v View) Text(f Field) string {
	if i := slices.Index(v.fields, f); i >= 0 {
		return v.texts[i]
	}
	return ""
}

// MarshalJSON writes an object of the fields shown, in view order.
func (v View) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range v.fields {
		if i > 0 {
			b.WriteByte(',')
		}
		value := []byte(v.texts[i])
		if f != FieldPurchases { // the only number
			var err error
			if value, err = json.Marshal(v.texts[i]); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(&b, "%q:%s", f.String(), value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Format implements [fmt.Formatter]: every verb prints the id alone.
func (v View) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "view("+string(v.ID)+")") }

// LogValue implements [slog.LogValuer]: the id alone.
func (v View) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(v)) }

// display returns a field's value as views show it.
func (c *Customer) display(f Field, how Disclosure) string {
	switch {
	case f == FieldPurchases:
		return strconv.FormatInt(c.Profile.Purchases, 10)
	case f == FieldCardNumber && how == Masked:
		return c.Personal.CardMask.Expose()
	case f == FieldAccountNumber && how == Masked:
		return c.Personal.AccountMask.Expose()
	case f.Group() == GroupProfile:
		return c.profileText(f)
	}
	return c.sealedText(f).Expose()
}

func (c *Customer) profileText(f Field) string {
	switch f {
	case FieldID:
		return string(c.ID)
	case FieldRegisteredAt:
		return formatTime(c.Profile.RegisteredAt)
	case FieldFavoriteColor:
		return c.Profile.FavoriteColor
	case FieldCar:
		return c.Profile.Car
	case FieldCarModel:
		return c.Profile.CarModel
	case FieldCarType:
		return c.Profile.CarType
	case FieldCarColor:
		return c.Profile.CarColor
	}
	return ""
}

func (c *Customer) sealedText(f Field) Sensitive {
	switch f {
	case FieldUserName:
		return c.Personal.UserName
	case FieldAddress:
		return c.Personal.Address
	case FieldZipCode:
		return c.Personal.ZipCode
	case FieldLatitude:
		return c.Personal.Latitude
	case FieldLongitude:
		return c.Personal.Longitude
	case FieldIPAddress:
		return c.Personal.IPAddress
	case FieldAvatarURL:
		return c.Personal.AvatarURL
	case FieldIDPhotoURL:
		return c.Personal.IDPhotoURL
	case FieldBirthday:
		return c.Personal.Birthday
	case FieldCardNumber:
		return c.Financial.CardNumber
	case FieldAccountNumber:
		return c.Financial.AccountNumber
	}
	return ""
}

// FormatTime writes a time as views and reports do; "" for the zero time.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

// formatTime writes a time by [TimeLayout]. The package time has a quick way to
// write its own layouts alone: a page of customers is a hundred times.
func formatTime(t time.Time) string {
	var room [len(TimeLayout)]byte
	b := t.UTC().AppendFormat(room[:0], time.RFC3339)
	ms := t.Nanosecond() / 1e6
	return string(append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')) //nolint:gosec // digits
}
