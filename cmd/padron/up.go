package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/config"
	"padron/internal/provider/providertest"
)

type upCmd struct {
	Dir       string `default:"var" placeholder:"DIR" help:"Where the register and its keys are kept [${default}]."`
	Listen    string `placeholder:"ADDR" help:"API and console (PADRON_LISTEN)."`
	Customers int    `default:"10000" help:"How many sample customers [${default}]."`
	Seed      uint64 `default:"1" help:"The same seed makes the same customers [${default}]."`
	NoSync    bool   `help:"Serve what is there, without a run first."`
	JSON      bool   `name:"json" help:"Print one line of JSON once ready."`
}

// tokenName names the tokens of `padron up`, and tokenLife bounds them: each
// start makes fresh ones and revokes those of the start before.
const (
	tokenName = "padron-up"
	tokenLife = 24 * time.Hour
)

// Run starts the parts in the order that data flows, and serves until ctx ends.
// What is wrong with the command line shows before anything is made.
func (c *upCmd) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := c.load(env)
	if err != nil {
		return err
	}
	logger := env.Logger(cfg)
	sample, err := providertest.New(providertest.Options{
		Customers: c.Customers, Seed: c.Seed, Dirty: -1, APIKey: cfg.Provider.APIKey.Expose(), Logger: logger,
	})
	if err != nil {
		return err
	}
	unlock, err := lockDir(c.Dir)
	if err != nil {
		return err
	}
	defer unlock() //nolint:errcheck // the process ends
	return c.serve(ctx, env, cfg, sample)
}

// serve opens the register and serves until ctx ends.
func (c *upCmd) serve(ctx context.Context, env *cli.Env, cfg *config.Config, sample http.Handler) error {
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
	endpoints, err := c.endpoints(ctx, cfg, web, sample)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return app.Serve(ctx, logger, endpoints.all()...) })
	g.Go(func() error { return c.start(ctx, env, a, endpoints) })
	return g.Wait()
}

// load puts the register and keys into Dir, unless the environment or a flag
// says otherwise.
func (c *upCmd) load(env *cli.Env) (*config.Config, error) {
	extra := map[string]string{}
	given := env.Flags.Overrides()
	for name, value := range map[string]string{
		"PADRON_DB":   "sqlite:" + filepath.Join(c.Dir, "padron.db"),
		"PADRON_KEYS": "file:" + filepath.Join(c.Dir, "keys.json"),
	} {
		_, isFlag := given[name]
		if set, _ := env.Getenv(name); set == "" && !isFlag {
			extra[name] = value
		}
	}
	if c.Listen != "" {
		extra["PADRON_LISTEN"] = c.Listen
	}
	return env.Load(extra)
}

// upEndpoints are what `padron up` serves.
type upEndpoints struct{ api, provider *app.Endpoint }

func (e *upEndpoints) all() []*app.Endpoint { return []*app.Endpoint{e.api, e.provider} }

// endpoints takes the addresses.
func (c *upCmd) endpoints(ctx context.Context, cfg *config.Config, web *app.Web, sample http.Handler) (*upEndpoints, error) {
	tls, err := app.TLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	public, err := app.Listen(ctx, "PADRON_LISTEN", cfg.Listen)
	if err != nil {
		return nil, err
	}
	local, err := app.Listen(ctx, "the sample provider", "127.0.0.1:0")
	if err != nil {
		_ = public.Close()
		return nil, err
	}
	out := &upEndpoints{
		api:      &app.Endpoint{Listener: public, Handler: web.Handler, TLS: tls},
		provider: &app.Endpoint{Listener: local, Handler: sample, Slow: true},
	}
	cfg.Provider.URL = out.provider.URL() + providertest.CollectionPath
	return out, nil
}

// start runs the synchronizer once and says where everything is. A run that
// fails or is refused leaves the register as it was, and that is served.
func (c *upCmd) start(ctx context.Context, env *cli.Env, a *app.App, e *upEndpoints) error {
	if !c.NoSync {
		show, done := app.Progress(env.Stderr, env.Terminal(), a.Logger)
		_, err := a.Sync(ctx, app.SyncOptions{OnProgress: show})
		done()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop, which is no failure
		}
		if err != nil {
			a.Logger.Warn("serving what the register held before", "error", err.Error())
		}
	}
	tokens, err := freshTokens(ctx, a)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(env.Stdout).Encode(map[string]any{
			"api": e.api.URL(), "console": e.api.URL() + "/", "provider": a.Config.Provider.URL, "tokens": tokens,
		})
	}
	_, err = fmt.Fprint(env.Stdout, welcome(ctx, a, e, tokens))
	return err
}

// freshTokens makes one token for each role and revokes those of earlier starts.
func freshTokens(ctx context.Context, a *app.App) (map[padron.Role]string, error) {
	old, err := a.Store.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	for i := range old {
		if old[i].Name != tokenName || !old[i].Valid(now) {
			continue
		}
		if err := a.Store.RevokeToken(ctx, old[i].ID, now); err != nil {
			return nil, err
		}
	}
	fresh := map[padron.Role]string{}
	for _, role := range padron.Roles() {
		created, err := createToken(ctx, a, role, tokenName, tokenLife)
		if err != nil {
			return nil, err
		}
		fresh[role] = created.Token
	}
	return fresh, nil
}
