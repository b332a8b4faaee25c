package app

import (
	"context"
	"net/http"
	"time"

	"padron/internal/access"
	"padron/internal/api"
	"padron/internal/audit"
	"padron/internal/buildinfo"
	"padron/internal/console"
	"padron/internal/reader"
	"padron/internal/seal"
)

// Web is customers-mngr: the API and the console over one reader.
type Web struct {
	Handler http.Handler
	API     *api.API
	audit   *audit.Log
}

// Close waits until every audit entry is durable.
func (w *Web) Close() error { return w.audit.Close() }

// Web builds customers-mngr over the open register.
func (a *App) Web(ctx context.Context) (*Web, error) {
	policy, err := access.NewPolicy()
	if err != nil {
		return nil, err
	}
	log := audit.New(a.Store, time.Now)
	rd, err := a.reader(ctx, policy, log)
	if err != nil {
		return nil, err
	}
	auth := access.NewAuthenticator(a.Store, time.Now)
	web := &Web{audit: log}
	web.API, err = api.New(api.Config{
		Reader: rd, Authenticator: auth, Policy: policy, Audit: log,
		Runs: a.Store, Quarantine: a.Store, AuditLog: a.Store,
		Health: map[string]api.Check{"database": a.Store.Ping},
		Ready:  map[string]api.Check{"audit": log.Check},
		Logger: a.Logger, RateLimit: a.Config.RateLimit, Version: buildinfo.Version,
	})
	if err != nil {
		return nil, err
	}
	pages, err := console.New(console.Config{
		Reader: rd, Authenticator: auth, Tokens: a.Store, Policy: policy, Logger: a.Logger,
		Secure: a.Config.TLSCert != "", Version: buildinfo.Version, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	web.Handler = handler(web.API, pages)
	return web, nil
}

// handler serves the API and the console; what neither knows is a problem
// document.
func handler(a *api.API, pages *console.Console) http.Handler {
	mux := http.NewServeMux()
	a.Register(mux)
	pages.Register(mux)
	mux.Handle("/", a.NotFound())
	mux.Handle("/{$}", a.MethodNotAllowed("/", http.MethodGet, http.MethodHead))
	return mux
}

func (a *App) reader(ctx context.Context, policy *access.Policy, log *audit.Log) (*reader.Reader, error) {
	wrapper, err := a.Wrapper(ctx)
	if err != nil {
		return nil, err
	}
	opener, err := seal.NewOpener(ctx, wrapper, a.Store)
	if err != nil {
		return nil, err
	}
	indexer, err := seal.NewIndexer(ctx, wrapper, a.Store)
	if err != nil {
		return nil, err
	}
	pager, err := seal.NewPager(ctx, wrapper, a.Store)
	if err != nil {
		return nil, err
	}
	return reader.New(reader.Config{
		Customers: a.Store, Opener: opener, Indexer: indexer, Pager: pager, Policy: policy, Audit: log,
	}), nil
}
