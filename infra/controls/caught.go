package controls

import (
	"slices"

	"padron/infra/config"
	"padron/infra/reach"
)

// Matrix stands in [Caught.By] for the reachability matrix: the removal changes
// who reaches whom.
const Matrix = "matrix"

// Caught is what happens when one control is taken away.
type Caught struct {
	Control Control
	// Environments are those that have the control.
	Environments []string
	// Removed is in how many places it was taken away, over all environments.
	Removed int
	// Own reports that its own check went red in each environment.
	Own bool
	// By are the other checks that went red in any: controls by their ids, and
	// [Matrix].
	By []string
}

// Mutate takes each control away from a copy of each environment that has it,
// and asks every check about the copy.
func Mutate(estates []*Estate) []Caught {
	var list []Caught
	for _, c := range All() {
		caught := Caught{Control: c, Own: true}
		for _, e := range estates {
			if c.in(e.Env) {
				caught.mutate(e)
			}
		}
		slices.Sort(caught.By)
		caught.By = slices.Compact(caught.By)
		list = append(list, caught)
	}
	return list
}

func (c *Caught) mutate(e *Estate) {
	c.Environments = append(c.Environments, e.Env.Name)
	without := e.Clone()
	c.Removed += c.Control.Remove(without)
	for _, other := range In(e.Env) {
		red := len(other.Check(without)) > 0
		if other.ID == c.Control.ID {
			c.Own = c.Own && red
		} else if red {
			c.By = append(c.By, other.ID)
		}
	}
	seen := without.sight()
	if seen.err != nil || len(reach.Diff(e.sight().matrix, seen.matrix)) > 0 {
		c.By = append(c.By, Matrix)
	}
}

func (c Control) in(env *config.Environment) bool { return c.Where == nil || c.Where(env) }
