// Package report keeps what the benchmarks measured, and shows it: as the
// generated parts of a document, and as a plot. What was measured stays in a
// JSON file, so that parts which were measured at other times stand beside each
// other and an interrupted run loses one part at most.
package report

import (
	"math"
	"slices"
)

// Results are the parts that were measured, by name.
type Results struct {
	Parts map[string]*Part `json:"parts"`
}

// Part is what one part of the benchmarks measured, in one run.
type Part struct {
	Title string `json:"title"`
	// Date is the day, as 2006-01-02 in UTC.
	Date string `json:"date"`
	// Commit is what was measured, as git describes it.
	Commit  string `json:"commit"`
	Machine string `json:"machine"`
	// Load is the machine's load average over a minute before the run began,
	// and Busy the share of its processors, 0 to 1, that was in use in the
	// second before the part began.
	Load float64 `json:"load"`
	Busy float64 `json:"busy"`
	// Command measures the part again.
	Command string `json:"command"`
	// Rounds is how often each figure was to be measured.
	Rounds  int      `json:"rounds"`
	Figures []Figure `json:"figures"`
	Notes   []string `json:"notes,omitempty"`
	// Partial is set until the part is complete.
	Partial bool `json:"partial,omitempty"`
}

// Figure is one thing that was measured, once in each round.
type Figure struct {
	// Name identifies the figure in its part.
	Name string `json:"name"`
	// What says what was done, and Short the same in a few words.
	What  string `json:"what"`
	Short string `json:"short"`
	// Unit is such as "customers/s" or "MiB".
	Unit string `json:"unit"`
	// Runs are the values, in the order of the rounds.
	Runs []float64 `json:"runs"`
	// Goals are what the figure has to reach.
	Goals []Goal `json:"goals,omitempty"`
}

// Goal is a bound of a figure, or of its ratio to another one.
type Goal struct {
	// Of names the other figure of the part; "" bounds the figure itself.
	Of string `json:"of,omitempty"`
	// Least and Most are the bounds; 0 is none. A goal without bounds shows
	// the ratio alone.
	Least float64 `json:"least,omitempty"`
	Most  float64 `json:"most,omitempty"`
}

// Reached reports whether a value is within the goal's bounds.
func (g Goal) Reached(value float64) bool {
	return value >= g.Least && (g.Most == 0 || value <= g.Most)
}

// Figure returns the figure of a name; nil is none.
func (p *Part) Figure(name string) *Figure {
	i := slices.IndexFunc(p.Figures, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Figures[i]
}

// Declare gives figures their place in the part, in the order in which they are
// shown. One without values is not shown; one that is there already stays.
func (p *Part) Declare(figures ...Figure) {
	for _, f := range figures {
		if p.Figure(f.Name) == nil {
			p.Figures = append(p.Figures, f)
		}
	}
}

// Value is what a goal bounds: the median of the figure, or of its ratios to the
// other figure, each of one round. A machine is now fast and now slow, but the
// two figures of a round are neighbours. It is not a number where the other
// figure was not measured.
func (p *Part) Value(f *Figure, g Goal) float64 {
	if g.Of == "" {
		return Median(f.Runs)
	}
	other := p.Figure(g.Of)
	if other == nil {
		return math.NaN()
	}
	var ratios []float64
	for i := range min(len(f.Runs), len(other.Runs)) {
		ratios = append(ratios, f.Runs[i]/other.Runs[i])
	}
	return Median(ratios)
}

// Median is the middle value, or the mean of the two in the middle; not a number
// where there is none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
