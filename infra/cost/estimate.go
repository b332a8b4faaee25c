package cost

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// Line is one part of one resource's bill for a month.
type Line struct {
	// Stack and Resource name the resource; Resource is stack/path.
	Stack, Resource, Type string
	// Price is the name in the list; Per is its unit.
	Price, Per string
	// Quantity is in units, Amount in USD.
	Quantity, Amount float64
	// Use says that it grows with use.
	Use bool
}

// Estimate is what an environment costs in a month.
type Estimate struct {
	Environment string
	// Lines are by stack, resource and the order of the list. Lines of nothing
	// are left out.
	Lines []Line
}

// meter applies the list to one environment.
type meter struct {
	prices      *Prices
	assembly    *cfn.Assembly
	environment string
	wrong       []string
}

// missing notes that the list has no figure for the environment.
func (m *meter) missing(name string) {
	m.note(fmt.Sprintf("%s says nothing of the environment %s: add it, or all", name, m.environment))
}

func (m *meter) note(what string) {
	if !slices.Contains(m.wrong, what) {
		m.wrong = append(m.wrong, what)
	}
}

// Estimate returns what the environment's templates cost. The error has a line
// for each type that the list does not know and for each figure that it lacks,
// with what to add.
func (p *Prices) Estimate(a *cfn.Assembly, environment string) (*Estimate, error) {
	m := &meter{prices: p, assembly: a, environment: environment}
	e := &Estimate{Environment: environment}
	for _, r := range a.Resources() {
		for _, line := range m.lines(r) {
			if line.Amount > 0 {
				e.Lines = append(e.Lines, line)
			}
		}
	}
	if len(m.wrong) > 0 {
		return nil, fmt.Errorf("infra/cost/prices.yaml:\n%s", strings.Join(m.wrong, "\n"))
	}
	return e, nil
}

// lines are the resource's, also those of nothing.
func (m *meter) lines(r *cfn.Resource) []Line {
	if m.prices.Free[r.Type] != "" {
		return nil
	}
	variants, ok := m.prices.Types[r.Type]
	if !ok {
		m.note(fmt.Sprintf("%s, such as %s, is not known: add it to types with its parts, or to free with the reason", r.Type, r))
		return nil
	}
	i := slices.IndexFunc(variants, func(v Variant) bool { return m.holds(v, r) })
	if i < 0 {
		m.note(fmt.Sprintf("%s: no variant of %s holds: add one with where", r, r.Type))
		return nil
	}
	var all []Line
	for _, part := range variants[i].Parts {
		price := m.prices.Prices[part.Price]
		quantity := 1.0
		for _, name := range part.Times {
			quantity *= m.value(name, r)
		}
		all = append(all, Line{
			Stack: r.Stack.Name, Resource: r.String(), Type: r.Type, Price: part.Price, Per: price.Per,
			Quantity: quantity, Amount: quantity * price.USD, Use: part.Use,
		})
	}
	return all
}

func (m *meter) holds(v Variant, r *cfn.Resource) bool {
	for path, want := range v.Where {
		if path == "region" {
			if (r.Stack.Region == m.prices.Region) != (want == "main") {
				return false
			}
			continue
		}
		got := r.Text(strings.Split(path, ".")...)
		if path == "Family" { // families are PREFIX-NAME
			got = got[strings.LastIndex(got, "-")+1:]
		}
		if got != want {
			return false
		}
	}
	return true
}

func (m *meter) value(name string, r *cfn.Resource) float64 {
	if f := measures[name]; f != nil {
		return f(m, r)
	}
	v, ok := m.prices.Assumptions[name].In(m.environment)
	if !ok {
		m.missing("assumption " + name)
	}
	return v
}

// Total is USD a month.
func (e *Estimate) Total() float64 { return e.sum(func(Line) bool { return true }) }

// Floor is USD of a month in which nobody came.
func (e *Estimate) Floor() float64 { return e.sum(func(l Line) bool { return !l.Use }) }

// FloorOf is the floor of one stack.
func (e *Estimate) FloorOf(stack string) float64 {
	return e.sum(func(l Line) bool { return !l.Use && l.Stack == stack })
}

func (e *Estimate) sum(of func(Line) bool) float64 {
	sum := 0.0
	for _, l := range e.Lines {
		if of(l) {
			sum += l.Amount
		}
	}
	return sum
}

// Item is one resource of an estimate, its floor and the whole.
type Item struct {
	Resource, Type string
	Floor, Total   float64
}

// Items are the resources by amount, the dearest first.
func (e *Estimate) Items() []Item {
	var items []Item
	for _, l := range e.Lines {
		i := slices.IndexFunc(items, func(x Item) bool { return x.Resource == l.Resource && x.Type == l.Type })
		if i < 0 {
			i, items = len(items), append(items, Item{Resource: l.Resource, Type: l.Type})
		}
		items[i].Total += l.Amount
		if !l.Use {
			items[i].Floor += l.Amount
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(cents(b.Total), cents(a.Total)), cmp.Compare(a.Resource, b.Resource))
	})
	return items
}

// cents keeps sums that differ by the order of adding from changing an order.
func cents(usd float64) int { return int(math.Round(usd * 100)) }

// Change is one resource that costs more or less than before; 0 is none.
type Change struct {
	Resource, Type string
	Before, After  float64
}

// Diff returns the resources whose monthly amount differs by a cent or more,
// the greatest change first. It compares any two estimates, such as that of
// what is deployed and that of what is about to be.
func Diff(before, after *Estimate) []Change {
	var changes []Change
	find := func(i Item) *Change {
		for n := range changes {
			if changes[n].Resource == i.Resource && changes[n].Type == i.Type {
				return &changes[n]
			}
		}
		changes = append(changes, Change{Resource: i.Resource, Type: i.Type})
		return &changes[len(changes)-1]
	}
	for _, i := range before.Items() {
		find(i).Before = i.Total
	}
	for _, i := range after.Items() {
		find(i).After = i.Total
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return cents(c.Before) == cents(c.After) })
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Compare(cents(math.Abs(b.After-b.Before)), cents(math.Abs(a.After-a.Before)))
	})
	return changes
}
