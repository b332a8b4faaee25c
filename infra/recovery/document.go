package recovery

import (
	"fmt"
	"strings"
	"time"
)

// Between these lines docs/recovery.md is generated.
const (
	begin = "<!-- figures: padron-infra recovery --write -->\n"
	end   = "<!-- end of figures -->\n"
)

// step is a part of a recovery and the time that it may take.
type step struct {
	what string
	long time.Duration
}

// steps are what has to be done, one after the other, when the region is lost:
// the longer of the two ways.
var steps = []step{
	{"Notice: an alarm tells, somebody looks and decides", 30 * time.Minute},
	{"Restore the cluster from the copy; the weekly test tells how long it takes", 90 * time.Minute},
	{"Deploy the estate around it and push the images, by the pipeline", 90 * time.Minute},
	{"Check: migrations, `padron audit verify`, `padron check`, one synchronization", 30 * time.Minute},
}

// Long is the time that all steps take together.
func Long() time.Duration {
	var sum time.Duration
	for _, s := range steps {
		sum += s.long
	}
	return sum
}

// Insert returns the document with the figures of all environments in place of
// those that it has.
func Insert(document string, all []Figures) (string, error) {
	before, rest, ok := strings.Cut(document, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("docs/recovery.md has no lines %q and %q to write the figures between", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + tables(all) + end + after, nil
}

func tables(all []Figures) string {
	var b strings.Builder
	header := []string{""}
	rows := [][]string{
		{"Lost at most, inside the region"}, {"A point in time can be restored for"}, {"Lost at most, with the region"},
		{"– longest time between two backups"}, {"– a backup begins within"}, {"– and ends within"}, {"– its copy arrives within"},
		{"Copies"}, {"Daily backups stay"}, {"Monthly backups stay"}, {"Deletable by an administrator"}, {"Restored to see that it works"},
	}
	for _, f := range all {
		header = append(header, f.Environment)
		for i, v := range f.values() {
			rows[i] = append(rows[i], v)
		}
	}
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	line(strings.Split(strings.Repeat("--- ", len(header)-1)+"---", " "))
	for _, r := range rows {
		line(r)
	}
	b.WriteString("\n| step, when the region is lost | time |\n| --- | --- |\n")
	for _, s := range steps {
		line([]string{s.what, words(s.long)})
	}
	line([]string{"together, at most", words(Long())})
	return b.String()
}

// values are a column, in the order of the rows.
func (f Figures) values() []string {
	deletable, tested := "yes, who changes the vault's policy first", "by hand"
	if f.Locked {
		deletable = "no, by nobody"
	}
	if f.Tested {
		tested = "every week"
	}
	days := func(n int) string { return fmt.Sprintf("%d days", n) }
	return []string{
		words(behind), days(f.PointDays), words(f.Region()), words(f.Gap), words(f.Start), words(f.Complete), words(copying),
		strings.Join(f.Copies, ", "), days(f.DailyDays), days(f.MonthlyDays), deletable, tested,
	}
}

// words are a duration as people say it.
func words(d time.Duration) string {
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case m == 0:
		return fmt.Sprintf("%d h", h)
	case h == 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
