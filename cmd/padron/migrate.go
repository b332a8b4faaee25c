package main

import (
	"context"
	"fmt"
	"strconv"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/config"
	"padron/internal/store"
)

type migrateCmd struct {
	Up     migrateUp     `cmd:"" help:"Bring the schema to this version."`
	Users  migrateUsers  `cmd:"" help:"Make each service's database user, with the rights it needs and no others."`
	Status migrateStatus `cmd:"" help:"List every migration."`
}

type migrateUp struct{}

// Run migrates; again changes nothing.
func (*migrateUp) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	return withStore(ctx, cfg, func(st store.Engine) error {
		if err := st.Migrate(ctx); err != nil {
			return err
		}
		all, err := st.Migrations(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "schema at version %d\n", all[len(all)-1].Version)
		return err
	})
}

type migrateStatus struct {
	JSON bool `name:"json" help:"As JSON."`
}

// migrationJSON is a migration as --json prints it.
type migrationJSON struct {
	Version   int64  `json:"version"`
	Name      string `json:"name"`
	AppliedAt string `json:"applied_at"`
}

// Run lists the migrations without applying any.
func (m *migrateStatus) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	if err := app.RequireRegister(cfg); err != nil {
		return err
	}
	return withStore(ctx, cfg, func(st store.Engine) error {
		all, err := st.Migrations(ctx)
		if err != nil {
			return err
		}
		rows := make([]migrationJSON, len(all))
		for i, mig := range all {
			rows[i] = migrationJSON{mig.Version, mig.Name, padron.FormatTime(mig.AppliedAt)}
		}
		return cli.List(env.Stdout, m.JSON, "migrations", rows, []string{"VERSION", "NAME", "APPLIED"},
			func(r migrationJSON) []string {
				applied := r.AppliedAt
				if applied == "" {
					applied = "pending"
				}
				return []string{strconv.FormatInt(r.Version, 10), r.Name, applied}
			})
	})
}

// withStore calls f with the database open as it is, not migrated.
func withStore(ctx context.Context, cfg *config.Config, f func(store.Engine) error) error {
	st, err := app.OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // every write was committed before
	return f(st)
}
