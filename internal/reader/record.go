package reader

import (
	"context"

	"padron"
	"padron/internal/audit"
)

// Audited runs do and returns its answer after the entry about it is durable
// (PCI DSS 10.2.1). do fills in what the entry says of the access; its error
// decides the outcome. Where the entry cannot be written the answer is withheld
// and the error is [padron.CodeUnavailable].
func Audited[T any](ctx context.Context, log *audit.Log, e padron.AuditEntry, do func(*padron.AuditEntry) (T, error)) (T, error) {
	var none T
	answer, err := do(&e)
	e.Outcome = outcome(err)
	if auditErr := log.Record(ctx, e); auditErr != nil {
		return none, unrecorded(auditErr)
	}
	if err != nil {
		return none, err
	}
	return answer, nil
}

// unrecorded is the error of an access that is not on the record, whatever it
// led to.
func unrecorded(err error) error {
	return &padron.Error{
		Code:    padron.CodeUnavailable,
		Message: "the access could not be put on the record, so it is refused; try again later",
		Err:     err,
	}
}

func outcome(err error) string {
	switch padron.ErrorCode(err) {
	case "":
		return padron.AuditAllowed
	case padron.CodeForbidden:
		return padron.AuditDenied
	case padron.CodeNotFound:
		return padron.AuditNotFound
	case padron.CodeInvalid, padron.CodeTooLarge:
		return padron.AuditInvalid
	}
	return padron.AuditFailed
}

// entry returns an audit entry of the request. Of the names asked for it keeps
// those of fields: any other text may be personal.
func (req Request) entry(action padron.Action, asked []string) padron.AuditEntry {
	return padron.AuditEntry{
		Principal: req.Principal.ID,
		Role:      req.Principal.Role,
		Action:    action,
		Fields:    knownNames(asked),
		RequestID: req.RequestID,
	}
}

func knownNames(asked []string) []string {
	var fields []padron.Field
	var seen [padron.NumFields]bool
	for _, name := range asked {
		if f, ok := padron.ParseField(name); ok && !seen[f] {
			seen[f] = true
			fields = append(fields, f)
		}
	}
	return names(fields)
}
