package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var rateForm = regexp.MustCompile(`^rate\(([1-9][0-9]{0,4}) (minute|minutes|hour|hours|day|days)\)$`)

// schedule checks the synchronizer's schedule: one that can happen, and often
// enough that the freshness alarm is not always red.
func (c *checker) schedule(e *Environment) {
	const where = "synchronizer.schedule"
	s := e.Synchronizer.Schedule
	if fields, ok := strings.CutPrefix(s, "cron("); ok && strings.HasSuffix(fields, ")") {
		c.cron(where, strings.Fields(strings.TrimSuffix(fields, ")")))
		return
	}
	m := rateForm.FindStringSubmatch(s)
	if m == nil {
		c.fault(where, "%q is neither rate(15 minutes) nor cron(0 3 * * ? *)", s)
		return
	}
	n, _ := strconv.Atoi(m[1])
	if (n == 1) == strings.HasSuffix(m[2], "s") {
		c.fault(where, "%q: the unit is singular for 1 and plural for more", s)
	}
	if minutes := n * unitMinutes(m[2]); minutes > e.Alarms.FreshnessMinutes {
		c.fault(where, "a run every %d minutes is always too old for alarms.freshness_minutes %d", minutes, e.Alarms.FreshnessMinutes)
	}
}

func unitMinutes(unit string) int {
	switch strings.TrimSuffix(unit, "s") {
	case "hour":
		return 60
	case "day":
		return 24 * 60
	}
	return 1
}

// cronField is one of the six fields: its name, its bounds, the names that may
// stand for numbers.
type cronField struct {
	name        string
	least, most int
	names       string
}

var cronFields = []cronField{
	{"minutes", 0, 59, ""},
	{"hours", 0, 23, ""},
	{"day of month", 1, 31, ""},
	{"month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
	{"day of week", 1, 7, "SUN MON TUE WED THU FRI SAT"},
	{"year", 1970, 2199, ""},
}

func (c *checker) cron(where string, fields []string) {
	if len(fields) != len(cronFields) {
		c.fault(where, "cron has %d fields: want six, such as cron(0 3 * * ? *)", len(fields))
		return
	}
	values := make([][]int, len(fields))
	for i, f := range fields {
		var ok bool
		if values[i], ok = cronFields[i].values(f); !ok {
			c.fault(where, "%q is not %s, %d to %d", f, cronFields[i].name, cronFields[i].least, cronFields[i].most)
		}
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		c.fault(where, "exactly one of day of month and day of week must be ?")
	}
	if days, months := values[2], values[3]; len(days) > 0 && len(months) > 0 && !happens(days, months) {
		c.fault(where, "month %s has no day %s: this would never run", fields[3], fields[2])
	}
}

// happens reports whether one of the months has one of the days, in some year.
func happens(days, months []int) bool {
	return slices.ContainsFunc(months, func(m int) bool { return slices.Min(days) <= monthDays[m-1] })
}

// monthDays are the days of the months in a leap year.
var monthDays = []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// values returns what a list of values, ranges and steps names; none and false
// where it is no such list in bounds.
func (f cronField) values(s string) ([]int, bool) {
	if s == "?" {
		return f.every(), f.name == "day of month" || f.name == "day of week"
	}
	var named []int
	for part := range strings.SplitSeq(s, ",") {
		body, steps, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			step, _ = strconv.Atoi(steps)
		}
		low, high, ok := f.span(body, stepped)
		if step < 1 || step > f.most || !ok {
			return nil, false
		}
		for n := low; n <= high; n += step {
			named = append(named, n)
		}
	}
	return named, true
}

// every is all values of the field.
func (f cronField) every() []int {
	all := make([]int, 0, f.most-f.least+1)
	for n := f.least; n <= f.most; n++ {
		all = append(all, n)
	}
	return all
}

// span returns the ends of *, of a range or of one value; with a step, one
// value is where to begin.
func (f cronField) span(body string, stepped bool) (low, high int, ok bool) {
	if body == "*" {
		return f.least, f.most, true
	}
	first, last, ranged := strings.Cut(body, "-")
	low = f.number(first)
	high = low
	switch {
	case ranged:
		high = f.number(last)
	case stepped:
		high = f.most
	}
	return low, high, f.least <= low && low <= high && high <= f.most
}

// number is a value's number, -1 where it is none.
func (f cronField) number(s string) int {
	for i, name := range strings.Fields(f.names) {
		if s == name {
			return i + 1
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
