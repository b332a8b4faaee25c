package provider

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

const (
	// maxRetryAfter bounds how long the provider can make us wait for one try.
	maxRetryAfter = 5 * time.Minute
	// jitter is the share by which a wait is longer or shorter, so that many
	// clients do not come back at once.
	jitter = 0.5
)

// errProgress ends an execution of the retry policy whose try came further than
// any before.
var errProgress = errors.New("progress")

// retry calls try until it succeeds, fails for good, or has failed once more
// than the retries allowed since it last made progress.
//
// The policy counts every failure of an execution, but a long array that breaks
// off again and again must be able to earn its tries anew: so a try that made
// progress ends its execution, and the next one begins with the failure that
// ended it, to be waited for like any other.
func (c *Client) retry(ctx context.Context, try func() (progress bool, err error)) error {
	for broke, last := error(nil), error(nil); ; broke = last {
		err := c.tries.WithContext(ctx).Run(func() error {
			if again := broke; again != nil {
				broke = nil
				return again
			}
			var progress bool
			err := c.asks.WithContext(ctx).Run(func() error {
				progress, last = try()
				return last
			})
			if progress && transient(err) {
				return errProgress
			}
			return err
		})
		switch {
		case errors.Is(last, errStopped): // even if ctx has ended meanwhile
			return last
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, errProgress):
			return c.gaveUp(err)
		}
	}
}

// retries is the policy for tries that failed: exponential backoff with jitter,
// within the budget of the run.
func (c *Client) retries() failsafe.Policy[any] {
	return retrypolicy.NewBuilder[any]().
		WithMaxRetries(c.cfg.Retries).
		WithBackoff(c.cfg.RetryBase, c.cfg.RetryMax).
		WithJitterFactor(jitter).
		ReturnLastFailure().
		HandleIf(func(_ any, err error) bool { return transient(err) }).
		AbortIf(func(any, error) bool { return !c.budget.affords(0) }).
		OnRetryScheduled(c.beforeRetry).
		Build()
}

// beforeRetry tells of a retry before it is waited for.
func (c *Client) beforeRetry(e failsafe.ExecutionScheduledEvent[any]) {
	var f *fault
	if !errors.As(e.LastError(), &f) {
		return
	}
	delay, now := max(e.Delay, c.gate.left()), time.Now()
	c.budget.charge(now.Add(-e.ElapsedAttemptTime()), now.Add(delay))
	c.cfg.Logger.WarnContext(e.Context(), "trying the provider again",
		"in", delay.Round(time.Millisecond).String(), "reason", f.reason, "because", f.err.Error())
	c.cfg.OnRetry(f.reason)
}

// transient: the try failed by a fault that a later one may not meet.
func transient(err error) bool {
	var f *fault
	return errors.As(err, &f) && !f.final
}

// retryAfter reads a Retry-After header, seconds or a date (RFC 9110, section
// 10.2.3), up to maxRetryAfter; 0 where it says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	seconds, err := strconv.ParseUint(header, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}
