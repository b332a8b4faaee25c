package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// pace is how Go runs this process.
type pace struct {
	percent int
	limit   int64
	threads int
}

// now returns the settings, and leaves them as they are.
func now() (p pace) {
	p.percent = debug.SetGCPercent(-1)
	debug.SetGCPercent(p.percent)
	p.limit, p.threads = debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0)
	return p
}

func TestTune(t *testing.T) {
	before := now()
	t.Cleanup(func() {
		debug.SetGCPercent(before.percent)
		debug.SetMemoryLimit(before.limit)
		runtime.GOMAXPROCS(before.threads)
	})
	for name, value := range map[string]string{"GOGC": "100", "GOMEMLIMIT": "1GiB", "GOMAXPROCS": "2"} {
		t.Setenv(name, value)
	}
	tune()
	if p := now(); p != before {
		t.Errorf("%+v in place of what the environment said", p)
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS"} {
		t.Setenv(name, "")
	}
	tune()
	if p, want := now(), (pace{gcPercent, softLimit, before.threads + listeners}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
}
