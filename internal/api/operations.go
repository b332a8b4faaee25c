package api

import (
	"context"
	"encoding/binary"

	"padron"
)

// maxRuns is how many runs a list holds at most.
const maxRuns = 100

// me answers who calls. It is on the record like every other call: a rule
// without exceptions is easier to check than one request is to write.
func (a *API) me(c *call) (response, error) {
	type principal struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	type answer struct {
		Principal principal      `json:"principal"`
		Role      padron.Role    `json:"role"`
		Fields    []padron.Field `json:"fields"`
		Version   string         `json:"version"`
	}
	out, err := audited(a, c, func(*padron.AuditEntry) (answer, error) {
		p := c.principal
		seen := a.Policy.Disclosures(p.Role)
		return answer{principal{p.ID, p.Name}, p.Role, seen.Visible(), a.Version}, c.noQuery()
	})
	if err != nil {
		return response{}, err
	}
	return encoded(out)
}

func (a *API) listRuns(c *call) (response, error) {
	runs, err := audited(a, c, func(*padron.AuditEntry) ([]padron.Run, error) {
		if err := c.noQuery(); err != nil {
			return nil, err
		}
		return a.Runs.Runs(c.r.Context(), maxRuns)
	})
	if err != nil {
		return response{}, err
	}
	return encoded(struct {
		Runs []padron.Run `json:"runs"`
	}{runs})
}

func (a *API) getRun(c *call) (response, error) {
	run, err := audited(a, c, func(*padron.AuditEntry) (padron.Run, error) {
		if err := c.noQuery(); err != nil {
			return padron.Run{}, err
		}
		return a.Runs.Run(c.r.Context(), c.r.PathValue("id"))
	})
	if err != nil {
		return response{}, err
	}
	return encoded(run)
}

type quarantinePage struct {
	Quarantine    []padron.QuarantineEntry `json:"quarantine"`
	NextPageToken string                   `json:"next_page_token"`
}

func (a *API) listQuarantine(c *call) (response, error) {
	page, err := audited(a, c, func(*padron.AuditEntry) (quarantinePage, error) {
		q := parseQuery(c.r.URL.RawQuery, "page_size", "page_token")
		size, token := q.pageSize(), q.pageToken()
		if err := q.err(); err != nil {
			return quarantinePage{}, err
		}
		return a.quarantinePage(c.r.Context(), size, token)
	})
	if err != nil {
		return response{}, err
	}
	return encoded(page)
}

func (a *API) quarantinePage(ctx context.Context, size int, token string) (quarantinePage, error) {
	bind := []byte("quarantine")
	after, err := a.openToken(token, bind)
	if err != nil {
		return quarantinePage{}, err
	}
	entries, err := a.Quarantine.Quarantine(ctx, string(after), size+1)
	if err != nil {
		return quarantinePage{}, err
	}
	page := quarantinePage{Quarantine: entries}
	if len(entries) > size {
		page.Quarantine = entries[:size]
		page.NextPageToken = a.Reader.Pager().Seal([]byte(entries[size-1].ID), bind)
	}
	return page, nil
}

// openToken returns what a page token holds, nothing for the first page.
func (a *API) openToken(token string, bind []byte) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	return a.Reader.Pager().Open(token, bind)
}

type auditPage struct {
	Entries       []padron.AuditEntry `json:"entries"`
	NextPageToken string              `json:"next_page_token"`
}

func (a *API) listAudit(c *call) (response, error) {
	page, err := audited(a, c, func(e *padron.AuditEntry) (auditPage, error) {
		q := parseQuery(c.r.URL.RawQuery, "principal", "action", "customer_id", "from", "to", "page_size", "page_token")
		filter, token := q.auditFilter(), q.pageToken()
		if err := q.err(); err != nil {
			return auditPage{}, err
		}
		if filter.Customer != "" {
			e.Customers = []padron.CustomerID{filter.Customer}
		}
		return a.auditPage(c.r.Context(), filter, token)
	})
	if err != nil {
		return response{}, err
	}
	return encoded(page)
}

// auditFilter returns the entries asked for; its Limit is the page size.
func (q *query) auditFilter() padron.AuditFilter {
	f := padron.AuditFilter{
		Principal: q.text("principal"),
		Action:    padron.Action(q.text("action")),
		From:      q.time("from"),
		To:        q.time("to"),
		Limit:     q.pageSize(),
	}
	if id, given := q.get("customer_id"); given {
		var err error
		if f.Customer, err = padron.ParseCustomerID(id); err != nil {
			q.fault("customer_id", "is no id of a customer")
		}
	}
	q.ordered("from", "to", f.From, f.To)
	return f
}

// auditPage reads a page of the record as it stood when its first page was
// read: each page adds an entry itself, and a walk must end.
func (a *API) auditPage(ctx context.Context, f padron.AuditFilter, token string) (auditPage, error) {
	bind := auditBinding(f)
	until, err := a.auditPosition(ctx, &f, token, bind)
	if err != nil {
		return auditPage{}, err
	}
	size := f.Limit
	f.Limit++
	entries, err := a.AuditLog.AuditEntries(ctx, f)
	if err != nil {
		return auditPage{}, err
	}
	for len(entries) > 0 && entries[len(entries)-1].Seq > until {
		entries = entries[:len(entries)-1]
	}
	page := auditPage{Entries: entries}
	if len(entries) > size {
		page.Entries = entries[:size]
		position := binary.BigEndian.AppendUint64(nil, uint64(entries[size-1].Seq))                              //nolint:gosec // Seq counts from 1
		page.NextPageToken = a.Reader.Pager().Seal(binary.BigEndian.AppendUint64(position, uint64(until)), bind) //nolint:gosec // as above
	}
	return page, nil
}

// auditPosition sets where the page starts and returns the last entry of the
// walk.
func (a *API) auditPosition(ctx context.Context, f *padron.AuditFilter, token string, bind []byte) (int64, error) {
	position, err := a.openToken(token, bind)
	if err != nil {
		return 0, err
	}
	if position == nil {
		head, err := a.AuditLog.AuditHead(ctx)
		return head.Seq, err
	}
	if len(position) != 16 {
		return 0, padron.Invalid("page_token", "is not one of ours")
	}
	f.After = int64(binary.BigEndian.Uint64(position))       //nolint:gosec // was an int64
	return int64(binary.BigEndian.Uint64(position[8:])), nil //nolint:gosec // was an int64
}

// auditBinding is the canonical form of the filter that a page token belongs
// to. Its texts hold no control characters, so NUL parts them.
func auditBinding(f padron.AuditFilter) []byte {
	b := []byte("audit\x00" + f.Principal + "\x00" + string(f.Action) + "\x00" + string(f.Customer))
	b = binary.BigEndian.AppendUint64(b, uint64(f.From.UnixMilli()))
	return binary.BigEndian.AppendUint64(b, uint64(f.To.UnixMilli()))
}
