package recovery_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"padron/infra/cfn"
	"padron/infra/recovery"
	"padron/infra/synthtest"
)

func figures(t *testing.T, name string, change func(*cfn.Assembly)) (recovery.Figures, error) {
	t.Helper()
	a := synthtest.Load(t, name)
	if change != nil {
		change(a)
	}
	return recovery.Of(a, synthtest.Config(t, name))
}

// TestPromises holds what the templates say against what is promised.
func TestPromises(t *testing.T) {
	if got := recovery.Long(); got > recovery.RTO {
		t.Errorf("the steps of a recovery take %v, promised are %v", got, recovery.RTO)
	}
	for _, name := range synthtest.Environments(t) {
		f, err := figures(t, name, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := f.Region(); got > recovery.RegionRPO {
			t.Errorf("%s: with the region %v may be lost, promised are %v", name, got, recovery.RegionRPO)
		}
		if f.PointDays < 7 {
			t.Errorf("%s: points in time go back %d days, want 7 or more", name, f.PointDays)
		}
	}
}

func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "recovery.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []recovery.Figures
	for _, name := range synthtest.Environments(t) {
		f, err := figures(t, name, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, f)
	}
	want, err := recovery.Insert(string(text), all)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Error("docs/recovery.md is stale. Where the change is meant: go run ./cmd/padron-infra recovery --write, in infra")
	}
}

// TestWorseTemplates shows that the figures follow the templates.
func TestWorseTemplates(t *testing.T) {
	rule := func(a *cfn.Assembly) map[string]any {
		plan := a.Find("AWS::Backup::BackupPlan", "Plan").Properties["BackupPlan"].(map[string]any)
		return plan["BackupPlanRule"].([]any)[0].(map[string]any)
	}
	once, err := figures(t, "dev", func(a *cfn.Assembly) { rule(a)["ScheduleExpression"] = "cron(0 5 * * ? *)" })
	if err != nil || once.Region() <= recovery.RegionRPO {
		t.Errorf("with one backup a day %v are lost with the region (%v), want more than %v", once.Region(), err, recovery.RegionRPO)
	}
	for name, tt := range map[string]struct {
		change func(*cfn.Assembly)
		want   string
	}{
		"no copies": {func(a *cfn.Assembly) { delete(rule(a), "CopyActions") }, "copies nothing"},
		"no vault":  {func(a *cfn.Assembly) { a.Stack("copies").Resources["Vault"].Remove() }, "copies nothing"},
		"no log": {func(a *cfn.Assembly) {
			delete(a.Find("AWS::RDS::DBCluster", "Cluster").Properties, "BackupRetentionPeriod")
		}, "BackupRetentionPeriod"},
		"no plan":     {func(a *cfn.Assembly) { a.Find("AWS::Backup::BackupPlan", "Plan").Remove() }, "no backup plan"},
		"weekly runs": {func(a *cfn.Assembly) { rule(a)["ScheduleExpression"] = "cron(0 5 ? * SUN *)" }, "every day"},
	} {
		if _, err := figures(t, "prod", tt.change); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want one about %q", name, err, tt.want)
		}
	}
}
