package estate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"padron/infra/cfn"
)

var (
	quoted = regexp.MustCompile(`"([^"]+)"`)
	fields = regexp.MustCompile(`\$\.([a-z_]+)`)
)

// TestFiltersCountRealLines holds that what the metric filters look for is what
// the programs write: every text and field of a filter stands in the source
// that writes the line.
func TestFiltersCountRealLines(t *testing.T) {
	root := filepath.Join("..", "..")
	sources := map[string][]string{
		"services/SynchronizerLog": {"internal/synchronizer/synchronizer.go", "run.go"},
		"services/ManagerLog":      {"internal/api/log.go", "internal/api/routes.go"},
	}
	eachEnvironment(t, func(t *testing.T, e environment) {
		seen := 0
		for _, f := range e.Resources("AWS::Logs::MetricFilter") {
			if f.Stack.Name != "observability" {
				continue
			}
			seen++
			source := read(t, root, sources[f.Target("LogGroupName").String()])
			pattern := f.Text("FilterPattern")
			for _, m := range quoted.FindAllStringSubmatch(pattern, -1) {
				if !strings.Contains(source, `"`+m[1]+`"`) {
					t.Errorf("%s looks for %q, which no program writes", f, m[1])
				}
			}
			for _, m := range fields.FindAllStringSubmatch(pattern+" "+f.Text("MetricTransformations", "0", "MetricValue"), -1) {
				if m[1] != "msg" && !strings.Contains(source, `"`+m[1]+`"`) {
					t.Errorf("%s looks for the field %q, which no program writes", f, m[1])
				}
			}
		}
		if seen < 7 {
			t.Errorf("%d filters, want 7", seen)
		}
	})
}

func read(t *testing.T, root string, files []string) string {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("the filter is on a group that no program writes")
	}
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestAlarmsCountWhatIsCounted holds that each alarm on a count has a filter
// that makes it: a typing error would be silence.
func TestAlarmsCountWhatIsCounted(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		counted := map[string]bool{}
		for _, f := range e.Resources("AWS::Logs::MetricFilter") {
			counted[f.Text("MetricTransformations", "0", "MetricNamespace")+" "+f.Text("MetricTransformations", "0", "MetricName")] = true
		}
		for _, a := range e.Resources("AWS::CloudWatch::Alarm") {
			if space := a.Text("Namespace"); strings.HasPrefix(space, e.env.Prefix()) && !counted[space+" "+a.Text("MetricName")] {
				t.Errorf("%s looks at %s %s, which nothing counts", a, space, a.Text("MetricName"))
			}
		}
	})
}

// TestAlarmsNameTheTopic holds that the name by which other stacks send alarms
// is that of the topic.
func TestAlarmsNameTheTopic(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		topic := e.the(t, "AWS::SNS::Topic", "observability/Alerts")
		arn := "arn:aws:sns:" + e.env.Region + ":" + e.env.Account + ":" + topic.Text("TopicName")
		for _, a := range e.Resources("AWS::CloudWatch::Alarm") {
			for _, to := range a.List("AlarmActions") {
				if text := text(to); cfn.Target(to) == nil && text != arn {
					t.Errorf("%s tells %s, and the topic is %s", a, text, arn)
				}
			}
		}
	})
}

var heading = regexp.MustCompile(`(?m)^## (.+)$`)

// TestEveryAlarmIsExplained holds that docs/alarms.md says of every alarm that
// reaches people what to do, and of none that there is not.
func TestEveryAlarmIsExplained(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "alarms.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(string(document), -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			explained[name] = false
		}
	}
	eachEnvironment(t, func(t *testing.T, e environment) {
		for _, a := range e.Resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm") {
			name := strings.TrimPrefix(a.Text("AlarmName"), e.env.Prefix()+"-")
			if a.Stack.Name == "audit" || len(a.List("AlarmActions")) == 0 {
				continue // the trail's explain themselves; a part of another tells nobody
			}
			if _, known := explained[name]; !known {
				t.Errorf("docs/alarms.md does not say what to do about %s", name)
			}
			explained[name] = true
		}
	})
	for name, there := range explained {
		if !there {
			t.Errorf("docs/alarms.md explains %s, and there is no such alarm", name)
		}
	}
}

// TestBudget holds the configured sum.
func TestBudget(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		budget := e.the(t, "AWS::Budgets::Budget", "observability/Budget")
		if got, _ := budget.Get("Budget", "BudgetLimit", "Amount").(float64); int(got) != e.env.Alarms.MonthlyBudget {
			t.Errorf("the budget is %g, want %d", got, e.env.Alarms.MonthlyBudget)
		}
	})
}
