package provider

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gate is shut while the provider has asked to be left alone (Retry-After): that
// holds for every request, not only for the page that was told so.
type gate struct {
	budget *budget

	mu    sync.Mutex
	until time.Time
}

func (g *gate) shut(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if until := now.Add(d); until.After(g.until) {
		g.until = until
		g.budget.charge(now, until)
	}
}

// errSpent: the gate stays shut for longer than the budget of the run allows.
var errSpent = errors.New("budget spent")

// pass waits until the gate is open.
func (g *gate) pass(ctx context.Context) error {
	left := g.left()
	if left > 0 && !g.budget.affords(0) {
		return errSpent
	}
	return wait(ctx, left)
}

// left is how long the gate stays shut; 0 is open.
func (g *gate) left() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Until(g.until))
}

// limitedTransport keeps what was promised: every request, retries, redirects
// and pages in flight included, waits for its turn and for the gate.
type limitedTransport struct {
	limiter *rate.Limiter
	gate    *gate
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *limitedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	for {
		if err := t.limiter.Wait(ctx); err != nil {
			return nil, err
		}
		if t.gate.left() == 0 {
			return t.next.RoundTrip(req)
		}
		if err := t.gate.pass(ctx); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections is found by [http.Client.CloseIdleConnections].
func (t *limitedTransport) CloseIdleConnections() {
	(&http.Client{Transport: t.next}).CloseIdleConnections()
}

// wait waits, or returns ctx's cause.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
