package padron

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// CustomerID is the provider's id of a customer: an opaque text of 1 to 64
// printable characters without spaces. It is not personal: audit entries and
// logs carry it.
type CustomerID string

// Customer is one person as the provider knows them, after validation.
type Customer struct {
	ID        CustomerID
	Profile   Profile
	Personal  Personal
	Financial Financial
}

// Profile is the field group stored in clear. RegisteredAt is UTC with
// millisecond precision; Purchases is at least 0.
type Profile struct {
	RegisteredAt  time.Time
	FavoriteColor string
	Car           string
	CarModel      string
	CarType       string
	CarColor      string
	Purchases     int64
}

// Personal is the field group that identifies a person. Birthday is a date as
// "2006-01-02". CardMask and AccountMask are the masked financial fields: they
// live here so that a masked view never opens the financial group.
type Personal struct {
	UserName    Sensitive
	Address     Sensitive
	ZipCode     Sensitive
	Latitude    Sensitive
	Longitude   Sensitive
	IPAddress   Sensitive
	AvatarURL   Sensitive
	IDPhotoURL  Sensitive
	Birthday    Sensitive
	CardMask    Sensitive
	AccountMask Sensitive
}

// Financial is the field group opened only for a reveal: the numbers in full,
// as the provider wrote them.
type Financial struct {
	CardNumber    Sensitive
	AccountNumber Sensitive
}

// Format implements [fmt.Formatter]: every verb prints the id alone.
func (c Customer) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "customer(%s)", string(c.ID)) }

// LogValue implements [slog.LogValuer]: the id alone.
func (c Customer) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON writes the id alone; a [View] is what shows a customer.
func (c Customer) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]CustomerID{"id": c.ID})
}
