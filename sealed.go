package padron

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Sealed is the ciphertext of one field group or record. Its format belongs to
// internal/seal; stores keep it as bytes.
type Sealed []byte

// Format implements [fmt.Formatter]: the length alone, to keep logs short.
func (s Sealed) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "sealed(%d bytes)", len(s)) }

// KeyID names a data key: random, at least 1, at most 2^63-1.
type KeyID int64

// Fingerprint is the keyed hash of a customer's canonical form, 128 bits: equal
// fingerprints mean nothing to write.
type Fingerprint [16]byte

// Format implements [fmt.Formatter]: a fingerprint is pseudonymous data and
// stays out of logs.
func (Fingerprint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON uses too.
func (Fingerprint) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// BlindIndex is the keyed hash of one normalised value, 128 bits, for exact
// search without plaintext in the database (PCI DSS 3.5.1.1).
type BlindIndex [16]byte

// Format implements [fmt.Formatter]: an index is pseudonymous data and stays
// out of logs.
func (BlindIndex) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON uses too.
func (BlindIndex) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// Index names one blind index of a customer.
type Index uint8

// The blind indexes, one for each field that can be searched.
const (
	IndexUserName Index = iota
	IndexCardNumber
	IndexAccountNumber
	IndexIPAddress
	IndexZipCode

	// NumIndexes is how many blind indexes a customer has.
	NumIndexes = iota
)

var indexFields = [NumIndexes]Field{
	IndexUserName:      FieldUserName,
	IndexCardNumber:    FieldCardNumber,
	IndexAccountNumber: FieldAccountNumber,
	IndexIPAddress:     FieldIPAddress,
	IndexZipCode:       FieldZipCode,
}

// Indexes returns every blind index.
func Indexes() []Index {
	return []Index{IndexUserName, IndexCardNumber, IndexAccountNumber, IndexIPAddress, IndexZipCode}
}

// Field returns the field the index searches.
func (i Index) Field() Field { return indexFields[i] }

// String returns the name of the field the index searches.
func (i Index) String() string { return i.Field().String() }

// ParseIndex returns the blind index of the field with that name.
func ParseIndex(name string) (Index, bool) {
	for _, i := range Indexes() {
		if i.String() == name {
			return i, true
		}
	}
	return 0, false
}

// Number is a customer's row number in the register: dense, from 1, never used
// again for another customer. It orders nothing; lists are in id order.
type Number uint32

// SealedCustomer is a customer as a store keeps it: the profile in clear, the
// other groups sealed, bound to id and group.
type SealedCustomer struct {
	Number       Number
	ID           CustomerID
	Profile      Profile
	Personal     Sealed
	Financial    Sealed
	PersonalKey  KeyID
	FinancialKey KeyID
	Fingerprint  Fingerprint
	Indexes      [NumIndexes]BlindIndex
	// UpdatedAt is when the row was last written, UTC, in milliseconds.
	UpdatedAt time.Time
}

// Parts are parts of a sealed customer's row: whoever needs one does not have the
// others read. The id and RegisteredAt come with each.
type Parts uint8

// The parts.
const (
	// PartProfile is the profile.
	PartProfile Parts = 1 << iota
	// PartPersonal is Personal, sealed.
	PartPersonal
	// PartFinancial is Financial, sealed.
	PartFinancial
	// PartUpkeep is what the synchronizer keeps the row with: Number, PersonalKey,
	// FinancialKey, Fingerprint, Indexes and UpdatedAt. No reader needs it.
	PartUpkeep
	// Whole is all of a row.
	Whole = PartProfile | PartPersonal | PartFinancial | PartUpkeep
)

// Purpose is what a data key is for. With the field group it forms the
// encryption context under which the key-encryption key wraps it, so that key
// policies can tell who may unwrap what.
type Purpose string

// The purposes of data keys.
const (
	// PurposeSeal keys seal one field group's customers; a fresh one each run.
	PurposeSeal Purpose = "seal"
	// PurposeFingerprint is the key of fingerprints, shared by all runs.
	PurposeFingerprint Purpose = "fingerprint"
	// PurposeIndex is the key of blind indexes, shared by runs and readers.
	PurposeIndex Purpose = "index"
	// PurposeQuarantine seals records in quarantine.
	PurposeQuarantine Purpose = "quarantine"
	// PurposePage authenticates the API's page tokens.
	PurposePage Purpose = "page"
)

// DataKey is a data key as a store keeps it: wrapped.
type DataKey struct {
	ID      KeyID
	Purpose Purpose
	// Group is the field group's name for [PurposeSeal], else "".
	Group   string
	Wrapped []byte
	// KEK names the key-encryption key that wrapped it.
	KEK       string
	CreatedAt time.Time
	// Messages counts what was sealed under the key; at most 2^32 with random
	// nonces (NIST SP 800-38D, section 8.3).
	Messages int64
}

// Format implements [fmt.Formatter]: every verb prints what the key is for, and
// nothing of the key.
func (k DataKey) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "datakey(%d %s)", int64(k.ID), string(k.Purpose))
}

// MarshalJSON writes the id alone, as text: JSON numbers end at 2^53.
func (k DataKey) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"id": strconv.FormatInt(int64(k.ID), 10)})
}
