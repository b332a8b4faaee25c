package padron

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// The outcomes of an access, as audit entries name them.
const (
	AuditAllowed  = "allowed"
	AuditDenied   = "denied"
	AuditNotFound = "not_found"
	AuditInvalid  = "invalid"
	AuditFailed   = "failed"
)

// AuditEntry is one access on the record (PCI DSS 10.2.2): who, what, whom,
// why, when and how it ended, and nothing personal else. Seq, Prev and Hash are
// set when the entry joins the chain.
type AuditEntry struct {
	// Seq counts from 1 without gaps.
	Seq       int64
	Time      time.Time
	Principal string
	Role      Role
	Action    Action
	// Customers are the ids disclosed or asked for, at most 1000.
	Customers []CustomerID
	// Fields are the fields disclosed or asked for, or the field searched.
	Fields    []string
	Purpose   string
	Outcome   string
	RequestID string
	// Prev is the previous entry's Hash, zero for the first.
	Prev [32]byte
	// Hash is SHA-256 over Prev and this entry; see internal/audit.
	Hash [32]byte
}

// AuditHead is the end of the audit chain. Kept outside the database it proves
// that no entry before it was changed or cut off.
type AuditHead struct {
	Seq  int64
	Hash [32]byte
}

// AuditFilter selects audit entries; zero fields select all.
type AuditFilter struct {
	Principal string
	Action    Action
	Customer  CustomerID
	From, To  time.Time
	// After selects entries with a greater Seq, in ascending order.
	After int64
	Limit int
}

// MarshalJSON writes the entry with its hashes in hexadecimal. CustomerID is
// there for entries about one customer, CustomerIDs for pages of several.
func (e AuditEntry) MarshalJSON() ([]byte, error) {
	out := auditJSON{
		Seq: e.Seq, Time: FormatTime(e.Time), Principal: e.Principal, Role: e.Role, Action: e.Action,
		Fields: e.Fields, Purpose: e.Purpose, Outcome: e.Outcome, RequestID: e.RequestID,
		Prev: hexBytes(e.Prev[:]), Hash: hexBytes(e.Hash[:]),
	}
	if len(e.Customers) == 1 {
		out.CustomerID = e.Customers[0]
	} else {
		out.CustomerIDs = e.Customers
	}
	return json.Marshal(out)
}

type auditJSON struct {
	Seq         int64        `json:"seq"`
	Time        string       `json:"time"`
	Principal   string       `json:"principal"`
	Role        Role         `json:"role"`
	Action      Action       `json:"action"`
	CustomerID  CustomerID   `json:"customer_id,omitempty"`
	CustomerIDs []CustomerID `json:"customer_ids,omitempty"`
	Fields      []string     `json:"fields,omitempty"`
	Purpose     string       `json:"purpose,omitempty"`
	Outcome     string       `json:"outcome"`
	RequestID   string       `json:"request_id"`
	Prev        hexBytes     `json:"prev"`
	Hash        hexBytes     `json:"hash"`
}

// UnmarshalJSON reads what MarshalJSON wrote; a field it does not know is an
// error, so that nothing can be added to an exported entry.
func (e *AuditEntry) UnmarshalJSON(data []byte) error {
	var in auditJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return err
	}
	at, err := parseTime(in.Time)
	if err != nil {
		return err
	}
	if len(in.Prev) != len(e.Prev) || len(in.Hash) != len(e.Hash) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	*e = AuditEntry{
		Seq: in.Seq, Time: at, Principal: in.Principal, Role: in.Role, Action: in.Action, Customers: in.CustomerIDs,
		Fields: in.Fields, Purpose: in.Purpose, Outcome: in.Outcome, RequestID: in.RequestID,
		Prev: [32]byte(in.Prev), Hash: [32]byte(in.Hash),
	}
	if in.CustomerID != "" {
		e.Customers = []CustomerID{in.CustomerID}
	}
	return nil
}
