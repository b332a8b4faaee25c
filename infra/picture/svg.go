package picture

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"padron/infra/cfn"
)

// look is how a kind of box is drawn: groups have a fill and a frame, nodes a
// white card with a coloured glyph.
type look struct {
	fill, stroke, ink string
	dash              string
	group             bool
}

var looks = map[string]look{
	"account": {"#ffffff", "#334155", "#1e293b", "", true},
	"region":  {"#ffffff", "#0e7490", "#155e75", "6 4", true},
	"vpc":     {"#fbfaff", "#6d28d9", "#5b21b6", "", true},
	"zone":    {"none", "#2563eb", "#1d4ed8", "6 4", true},
	"public":  {"#eef8e8", "#4d7c0f", "#3f6212", "", true},
	"private": {"#e9f3fb", "#0369a1", "#075985", "", true},
	"shelf":   {"#f8fafc", "#cbd5e1", "#334155", "", true},

	"compute":     {stroke: "#c2410c"},
	"network":     {stroke: "#6d28d9"},
	"database":    {stroke: "#1d4ed8"},
	"security":    {stroke: "#b91c1c"},
	"storage":     {stroke: "#3f7d20"},
	"manage":      {stroke: "#be185d"},
	"integration": {stroke: "#a21caf"},
	"outside":     {stroke: "#475569"},
}

// entry is a line of the legend.
type entry struct {
	kind
	x, y float64
	text string
}

func (p *plan) makeLegend(y float64) []entry {
	var all []entry
	x := margin
	for _, k := range kinds {
		if slices.ContainsFunc(p.Arrows, func(a *Arrow) bool { return a.Kind == k.name }) {
			text := p.words.t(k.phrase)
			all = append(all, entry{k, x, y, text})
			x += 44 + measure(text, detailSize, false) + 22
		}
	}
	return all
}

// SVG is the drawing as a document of its own: no script, no outside file, and
// the fonts that the reader has.
func (d *Drawing) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" lang="%s" aria-labelledby="title" font-family="Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif">
<title id="title">%s</title>
<defs>
`, number(d.W), number(d.H), d.words.language, html.EscapeString(d.Title))
	for _, k := range kinds {
		fmt.Fprintf(&b, `<marker id="to-%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="%s"/></marker>`+"\n", k.name, k.colour)
	}
	fmt.Fprintf(&b, "</defs>\n"+`<rect width="%s" height="%s" fill="#ffffff"/>`+"\n", number(d.W), number(d.H))
	fmt.Fprintf(&b, `<text x="%s" y="34" font-size="22" font-weight="700" fill="#0f172a">%s</text>`+"\n", number(margin), html.EscapeString(d.Title))
	fmt.Fprintf(&b, `<text x="%s" y="34" font-size="%s" fill="#475569">%s</text>`+"\n",
		number(margin+measure(d.Title, 22, true)+24), number(labelSize), html.EscapeString(d.Subtitle))
	d.Walk(func(_, box *Box) {
		if looks[box.Look].group {
			writeGroup(&b, box)
		}
	})
	for _, a := range d.Arrows {
		writeArrow(&b, a)
	}
	d.Walk(func(_, box *Box) {
		if !looks[box.Look].group {
			writeNode(&b, box)
		}
	})
	for _, e := range d.legend {
		writeEntry(&b, e)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// open begins an element that names where it comes from, for a reader's tool
// tip and for who asks what made it.
func open(b *bytes.Buffer, id, label string, from []*cfn.Resource) {
	names := make([]string, len(from))
	for i, r := range from {
		names[i] = r.Stack.Name + "/" + r.LogicalID
	}
	fmt.Fprintf(b, `<g id="%s" data-from="%s"><title>%s</title>`, html.EscapeString(id), html.EscapeString(strings.Join(names, " ")),
		html.EscapeString(label+": "+strings.Join(names, ", ")))
}

func writeGroup(b *bytes.Buffer, box *Box) {
	l := looks[box.Look]
	open(b, box.ID, box.Label, box.From)
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" rx="5" fill="%s" stroke="%s" stroke-width="1.5"`,
		number(box.X), number(box.Y), number(box.W), number(box.H), l.fill, l.stroke)
	if l.dash != "" {
		fmt.Fprintf(b, ` stroke-dasharray="%s"`, l.dash)
	}
	fmt.Fprintf(b, `/><text x="%s" y="%s" font-size="%s" font-weight="700" fill="%s">%s</text></g>`+"\n",
		number(box.X+10), number(box.Y+17), number(labelSize), l.ink, html.EscapeString(box.Label))
}

func writeNode(b *bytes.Buffer, box *Box) {
	open(b, box.ID, box.Label, box.From)
	colour := looks[box.Look].stroke
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" rx="6" fill="#ffffff" stroke="%s" stroke-width="1.5"/>`,
		number(box.X), number(box.Y), number(box.W), number(box.H), colour)
	t := box.text()
	fmt.Fprintf(b, `<g transform="translate(%s %s)"><rect width="28" height="28" rx="5" fill="%s"/><path transform="translate(2 2)" d="%s" fill="none" stroke="#ffffff" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"/></g>`,
		number(t.iconX), number(t.iconY), colour, icons[box.Icon])
	for _, line := range t.lines {
		weight, ink := "400", "#334155"
		if line.bold {
			weight, ink = "700", "#0f172a"
		}
		fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" font-weight="%s" fill="%s"`, number(line.x), number(line.y), number(line.size), weight, ink)
		if t.centred {
			b.WriteString(` text-anchor="middle"`)
		}
		fmt.Fprintf(b, `>%s</text>`, html.EscapeString(line.text))
	}
	b.WriteString("</g>\n")
}

func writeArrow(b *bytes.Buffer, a *Arrow) {
	k := kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == a.Kind })]
	open(b, a.From.ID+"-to-"+a.To.ID, a.From.Label+" → "+a.To.Label, a.Why)
	var d strings.Builder
	for i, p := range a.Path {
		fmt.Fprintf(&d, "%s%s %s", map[bool]string{true: "M", false: "L"}[i == 0], number(p.X), number(p.Y))
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round" marker-end="url(#to-%s)"`, d.String(), k.colour, k.name)
	if k.dashed {
		b.WriteString(` stroke-dasharray="5 4"`)
	}
	b.WriteString("/>")
	if a.Label != "" {
		w := measure(a.Label, detailSize, true) + 6
		fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="15" rx="3" fill="#ffffff" fill-opacity="0.9"/><text x="%s" y="%s" font-size="%s" font-weight="700" fill="%s" text-anchor="middle">%s</text>`,
			number(a.At.X-w/2), number(a.At.Y-7.5), number(w), number(a.At.X), number(a.At.Y+4), number(detailSize), k.colour, html.EscapeString(a.Label))
	}
	b.WriteString("</g>\n")
}

func writeEntry(b *bytes.Buffer, e entry) {
	fmt.Fprintf(b, `<path d="M%s %sh34" fill="none" stroke="%s" stroke-width="2" marker-end="url(#to-%s)"`, number(e.x), number(e.y), e.colour, e.name)
	if e.dashed {
		b.WriteString(` stroke-dasharray="5 4"`)
	}
	fmt.Fprintf(b, `/><text x="%s" y="%s" font-size="%s" fill="#334155">%s</text>`+"\n", number(e.x+42), number(e.y+4), number(detailSize), html.EscapeString(e.text))
}
