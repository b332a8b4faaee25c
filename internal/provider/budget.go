package provider

import (
	"sync"
	"time"
)

// budget is how long the provider's failures may hold a run up in all: tries
// that failed, and the waits after them. Bounds on the tries of one page alone
// would let a provider that fails at each page keep a run for ever.
//
// The budgets of failsafe-go bound how many of the requests under way are
// retries, which is about load, not about an end.
type budget struct {
	most time.Duration

	mu    sync.Mutex
	spent time.Duration
	// until is up to when time is charged for.
	until time.Time
}

// charge takes from the budget the time from from to to, which may be still to
// come. Where pages in flight fail together their time counts once.
func (b *budget) charge(from, to time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if from.Before(b.until) {
		from = b.until
	}
	if to.After(from) {
		b.spent += to.Sub(from)
		b.until = to
	}
}

// affords: the budget is not spent, and would not be by a wait.
func (b *budget) affords(wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent+wait <= b.most
}
