package main

import (
	"runtime/debug"
	"testing"
)

// pace returns the collector's settings, and leaves them as they are.
func pace() (percent int, limit int64) {
	percent = debug.SetGCPercent(-1)
	debug.SetGCPercent(percent)
	return percent, debug.SetMemoryLimit(-1)
}

func TestMemoryIsBound(t *testing.T) {
	percent, limit := pace()
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	t.Setenv("GOGC", "100")
	t.Setenv("GOMEMLIMIT", "1GiB")
	tuneMemory()
	if p, l := pace(); p != percent || l != limit {
		t.Errorf("%d%% and %d bytes in place of what the environment said", p, l)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	tuneMemory()
	if p, l := pace(); p != gcPercent || l != softLimit {
		t.Errorf("%d%% and %d bytes", p, l)
	}
}
