// Package synthtest gives every test the same synthesized templates. The first
// test that finds them stale makes them, once for all packages.
package synthtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
)

// Environments are the names of all environments.
func Environments(t testing.TB) []string {
	t.Helper()
	names, err := config.Names(filepath.Join(root(t), "config"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no environments: %v", err)
	}
	return names
}

// Config returns the environment's configuration.
func Config(t testing.TB, environment string) *config.Environment {
	t.Helper()
	e, err := config.Load(filepath.Join(root(t), "config"), environment)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Load returns the environment's templates, freshly parsed: the caller may
// change them.
func Load(t testing.TB, environment string) *cfn.Assembly {
	t.Helper()
	a, err := cfn.Load(Dir(t, environment))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Dir returns the folder of the environment's templates.
func Dir(t testing.TB, environment string) string {
	t.Helper()
	at := root(t)
	synthesize(t, at)
	return cdkout.Dir(at, environment)
}

func root(t testing.TB) string {
	t.Helper()
	at, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// synthesize makes the templates where they are stale.
func synthesize(t testing.TB, at string) {
	t.Helper()
	defer locked(t, at)()
	fresh, err := cdkout.Fresh(at)
	if err != nil {
		t.Fatal(err)
	}
	if !fresh {
		run(t, at)
	}
}

// locked lets one of the packages' test processes make templates while the
// others wait, until the function that it returns is called.
func locked(t testing.TB, at string) func() {
	t.Helper()
	lock, err := os.Open(filepath.Join(at, "cdk.json")) //nolint:gosec // a file of ours
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { lock.Close() } //nolint:errcheck // it was only read
}

// run is the command synth.
func run(t testing.TB, at string, args ...string) {
	t.Helper()
	args = append([]string{"run", "./cmd/padron-infra", "synth"}, args...)
	cmd := exec.CommandContext(t.Context(), "go", args...) //nolint:gosec // arguments of the tests
	cmd.Dir = at
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("synthesis: %v\n%s", err, out)
	}
}
