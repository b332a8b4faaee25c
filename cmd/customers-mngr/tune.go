package main

import "padron/internal/cli"

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
	cli.Collect(gcPercent, softLimit)
}
