package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
	"padron/infra/ledger"
)

const good = `
- id: decision
  rules: [nag:AwsSolutions-VPC3, "nag:AwsSolutions-IAM5[Resource::arn:aws:s3:::{environment}-{account}-{region}/*]"]
  paths: [network/Vpc, prod/network/List]
  reason: A reason of forty characters or more, for an auditor to judge.
  owner: platform
  expires: 2027-01-31
`

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct{ old, changed, want string }{
		"wildcard path":    {"network/Vpc", "network/*", "is a wildcard: name each path"},
		"wildcard rule":    {"VPC3", "VPC*", "is a wildcard: name each rule"},
		"whole stack":      {"network/Vpc", "network", "is a whole stack"},
		"unknown tool":     {"nag:AwsSolutions-VPC3", "lint:VPC3", "is not TOOL:RULE"},
		"no rule":          {"nag:AwsSolutions-VPC3", "nag", "is not TOOL:RULE"},
		"no owner":         {"owner: platform", "owner: ''", "has no owner"},
		"no date":          {"2027-01-31", "soon", "is not a date"},
		"short reason":     {"A reason of forty characters or more, for an auditor to judge.", "Later.", "reason must be"},
		"id":               {"id: decision", "id: My decision", "id must be"},
		"nothing":          {"[network/Vpc, prod/network/List]", "[]", "it suppresses nothing"},
		"unknown field":    {"owner:", "signed: today\n  owner:", "signed"},
		"same place twice": {"prod/network/List", "network/Vpc", "one decision, one entry"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.Parse([]byte(strings.Replace(good, c.old, c.changed, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestFor(t *testing.T) {
	l, err := ledger.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	rules := func(environment string, has bool) []string {
		var found []string
		for _, s := range l.For(&config.Environment{Name: environment, Account: "111122223333", Region: "eu-west-1"}, []string{"dev", "prod"}, func(string) bool { return has }) {
			found = append(found, s.Tool+" "+s.Rule+" "+s.Path)
		}
		return found
	}
	at := func(environment, path string) []string {
		const granular = "nag AwsSolutions-IAM5[Resource::arn:aws:s3:::%s-111122223333-eu-west-1/*] %s"
		return []string{"nag AwsSolutions-VPC3 " + path, fmt.Sprintf(granular, environment, path)}
	}
	if diff := cmp.Diff(at("dev", "network/Vpc"), rules("dev", true)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(at("prod", "network/Vpc"), at("prod", "network/List")...), rules("prod", true)); diff != "" {
		t.Error(diff)
	}
	if got := rules("dev", false); got != nil {
		t.Errorf("without the resource there is %v, want nothing", got)
	}
}

func TestExpiry(t *testing.T) {
	l, err := ledger.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		today           string
		lapsed, lapsing int
	}{{"2026-12-31", 0, 0}, {"2027-01-02", 0, 1}, {"2027-01-31", 0, 1}, {"2027-02-01", 1, 0}} {
		now := day(c.today)
		if got := len(l.Lapsed(now)); got != c.lapsed {
			t.Errorf("on %s %d entries have lapsed, want %d", c.today, got, c.lapsed)
		}
		if got := len(l.Lapsing(now)); got != c.lapsing {
			t.Errorf("on %s %d entries lapse soon, want %d", c.today, got, c.lapsing)
		}
	}
}

// TestLines stands a path for the line of each consumer that the environment has.
func TestLines(t *testing.T) {
	l, err := ledger.Parse([]byte(strings.Replace(good, "network/Vpc", `"network/In{line}"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	env := &config.Environment{Name: "dev", Consumers: []config.Consumer{{Name: "sales"}, {Name: "support"}}}
	var got []string
	for _, s := range l.For(env, []string{"dev", "prod"}, func(string) bool { return true }) {
		if s.Rule == "AwsSolutions-VPC3" {
			got = append(got, s.Path)
		}
	}
	if diff := cmp.Diff([]string{"network/In200", "network/In201"}, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}
