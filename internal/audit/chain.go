package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"padron"
)

// hashLabel begins what is hashed; it changes with the encoding.
const hashLabel = "padron/audit/v1"

// Hash returns SHA-256 over prev and every field of e but Prev and Hash. The
// encoding, in this order: the label; prev, 32 bytes; Seq and Time (Unix
// milliseconds) as 8 bytes big-endian; Principal, Role, Action; the number of
// Customers and each of them; the number of Fields and each of them; Purpose,
// Outcome, RequestID. A text is preceded by its length and a list by its number,
// both unsigned varints.
func Hash(prev [32]byte, e *padron.AuditEntry) [32]byte {
	b := appendText(make([]byte, 0, 512), hashLabel)
	b = append(b, prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq)) //nolint:gosec // bits, not a number
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMilli()))
	b = appendText(b, e.Principal)
	b = appendText(b, string(e.Role))
	b = appendText(b, string(e.Action))
	b = appendList(b, e.Customers)
	b = appendList(b, e.Fields)
	b = appendText(b, e.Purpose)
	b = appendText(b, e.Outcome)
	b = appendText(b, e.RequestID)
	return sha256.Sum256(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList[T ~string](b []byte, items []T) []byte {
	b = binary.AppendUvarint(b, uint64(len(items)))
	for _, item := range items {
		b = appendText(b, string(item))
	}
	return b
}

// FormatAnchor writes a chain's end as "SEQ:HEX", to be kept outside the
// database.
func FormatAnchor(h padron.AuditHead) string {
	return fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Hash[:]))
}

// ParseAnchor reads what [FormatAnchor] wrote.
func ParseAnchor(s string) (padron.AuditHead, error) {
	seq, text, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	hash, err2 := hex.DecodeString(text)
	if err != nil || err2 != nil || n < 0 || len(hash) != sha256.Size {
		return padron.AuditHead{}, padron.Invalid("anchor", "want SEQ:HASH, as audit verify prints it")
	}
	return padron.AuditHead{Seq: n, Hash: [32]byte(hash)}, nil
}
