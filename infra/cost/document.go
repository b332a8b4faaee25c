package cost

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// transit is the stack that only connects consumers: it is counted apart, since
// an environment without it is whole.
const transit = "transit"

// Document is docs/cost.md: every environment, the figures behind it, and what
// costs nothing.
func (p *Prices) Document(all []*Estimate) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What it costs
Estimated from the templates and the price list of %s (`+"`infra/cost/prices.yaml`"+`, %s, %s) by `+"`padron-infra cost --write`"+`; a test
fails where this page is stale, and where a type in the templates is not in the list. USD a month, on demand, without taxes, discounts,
free tiers and support. It is an estimate: compare it with the first bill.

The *floor* is what a month costs in which nobody comes; *with use* adds the assumptions below.

| environment | floor | of it transit gateway, VPN, PrivateLink | with use |
| --- | ---: | ---: | ---: |
`, p.Date, p.Currency, p.Region)
	for _, e := range all {
		fmt.Fprintf(&b, "| [%s](#%s) | %.2f | %.2f | **%.2f** |\n", e.Environment, e.Environment, e.Floor(), e.FloorOf(transit), e.Total())
	}
	for _, e := range all {
		e.writeHead(&b)
		b.WriteString("\n<details><summary>every resource</summary>\n")
		e.writeItems(&b)
		b.WriteString("\n</details>\n")
	}
	p.writeAssumptions(&b, all)
	p.writePrices(&b)
	p.writeTypes(&b)
	return b.String()
}

// String is one environment for a terminal.
func (e *Estimate) String() string {
	var b strings.Builder
	e.writeHead(&b)
	e.writeItems(&b)
	return b.String()
}

func (e *Estimate) writeHead(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\nFloor %.2f, with use %.2f USD a month.\n\n", e.Environment, e.Floor(), e.Total())
	e.writeBars(b)
}

func (e *Estimate) writeItems(b *strings.Builder) {
	b.WriteString("\n| resource | type | floor | with use |\n| --- | --- | ---: | ---: |\n")
	rest := Item{}
	n := 0
	for _, i := range e.Items() {
		if i.Total < 0.05 {
			rest.Floor, rest.Total, n = rest.Floor+i.Floor, rest.Total+i.Total, n+1
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %.2f | %.2f |\n", i.Resource, i.Type, i.Floor, i.Total)
	}
	if n > 0 {
		fmt.Fprintf(b, "| %d resources below 0.05 each | | %.2f | %.2f |\n", n, rest.Floor, rest.Total)
	}
}

// writeBars draws a bar for each stack: the floor is full, the rest is pale.
func (e *Estimate) writeBars(b *strings.Builder) {
	floor, total := map[string]float64{}, map[string]float64{}
	for _, l := range e.Lines {
		total[l.Stack] += l.Amount
		if !l.Use {
			floor[l.Stack] += l.Amount
		}
	}
	stacks := slices.SortedFunc(maps.Keys(total), func(x, y string) int {
		return cmp.Or(cmp.Compare(cents(total[y]), cents(total[x])), cmp.Compare(x, y))
	})
	b.WriteString("```text\n")
	for _, s := range stacks {
		scale := 50 / max(total[stacks[0]], 1)
		full := int(math.Round(floor[s] * scale))
		pale := int(math.Round(total[s]*scale)) - full
		bar := strings.Repeat("█", full) + strings.Repeat("░", max(pale, 0))
		fmt.Fprintf(b, "%-14s %8.2f %s\n", s, total[s], bar)
	}
	b.WriteString("```\n")
}

func (p *Prices) writeAssumptions(b *strings.Builder, all []*Estimate) {
	b.WriteString("\n## Assumptions\nChange them in the list to what you see; each figure is a month's.\n\n| what |")
	for _, e := range all {
		b.WriteString(" " + e.Environment + " |")
	}
	b.WriteString(" why |\n| --- |" + strings.Repeat(" ---: |", len(all)) + " --- |\n")
	row := func(name, why string, a Assumption) {
		b.WriteString("| " + name + " |")
		for _, e := range all {
			v, _ := a.In(e.Environment)
			b.WriteString(" " + plain(v) + " |")
		}
		b.WriteString(" " + why + " |\n")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Assumptions)) {
		row(name, p.Assumptions[name].Why, p.Assumptions[name])
	}
	for _, end := range slices.Sorted(maps.Keys(p.Logs)) {
		row("GB of logs", strings.TrimSpace("log groups "+map[bool]string{true: "of any other name", false: "that end in `" + end + "`"}[end == ""]), p.Logs[end])
	}
}

func (p *Prices) writePrices(b *strings.Builder) {
	b.WriteString("\n## Prices\n")
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		fmt.Fprintf(b, "- *%s*: %s\n", name, p.Sources[name])
	}
	b.WriteString("\n| price | USD | per | source |\n| --- | ---: | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(p.Prices)) {
		v := p.Prices[name]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, plain(v.USD), v.Per, v.Source)
	}
}

func (p *Prices) writeTypes(b *strings.Builder) {
	b.WriteString("\n## What costs nothing of its own\n| type | because |\n| --- | --- |\n")
	for _, typ := range slices.Sorted(maps.Keys(p.Free)) {
		fmt.Fprintf(b, "| %s | %s |\n", typ, p.Free[typ])
	}
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
