package provider

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long the provider can make us wait for one try.
const maxRetryAfter = 5 * time.Minute

// retry calls try until it succeeds, fails for good, or has failed once more
// than the budget of retries since it last made progress. It is a loop of its
// own because a policy of failsafe-go counts every failure, and a long array
// must be able to earn its budget again.
func (c *Client) retry(ctx context.Context, try func() (progress bool, err error)) error {
	for failed := 1; ; failed++ {
		progress, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil && !errors.Is(err, errStopped) {
			return context.Cause(ctx)
		}
		if progress {
			failed = 1
		}
		var f *fault
		if !errors.As(err, &f) || f.final || failed > c.cfg.Retries {
			return err
		}
		delay := f.after + c.backoff(failed)
		c.cfg.Logger.WarnContext(ctx, "trying the provider again",
			"in", delay.Round(time.Millisecond).String(), "reason", f.reason, "because", f.err.Error())
		c.cfg.OnRetry(f.reason)
		if err := wait(ctx, delay); err != nil {
			return err
		}
	}
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

// backoff is a random share of a wait that doubles with each failure ("full
// jitter"), so that many clients do not come back at once.
func (c *Client) backoff(failed int) time.Duration {
	most := c.cfg.RetryBase
	for i := 1; i < failed && most < c.cfg.RetryMax; i++ {
		most *= 2
	}
	most = min(most, c.cfg.RetryMax)
	return rand.N(most + 1) //nolint:gosec // spreads load, guards nothing
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
