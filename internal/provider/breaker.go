package provider

import (
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"padron"
)

const (
	// breakerFailures among breakerWindow answers open the breaker: more than a
	// burst, or than pages in flight that each fail twice.
	breakerFailures, breakerWindow = 16, 20
	// breakerDelay is how long an open breaker leaves the provider alone before
	// one request may find out whether it is back.
	breakerDelay = 10 * time.Second
)

// newBreaker is the circuit breaker that all requests share. When most of the
// recent ones failed it opens, and they wait instead of asking; then one of them
// asks, and what it meets closes the breaker or opens it again.
func newBreaker(cfg *Config) circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return transient(err) }).
		WithFailureThresholdRatio(breakerFailures, breakerWindow).
		WithSuccessThreshold(1).
		WithDelay(min(breakerDelay, cfg.RetryMax)).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			cfg.Logger.Warn("the provider's circuit breaker is "+e.NewState.String(), "was", e.OldState.String())
			cfg.OnBreaker(e.NewState.String())
		}).
		Build()
}

// patience is the policy for requests that meet an open breaker: they wait, and
// use up none of their page's tries, since nothing was asked; only the budget of
// the run ends it.
func (c *Client) patience(breaker circuitbreaker.CircuitBreaker[any]) failsafe.Policy[any] {
	// While another request finds out, no delay is left to wait for.
	least := max(time.Millisecond, min(breakerDelay, c.cfg.RetryMax)/10)
	return retrypolicy.NewBuilder[any]().
		WithMaxRetries(-1).
		HandleErrors(circuitbreaker.ErrOpen).
		WithDelayFunc(func(failsafe.ExecutionAttempt[any]) time.Duration { return max(least, breaker.RemainingDelay()) }).
		AbortIf(func(any, error) bool { return !c.budget.affords(breaker.RemainingDelay()) }).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[any]) {
			now := time.Now()
			c.budget.charge(now, now.Add(e.Delay))
		}).
		Build()
}

// gaveUp explains an error that ended the tries, where the budget is why.
func (c *Client) gaveUp(err error) error {
	open := errors.Is(err, circuitbreaker.ErrOpen)
	if open {
		err = c.fault("breaker", "most of its recent answers were failures")
	}
	if !open && (!transient(err) || c.budget.affords(0)) {
		return err
	}
	return c.spent(public(err).Error())
}

// spent is the fault of a run whose budget is gone.
func (c *Client) spent(why string) *fault {
	return &fault{reason: "budget", final: true, err: padron.Errorf(padron.CodeUnavailable,
		"%s; failures have held this run up for as long as PADRON_PROVIDER_RETRY_BUDGET=%v allows: raise it, or run again later",
		why, c.cfg.RetryBudget)}
}
