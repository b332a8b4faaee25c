package main

import (
	"context"
	"fmt"
	"strings"

	"padron"
	"padron/internal/app"
)

// welcome is what a person sees once everything runs: where it is, how to get
// in, and three commands to paste.
func welcome(ctx context.Context, a *app.App, e *upEndpoints, tokens map[padron.Role]string) string {
	var b strings.Builder
	base := e.api.URL()
	fmt.Fprintf(&b, "\npadron is up: %s\n\n", lastRun(ctx, a))
	fmt.Fprintf(&b, "  console   %s/\n  API       %s/v1/customers   docs %s/docs\n  provider  %s\n\n", base, base, base, a.Config.Provider.URL)
	b.WriteString("Tokens, good for a day (sign in to the console with one):\n")
	for _, role := range padron.Roles() {
		fmt.Fprintf(&b, "  %-9s %s\n", role, tokens[role])
	}
	fmt.Fprintf(&b, "\nTry:\n")
	fmt.Fprintf(&b, "  curl -s -H 'Authorization: Bearer %s' '%s/v1/customers?page_size=2'\n", tokens[padron.RoleAnalyst], base)
	fmt.Fprintf(&b, "  curl -s -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' "+
		"-d '{\"fields\":[\"card_number\"],\"purpose\":\"checking a disputed charge\"}' %s/v1/customers/1/reveal\n", tokens[padron.RoleAdmin], base)
	fmt.Fprintf(&b, "  curl -s -H 'Authorization: Bearer %s' %s/v1/audit\n", tokens[padron.RoleAuditor], base)
	fmt.Fprintf(&b, "\nWatch an incremental run (change 1%% of the sample's customers, then synchronize):\n")
	fmt.Fprintf(&b, "  curl -s -d '{\"change\":0.01,\"add\":0.001,\"remove\":0.001}' %s/_sample/mutate\n", e.provider.URL())
	db := ""
	if a.Config.DB.MySQL == nil { // whose URL holds a password, and stands in the environment
		db = " --db " + a.Config.DB.String()
	}
	fmt.Fprintf(&b, "  bin/synchronizer run --provider-url %s%s --keys %s\n", a.Config.Provider.URL, db, a.Config.Keys)
	b.WriteString("\nCtrl-C stops everything; the register stays.\n")
	return b.String()
}

// lastRun says in a line what the register holds.
func lastRun(ctx context.Context, a *app.App) string {
	count, err := a.Store.Count(ctx)
	if err != nil {
		return "the register cannot be read"
	}
	runs, err := a.Store.Runs(ctx, 1)
	if err != nil || len(runs) == 0 {
		return fmt.Sprintf("%d customers", count)
	}
	r := &runs[0]
	return fmt.Sprintf("%d customers; last run %s in %.1f s: %d new, %d changed, %d unchanged, %d gone, %d in quarantine",
		count, r.Outcome, r.Duration.Seconds(), r.Inserted, r.Updated, r.Unchanged, r.Deleted, r.Quarantined)
}
