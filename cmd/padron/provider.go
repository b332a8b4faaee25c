package main

import (
	"context"
	"fmt"

	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/provider/providertest"
)

type providerCmd struct {
	Listen    string  `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where to serve [${default}]."`
	Customers int     `default:"10000" help:"How many customers [${default}]."`
	Seed      uint64  `default:"1" help:"The same seed makes the same customers [${default}]."`
	Style     string  `default:"all" help:"How it pages: all, none, page, link [${default}]."`
	Dirty     float64 `default:"0.01" help:"The share of records that are not as they should be, 0 to 0.5 [${default}]."`
	Faults    string  `placeholder:"SPEC" help:"What a bad day brings, such as rate=0.05,5xx=0.1,truncate=0.02."`
}

// Run serves the sample provider until ctx ends.
func (c *providerCmd) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	faults, err := providertest.ParseFaults(c.Faults)
	if err != nil {
		return err
	}
	logger := env.Logger(cfg)
	server, err := providertest.New(providertest.Options{
		Customers: c.Customers, Seed: c.Seed, Dirty: c.Dirty, Paging: c.Style,
		APIKey: cfg.Provider.APIKey.Expose(), Faults: faults, Logger: logger,
	})
	if err != nil {
		return err
	}
	listener, err := app.Listen(ctx, "--listen", c.Listen)
	if err != nil {
		return err
	}
	endpoint := &app.Endpoint{Listener: listener, Handler: server, Slow: true}
	if _, err := fmt.Fprintln(env.Stdout, endpoint.URL()+providertest.CollectionPath); err != nil {
		return err
	}
	return app.Serve(ctx, logger, endpoint)
}
