package review

import (
	"fmt"
	"strings"
	"time"

	"padron/infra/cfn"
	"padron/infra/config"
)

// Review is everything that a plan found, for a person to judge.
type Review struct {
	Environment, Account string
	Commit, Padron       string
	Created              time.Time
	// Record is the record's hash: the review is about that record alone.
	Record string
	// RollbackTo is the release that the plan goes back to, 0 for none.
	RollbackTo int
	// Base is the release that stands now, 0 for none.
	Base   int
	Stacks []Stack
	// Losses are stateful resources that would be lost, and what allows each.
	Losses []Loss
	// Findings are lines of whatever else a reviewer should know.
	Findings []string
	// Images are the digests that run, by program, before and after.
	ImagesBefore, ImagesAfter map[string]string
	// Before is what is deployed, and After what would be, each with the
	// description of the environment that it was made of.
	Before, After       *cfn.Assembly
	EnvBefore, EnvAfter *config.Environment
}

// Stack is what becomes of one stack.
type Stack struct {
	Name string
	// State is new, changed, unchanged or waiting; WaitsFor is for what.
	State    string
	WaitsFor []string
	Changes  []Change
}

// Loss is a stateful resource that a change replaces or deletes.
type Loss struct {
	// Name is STACK/LogicalID, What the whole sentence.
	Name, What string
}

// Markdown is the review document.
func (r *Review) Markdown() (string, error) {
	var b strings.Builder
	r.head(&b)
	r.losses(&b)
	r.stacks(&b)
	r.images(&b)
	section(&b, "Rights", "What is new to anybody's rights is marked +, what is taken away is marked -.", changed(rights, r.Before, r.After))
	section(&b, "Ways through the network", "Rules of security groups, lines of access lists, and routes.", changed(ways, r.Before, r.After))
	r.reachability(&b)
	if err := r.cost(&b); err != nil {
		return "", err
	}
	r.controls(&b)
	r.findings(&b)
	return b.String(), nil
}

func (r *Review) head(b *strings.Builder) {
	what := fmt.Sprintf("commit %s", code(short(r.Commit)))
	if r.RollbackTo > 0 {
		what = fmt.Sprintf("back to release %d, commit %s", r.RollbackTo, code(short(r.Commit)))
	}
	fmt.Fprintf(b, "# %s: %s\n\n", r.Environment, what)
	base := "Nothing was released before."
	if r.Base > 0 {
		base = fmt.Sprintf("Release %d runs now.", r.Base)
	}
	fmt.Fprintf(b, "Planned by padron %s on %s for account %s. %s\n\n", code(r.Padron), r.Created.UTC().Format("2006-01-02 15:04 MST"), code(r.Account), base)
	fmt.Fprintf(b, "%s\n\nThe record's hash is %s. Approve that one; apply refuses any other, and any other state of the account.\n\n", r.summary(), code(r.Record))
}

// summary counts what happens.
func (r *Review) summary() string {
	states, changes, replaced := map[string]int{}, 0, 0
	for _, s := range r.Stacks {
		states[s.State]++
		changes += len(s.Changes)
		for _, c := range s.Changes {
			if c.Replaces() {
				replaced++
			}
		}
	}
	text := fmt.Sprintf("**%d of %d stacks change** (%d of them new), with %d resources, of which **%d are replaced**.",
		states["changed"]+states["new"], len(r.Stacks), states["new"], changes, replaced)
	if n := states["waiting"]; n > 0 {
		text += fmt.Sprintf(" %d stacks wait for these, and are planned once more when they are there.", n)
	}
	return text
}

func (r *Review) losses(b *strings.Builder) {
	if len(r.Losses) == 0 {
		return
	}
	fmt.Fprint(b, "## What would be lost\n\nThese hold what cannot be made again. Apply refuses each unless it is allowed by its name.\n\n```diff\n")
	for _, l := range r.Losses {
		fmt.Fprintf(b, "- %s\n", plain(l.What))
	}
	fmt.Fprint(b, "```\n\n")
	for _, l := range r.Losses {
		fmt.Fprintf(b, "- %s\n", code("--allow-replacement "+l.Name))
	}
	fmt.Fprintln(b)
}

func (r *Review) images(b *strings.Builder) {
	var rows []string
	for _, program := range union(r.ImagesBefore, r.ImagesAfter) {
		if before, after := r.ImagesBefore[program], r.ImagesAfter[program]; before != after {
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", program, code(before), code(after)))
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "## Images\n\n| program | runs now | would run |\n| --- | --- | --- |\n%s\n", strings.Join(rows, ""))
	}
}

func (r *Review) findings(b *strings.Builder) {
	fmt.Fprint(b, "## Findings\n\n")
	if len(r.Findings) == 0 {
		fmt.Fprintln(b, "None.")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(b, "- %s\n", plain(f))
	}
}
