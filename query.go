package padron

import (
	"encoding/hex"
	"time"
)

// Bounds of a page of customers.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1000
)

// Filter selects customers by their profile; zero fields select all. Times and
// counts are inclusive from below; RegisteredTo is exclusive, PurchasesMax
// inclusive.
type Filter struct {
	RegisteredFrom time.Time
	RegisteredTo   time.Time
	FavoriteColor  string
	CarType        string
	PurchasesMin   *int64
	PurchasesMax   *int64
}

// hexBytes writes bytes as lower-case hexadecimal text.
type hexBytes []byte

// MarshalText implements [encoding.TextMarshaler].
func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}
