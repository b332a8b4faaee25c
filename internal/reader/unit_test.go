package reader

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"padron"
)

func TestCheckValue(t *testing.T) {
	tests := []struct {
		index padron.Index
		value string
		ok    bool
	}{
		{padron.IndexUserName, "Ñandú 🐈", true},
		{padron.IndexUserName, " ", false},
		{padron.IndexUserName, "", false},
		{padron.IndexUserName, "a\x00b", false},
		{padron.IndexUserName, "\xff", false},
		{padron.IndexUserName, strings.Repeat("ñ", 256), true},
		{padron.IndexUserName, strings.Repeat("ñ", 257), false},
		{padron.IndexCardNumber, "4111 1111-1111 1111", true},
		{padron.IndexCardNumber, "4111", false},
		{padron.IndexCardNumber, "4111x1111x1111x1111", false},
		{padron.IndexCardNumber, "**** **** **** 1234", false},
		{padron.IndexAccountNumber, "0001", true},
		{padron.IndexAccountNumber, "00 01", false},
		{padron.IndexAccountNumber, strings.Repeat("1", 35), false},
		{padron.IndexIPAddress, "192.0.2.1", true},
		{padron.IndexIPAddress, "2001:DB8::1", true},
		{padron.IndexIPAddress, "192.0.2.256", false},
		{padron.IndexZipCode, "01234", true},
		{padron.IndexZipCode, "01234-5678", true},
		{padron.IndexZipCode, "1234", false},
	}
	for _, tt := range tests {
		err := checkValue(tt.index, tt.value)
		if (err == nil) != tt.ok {
			t.Errorf("%v %q: %v", tt.index, tt.value, err)
		}
		if err != nil && tt.value != "" && tt.value != " " && strings.Contains(err.Error(), tt.value) && len(tt.value) > 4 {
			t.Errorf("%v: the error quotes the value", tt.index)
		}
	}
}

func TestOutcome(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{nil, padron.AuditAllowed},
		{padron.Errorf(padron.CodeForbidden, "no"), padron.AuditDenied},
		{fmt.Errorf("looking: %w", padron.ErrNotFound), padron.AuditNotFound},
		{padron.Invalid("fields", "no"), padron.AuditInvalid},
		{padron.Errorf(padron.CodeTooLarge, "no"), padron.AuditInvalid},
		{padron.Errorf(padron.CodeUnavailable, "no"), padron.AuditFailed},
		{fmt.Errorf("no"), padron.AuditFailed},
	}
	for _, tt := range tests {
		if got := outcome(tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestKnownNames(t *testing.T) {
	got := knownNames([]string{"card_number", "Juan Pérez", "id", "card_number", ""})
	if strings.Join(got, ",") != "card_number,id" {
		t.Errorf("got %q", got)
	}
}

// TestBindingTellsApart: two page tokens share a binding only if role, filter
// and disclosures are the same.
func TestBindingTellsApart(t *testing.T) {
	type input struct {
		role padron.Role
		f    padron.Filter
		d    padron.Disclosures
	}
	text := rapid.StringN(0, 3, -1)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-2, 2).Draw(t, "ms")).UTC()
	})
	draw := func(t *rapid.T) input {
		in := input{role: padron.Role(text.Draw(t, "role"))}
		in.f.FavoriteColor, in.f.CarType = text.Draw(t, "color"), text.Draw(t, "type")
		if rapid.Bool().Draw(t, "from?") {
			in.f.RegisteredFrom = moment.Draw(t, "from")
		}
		if rapid.Bool().Draw(t, "to?") {
			in.f.RegisteredTo = moment.Draw(t, "to")
		}
		in.f.PurchasesMin = rapid.Ptr(rapid.Int64Range(0, 1), true).Draw(t, "min")
		in.f.PurchasesMax = rapid.Ptr(rapid.Int64Range(0, 1), true).Draw(t, "max")
		in.d[padron.FieldID] = padron.Disclosure(rapid.IntRange(0, 2).Draw(t, "id"))
		return in
	}
	same := func(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t), draw(t)
		equal := a.role == b.role && a.d == b.d && a.f.FavoriteColor == b.f.FavoriteColor && a.f.CarType == b.f.CarType &&
			a.f.RegisteredFrom.Equal(b.f.RegisteredFrom) && a.f.RegisteredTo.Equal(b.f.RegisteredTo) &&
			same(a.f.PurchasesMin, b.f.PurchasesMin) && same(a.f.PurchasesMax, b.f.PurchasesMax)
		if got := bytes.Equal(binding(a.role, &a.f, a.d), binding(b.role, &b.f, b.d)); got != equal {
			t.Fatalf("bindings equal: %t, inputs equal: %t: %+v %+v", got, equal, a, b)
		}
	})
}
