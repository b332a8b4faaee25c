// Package proof runs the checking tools over the synthesized templates and
// holds what they say against the ledger: cdk-nag's reports, which the synthesis
// writes, the CDK's own validation, cfn-lint, checkov, and parliament over
// every IAM policy document.
package proof

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/ledger"
)

// Finding is what one tool says of one resource.
type Finding struct {
	// Tool is a tool of the ledger, or CDK.
	Tool string
	// Rule is the tool's name of the rule, as a ledger entry has it.
	Rule string
	// Environment, Stack and Path are where: Path is the construct path in the
	// stack, "" for the stack as a whole.
	Environment, Stack, Path string
	// Message is the tool's explanation.
	Message string
}

// CDK is the tool of findings that the synthesis itself reports. The ledger
// has nothing of it.
const CDK = "cdk"

// place is where the finding is, as a ledger's path without the environment.
func (f Finding) place() string { return f.Stack + "/" + f.Path }

// Count is how much a tool looked at in one environment.
type Count struct {
	// Rules that had something to look at; Verdicts on a resource or a policy,
	// good or bad; Suppressed ones among them.
	Rules, Verdicts, Suppressed int
}

// Environment is what the tools say of one environment.
type Environment struct {
	Name string
	// Findings are those outside the ledger.
	Findings []Finding
	// Suppressed are those that the ledger lets stand.
	Suppressed []Finding
	// Stale are suppressions that have nothing to suppress.
	Stale []ledger.Suppression
	// Counts are by tool.
	Counts map[string]Count
	// Resources and Policies are the numbers of what was judged.
	Resources, Policies int

	config   *config.Environment
	assembly *cfn.Assembly
	// bare are the templates' files without any suppression in them.
	bare []string
}

// Report is what the tools say of every environment.
type Report struct {
	Environments []*Environment
	Ledger       ledger.Ledger
	// Unknown are the ledger's paths that are in no template.
	Unknown []string
}

// result is what one tool says of one environment.
type result struct {
	tool string
	// all are the findings on templates without any suppression in them; left
	// are those on the templates as they are deployed.
	all, left []Finding
	count     Count
}

// Run checks every environment below root, the folder infra, whose templates
// must be fresh and whose tools make infra-deps installed. The error is about
// running the tools, never about what they found.
func Run(ctx context.Context, root string) (*Report, error) { return run(ctx, root, "") }

// Of checks one environment alone. Whether the ledger names what no template has
// is not asked: that takes all of them.
func Of(ctx context.Context, root, environment string) (*Report, error) {
	return run(ctx, root, environment)
}

func run(ctx context.Context, root, only string) (*Report, error) {
	decisions, err := ledger.Load(root)
	if err != nil {
		return nil, err
	}
	environments, err := config.All(filepath.Join(root, "config"))
	if err != nil {
		return nil, err
	}
	t, err := newTools(root)
	if err != nil {
		return nil, err
	}
	defer t.close()
	r := &Report{Ledger: decisions}
	var names []string
	for _, env := range environments {
		names = append(names, env.Name)
		if only != "" && env.Name != only {
			continue
		}
		a, err := cfn.Load(cdkout.Dir(root, env.Name))
		if err != nil {
			return nil, err
		}
		e := &Environment{Name: env.Name, config: env, Counts: map[string]Count{}, Resources: len(a.Resources()), assembly: a}
		if err := t.bare(e); err != nil {
			return nil, err
		}
		r.Environments = append(r.Environments, e)
	}
	results, err := t.check(ctx, r.Environments)
	if err != nil {
		return nil, err
	}
	for i, e := range r.Environments {
		e.hold(results[i], decisions.For(e.config, names, e.has))
	}
	if only == "" {
		r.unknown(names)
	}
	return r, nil
}

// check runs each tool on each environment, as many at once as there are
// processors.
func (t *tools) check(ctx context.Context, environments []*Environment) ([][]result, error) {
	runs := []func(context.Context, *Environment) (result, error){t.checkov, t.cfnLint, t.parliament, nag, validation}
	results := make([][]result, len(environments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(t.parallel)
	for i, e := range environments {
		results[i] = make([]result, len(runs))
		for j, run := range runs {
			group.Go(func() (err error) {
				results[i][j], err = run(ctx, e)
				if err != nil {
					return fmt.Errorf("%s: %w", e.Name, err)
				}
				return nil
			})
		}
	}
	return results, group.Wait()
}

func (e *Environment) has(path string) bool { return e.at(path) != nil }

// at returns the resource at STACK/PATH, nil where there is none.
func (e *Environment) at(path string) *cfn.Resource {
	for _, r := range e.assembly.Resources() {
		if r.String() == path {
			return r
		}
	}
	return nil
}

// hold sorts the results into what the ledger lets stand and what it does not.
func (e *Environment) hold(results []result, decisions []ledger.Suppression) {
	used := make([]bool, len(decisions))
	for _, r := range results {
		outside := map[Finding]bool{}
		for _, f := range distinct(r.all) {
			if i := slices.IndexFunc(decisions, f.fits); i >= 0 {
				used[i] = true
				r.count.Suppressed++
				e.Suppressed = append(e.Suppressed, f)
				continue
			}
			outside[f] = true
		}
		for _, f := range r.left {
			outside[f] = true
		}
		e.Findings = slices.AppendSeq(e.Findings, maps.Keys(outside))
		e.Counts[r.tool] = r.count
	}
	slices.SortFunc(e.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.place(), b.place()), cmp.Compare(a.Message, b.Message))
	})
	for i, s := range decisions {
		if !used[i] {
			e.Stale = append(e.Stale, s)
		}
	}
}

// distinct leaves out what a tool says twice.
func distinct(all []Finding) []Finding {
	seen := map[Finding]bool{}
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool {
		twice := seen[f]
		seen[f] = true
		return twice
	})
}

// fits reports whether the decision is about the finding.
func (f Finding) fits(s ledger.Suppression) bool {
	return s.Tool == f.Tool && s.Rule == f.Rule && s.Path == f.place()
}

// unknown lists the ledger's paths that no template has.
func (r *Report) unknown(names []string) {
	known := map[string]bool{}
	for _, e := range r.Environments {
		for _, s := range r.Ledger.For(e.config, names, e.has) {
			if e.has(s.Path) {
				known[s.Written] = true
			}
		}
	}
	for _, entry := range r.Ledger {
		for _, p := range entry.AllPaths() {
			if !known[p] {
				r.Unknown = append(r.Unknown, entry.ID+": "+p)
			}
		}
	}
}
