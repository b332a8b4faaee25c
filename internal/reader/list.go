package reader

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"padron"
	"padron/internal/seal"
)

// Query asks for a page of customers.
type Query struct {
	Filter padron.Filter
	// PageSize is 1 to [padron.MaxPageSize]; 0 is [padron.DefaultPageSize].
	PageSize int
	// PageToken is the NextPageToken of the page before, "" for the first.
	PageToken string
	// Fields are the names asked for; none ask for all that the role sees.
	Fields []string
}

// Page is a page of customers in id order. NextPageToken is "" on the last one.
type Page struct {
	Customers     []padron.View
	NextPageToken string
}

// List returns a page of the customers that the filter selects. A page token
// goes on where its page ended, and only for the same role, filter and fields:
// any other one is [padron.CodeInvalid] about "page_token". A filter by a field
// that the role does not see is [padron.CodeForbidden] about its parameter; the
// record names the field. Other errors are those of [Reader.Get].
func (r *Reader) List(ctx context.Context, req Request, q Query) (Page, error) {
	entry := req.entry(padron.ActionList, slices.Concat(filtered(&q.Filter), q.Fields))
	return Audited(ctx, r.audit, entry, func(e *padron.AuditEntry) (Page, error) {
		d, err := r.allowed(req, padron.ActionList, q.Fields)
		if err != nil {
			return Page{}, err
		}
		if err := r.mayFilter(req.Principal.Role, &q.Filter); err != nil {
			return Page{}, err
		}
		e.Fields = names(d.Visible())
		return r.page(ctx, e, q, d, binding(req.Principal.Role, &q.Filter, d))
	})
}

func (r *Reader) page(ctx context.Context, e *padron.AuditEntry, q Query, d padron.Disclosures, bind []byte) (Page, error) {
	size, err := pageSize(q.PageSize)
	if err != nil {
		return Page{}, err
	}
	after, err := r.after(q.PageToken, bind)
	if err != nil {
		return Page{}, err
	}
	rows, err := r.customers.Customers(ctx, q.Filter, after, size+1, d.Parts())
	if err != nil {
		return Page{}, err
	}
	var next string
	if len(rows) > size {
		rows = rows[:size]
		next = r.pager.Seal([]byte(rows[size-1].ID), bind)
	}
	views, err := r.views(ctx, e, rows, d)
	return Page{Customers: views, NextPageToken: next}, err
}

// Pager seals page tokens; lists of other things may use it with bindings of
// their own.
func (r *Reader) Pager() *seal.Pager { return r.pager }

func pageSize(n int) (int, error) {
	switch {
	case n == 0:
		return padron.DefaultPageSize, nil
	case n < 1 || n > padron.MaxPageSize:
		return 0, padron.Invalid("page_size", "want 1 to %d", padron.MaxPageSize)
	}
	return n, nil
}

// after returns the last id of the page before.
func (r *Reader) after(token string, bind []byte) (padron.CustomerID, error) {
	if token == "" {
		return "", nil
	}
	id, err := r.pager.Open(token, bind)
	return padron.CustomerID(id), err
}

// binding is the canonical form of what a page token belongs to: kind, role,
// how much of each field, and the filter, each text behind its length so that
// no two lists share one. A change of policy ends a walk, as it should.
func binding(role padron.Role, f *padron.Filter, d padron.Disclosures) []byte {
	b := appendText(nil, "customers")
	b = appendText(b, string(role))
	for _, how := range d {
		b = append(b, byte(how))
	}
	b = appendTime(b, f.RegisteredFrom)
	b = appendTime(b, f.RegisteredTo)
	b = appendText(b, f.FavoriteColor)
	b = appendText(b, f.CarType)
	b = appendCount(b, f.PurchasesMin)
	return appendCount(b, f.PurchasesMax)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), t.UnixMilli())
}

func appendCount(b []byte, n *int64) []byte {
	if n == nil {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), *n)
}
