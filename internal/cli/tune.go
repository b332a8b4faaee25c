package cli

import (
	"os"
	"runtime/debug"
)

// Collect sets the pace of Go's collector: it comes when the heap has grown by so
// many percent, and sooner near limit, in bytes. Go's own variables GOGC and
// GOMEMLIMIT count for more.
func Collect(percent int, limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}
