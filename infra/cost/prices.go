// Package cost estimates what an environment costs in a month, from its
// templates and a dated list of prices. Every type of resource must be in the
// list, with parts or with the reason why it costs nothing: what is not known
// fails, so that nothing is forgotten.
package cost

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed prices.yaml
var list []byte

// Prices is the list: what AWS asks and what is assumed of use.
type Prices struct {
	// Date is the day on which somebody looked the list over, such as
	// 2026-11-24. Region is the one whose prices they are.
	Date     string `yaml:"date"`
	Currency string `yaml:"currency"`
	Region   string `yaml:"region"`
	// Sources say in words where prices come from.
	Sources     map[string]string     `yaml:"sources"`
	Prices      map[string]Price      `yaml:"prices"`
	Assumptions map[string]Assumption `yaml:"assumptions"`
	// Logs are GB a month by the end of a log group's name.
	Logs  map[string]Assumption `yaml:"logs"`
	Types map[string][]Variant  `yaml:"types"`
	// Free are the types that cost nothing, each with the reason.
	Free map[string]string `yaml:"free"`
}

// Price is USD for one unit.
type Price struct {
	USD    float64 `yaml:"usd"`
	Per    string  `yaml:"per"`
	Source string  `yaml:"source"`
}

// Assumption is a figure of use, by environment; "all" holds for those without
// one of their own.
type Assumption struct {
	Values map[string]float64 `yaml:"in"`
	Why    string             `yaml:"why"`
}

// In returns the environment's figure; false where there is none.
func (a Assumption) In(environment string) (float64, bool) {
	if v, ok := a.Values[environment]; ok {
		return v, true
	}
	v, ok := a.Values["all"]
	return v, ok
}

// Variant is how one kind of a type's resources is billed: the first whose
// Where holds counts.
type Variant struct {
	// Where are properties, as dotted paths, and their values; "region: main"
	// holds in the region of the list.
	Where map[string]string `yaml:"where"`
	Free  string            `yaml:"free"`
	Parts []Part            `yaml:"parts"`
}

// Part is one line of a resource's bill: a price times assumptions and
// measures of the resource.
type Part struct {
	Price string   `yaml:"price"`
	Times []string `yaml:"times"`
	// Use says that it grows with use; the rest is the floor.
	Use bool `yaml:"use"`
}

// Load returns the repository's list. The error names every part that speaks of
// a price or a figure that the list does not have.
func Load() (*Prices, error) { return parse(list) }

func parse(text []byte) (*Prices, error) {
	var p Prices
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("prices.yaml: %s", yaml.FormatError(err, false, true))
	}
	var wrong []string
	for name, price := range p.Prices {
		if p.Sources[price.Source] == "" || price.Per == "" || price.USD <= 0 {
			wrong = append(wrong, fmt.Sprintf("price %s wants usd above 0, per, and a source that is in sources", name))
		}
	}
	for typ, variants := range p.Types {
		for _, v := range variants {
			wrong = append(wrong, p.faults(typ, v)...)
		}
		if p.Free[typ] != "" {
			wrong = append(wrong, typ+" is in types and in free: keep one")
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, fmt.Errorf("prices.yaml:\n%s", strings.Join(wrong, "\n"))
	}
	return &p, nil
}

func (p *Prices) faults(typ string, v Variant) []string {
	var wrong []string
	if (v.Free == "") == (len(v.Parts) == 0) {
		wrong = append(wrong, typ+": a variant has either parts or free with the reason")
	}
	for _, part := range v.Parts {
		if _, ok := p.Prices[part.Price]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: there is no price %q", typ, part.Price))
		}
		if len(part.Times) == 0 {
			wrong = append(wrong, fmt.Sprintf("%s: the part %s has no times", typ, part.Price))
		}
		for _, name := range part.Times {
			if _, ok := p.Assumptions[name]; !ok && measures[name] == nil {
				wrong = append(wrong, fmt.Sprintf("%s: %q is neither an assumption nor a measure", typ, name))
			}
		}
	}
	return wrong
}
