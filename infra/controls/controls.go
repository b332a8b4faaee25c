// Package controls is the list of the estate's safeguards: what each is, which
// requirement asks for it, how a template shows it, and how a template looks
// without it. A check that a missing safeguard does not turn red is worth
// nothing, so each control brings its own removal and a test applies it.
package controls

import (
	"fmt"
	"slices"

	"padron/infra/cfn"
	"padron/infra/config"
)

// Estate is what controls are checked on: an environment's templates and the
// configuration that they were made of.
type Estate struct {
	*cfn.Assembly
	Env *config.Environment

	// seen is who reaches whom, asked once: a removal comes before all checks.
	// origin is what a copy was made of, which mostly has the same answer.
	seen   *sight
	origin *Estate
}

// Clone returns a copy to remove a control from.
func (e *Estate) Clone() *Estate { return &Estate{Assembly: e.Assembly.Clone(), Env: e.Env, origin: e} }

// Control is one safeguard.
type Control struct {
	// ID is stack.what, such as network.flow-logs: lower case and dashes.
	ID string
	// What is the safeguard in one clause, such as "every connection is logged".
	What string
	// PCI are requirements of PCI DSS 4.0.1, NIST controls of SP 800-53 Rev. 5,
	// CIS recommendations of the AWS Foundations Benchmark 3.0. Where a list
	// knows nothing of it, it is empty.
	PCI, NIST, CIS []string
	// Where reports whether the environment has the control; nil is everywhere.
	Where func(*config.Environment) bool
	// Check returns a line for each place where the control is missing.
	Check func(*Estate) []string
	// Remove takes the control away and returns in how many places it did.
	Remove func(*Estate) int
}

// All returns every control, stack by stack.
func All() []Control {
	return slices.Concat(
		identityControls(),
		policyControls(),
		keysControls(),
		keyPolicyControls(),
		networkControls(),
		pathControls(),
		reachControls(),
		dataControls(),
		registryControls(),
		namesControls(),
		edgeControls(),
		bucketsControls(),
		servicesControls(),
		bastionControls(),
		observabilityControls(),
		auditControls(),
		backupControls(),
		transitControls(),
		deliveryControls(),
	)
}

// In returns the controls that the environment has.
func In(env *config.Environment) []Control {
	return slices.DeleteFunc(All(), func(c Control) bool { return c.Where != nil && !c.Where(env) })
}

// every checks all resources of the type, at least one of them: wrong returns
// what is wrong with one, "" where nothing is.
func every(typ string, wrong func(*cfn.Resource) string) func(*Estate) []string {
	return func(e *Estate) []string {
		found := e.Resources(typ)
		if len(found) == 0 {
			return []string{"there is no " + typ}
		}
		var missing []string
		for _, r := range found {
			if w := wrong(r); w != "" {
				missing = append(missing, fmt.Sprintf("%s: %s", r, w))
			}
		}
		return missing
	}
}

// is returns a wrong for every: the property at the path must read want.
func is(want string, path ...string) func(*cfn.Resource) string {
	return func(r *cfn.Resource) string {
		if got := r.Text(path...); got != want {
			return fmt.Sprintf("%s is %q, want %q", path[len(path)-1], got, want)
		}
		return ""
	}
}

// set returns a Remove that sets a top-level property of every resource of the
// type; nil deletes it.
func set(typ, property string, value any) func(*Estate) int {
	return func(e *Estate) int {
		found := e.Resources(typ)
		for _, r := range found {
			if value == nil {
				delete(r.Properties, property)
			} else {
				r.Properties[property] = value
			}
		}
		return len(found)
	}
}

// drop returns a Remove that deletes every resource of the type.
func drop(typ string) func(*Estate) int {
	return func(e *Estate) int {
		found := e.Resources(typ)
		for _, r := range found {
			r.Remove()
		}
		return len(found)
	}
}
