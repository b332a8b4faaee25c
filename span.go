package padron

import (
	"strconv"
	"strings"
	"time"
)

// Day is 24 hours: spans of days know nothing of daylight saving.
const Day = 24 * time.Hour

// ParseSpan reads a length of time as people write it: whole days or weeks, such
// as "90d" or "2w", at most 4095 of them, or a Go duration such as "1h30m".
func ParseSpan(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": Day, "w": 7 * Day} {
		if count, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(count, 10, 12) // 4095 weeks are no overflow
			return time.Duration(n) * unit, err
		}
	}
	return time.ParseDuration(s)
}
