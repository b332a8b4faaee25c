// Package cli is what padron's three commands share: flags over environment,
// exit codes, logging and output. Logs go to standard error, results to
// standard output.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // an image from scratch has no time zones

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"padron"
	"padron/internal/buildinfo"
	"padron/internal/config"
	"padron/internal/observe"
)

// The exit codes of every command.
const (
	ExitDone   = 0
	ExitFailed = 1
	// ExitUsage: wrong usage or configuration.
	ExitUsage = 2
	// ExitSkipped: nothing was done, because another run is at work, and what would
	// follow must not be done either. It is for commands that are one step of
	// several; whoever runs them by a machine can tell it from a failure by no other
	// sign.
	ExitSkipped = 3
)

// Skipped is an error with which a command ends as [ExitSkipped].
type Skipped struct{ Err error }

// Error says why it was skipped.
func (s *Skipped) Error() string { return "skipped: " + s.Err.Error() }

// Unwrap returns why.
func (s *Skipped) Unwrap() error { return s.Err }

// Flags are the settings that every command takes; each beats its variable.
// Secrets have none: process arguments are visible to others.
type Flags struct {
	DB          string           `name:"db" placeholder:"sqlite:PATH" help:"The register (PADRON_DB)."`
	Keys        string           `placeholder:"KEY" help:"The key-encryption key (PADRON_KEYS)."`
	ProviderURL string           `name:"provider-url" placeholder:"URL" help:"The provider's collection (PADRON_PROVIDER_URL)."`
	Paging      string           `placeholder:"STYLE" help:"auto, none, page or link (PADRON_PROVIDER_PAGING)."`
	PageSize    string           `placeholder:"N" help:"Customers a page (PADRON_PROVIDER_PAGE_SIZE)."`
	MaxDelete   string           `placeholder:"SHARE" help:"Share that may vanish in one run (PADRON_SYNC_MAX_DELETE)."`
	MaxChange   string           `placeholder:"SHARE" help:"Share that may change in one run (PADRON_SYNC_MAX_CHANGE)."`
	LogLevel    string           `placeholder:"LEVEL" help:"debug, info, warn or error (PADRON_LOG_LEVEL)."`
	LogFormat   string           `placeholder:"FORMAT" help:"text or json (PADRON_LOG_FORMAT)."`
	Version     kong.VersionFlag `help:"Print the version and end."`
}

// Overrides returns the flags that were given, by variable name.
func (f *Flags) Overrides() map[string]string {
	all := map[string]string{
		"PADRON_DB": f.DB, "PADRON_KEYS": f.Keys,
		"PADRON_PROVIDER_URL": f.ProviderURL, "PADRON_PROVIDER_PAGING": f.Paging,
		"PADRON_PROVIDER_PAGE_SIZE": f.PageSize, "PADRON_SYNC_MAX_DELETE": f.MaxDelete, "PADRON_SYNC_MAX_CHANGE": f.MaxChange,
		"PADRON_LOG_LEVEL": f.LogLevel, "PADRON_LOG_FORMAT": f.LogFormat,
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// Env is the world around a command.
type Env struct {
	Stdout io.Writer
	Stderr *os.File
	Getenv func(string) (string, bool)
	Flags  *Flags
	// traces is what is wrong with OpenTelemetry's variables; told by Load.
	traces error
}

// Load reads the settings. extra overrides flags and environment. What is wrong
// with the variables of OpenTelemetry is among the faults.
func (e *Env) Load(extra map[string]string, required ...string) (*config.Config, error) {
	overrides := e.Flags.Overrides()
	for name, value := range extra {
		overrides[name] = value
	}
	cfg, err := config.Load(e.Getenv, overrides, required...)
	if err := errors.Join(err, e.traces); err != nil {
		return nil, err
	}
	return cfg, nil
}

// Logger returns the logger that the settings ask for, on standard error.
func (e *Env) Logger(cfg *config.Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	text := cfg.LogFormat == "text" || cfg.LogFormat == "" && e.Terminal()
	if text {
		return slog.New(slog.NewTextHandler(e.Stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(e.Stderr, opts))
}

// Terminal reports whether standard error is a terminal.
func (e *Env) Terminal() bool { return term.IsTerminal(int(e.Stderr.Fd())) }

// Width returns how many characters fit into a line of standard output, 0 where
// it is no terminal: what a program reads is not folded.
func (e *Env) Width() int {
	out, ok := e.Stdout.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Main runs the command line over commands, a kong grammar whose commands have
// a method Run(context.Context, *Env) error, and returns the exit code. An
// interrupt or termination signal ends the context.
func Main(name, description string, commands any, flags *Flags) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	env := &Env{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.LookupEnv, Flags: flags}
	err := run(ctx, env, name, description, commands, os.Args[1:])
	if err != nil {
		report(os.Stderr, name, err)
	}
	return exitCode(err)
}

// errHelp ends a command that only printed help or its version.
var errHelp = errors.New("help was printed")

func run(ctx context.Context, env *Env, name, description string, commands any, args []string) (err error) {
	parser, err := kong.New(commands, kong.Name(name), kong.Description(description),
		kong.Vars{"version": name + " " + buildinfo.Version}, kong.Writers(env.Stdout, env.Stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(help), kong.Exit(func(int) { panic(errHelp) }))
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r == errHelp { //nolint:errorlint // the very value that Exit panics with
			err = nil
		} else if r != nil {
			panic(r)
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		return &usageError{err}
	}
	defer env.beginLogs(ctx, name)()
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(env)
}

// beginLogs sees to it that nothing but the logger writes a log, and begins to
// send spans where the environment asks for it; flush sends the last ones.
// Settings that are wrong are the command's to tell.
func (e *Env) beginLogs(ctx context.Context, name string) (flush func()) {
	logger := slog.New(slog.DiscardHandler)
	if cfg, err := e.Load(nil); err == nil {
		logger = e.Logger(cfg)
	}
	quiet(logger)
	flush, e.traces = observe.Traces(ctx, name, buildinfo.Version, e.Getenv, e.Stderr, logger)
	return flush
}

// help prints a command's help, and under the program's own the environment.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() != nil {
		return nil
	}
	var b strings.Builder
	b.WriteString("\nEnvironment (a flag beats it):\n")
	for _, v := range config.Variables() {
		meaning := v.Meaning
		if v.Default != "" {
			meaning += " [" + v.Default + "]"
		}
		fmt.Fprintf(&b, "  %-27s %s\n", v.Name, meaning)
	}
	_, err := io.WriteString(ctx.Stdout, b.String())
	return err
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() + "; see --help" }
func (u *usageError) Unwrap() error { return u.err }

// report writes one line for each fault.
func report(w io.Writer, name string, err error) {
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(w, "%s: %s\n", name, strings.TrimSuffix(line, "\n"))
	}
}

func exitCode(err error) int {
	var usage *usageError
	var faults config.Faults
	var skipped *Skipped
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &skipped):
		return ExitSkipped
	case errors.As(err, &usage), errors.As(err, &faults), padron.ErrorCode(err) == padron.CodeInvalid:
		return ExitUsage
	}
	return ExitFailed
}
