package reach_test

import (
	"testing"

	"padron/infra/reach"
	"padron/infra/synthtest"
)

func TestStatements(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		env := synthtest.Config(t, name)
		n, err := reach.New(synthtest.Load(t, name), env)
		if err != nil {
			t.Fatal(err)
		}
		m := n.Matrix()
		for _, s := range reach.Statements() {
			t.Run(name+"/"+s.ID, func(t *testing.T) {
				for _, wrong := range s.Check(n, m, env) {
					t.Error(wrong)
				}
			})
		}
	}
}
