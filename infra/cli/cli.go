// Package cli is what the estate's programs share on the command line: how it is
// read, and the exit codes, which every command of padron has.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"padron/infra/cdkout"
	"padron/infra/config"
)

const (
	exitFailed = 1
	// exitUsage: wrong usage or configuration.
	exitUsage = 2
)

// Parse reads the command line of the program into commands, a pointer to kong's
// structure. Wrong usage, and --help, end the program here.
func Parse(name, about string, commands any) *kong.Context {
	return kong.Parse(commands, kong.Name(name), kong.UsageOnError(), kong.Exit(exit), kong.Description(about))
}

// exit turns the command line parser's own code for wrong usage into ours.
func exit(code int) {
	if code != 0 {
		code = exitUsage
	}
	os.Exit(code)
}

// RunUntilStopped runs the command that was parsed. It gets a context that ends
// when the program is told to stop, and what is bound besides.
func RunUntilStopped(parsed *kong.Context, binds ...any) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(binds...)
}

// Environment reads the description of an environment, config/NAME.yaml in the
// folder infra, which is root. One that is wrong is [config.Faults].
func Environment(name string) (root string, env *config.Environment, err error) {
	if root, err = cdkout.Root(); err != nil {
		return "", nil, err
	}
	if env, err = config.Load(filepath.Join(root, "config"), name); err != nil {
		return "", nil, fmt.Errorf("config/%s.yaml: %w", name, err)
	}
	return root, env, nil
}

// Code prints what went wrong and returns the exit code.
func Code(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if _, wrong := errors.AsType[config.Faults](err); wrong {
		return exitUsage
	}
	return exitFailed
}
