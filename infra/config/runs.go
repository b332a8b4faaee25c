package config

import (
	"strconv"
	"strings"
)

// monthHours are the hours of the mean month.
const monthHours = 730.0

// RunsPerMonth returns how often a valid schedule fires in the mean month of
// 730 hours; 0 for what is neither a rate nor a cron expression.
func RunsPerMonth(schedule string) float64 {
	if m := rateForm.FindStringSubmatch(schedule); m != nil {
		n, _ := strconv.Atoi(m[1])
		return monthHours * 60 / float64(n*unitMinutes(m[2]))
	}
	inner, ok := strings.CutPrefix(schedule, "cron(")
	fields := strings.Fields(strings.TrimSuffix(inner, ")"))
	if !ok || len(fields) != len(cronFields) {
		return 0
	}
	// Minutes and hours are counted; of days, months and weekdays, the share
	// that is named.
	runs := monthHours / 24
	for i, f := range cronFields[:len(cronFields)-1] {
		values, _ := f.values(fields[i])
		runs *= float64(len(values))
		if i > 1 {
			runs /= float64(len(f.every()))
		}
	}
	return runs
}
