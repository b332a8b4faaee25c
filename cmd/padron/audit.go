package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"padron"
	"padron/internal/app"
	"padron/internal/audit"
	"padron/internal/cli"
)

type auditCmd struct {
	List   auditList   `cmd:"" help:"List audit entries."`
	Verify auditVerify `cmd:"" help:"Check the chain; names the first broken entry."`
	Export auditExport `cmd:"" help:"Print every entry as JSON lines, for verify --file elsewhere."`
}

type auditList struct {
	Customer  string `placeholder:"ID" help:"Entries about one customer."`
	Principal string `placeholder:"ID" help:"Entries of one principal."`
	Action    string `help:"Entries of one action, such as customer.reveal."`
	After     int64  `help:"Entries after this number."`
	Limit     int    `default:"100" help:"How many, 1 to 1000."`
	JSON      bool   `name:"json" help:"As JSON."`
}

// Run lists entries in order.
func (c *auditList) Run(ctx context.Context, env *cli.Env) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return padron.Invalid("--limit", "want 1 to 1000")
	}
	return withApp(ctx, env, func(a *app.App) error {
		entries, err := a.Store.AuditEntries(ctx, padron.AuditFilter{
			Customer: padron.CustomerID(c.Customer), Principal: c.Principal, Action: padron.Action(c.Action),
			After: c.After, Limit: c.Limit,
		})
		if err != nil {
			return err
		}
		header := []string{"SEQ", "TIME", "PRINCIPAL", "ROLE", "ACTION", "CUSTOMERS", "OUTCOME", "PURPOSE"}
		return cli.List(env.Stdout, c.JSON, "entries", entries, header, auditRow)
	})
}

func auditRow(e padron.AuditEntry) []string {
	customers := strconv.Itoa(len(e.Customers)) + " customers"
	if len(e.Customers) == 1 {
		customers = string(e.Customers[0])
	}
	return []string{
		strconv.FormatInt(e.Seq, 10), padron.FormatTime(e.Time), e.Principal, string(e.Role), string(e.Action),
		customers, e.Outcome, e.Purpose,
	}
}

type auditVerify struct {
	Anchor string `placeholder:"SEQ:HASH" help:"An earlier end of the chain, kept elsewhere, that must still be in it."`
	File   string `placeholder:"PATH" help:"Verify an export instead of the database."`
	JSON   bool   `name:"json" help:"As JSON."`
}

// Run verifies the chain from its first entry to its last.
func (c *auditVerify) Run(ctx context.Context, env *cli.Env) error {
	var anchor *padron.AuditHead
	if c.Anchor != "" {
		head, err := audit.ParseAnchor(c.Anchor)
		if err != nil {
			return err
		}
		anchor = &head
	}
	result, err := c.verify(ctx, env, anchor)
	if err != nil {
		return err
	}
	return c.print(env, &result)
}

func (c *auditVerify) verify(ctx context.Context, env *cli.Env, anchor *padron.AuditHead) (result audit.Result, err error) {
	if c.File == "" {
		err = withApp(ctx, env, func(a *app.App) error {
			result, err = audit.Verify(ctx, a.Store, anchor)
			return err
		})
		return result, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return result, err
	}
	defer f.Close() //nolint:errcheck // only read
	return audit.VerifyJSONL(f, anchor)
}

func (c *auditVerify) print(env *cli.Env, r *audit.Result) error {
	head := audit.FormatAnchor(r.Head)
	if c.JSON {
		doc := map[string]any{"entries": r.Entries, "head": head, "broken": nil}
		if r.Broken != nil {
			doc["broken"] = map[string]any{"seq": r.Broken.Seq, "why": r.Broken.Why}
		}
		if err := cli.WriteJSON(env.Stdout, doc); err != nil {
			return err
		}
	}
	if r.Broken != nil {
		return fmt.Errorf("the audit log is broken at entry %d: %s", r.Broken.Seq, r.Broken.Why)
	}
	if c.JSON {
		return nil
	}
	_, err := fmt.Fprintf(env.Stdout, "%d entries, unbroken; keep this anchor elsewhere: %s\n", r.Entries, head)
	return err
}

type auditExport struct{}

// Run prints the whole log.
func (*auditExport) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		return audit.WriteJSONL(ctx, a.Store, env.Stdout)
	})
}
