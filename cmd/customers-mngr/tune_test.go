package main

import (
	"runtime/debug"
	"testing"
)

// pace is how the collector works in this process.
type pace struct {
	percent int
	limit   int64
}

// now returns the settings, and leaves them as they are.
func now() (p pace) {
	p.percent = debug.SetGCPercent(-1)
	debug.SetGCPercent(p.percent)
	p.limit = debug.SetMemoryLimit(-1)
	return p
}

func TestTune(t *testing.T) {
	before := now()
	t.Cleanup(func() {
		debug.SetGCPercent(before.percent)
		debug.SetMemoryLimit(before.limit)
	})
	t.Setenv("GOGC", "100")
	t.Setenv("GOMEMLIMIT", "1GiB")
	tune()
	if p := now(); p != before {
		t.Errorf("%+v in place of what the environment said", p)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	tune()
	if p, want := now(), (pace{gcPercent, softLimit}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
}
