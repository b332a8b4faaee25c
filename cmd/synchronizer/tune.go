package main

import (
	"os"
	"runtime"

	"padron/internal/cli"
)

// A run holds a few batches, whatever the number of customers, so most of what
// the collector finds at its usual pace is still in use. It comes when the heap is
// five times that, and no later than at softLimit, which bounds what is resident:
// a fifth less of the processor's time for some 16 MB more memory.
//
// Go asks the network for news where a thread of it has nothing else to do, and
// otherwise every 10 ms: with as many threads as processors, all of them sealing,
// the database waited that long for each answer of ours. One more than processors
// is there to listen. (docs/adr/0030-batches-follow-the-store.md,
// docs/adr/0033-two-batches-at-once.md)
const (
	gcPercent = 400
	softLimit = 84 << 20 // bytes
	listeners = 1
)

// tune sets the collector's pace and the number of threads, unless Go's own
// variables GOGC, GOMEMLIMIT and GOMAXPROCS do.
func tune() {
	cli.Collect(gcPercent, softLimit)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + listeners)
	}
}
