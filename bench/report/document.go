package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Fill returns the document with each part between its markers
// "<!-- bench:NAME -->" and "<!-- /bench:NAME -->" made anew, and with the plot,
// a file beside it, between those of "plot". What stands outside of markers, and
// between those of parts that were not measured, stays.
func Fill(document, plot string, r *Results) (string, error) {
	texts := map[string]string{"plot": "![Bars of the figures below; a line across a bar is its goal](" + plot + ")\n"}
	for name, p := range r.Parts {
		texts[name] = section(p)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		begin, end := "<!-- bench:"+name+" -->\n", "<!-- /bench:"+name+" -->"
		before, rest, found := strings.Cut(document, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			return "", fmt.Errorf("there is no place for part %q: want a line %s and after it a line %s", name, strings.TrimSpace(begin), end)
		}
		document = before + begin + texts[name] + end + after
	}
	return document, nil
}

// section is a part as Markdown.
func section(p *Part) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, commit %s, %s; %s. `%s`\n", p.Date, p.Commit, p.Machine, quiet(p), p.Command)
	if p.Partial {
		b.WriteString("\n**Interrupted: not everything was measured.**\n")
	}
	b.WriteString("\n| what | median | each run | against |\n| --- | --- | --- | --- |\n")
	for i := range p.Figures {
		f := &p.Figures[i]
		if len(f.Runs) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s |\n", f.What, Number(Median(f.Runs)), f.Unit, each(f.Runs), strings.Join(p.Verdicts(f), "; "))
	}
	for _, note := range p.Notes {
		b.WriteString("\n" + note + "\n")
	}
	return b.String()
}

// busy is the share of the processors from which on a machine was not quiet.
const busy = 0.1

// quiet says whether the machine had other things to do.
func quiet(p *Part) string {
	text := fmt.Sprintf("load average %.1f before the run, processors %.0f%% in use before this part", p.Load, 100*p.Busy)
	if p.Busy > busy {
		return "**the machine was busy**: " + text
	}
	return text
}

// Verdicts say for each goal of a figure what its ratio is and whether that is
// enough.
func (p *Part) Verdicts(f *Figure) []string {
	var out []string
	for _, g := range f.Goals {
		value := p.Value(f, g)
		if math.IsNaN(value) {
			continue
		}
		text := ""
		if other := p.Figure(g.Of); other != nil {
			text = fmt.Sprintf("**%s** of %s", ratio(value), other.Short)
			if value >= 2 {
				text = fmt.Sprintf("**%s** times %s", ratio(value), other.Short)
			}
		}
		unit := ""
		if g.Of == "" {
			unit = " " + f.Unit
		}
		out = append(out, strings.TrimPrefix(text+goal(g, value, unit), ", "))
	}
	return out
}

// goal says what was wanted, and whether it was reached.
func goal(g Goal, value float64, unit string) string {
	var want string
	switch {
	case g.Least > 0:
		want = "at least " + ratio(g.Least)
	case g.Most > 0:
		want = "at most " + ratio(g.Most)
	default:
		return ""
	}
	if g.Reached(value) {
		return ", goal " + want + unit + ": reached"
	}
	return ", goal " + want + unit + ": **missed**"
}

// ratio writes a number with two digits after the point where it is small.
func ratio(v float64) string {
	switch {
	case v >= 10 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 2:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Number writes a value with three significant digits and commas.
func Number(v float64) string {
	if math.Abs(v) < 100 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := int(math.Floor(math.Log10(math.Abs(v)))) - 2
	step := math.Pow10(max(digits, 0))
	text := strconv.FormatInt(int64(math.Round(v/step)*step), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func each(runs []float64) string {
	out := make([]string, len(runs))
	for i, v := range runs {
		out[i] = Number(v)
	}
	return strings.Join(out, " · ")
}
