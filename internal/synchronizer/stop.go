package synchronizer

import (
	"context"
	"time"
)

// A run that is told to stop ends what it is in the middle of. Within 5 s it is
// gone, whatever the database does: who stops a task kills it soon after, and a
// batch that is given up is undone by the database.
const (
	// batchTime is how long after that the batch under way may take.
	batchTime = 3 * time.Second
	// reportTime is the same for the run's report and its lease.
	reportTime = 4 * time.Second
)

type stopKey struct{}

// toldAt is when a run was told to stop, as the cause of a context's end.
type toldAt struct{ time.Time }

// Error implements [error].
func (t toldAt) Error() string { return "told to stop at " + t.String() }

// withStop returns ctx with a note of when it ends, for [afterStop].
func withStop(ctx context.Context) (context.Context, func()) {
	told, tell := context.WithCancelCause(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { tell(toldAt{time.Now()}) })
	return context.WithValue(ctx, stopKey{}, told), func() { forget(); tell(nil) }
}

// afterStop returns a context that does not end with ctx, but so long after the
// run was told to stop.
func afterStop(ctx context.Context, long time.Duration) (context.Context, context.CancelFunc) {
	on, cancel := context.WithCancel(context.WithoutCancel(ctx))
	told, ok := ctx.Value(stopKey{}).(context.Context)
	if !ok {
		return on, cancel
	}
	forget := context.AfterFunc(told, func() {
		if at, ok := context.Cause(told).(toldAt); ok { //nolint:errorlint // the very value that withStop tells
			timer := time.AfterFunc(time.Until(at.Add(long)), cancel)
			context.AfterFunc(on, func() { timer.Stop() })
		}
	})
	return on, func() { forget(); cancel() }
}
