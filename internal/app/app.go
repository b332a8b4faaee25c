// Package app puts padron's parts together: the same constructors serve the
// separate services and `padron up`, which is all of them in one process.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"padron"
	"padron/internal/buildinfo"
	"padron/internal/config"
	"padron/internal/provider"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/seal/kmswrap"
	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/sqlite"
	"padron/internal/synchronizer"
)

// App is the open register with its settings.
type App struct {
	Config *config.Config
	Logger *slog.Logger
	Store  store.Engine
}

// OpenStore opens the register's database as it is, not migrated.
func OpenStore(ctx context.Context, cfg *config.Config) (store.Engine, error) {
	return openStore(ctx, cfg, slog.New(slog.DiscardHandler))
}

// openStore opens a register whose runs log that they wait for its server.
func openStore(ctx context.Context, cfg *config.Config, logger *slog.Logger) (store.Engine, error) {
	if cfg.DB.MySQL == nil {
		return orNone(sqlite.Open(ctx, cfg.DB.Path))
	}
	return orNone(openMySQL(ctx, cfg, mysql.WithOutages(func(err error) {
		logger.WarnContext(ctx, "the run waits for the database", "error", err.Error())
	})))
}

// orNone keeps a failed engine from becoming an interface that is not nil.
func orNone[E store.Engine](st E, err error) (store.Engine, error) {
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Open opens the register, made and migrated if need be. A register whose schema
// is this version's is not touched, so that a service's user needs no right to
// change it.
func Open(ctx context.Context, cfg *config.Config, logger *slog.Logger) (*App, error) {
	st, err := openStore(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	if st.Ping(ctx) != nil {
		if err := st.Migrate(ctx); err != nil {
			return nil, closeAfter(st, err)
		}
	}
	return &App{Config: cfg, Logger: logger, Store: st}, nil
}

// OpenExisting opens the register as it is, neither made nor migrated: for
// commands that look at it, to which an empty register at a mistyped path would
// be one where all is well.
func OpenExisting(ctx context.Context, cfg *config.Config, logger *slog.Logger) (*App, error) {
	if err := RequireRegister(cfg); err != nil {
		return nil, err
	}
	st, err := OpenStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := st.Ping(ctx); err != nil {
		return nil, closeAfter(st, err)
	}
	return &App{Config: cfg, Logger: logger, Store: st}, nil
}

// RequireRegister returns an error where there is no file of a register, or an
// empty one.
func RequireRegister(cfg *config.Config) error {
	if cfg.DB.MySQL != nil {
		return nil // a server makes no database by being asked
	}
	path := cfg.DB.Path
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // what else is wrong with the path is told by who opens it
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return padron.Errorf(padron.CodeUnavailable,
		"there is no register at %s: check PADRON_DB; `padron migrate up` or a run of the synchronizer makes one", path)
}

// Wrapper opens the key-encryption key.
func (a *App) Wrapper(ctx context.Context) (seal.KeyWrapper, error) {
	if a.Config.Keys.KMS != "" {
		cfg, err := awsConfig(ctx)
		if err != nil {
			return nil, err
		}
		return kmswrap.New(cfg, a.Config.Keys.KMS)
	}
	return a.keyFile(ctx)
}

// MakeKeys makes the data keys that runs and readers share, where they are
// missing.
func (a *App) MakeKeys(ctx context.Context) error {
	wrapper, err := a.Wrapper(ctx)
	if err != nil {
		return err
	}
	return seal.MakeShared(ctx, wrapper, a.Store)
}

// keyFile opens the key file. A new one is made for a register without data
// keys only: it could open nothing of what others sealed.
func (a *App) keyFile(ctx context.Context) (seal.KeyWrapper, error) {
	path := a.Config.Keys.File
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		keys, err := a.Store.Keys(ctx)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			return nil, padron.Errorf(padron.CodeUnavailable,
				"key file %s is missing, and the register holds %d data keys that nothing else opens: check PADRON_KEYS, "+
					"or restore the key file from its backup; a new key could open nothing", path, len(keys))
		}
	}
	return filewrap.Open(path)
}

func closeAfter(st store.Engine, err error) error {
	_ = st.Close() // the first error is the one to tell
	return err
}

// Close closes the register.
func (a *App) Close() error { return a.Store.Close() }

// SyncOptions are what one command asks of a run.
type SyncOptions struct {
	DryRun, Full bool
	// Force lifts the mass-change limits and says why.
	Force      string
	OnProgress func(synchronizer.Progress)
	// OnRetry is called with the reason before the provider is asked again.
	OnRetry func(reason string)
	// OnBreaker is called with the state of the provider's circuit breaker; see
	// [provider.Config].
	OnBreaker func(state string)
	// sharers are how many processes share the rate that the provider was
	// promised, and the pages in flight; 0 and 1 are none beside this one.
	sharers int
}

// Sync does one run of the synchronizer against the configured provider.
func (a *App) Sync(ctx context.Context, o SyncOptions) (padron.Run, error) {
	cfg, _, err := a.syncConfig(ctx, o)
	if err != nil {
		return padron.Run{}, err
	}
	return synchronizer.Run(ctx, cfg)
}

// Divide begins a run that is divided among processes; see
// [synchronizer.Divide].
func (a *App) Divide(ctx context.Context, o SyncOptions, d synchronizer.Division) (*padron.Plan, error) {
	cfg, client, err := a.syncConfig(ctx, o)
	if err != nil {
		return nil, err
	}
	return synchronizer.Divide(ctx, cfg, client, d)
}

// SyncPart does one partition of a divided run; see [synchronizer.RunPart].
func (a *App) SyncPart(ctx context.Context, o SyncOptions, ref padron.PartRef) (padron.Run, error) {
	o.sharers = ref.Of
	cfg, client, err := a.syncConfig(ctx, o)
	if err != nil {
		return padron.Run{}, err
	}
	return synchronizer.RunPart(ctx, cfg, client, ref)
}

// Finish ends a divided run; see [synchronizer.Finish].
func (a *App) Finish(ctx context.Context) (padron.Run, error) {
	cfg, _, err := a.syncConfig(ctx, SyncOptions{})
	if err != nil {
		return padron.Run{}, err
	}
	return synchronizer.Finish(ctx, cfg)
}

// Replay validates quarantined records again and writes those that pass; see
// [synchronizer.Replay].
func (a *App) Replay(ctx context.Context, ids []string) (synchronizer.Replayed, error) {
	wrapper, err := a.Wrapper(ctx)
	if err != nil {
		return synchronizer.Replayed{}, err
	}
	sealer, err := seal.NewSealer(ctx, wrapper, a.Store)
	if err != nil {
		return synchronizer.Replayed{}, err
	}
	opener, err := seal.NewOpener(ctx, wrapper, a.Store)
	if err != nil {
		return synchronizer.Replayed{}, err
	}
	return synchronizer.Replay(ctx, synchronizer.Config{Store: a.Store, Sealer: sealer, Holder: holder(), Logger: a.Logger}, opener, ids)
}

func (a *App) syncConfig(ctx context.Context, o SyncOptions) (synchronizer.Config, *provider.Client, error) {
	client, err := provider.New(provider.Config{
		URL: a.Config.Provider.URL, APIKey: a.Config.Provider.APIKey,
		Paging: provider.Paging(a.Config.Provider.Paging), PageSize: a.Config.Provider.PageSize, Rate: a.Config.Provider.Rate / float64(max(1, o.sharers)),
		Concurrency: max(1, a.Config.Provider.Concurrency/max(1, o.sharers)),
		Retries:     retries(a.Config.Provider.Retries), RetryBudget: a.Config.Provider.RetryBudget,
		Logger: a.Logger, OnRetry: o.OnRetry, OnBreaker: o.OnBreaker,
	})
	if err != nil {
		return synchronizer.Config{}, nil, err
	}
	wrapper, err := a.Wrapper(ctx)
	if err != nil {
		return synchronizer.Config{}, nil, err
	}
	sealer, err := seal.NewSealer(ctx, wrapper, a.keyStore(o.DryRun))
	if err != nil {
		return synchronizer.Config{}, nil, err
	}
	return synchronizer.Config{
		Store: a.Store, Provider: client, Sealer: sealer, Holder: holder(),
		MaxDelete: a.Config.MaxDelete, MaxChange: a.Config.MaxChange, KeepRejected: a.Config.QuarantineKeep, Force: o.Force, DryRun: o.DryRun, Full: o.Full, Version: buildinfo.Version,
		OnProgress: o.OnProgress, Logger: a.Logger,
	}, client, nil
}

// retries is the setting as the client takes it, whose 0 is the default.
func retries(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// keyStore is where a run's data keys go; those of a dry run stay in memory.
func (a *App) keyStore(dryRun bool) seal.KeyStore {
	if dryRun {
		return seal.NewMemoryKeys(a.Store)
	}
	return a.Store
}

// holder names this process in the lease, for people.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}
