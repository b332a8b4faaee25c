package controls_test

import (
	"testing"

	"padron/infra/controls"
	"padron/infra/synthtest"
)

// TestControls proves two things of every control in every environment: the
// template has it, and a template without it does not pass.
func TestControls(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		estate := &controls.Estate{Assembly: synthtest.Load(t, name), Env: synthtest.Config(t, name)}
		for _, c := range controls.In(estate.Env) {
			t.Run(name+"/"+c.ID, func(t *testing.T) {
				for _, missing := range c.Check(estate) {
					t.Error(missing)
				}
				without := estate.Clone()
				if c.Remove(without) == 0 {
					t.Fatal("the removal found nothing to remove")
				}
				if len(c.Check(without)) == 0 {
					t.Error("the check stays green without the control")
				}
			})
		}
	}
}
