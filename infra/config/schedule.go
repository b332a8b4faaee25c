package config

import (
	"regexp"
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
	for i, f := range fields {
		if !cronFields[i].holds(f) {
			c.fault(where, "%q is not %s, %d to %d", f, cronFields[i].name, cronFields[i].least, cronFields[i].most)
		}
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		c.fault(where, "exactly one of day of month and day of week must be ?")
	}
	if days, ok := monthLength[fields[3]]; ok {
		if day, err := strconv.Atoi(fields[2]); err == nil && day > days {
			c.fault(where, "month %s has no day %d: this would never run", fields[3], day)
		}
	}
}

var monthLength = map[string]int{
	"2": 29, "FEB": 29, "4": 30, "APR": 30, "6": 30, "JUN": 30, "9": 30, "SEP": 30, "11": 30, "NOV": 30,
}

// holds reports whether s is a list of values, ranges and steps in bounds.
func (f cronField) holds(s string) bool {
	if s == "?" {
		return f.name == "day of month" || f.name == "day of week"
	}
	for part := range strings.SplitSeq(s, ",") {
		body, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
			return false
		}
		if body == "*" {
			continue
		}
		low, high, ranged := strings.Cut(body, "-")
		if !ranged {
			high = low
		}
		a, b := f.number(low), f.number(high)
		if a < f.least || b > f.most || a > b {
			return false
		}
	}
	return true
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
