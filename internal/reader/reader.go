// Package reader shows customers to principals. The HTTP API and the console
// read through it and nothing else does: every way to a customer passes here.
//
// Each method goes one way: policy says what the principal may do and see, the
// store gives sealed rows, only the field groups that are needed are opened,
// the view masks, the audit entry becomes durable, and then the view is
// returned. Attempts that end in a refusal go on the record too. Where the
// entry cannot be written, nothing is returned.
package reader

import (
	"context"

	"padron"
	"padron/internal/access"
	"padron/internal/audit"
	"padron/internal/seal"
	"padron/internal/store"
)

// Config is what a [Reader] reads with. Every part is required.
type Config struct {
	Customers store.Customers
	Opener    *seal.Opener
	Indexer   *seal.Indexer
	Pager     *seal.Pager
	Policy    *access.Policy
	Audit     *audit.Log
}

// Reader reads customers as principals may see them. It is safe for concurrent
// use.
type Reader struct {
	customers store.Customers
	opener    *seal.Opener
	indexer   *seal.Indexer
	pager     *seal.Pager
	policy    *access.Policy
	audit     *audit.Log
}

// Request is who asks, and the id under which logs and audit entries know the
// request.
type Request struct {
	Principal padron.Principal
	RequestID string
}

// New returns a reader over cfg.
func New(cfg Config) *Reader {
	return &Reader{
		customers: cfg.Customers, opener: cfg.Opener, indexer: cfg.Indexer,
		pager: cfg.Pager, policy: cfg.Policy, audit: cfg.Audit,
	}
}

// Get returns one customer with the named fields and the id; no names ask for
// all that the role sees. Errors are [padron.CodeForbidden] for the action or a
// field, [padron.CodeInvalid] for a name or id that cannot be,
// [padron.ErrNotFound] for a customer who is unknown, deleted or erased alike,
// and [padron.CodeUnavailable] where the audit entry could not be written.
func (r *Reader) Get(ctx context.Context, req Request, id string, fields []string) (padron.View, error) {
	return Audited(ctx, r.audit, req.entry(padron.ActionGet, fields), func(e *padron.AuditEntry) (padron.View, error) {
		d, err := r.allowed(req, padron.ActionGet, fields)
		if err != nil {
			return padron.View{}, err
		}
		return r.one(ctx, e, id, d)
	})
}

// allowed returns what the principal sees of the named fields, if it may do the
// action at all.
func (r *Reader) allowed(req Request, action padron.Action, fields []string) (padron.Disclosures, error) {
	if err := r.policy.Authorize(req.Principal.Role, action); err != nil {
		return padron.Disclosures{}, err
	}
	return r.policy.Select(req.Principal.Role, fields)
}

// one reads, opens and masks one customer.
func (r *Reader) one(ctx context.Context, e *padron.AuditEntry, id string, d padron.Disclosures) (padron.View, error) {
	known, err := padron.ParseCustomerID(id)
	if err != nil {
		return padron.View{}, err
	}
	e.Customers = []padron.CustomerID{known}
	row, err := r.customers.Customer(ctx, known, d.Parts())
	if err != nil {
		return padron.View{}, err
	}
	view, err := r.view(ctx, &row, d)
	if err != nil {
		return padron.View{}, err
	}
	e.Fields = names(view.Fields())
	return view, nil
}

// view opens the groups that d needs and shows the fields that d discloses.
func (r *Reader) view(ctx context.Context, row *padron.SealedCustomer, d padron.Disclosures) (padron.View, error) {
	customer, err := r.opener.Open(ctx, row, d)
	if err != nil {
		return padron.View{}, err
	}
	return padron.NewView(&customer, d), nil
}

// views shows several customers and puts them on the record.
func (r *Reader) views(ctx context.Context, e *padron.AuditEntry, rows []padron.SealedCustomer, d padron.Disclosures) ([]padron.View, error) {
	out := make([]padron.View, len(rows))
	ids := make([]padron.CustomerID, len(rows))
	for i := range rows {
		view, err := r.view(ctx, &rows[i], d)
		if err != nil {
			return nil, err
		}
		out[i], ids[i] = view, view.ID
	}
	e.Customers = ids
	return out, nil
}

func names(fields []padron.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.String()
	}
	return out
}
