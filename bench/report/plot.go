package report

import (
	"bytes"
	"fmt"
	"html"
	"maps"
	"slices"
	"unicode/utf8"
)

// The plot's measures, in pixels.
const (
	columnWidth = 470.0
	margin      = 20.0
	labelWidth  = 186.0
	valueWidth  = 122.0
	barHeight   = 18.0
	barGap      = 8.0
	headHeight  = 46.0
	letters     = 27 // of a label's font that labelWidth holds
)

// style makes the plot readable on light and on dark ground.
const style = `
  <style>
    .ground{fill:#ffffff}.head{font-size:15px;font-weight:600;fill:#16233a}.text{font-size:12.5px;fill:#41506a}
    .bar{fill:#3b6db5}.limit{fill:#9aa8bd}.goal{stroke:#b3541e;stroke-width:2}
    @media (prefers-color-scheme: dark){
      .ground{fill:#0f1724}.head{fill:#eef2f8}.text{fill:#c3cede}.bar{fill:#6ea3ea}.limit{fill:#66758c}.goal{stroke:#f0935a}
    }
  </style>
`

// panel is one part's bars.
type panel struct {
	title string
	bars  []bar
	x, y  float64
}

// bar is one figure, beside what its goals ask of it.
type bar struct {
	label, text string
	value       float64
	// limit is set where other figures are measured against it.
	limit bool
	// goal is the value that would just do; 0 is none.
	goal float64
}

func (p *panel) height() float64 { return headHeight + float64(len(p.bars))*(barHeight+barGap) }

// most is the value of the longest bar.
func (p *panel) most() float64 {
	most := 1e-9 // bars of nothing have no length
	for _, b := range p.bars {
		most = max(most, b.value, b.goal)
	}
	return most
}

// Plot draws every part's figures as bars, those of one unit a part.
func Plot(r *Results) []byte {
	panels, height := arrange(r)
	var b bytes.Buffer
	width := 2*columnWidth + margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="t d" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif">`, width, height)
	b.WriteString("\n  <title id=\"t\">What padron's benchmarks measured</title>\n  <desc id=\"d\">Bars of the figures that benchmarks.md has as tables; a line across a bar is its goal.</desc>")
	b.WriteString(style)
	fmt.Fprintf(&b, "  <rect class=\"ground\" width=\"%.0f\" height=\"%.0f\"/>\n", width, height)
	for i := range panels {
		panels[i].draw(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// order is how the parts follow each other; parts of other names come last.
var order = []string{"sync", "peers", "memory", "scale", "read", "start", "profile"}

// arrange puts panels into two columns and returns the plot's height.
func arrange(r *Results) (panels []panel, height float64) {
	names := slices.SortedFunc(maps.Keys(r.Parts), func(a, b string) int { return rank(a) - rank(b) })
	ends := [2]float64{margin, margin}
	for _, name := range names {
		p := bars(r.Parts[name])
		if len(p.bars) == 0 {
			continue
		}
		column := 0
		if ends[1] < ends[0] {
			column = 1
		}
		p.x, p.y = margin+float64(column)*columnWidth, ends[column]
		ends[column] += p.height() + margin/2
		panels = append(panels, p)
	}
	return panels, max(ends[0], ends[1]) + margin/2
}

func rank(name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// bars are the figures that have the unit of the first one.
func bars(p *Part) panel {
	out := panel{title: p.Title}
	for i := range p.Figures {
		f := &p.Figures[i]
		if f.Unit != p.Figures[0].Unit || len(f.Runs) == 0 {
			continue
		}
		b := bar{label: f.Short, value: Median(f.Runs), limit: measures(p, f.Name)}
		b.text = Number(b.value) + " " + f.Unit
		if len(f.Goals) > 0 {
			b.goal = p.enough(f.Goals[0])
		}
		out.bars = append(out.bars, b)
	}
	return out
}

// measures reports whether figures have goals against one that has none.
func measures(p *Part, name string) bool {
	return len(p.Figure(name).Goals) == 0 && slices.ContainsFunc(p.Figures, func(f Figure) bool {
		return slices.ContainsFunc(f.Goals, func(g Goal) bool { return g.Of == name })
	})
}

// enough is the value with which a goal would just be reached; 0 is none.
func (p *Part) enough(g Goal) float64 {
	bound := max(g.Least, g.Most)
	if g.Of == "" {
		return bound
	}
	other := p.Figure(g.Of)
	if other == nil || len(other.Runs) == 0 {
		return 0
	}
	return bound * Median(other.Runs)
}

func (p *panel) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, "  <text class=\"head\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", p.x, p.y+20, html.EscapeString(p.title))
	scale := (columnWidth - labelWidth - valueWidth - margin) / p.most()
	for i, bar := range p.bars {
		x, y := p.x+labelWidth, p.y+headHeight-12+float64(i)*(barHeight+barGap)
		class := "bar"
		if bar.limit {
			class = "limit"
		}
		length := max(bar.value*scale, 1)
		fmt.Fprintf(b, "  <text class=\"text\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>", x-8, y+13, html.EscapeString(fit(bar.label)))
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" rx=\"3\"/>", class, x, y, length, barHeight)
		end := length
		if bar.goal > 0 {
			at := bar.goal * scale
			end = max(length, at)
			fmt.Fprintf(b, "<path class=\"goal\" d=\"M%.1f %.1fv%.0f\"/>", x+at, y-2, barHeight+4)
		}
		fmt.Fprintf(b, "<text class=\"text\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x+end+6, y+13, html.EscapeString(bar.text))
	}
}

// fit shortens a label to the width that labels have.
func fit(label string) string {
	if utf8.RuneCountInString(label) <= letters {
		return label
	}
	return string([]rune(label)[:letters-1]) + "…"
}
