package main

import (
	"os"
	"runtime/debug"
)

// What the service holds is small beside what requests leave behind, so that the
// collector, which comes at its usual pace when the heap has doubled, takes a
// tenth of the processor's time. It comes when the heap is five times what is in
// use, and sooner near softLimit, half of the memory that a task has.
const (
	gcPercent = 400
	softLimit = 256 << 20 // bytes
)

// tune sets the collector's pace, unless Go's own variables GOGC and GOMEMLIMIT
// do.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}
