// Package ledger is the one list of findings that stand: what a checking tool
// says of the estate that is not changed, with a reason that an auditor can
// judge, an owner who answers for it, and a day on which it lapses. Every
// tool's own suppression is written from it at synthesis, and from nowhere else.
package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"padron/infra/config"
)

// Tools that a rule may be of.
const (
	Nag        = "nag"
	Checkov    = "checkov"
	CfnLint    = "cfn-lint"
	Parliament = "parliament"
)

var tools = []string{Nag, Checkov, CfnLint, Parliament}

// Entry is one decision: it may take several tools' names for the same thing,
// and several places where it stands.
type Entry struct {
	// ID names the decision: lower case and dashes.
	ID string `yaml:"id"`
	// Findings are what stands: every rule in every place of each.
	Findings `yaml:",inline"`
	// Also are further findings of the same decision, where the places have
	// different rules.
	Also []Findings `yaml:"also"`
	// Reason is why the finding stands, at least 40 characters of plain ASCII.
	Reason string `yaml:"reason"`
	// Owner is the role that answers for it, such as platform.
	Owner string `yaml:"owner"`
	// Expires is the last day on which it holds, YYYY-MM-DD.
	Expires string `yaml:"expires"`
}

// Findings are rules, each of which finds something in each of the places.
type Findings struct {
	// Rules are TOOL:RULE, such as checkov:CKV_AWS_115. A rule of cdk-nag that
	// tells its findings apart carries which, as in
	// nag:AwsSolutions-IAM5[Resource::*]; {account}, {environment}, {region} and
	// {copy_region} in it are the environment's own.
	Rules []string `yaml:"rules"`
	// Paths are exact construct paths, STACK/PATH for every environment that has
	// the resource, or ENVIRONMENT/STACK/PATH for one. One with {line} stands
	// for the line of each of the environment's consumers in an access list.
	Paths []string `yaml:"paths"`
}

// Ledger is every entry, in the file's order.
type Ledger []Entry

// Suppression is one rule in one place, as an entry has it.
type Suppression struct {
	Entry *Entry
	// Tool and Rule are the parts of TOOL:RULE.
	Tool, Rule string
	// Path is STACK/PATH, and Written is how the ledger has it.
	Path, Written string
}

// File is the ledger below root, the folder infra.
func File(root string) string { return filepath.Join(root, "ledger", "ledger.yaml") }

// Load reads the ledger below root and returns every fault of its form at once.
// Whether an entry has lapsed or suppresses anything is not asked here.
func Load(root string) (Ledger, error) {
	text, err := os.ReadFile(File(root))
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads a ledger from YAML.
func Parse(text []byte) (Ledger, error) {
	var l Ledger
	if err := yaml.UnmarshalWithOptions(text, &l, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("ledger.yaml: %s", yaml.FormatError(err, false, true))
	}
	return l, l.validate()
}

func (l Ledger) validate() error {
	var faults []error
	seen := map[string]string{}
	for i := range l {
		e := &l[i]
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("ledger.yaml: entry %d %q: "+format, append([]any{i + 1, e.ID}, args...)...))
		}
		e.validate(fault)
		for _, s := range e.suppressions() {
			at := s.Tool + ":" + s.Rule + " at " + s.Path
			if other, twice := seen[at]; twice {
				fault("%s is in %q already: one decision, one entry", at, other)
			}
			seen[at] = e.ID
		}
	}
	return errors.Join(faults...)
}

func (e *Entry) validate(fault func(string, ...any)) {
	if e.ID == "" || strings.Trim(e.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		fault("id must be lower-case letters, digits and dashes")
	}
	for _, f := range append(e.Also, e.Findings) {
		f.validate(fault)
	}
	if len(e.Reason) < 40 || strings.ContainsFunc(e.Reason, func(r rune) bool { return r > '~' || r < ' ' }) {
		fault("reason must be 40 characters or more on one line, in plain ASCII, that an auditor accepts")
	}
	if strings.TrimSpace(e.Owner) == "" {
		fault("has no owner: name the role that answers for it")
	}
	if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
		fault("expires %q is not a date as 2027-06-30", e.Expires)
	}
}

func (f Findings) validate(fault func(string, ...any)) {
	if len(f.Rules) == 0 || len(f.Paths) == 0 {
		fault("names no rules or no paths: it suppresses nothing")
	}
	for _, r := range f.Rules {
		tool, rule, _ := strings.Cut(r, ":")
		if !slices.Contains(tools, tool) || rule == "" {
			fault("rule %q is not TOOL:RULE with a tool of %s", r, strings.Join(tools, ", "))
		}
		if name, _, _ := strings.Cut(rule, "["); strings.Contains(name, "*") {
			fault("rule %q is a wildcard: name each rule", r)
		}
	}
	for _, p := range f.Paths {
		if strings.Contains(p, "*") {
			fault("path %q is a wildcard: name each path", p)
		}
		if !strings.Contains(p, "/") {
			fault("path %q is a whole stack: name the resource", p)
		}
	}
}

func (e *Entry) suppressions() []Suppression {
	var all []Suppression
	for _, f := range append([]Findings{e.Findings}, e.Also...) {
		for _, p := range f.Paths {
			for _, r := range f.Rules {
				tool, rule, _ := strings.Cut(r, ":")
				all = append(all, Suppression{e, tool, rule, p, p})
			}
		}
	}
	return all
}

// AllPaths are the paths of all the entry's findings, as they are written.
func (e *Entry) AllPaths() []string {
	paths := slices.Clone(e.Paths)
	for _, f := range e.Also {
		paths = append(paths, f.Paths...)
	}
	return paths
}

// AllRules are the rules of all the entry's findings, as they are written.
func (e *Entry) AllRules() []string {
	rules := slices.Clone(e.Rules)
	for _, f := range e.Also {
		rules = append(rules, f.Rules...)
	}
	return rules
}

// For returns what the ledger suppresses in the environment, one of those that
// names lists. has reports whether the environment has a resource at
// STACK/PATH: a path without an environment stands only where it has.
func (l Ledger) For(env *config.Environment, names []string, has func(path string) bool) []Suppression {
	var found []Suppression
	own := strings.NewReplacer("{account}", env.Account, "{environment}", env.Name, "{region}", env.Region, "{copy_region}", env.CopyRegion)
	for i := range l {
		for _, s := range l[i].suppressions() {
			s.Rule = own.Replace(s.Rule)
			for _, path := range places(s.Written, env) {
				s.Path = path
				first, rest, _ := strings.Cut(path, "/")
				switch {
				case first == env.Name:
					s.Path = rest
				case slices.Contains(names, first) || !has(path):
					continue
				}
				found = append(found, s)
			}
		}
	}
	return found
}

// places are the paths that one written in the ledger stands for.
func places(written string, env *config.Environment) []string {
	const each = "{line}"
	if !strings.Contains(written, each) {
		return []string{written}
	}
	var all []string
	for i := range env.Consumers {
		all = append(all, strings.ReplaceAll(written, each, strconv.Itoa(config.ConsumerLine(i))))
	}
	return all
}

// Lapsed returns a line for each entry whose last day is before the day of now.
func (l Ledger) Lapsed(now time.Time) []string {
	return l.before(now, "lapsed on %s: decide anew, then change what it suppresses or renew it")
}

// Lapsing returns a line for each entry that lapses within 30 days of now and
// has not yet.
func (l Ledger) Lapsing(now time.Time) []string {
	soon := l.before(now.AddDate(0, 0, 30), "lapses on %s: decide anew in time")
	return slices.DeleteFunc(soon, func(line string) bool {
		id, _, _ := strings.Cut(line, ":")
		return slices.ContainsFunc(l.Lapsed(now), func(s string) bool { return strings.HasPrefix(s, id+":") })
	})
}

func (l Ledger) before(now time.Time, format string) []string {
	var lines []string
	today := now.UTC().Format(time.DateOnly)
	for _, e := range l {
		if e.Expires < today {
			lines = append(lines, fmt.Sprintf("%s: "+format, e.ID, e.Expires))
		}
	}
	return lines
}
