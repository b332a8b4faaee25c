package store

import (
	"encoding/json"
	"fmt"

	"padron"
)

// DamagedEntry is the error about a row of the audit log that no version of
// padron wrote.
type DamagedEntry struct{ Seq int64 }

// Error implements error.
func (d *DamagedEntry) Error() string {
	return fmt.Sprintf("audit entry %d cannot be read: somebody changed it", d.Seq)
}

// AuditRow is the part of an audit entry that engines keep as text and bytes.
type AuditRow struct{ Customers, Fields, Prev, Hash []byte }

// Fill writes the row into its entry; what is not as [EncodeList] and the chain
// wrote it, to the byte, is a [DamagedEntry].
func (r *AuditRow) Fill(e *padron.AuditEntry) error {
	sizes := len(r.Prev) == len(e.Prev) && len(r.Hash) == len(e.Hash)
	copy(e.Prev[:], r.Prev)
	copy(e.Hash[:], r.Hash)
	if !sizes || !decodeList(r.Customers, &e.Customers) || !decodeList(r.Fields, &e.Fields) {
		return &DamagedEntry{Seq: e.Seq}
	}
	return nil
}

// EncodeList is a list as JSON; nil is the empty list.
func EncodeList[T ~string](items []T) (string, error) {
	if len(items) == 0 {
		return "[]", nil
	}
	data, err := json.Marshal(items)
	return string(data), err
}

// decodeList reads what EncodeList wrote, and nothing else.
func decodeList[T ~string](data []byte, items *[]T) bool {
	if err := json.Unmarshal(data, items); err != nil {
		return false
	}
	if len(*items) == 0 {
		*items = nil
	}
	again, err := EncodeList(*items)
	return err == nil && again == string(data)
}
