package workflows_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// realTargets are those that steps make here as they do on GitHub.
var realTargets = []string{"infra-deps"}

// dryTargets are those of which a step here only prints what it would do: the
// target is there, with its prerequisites and variables. Each has the reason.
var dryTargets = map[string]string{
	"test":            "it runs this test",
	"infra":           "it runs this test",
	"race":            "it runs the root's tests, which make test has run",
	"test-mysql":      "it wants a MySQL server, which the job has beside it, and runs tests that make test has run",
	"torture":         "it takes an hour; make test runs the same test with fewer runs",
	"fuzz":            "it takes minutes for each target; make test runs their seeds",
	"vulnerabilities": "it asks vuln.go.dev, and nothing is asked of the network here",
	"lint":            "it takes minutes in a fresh folder, which no cache knows",
	"findings":        "it takes minutes in a fresh folder, which no cache knows; its quick half is run",
}

// leaves are commands in the place of what a dry target would leave for the next
// steps: the part of it that is quick.
var leaves = map[string]string{"findings": "scripts/workflows --sarif dist/findings"}

// makeStub stands in for make: one that knows every target that a step may make,
// and writes down which it was asked for.
func (r *runner) makeStub() string {
	r.t.Helper()
	program := look(r.t, "make")
	var script strings.Builder
	script.WriteString("echo \"$1\" >>" + r.made() + "\ncase $1 in\n" + strings.Join(realTargets, "|") + ") exec " + program + " \"$@\" ;;\n")
	for _, target := range slices.Sorted(maps.Keys(dryTargets)) {
		script.WriteString(target + ") " + program + " --dry-run \"$@\"; " + leaves[target] + " ;;\n")
	}
	script.WriteString("*) echo \"make $1: say in make_test.go whether it runs here, or why not\" >&2; exit 1 ;;\nesac\n")
	return script.String()
}

func (r *runner) made() string { return filepath.Join(r.stubs, "made") }

// madeAll fails for each target of the lists that no step makes.
func (r *runner) madeAll() {
	r.t.Helper()
	text, err := os.ReadFile(r.made())
	if err != nil {
		r.t.Fatal(err)
	}
	made := strings.Fields(string(text))
	for _, target := range slices.Concat(realTargets, slices.Sorted(maps.Keys(dryTargets))) {
		if !slices.Contains(made, target) {
			r.t.Errorf("no step makes %s: take it off the list", target)
		}
	}
}
