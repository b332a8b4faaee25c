package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/observe"
)

type serveCmd struct {
	Every  time.Duration `default:"15m" help:"From the beginning of one run to that of the next, give or take a tenth; 1s to 168h."`
	MaxAge time.Duration `help:"Not healthy when no run has completed for so long; by default four times --every."`

	AdminListen string `placeholder:"ADDR" help:"Health, metrics, profiles (PADRON_ADMIN_LISTEN)."`
}

// Bounds of --every.
const (
	minEvery = time.Second
	maxEvery = 7 * 24 * time.Hour
)

// Run does runs until ctx ends, and shows how it is on the admin address.
func (s *serveCmd) Run(ctx context.Context, env *cli.Env) error {
	if s.Every < minEvery || s.Every > maxEvery {
		return padron.Invalid("--every", "want %v to %v", minEvery, maxEvery)
	}
	if s.MaxAge == 0 {
		s.MaxAge = 4 * s.Every
	}
	if s.MaxAge < s.Every {
		return padron.Invalid("--max-age", "want at least --every, which is %v", s.Every)
	}
	var overrides map[string]string
	if s.AdminListen != "" {
		overrides = map[string]string{"PADRON_ADMIN_LISTEN": s.AdminListen}
	}
	cfg, err := env.Load(overrides, "PADRON_PROVIDER_URL")
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, cfg, env.Logger(cfg))
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // every write was committed before
	return s.serve(ctx, a)
}

func (s *serveCmd) serve(ctx context.Context, a *app.App) error {
	tls, err := app.AdminTLS(a.Config)
	if err != nil {
		return err
	}
	admin, err := app.Listen(ctx, "PADRON_ADMIN_LISTEN", a.Config.AdminListen)
	if err != nil {
		return err
	}
	registry := app.NewRegistry()
	fresh := observe.NewFreshness(a.Store, time.Now)
	metrics := observe.NewSync(registry)
	observe.NewRegister(registry, a.Store, fresh, a.Logger)
	health := observe.Health(a.Logger, map[string]func(context.Context) error{
		"database": a.Store.Ping, "runs": fresh.Within(s.MaxAge),
	})
	endpoint := &app.Endpoint{Listener: admin, Handler: app.Admin(health, registry), TLS: tls}
	a.Logger.InfoContext(ctx, "serving", "admin", endpoint.URL(), "every", s.Every.String())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Serve(ctx, a.Logger, endpoint) })
	group.Go(func() error { return a.SyncEvery(ctx, s.Every, metrics) })
	return group.Wait()
}

type healthcheckCmd struct{}

// Run checks the admin address that `serve` listens on under the same settings.
func (*healthcheckCmd) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	tls, err := app.AdminTLS(cfg)
	if err != nil {
		return err
	}
	return app.HealthCheck(ctx, cfg.AdminListen, tls != nil)
}
