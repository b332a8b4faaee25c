package reach_test

import (
	"testing"

	"padron/infra/reach"
	"padron/infra/synthtest"
)

func BenchmarkMatrix(b *testing.B) {
	env, a := synthtest.Config(b, "prod"), synthtest.Load(b, "prod")
	for b.Loop() {
		n, err := reach.New(a, env)
		if err != nil {
			b.Fatal(err)
		}
		n.Matrix()
	}
}
