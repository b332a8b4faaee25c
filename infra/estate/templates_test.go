package estate_test

import (
	"fmt"
	"slices"
	"testing"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/synthtest"
)

// environment is one environment's templates and what they were made of.
type environment struct {
	*cfn.Assembly
	env *config.Environment
}

// eachEnvironment runs the test on every environment.
func eachEnvironment(t *testing.T, test func(t *testing.T, e environment)) {
	t.Helper()
	for _, name := range synthtest.Environments(t) {
		t.Run(name, func(t *testing.T) {
			test(t, environment{synthtest.Load(t, name), synthtest.Config(t, name)})
		})
	}
}

// the returns the resource of the type at STACK/PATH, and ends the test where
// there is none.
func (e environment) the(t *testing.T, typ, path string) *cfn.Resource {
	t.Helper()
	for _, r := range e.Resources(typ) {
		if r.String() == path {
			return r
		}
	}
	t.Fatalf("there is no %s %s", typ, path)
	return nil
}

// none reports the resources of the types, which should not be there.
func (e environment) none(t *testing.T, types ...string) {
	t.Helper()
	for _, r := range e.Resources(types...) {
		t.Errorf("%s (%s) should not be there", r, r.Type)
	}
}

// paths are the sorted paths of the resources.
func paths(resources []*cfn.Resource) []string {
	found := make([]string, len(resources))
	for i, r := range resources {
		found[i] = r.String()
	}
	slices.Sort(found)
	return found
}

// has reports every property that is not as wanted.
func has(t *testing.T, r *cfn.Resource, want map[string]string) {
	t.Helper()
	for property, w := range want {
		if got := r.Text(property); got != w {
			t.Errorf("%s: %s is %q, want %q", r, property, got, w)
		}
	}
}

// text is a resolved value as text, "" for none.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
