// Command padron is the operator's command: it runs everything locally, and
// looks after schema, tokens, runs, quarantine and the audit log.
package main

import (
	"context"
	"log/slog"
	"os"

	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/config"
)

type commands struct {
	cli.Flags
	Up         upCmd         `cmd:"" help:"Run everything here: sample provider, synchronizer, API and console."`
	Provider   providerCmd   `cmd:"" help:"Serve the sample provider alone."`
	Migrate    migrateCmd    `cmd:"" help:"The database schema."`
	Token      tokenCmd      `cmd:"" help:"API tokens."`
	Keys       keysCmd       `cmd:"" help:"Data keys."`
	Runs       runsCmd       `cmd:"" help:"Run history, newest first."`
	Quarantine quarantineCmd `cmd:"" help:"Rejected records."`
	Audit      auditCmd      `cmd:"" help:"The audit log."`
	Check      checkCmd      `cmd:"" help:"Look at a running service from within its network, as its consumers do."`
	OpenAPI    openapiCmd    `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
}

func main() {
	var c commands
	os.Exit(cli.Main("padron", "A customer register that shares customers without leaking them.", &c, &c.Flags))
}

// opener opens the register, as [app.Open] and [app.OpenExisting] do.
type opener func(context.Context, *config.Config, *slog.Logger) (*app.App, error)

// withApp calls f with the register open; there must be one.
func withApp(ctx context.Context, env *cli.Env, f func(*app.App) error) error {
	return openedBy(ctx, env, app.OpenExisting, f)
}

func openedBy(ctx context.Context, env *cli.Env, open opener, f func(*app.App) error) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	a, err := open(ctx, cfg, env.Logger(cfg))
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	return f(a)
}
