package config

import (
	"math"
	"testing"
)

// TestRunsPerMonth counts the runs of schedules.
func TestRunsPerMonth(t *testing.T) {
	for schedule, want := range map[string]float64{
		"rate(15 minutes)":       2920,
		"rate(6 hours)":          730.0 / 6,
		"rate(1 day)":            730.0 / 24,
		"cron(0 23 * * ? *)":     730.0 / 24,
		"cron(0 5,17 * * ? *)":   730.0 / 12,
		"cron(0/15 * * * ? *)":   2920,
		"cron(0 9 ? * SUN *)":    730.0 / 24 / 7,
		"cron(0 7 1 1-6 ? *)":    730.0 / 24 / 31 / 2,
		"at(2026-11-24T00:00:0)": 0,
	} {
		if got := RunsPerMonth(schedule); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %g runs a month, want %g", schedule, got, want)
		}
	}
}
