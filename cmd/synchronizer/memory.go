package main

import (
	"os"
	"runtime/debug"
)

// A run holds a few batches, whatever the number of customers, so most of what
// the collector finds at its usual pace is still in use. It comes when the heap is
// five times that, and no later than at softLimit, which bounds what is resident:
// a tenth less of the processor's time for some 6 MB more memory. (docs/adr/0030-batches-follow-the-store.md)
const (
	gcPercent = 400
	softLimit = 64 << 20 // bytes
)

// tuneMemory sets the collector's pace, unless Go's own variables GOGC and
// GOMEMLIMIT do.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}
