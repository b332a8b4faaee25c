package provider

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"padron"
)

// maxRetryAfter bounds how long the provider can make us wait for one try.
const maxRetryAfter = 5 * time.Minute

// permanentError is one that no later try would change.
type permanentError struct{ err error }

func (p *permanentError) Error() string { return p.err.Error() }
func (p *permanentError) Unwrap() error { return p.err }

func permanent(err error) error { return &permanentError{err} }

// retryLater is an error whose Retry-After header says when to try again.
type retryLater struct {
	err   error
	after time.Duration
}

func (r *retryLater) Error() string { return r.err.Error() }
func (r *retryLater) Unwrap() error { return r.err }

// retryAfter reads a Retry-After header, seconds or a date (RFC 9110, section
// 10.2.3); 0 where it says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}

// retry calls f until it succeeds, fails for good or has been tried often
// enough. Between tries it waits as Retry-After says, and besides for a random
// share of an exponential backoff ("full jitter"), so that many clients do not
// come back at once.
func (c *Client) retry(ctx context.Context, f func() error) error {
	policy := retrypolicy.NewBuilder[any]().
		WithMaxRetries(c.cfg.Retries).
		AbortIf(func(_ any, err error) bool { return final(ctx, err) }).
		WithDelayFunc(func(exec failsafe.ExecutionAttempt[any]) time.Duration {
			return c.delay(exec.LastError(), exec.Attempts())
		}).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[any]) { c.noteRetry(e.LastError(), e.Delay) }).
		ReturnLastFailure().
		Build()
	err := failsafe.With(policy).WithContext(ctx).Run(f)
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return publicFault(err)
}

func final(ctx context.Context, err error) bool {
	var p *permanentError
	return ctx.Err() != nil || errors.As(err, &p) || errors.Is(err, errStopped)
}

func (c *Client) delay(err error, attempts int) time.Duration {
	backoff := min(c.cfg.RetryMax, c.cfg.RetryBase<<min(attempts-1, 20))
	jitter := time.Duration(rand.Int64N(int64(backoff) + 1)) //nolint:gosec // spreads load, guards nothing
	var later *retryLater
	if errors.As(err, &later) {
		return later.after + jitter
	}
	return jitter
}

func (c *Client) noteRetry(err error, delay time.Duration) {
	c.cfg.Logger.Warn("trying the provider again", "in", delay.Round(time.Millisecond).String(), "because", publicFault(err).Error())
	c.cfg.OnRetry(publicFault(err).Error())
}

// publicFault unwraps to the error that may be shown.
func publicFault(err error) error {
	var e *padron.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}
