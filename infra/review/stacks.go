package review

import (
	"fmt"
	"slices"
	"strings"
)

// stacks lists what CloudFormation would do, stack by stack. Replacements stand
// first and red, as lines that a diff takes away.
func (r *Review) stacks(b *strings.Builder) {
	fmt.Fprint(b, "## Changes\n\n")
	var still []string
	for _, s := range r.Stacks {
		switch s.State {
		case "unchanged":
			still = append(still, s.Name)
		case "waiting":
			fmt.Fprintf(b, "### %s: waits\n\nIt needs %s, which this plan brings. It changes nothing yet.\n\n", s.Name, code(s.WaitsFor[0]))
		default:
			s.write(b)
		}
	}
	if len(still) > 0 {
		fmt.Fprintf(b, "Unchanged: %s.\n\n", strings.Join(still, ", "))
	}
}

func (s Stack) write(b *strings.Builder) {
	fmt.Fprintf(b, "### %s: %s\n\n", s.Name, s.State)
	if s.State == "new" {
		fmt.Fprintf(b, "Creates %s.\n\n", s.types())
		return
	}
	if len(s.Changes) == 0 {
		fmt.Fprint(b, "No resource changes: only what the stack exports, or how it is described.\n\n")
		return
	}
	s.replacements(b)
	fmt.Fprint(b, "| action | resource | type | because of |\n| --- | --- | --- | --- |\n")
	quiet := 0
	for _, c := range s.Changes {
		if c.quiet() {
			quiet++
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.action(), code(c.LogicalID), strings.TrimPrefix(c.Type, "AWS::"), c.because())
	}
	if quiet > 0 {
		fmt.Fprintf(b, "| note | %d more |  | only what the template says about them: nothing happens to them |\n", quiet)
	}
	fmt.Fprintln(b)
}

// replacements are the lines in red.
func (s Stack) replacements(b *strings.Builder) {
	var lines []string
	for _, c := range s.Changes {
		switch {
		case c.Replaces():
			lines = append(lines, plain(fmt.Sprintf("- %s %s/%s (%s): %s", c.verb(), s.Name, c.LogicalID, c.Type, c.PhysicalID)))
		case c.Action == "Remove":
			lines = append(lines, plain(fmt.Sprintf("- DELETES %s/%s (%s): %s", s.Name, c.LogicalID, c.Type, c.PhysicalID)))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "```diff\n%s\n```\n\n", strings.Join(lines, "\n"))
	}
}

func (c Change) verb() string {
	if c.Replacement == "Conditional" {
		return "MAY REPLACE"
	}
	return "REPLACES"
}

func (c Change) action() string {
	switch {
	case c.Replaces():
		return "**" + c.verb() + "**"
	case c.Action == "Remove":
		return "**DELETES**"
	case c.Action == "Add":
		return "adds"
	case c.Action == "Modify":
		return "changes"
	}
	return c.Action
}

// quiet reports whether nothing happens to the resource itself.
func (c Change) quiet() bool {
	return c.Action == "Modify" && len(c.Scope) > 0 && !slices.ContainsFunc(c.Scope, func(s string) bool { return s == "Properties" || s == "Tags" })
}

// because names the properties, those that make it anew in bold.
func (c Change) because() string {
	var names []string
	for _, d := range c.Details {
		name := d.Name
		if name == "" {
			name = d.Attribute
		}
		if name = code(name); d.Recreation == "Always" || d.Recreation == "Conditionally" {
			name = "**" + name + "**"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// types counts what a new stack creates.
func (s Stack) types() string {
	count := map[string]int{}
	for _, c := range s.Changes {
		count[strings.TrimPrefix(c.Type, "AWS::")]++
	}
	var all []string
	for _, t := range union(count, nil) {
		all = append(all, fmt.Sprintf("%d %s", count[t], t))
	}
	return strings.Join(all, ", ")
}
