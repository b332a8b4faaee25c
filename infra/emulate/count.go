package emulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// Count is how much of a stack's resources something real stands behind.
type Count struct {
	// Stack is the short name.
	Stack string
	// Moto are resources that moto creates by itself, Extended those that the
	// extension creates on moto's services. Stubs are those that exist in name
	// only, by type: the extension's stubs, and what nothing knows.
	Moto, Extended int
	Stubs          map[string]int
}

// Total is the number of the stack's resources.
func (c Count) Total() int { return c.Moto + c.Extended + c.Stubbed() }

// Stubbed is the number of resources that exist in name only.
func (c Count) Stubbed() int {
	n := 0
	for _, k := range c.Stubs {
		n += k
	}
	return n
}

// Names lists the stubs as "AWS::X::Y (2), ...", sorted.
func (c Count) Names() string {
	names := slices.Sorted(maps.Keys(c.Stubs))
	for i, n := range names {
		names[i] = fmt.Sprintf("%s (%d)", n, c.Stubs[n])
	}
	return strings.Join(names, ", ")
}

// Extension returns the CloudFormation types that moto answers for with our
// extension alone, sorted.
func (a *Account) Extension() []string {
	var own []string
	for typ, by := range a.types {
		if by != byMoto {
			own = append(own, typ)
		}
	}
	slices.Sort(own)
	return own
}

// What answers for a type, in the words of moto_padron.
const byMoto, byExtension = "moto", "extension"

// Count counts each stack of the assembly, in the order of deployment.
func (a *Account) Count(assembly *cfn.Assembly) []Count {
	var counts []Count
	for _, stack := range assembly.Stacks {
		c := Count{Stack: stack.Name, Stubs: map[string]int{}}
		for _, r := range stack.Resources {
			switch a.types[r.Type] {
			case byMoto:
				c.Moto++
			case byExtension:
				c.Extended++
			default:
				c.Stubs[r.Type]++
			}
		}
		counts = append(counts, c)
	}
	return counts
}

// Sum adds the counts up.
func Sum(counts []Count) Count {
	sum := Count{Stack: "total", Stubs: map[string]int{}}
	for _, c := range counts {
		sum.Moto += c.Moto
		sum.Extended += c.Extended
		for name, n := range c.Stubs {
			sum.Stubs[name] += n
		}
	}
	return sum
}
