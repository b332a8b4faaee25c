// Command customers-mngr serves the internal API and the web console.
package main

import (
	"context"
	"os"

	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/config"
)

type commands struct {
	cli.Flags
	Serve       serveCmd       `cmd:"" help:"Serve the API and the console until stopped."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the service in this container whether it is healthy: exit 0 or 1."`
}

func main() {
	tune()
	var c commands
	os.Exit(cli.Main("customers-mngr", "Serves the register's API and web console.", &c, &c.Flags))
}

type serveCmd struct {
	Listen      string `placeholder:"ADDR" help:"API and console (PADRON_LISTEN)."`
	AdminListen string `placeholder:"ADDR" help:"Health, metrics, profiles (PADRON_ADMIN_LISTEN)."`
}

// Run serves until ctx ends.
func (s *serveCmd) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(s.overrides())
	if err != nil {
		return err
	}
	logger := env.Logger(cfg)
	a, err := app.Open(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // nothing is written after the servers end
	web, err := a.Web(ctx)
	if err != nil {
		return err
	}
	defer web.Close() //nolint:errcheck // each answer waited for its own entry
	endpoints, err := listen(ctx, cfg, web)
	if err != nil {
		return err
	}
	logger.Info("serving", "api", endpoints[0].URL(), "admin", endpoints[1].URL())
	return app.Serve(ctx, logger, endpoints...)
}

func (s *serveCmd) overrides() map[string]string {
	out := map[string]string{}
	if s.Listen != "" {
		out["PADRON_LISTEN"] = s.Listen
	}
	if s.AdminListen != "" {
		out["PADRON_ADMIN_LISTEN"] = s.AdminListen
	}
	return out
}

// listen takes both addresses before anything is served.
func listen(ctx context.Context, cfg *config.Config, web *app.Web) ([]*app.Endpoint, error) {
	tls, err := app.TLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	adminTLS, err := app.AdminTLS(cfg)
	if err != nil {
		return nil, err
	}
	public, err := app.Listen(ctx, "PADRON_LISTEN", cfg.Listen)
	if err != nil {
		return nil, err
	}
	admin, err := app.Listen(ctx, "PADRON_ADMIN_LISTEN", cfg.AdminListen)
	if err != nil {
		_ = public.Close()
		return nil, err
	}
	return []*app.Endpoint{
		{Listener: public, Handler: web.Handler, TLS: tls},
		{Listener: admin, Handler: app.Admin(web.Handler, app.NewRegistry()), TLS: adminTLS},
	}, nil
}

type healthcheckCmd struct{}

// Run checks the address that `serve` listens on under the same settings.
func (*healthcheckCmd) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	return app.HealthCheck(ctx, cfg.Listen, cfg.TLSCert != "")
}
