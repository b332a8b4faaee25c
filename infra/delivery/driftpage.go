package delivery

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxValue is how much of a property's value the page shows, in bytes.
const maxValue = 200

// Markdown is the page for an issue.
func (d *Drift) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s is %s\n\n", d.Environment, map[bool]string{true: "not as it was deployed", false: "as it was deployed"}[d.Any()])
	should := "Nothing was released yet."
	if d.Release > 0 {
		should = fmt.Sprintf("Release %d should run.", d.Release)
	}
	fmt.Fprintf(&b, "%s %d stacks were looked at; %d resources are of types that CloudFormation cannot look at.\n\n", should, d.Stacks, d.Unchecked)
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "- %s\n", oneLine(note))
	}
	if len(d.Notes) > 0 {
		b.WriteString("\n")
	}
	table(&b, "Changed by hand", d.Resources)
	table(&b, "Changed by the estate itself", d.Known)
	if d.Any() {
		b.WriteString("Find in the trail who did it and why. Then either bring the change into the description or the program and deliver that, or undo it by hand: " +
			"a delivery does not, for CloudFormation changes only what differs between two templates.\n")
	}
	return b.String()
}

func table(b *strings.Builder, title string, resources []Drifted) {
	if len(resources) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s\n\n| resource | type | property | expected | is | |\n| --- | --- | --- | --- | --- | --- |\n", title)
	for _, r := range resources {
		at := fmt.Sprintf("| %s | %s |", quoted(r.Stack+"/"+r.LogicalID), strings.TrimPrefix(r.Type, "AWS::"))
		if len(r.Differences) == 0 {
			fmt.Fprintf(b, "%s | | | %s | |\n", at, r.Status)
		}
		for _, p := range r.Differences {
			fmt.Fprintf(b, "%s %s | %s | %s | %s |\n", at, quoted(p.Path), quoted(p.Expected), quoted(p.Actual), p.Why)
		}
	}
	b.WriteString("\n")
}

// quoted is a value as code in a table's cell.
func quoted(s string) string {
	if s == "" || s == "null" {
		return "–"
	}
	if s = oneLine(s); len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "") + "..."
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "`", "'").Replace(s)
}

// Write puts the answer into dir, as drift.json and drift.md.
func (d *Drift) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "drift.json"), d); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "drift.md"), []byte(d.Markdown()), 0o644) //nolint:gosec // for everybody
}
