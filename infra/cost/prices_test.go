package cost

import (
	"strings"
	"testing"
)

const head = `
date: 2026-11-24
sources: {known: in a test}
prices: {hour: {usd: 1, per: hour, source: known}}
assumptions: {hours: {in: {all: 730}}}
`

// TestRefused gives lists that must not be taken.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, list, want string }{
		{"unknown price", "types: {A: [{parts: [{price: day, times: [hours]}]}]}", `A: there is no price "day"`},
		{"unknown figure", "types: {A: [{parts: [{price: hour, times: [days]}]}]}", `"days" is neither an assumption nor a measure`},
		{"no times", "types: {A: [{parts: [{price: hour}]}]}", "the part hour has no times"},
		{"neither", "types: {A: [{where: {X: y}}]}", "either parts or free"},
		{"twice", "types: {A: [{parts: [{price: hour, times: [hours]}]}]}\nfree: {A: because}", "is in types and in free"},
		{"field", "type: {}", "unknown field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse([]byte(head + c.list))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := parse([]byte(strings.Replace(head, "source: known", "source: rumour", 1))); err == nil {
		t.Error("a price without a known source is taken")
	}
}

// TestNothingDead asks that each price and each figure is used, each figure has
// its reason, and each free type too.
func TestNothingDead(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, variants := range p.Types {
		for _, v := range variants {
			for _, part := range v.Parts {
				used[part.Price] = true
				for _, name := range part.Times {
					used[name] = true
				}
			}
		}
	}
	for name := range p.Prices {
		if !used[name] {
			t.Errorf("nothing is billed by the price %s", name)
		}
	}
	for name, a := range p.Assumptions {
		if !used[name] || a.Why == "" {
			t.Errorf("the assumption %s is not used or has no why", name)
		}
	}
	for typ, why := range p.Free {
		if why == "" {
			t.Errorf("%s is free without a reason", typ)
		}
	}
}
