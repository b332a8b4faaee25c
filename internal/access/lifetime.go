package access

import (
	"time"

	"padron"
)

// Bounds of a token's lifetime. A year at most, so that a forgotten token ends.
const (
	minLifetime = time.Minute
	maxLifetime = 366 * day
)

const day = padron.Day

// ParseLifetime reads how long a token lives: whole days or weeks, such as
// "90d" or "2w", or a Go duration such as "12h" or "1h30m". The error is
// [padron.CodeInvalid] about "expires", also for a lifetime that is not of 1
// minute to 366 days.
func ParseLifetime(s string) (time.Duration, error) {
	d, err := padron.ParseSpan(s)
	if err != nil {
		return 0, badLifetime()
	}
	if err := checkLifetime(d); err != nil {
		return 0, err
	}
	return d, nil
}

func checkLifetime(d time.Duration) error {
	if d < minLifetime || d > maxLifetime {
		return badLifetime()
	}
	return nil
}

func badLifetime() error {
	return padron.Invalid("expires", "want a lifetime such as 90d, 2w or 12h, from 1 minute to 366 days")
}
