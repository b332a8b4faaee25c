package proof

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cdkout"
	"padron/infra/ledger"
	"padron/infra/synthtest"
)

// limit is how many decisions a reader can still judge.
const limit = 25

// all runs the tools once for all tests.
var all = sync.OnceValues(func() (*Report, error) {
	root, err := cdkout.Root()
	if err != nil {
		return nil, err
	}
	return Run(context.Background(), root)
})

func report(t *testing.T) *Report {
	t.Helper()
	for _, name := range synthtest.Environments(t) {
		synthtest.Dir(t, name) // synthesizes where it must
	}
	r, err := all()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestClean proves that no tool finds anything outside the ledger, and that
// all of the ledger is needed.
func TestClean(t *testing.T) {
	r := report(t)
	for _, e := range r.Environments {
		for _, f := range e.Findings {
			t.Errorf("%s: %s:%s at %s: %s", e.Name, f.Tool, f.Rule, f.place(), f.Message)
		}
		for _, s := range e.Stale {
			t.Errorf("%s: ledger entry %s: %s:%s at %s suppresses nothing here: take it out, or name the environment that needs it",
				e.Name, s.Entry.ID, s.Tool, s.Rule, s.Path)
		}
		for _, tool := range toolNames {
			if c := e.Counts[tool]; c.Rules == 0 || c.Verdicts == 0 {
				t.Errorf("%s: %s judged nothing", e.Name, tool)
			}
		}
	}
	for _, u := range r.Unknown {
		t.Errorf("ledger entry %s is in no template", u)
	}
	if n := len(r.Ledger); n >= limit {
		t.Errorf("the ledger has %d entries, want fewer than %d", n, limit)
	}
}

// TestExpiry asks the clock: an entry that has lapsed is a finding again.
func TestExpiry(t *testing.T) {
	l := report(t).Ledger
	for _, line := range l.Lapsed(time.Now()) {
		t.Error(line)
	}
	for _, line := range l.Lapsing(time.Now()) {
		t.Log(line)
	}
}

// TestDocument keeps docs/compliance.md what the tools say.
func TestDocument(t *testing.T) {
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(Document(root))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), report(t).Markdown()); diff != "" {
		t.Errorf("docs/compliance.md is stale: go run ./cmd/padron-infra check --write (- it has, + it should)\n%s", diff)
	}
}

// TestHold proves what becomes of a finding: in the ledger, outside it, or
// suppressed by something else than the ledger.
func TestHold(t *testing.T) {
	at := func(rule, path string) Finding { return Finding{"checkov", rule, "dev", "network", path, ""} }
	entry := &ledger.Entry{ID: "decision"}
	decide := func(rule, path string) ledger.Suppression {
		return ledger.Suppression{Entry: entry, Tool: "checkov", Rule: rule, Path: path}
	}
	e := &Environment{Name: "dev", Counts: map[string]Count{}}
	e.hold([]result{{
		tool: "checkov",
		all:  []Finding{at("A", "Vpc"), at("B", "Vpc"), at("C", "Vpc")},
		left: []Finding{at("B", "Vpc"), at("D", "Vpc")},
	}}, []ledger.Suppression{decide("A", "network/Vpc"), decide("A", "network/Other")})

	// C is in neither: somebody suppressed it by hand. It counts.
	if diff := cmp.Diff([]Finding{at("B", "Vpc"), at("C", "Vpc"), at("D", "Vpc")}, e.Findings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Finding{at("A", "Vpc")}, e.Suppressed); diff != "" {
		t.Error(diff)
	}
	if len(e.Stale) != 1 || e.Stale[0].Path != "network/Other" {
		t.Errorf("stale is %v, want the decision about network/Other", e.Stale)
	}
}

// TestUnknown proves that a path in no template is told.
func TestUnknown(t *testing.T) {
	r := &Report{Ledger: ledger.Ledger{{ID: "lost", Findings: ledger.Findings{
		Rules: []string{"nag:X"}, Paths: []string{"network/Gone", "prod/network/Vpc", "network/Vpc"},
	}}}}
	names := synthtest.Environments(t)
	for _, name := range names {
		r.Environments = append(r.Environments, &Environment{Name: name, config: synthtest.Config(t, name), assembly: synthtest.Load(t, name)})
	}
	r.unknown(names)
	if diff := cmp.Diff([]string{"lost: network/Gone"}, r.Unknown); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownVerdict proves that a rule which could not decide is a finding.
func TestUnknownVerdict(t *testing.T) {
	var r result
	r.add(&Environment{Name: "dev"}, "network", nagLine{RuleID: "R", ResourceID: "network/Vpc/Resource", Compliance: "UNKNOWN", RuleInfo: "why"}, nil)
	want := []Finding{{"nag", "R", "dev", "network", "Vpc", "UNKNOWN: why"}}
	if diff := cmp.Diff(want, r.left); diff != "" {
		t.Error(diff)
	}
}

// TestGranular proves that the finding of a suppressed rule is told apart, with
// brackets of its own.
func TestGranular(t *testing.T) {
	var r result
	r.add(&Environment{Name: "dev"}, "data", nagLine{
		RuleID: "AwsSolutions-IAM5", ResourceID: "data/Role/Resource", Compliance: "Suppressed",
		ExceptionReason: `[Resource::<Key["x"].Arn>/*] decision: because`,
	}, nil)
	if got, want := r.all[0].Rule, `AwsSolutions-IAM5[Resource::<Key["x"].Arn>/*]`; got != want {
		t.Errorf("rule is %s, want %s", got, want)
	}
}

// TestNoSecondLedger: a template without suppressions has none of a whole
// stack's either, and a tool takes none from the folder it is started in.
func TestNoSecondLedger(t *testing.T) {
	skip := func() map[string]any {
		return map[string]any{"cfn-lint": map[string]any{"config": map[string]any{"ignore_checks": []any{"E"}}}, "checkov": map[string]any{"skip": []any{}}, "kept": "yes"}
	}
	of := map[string]any{"Metadata": skip()}
	if unsuppress(of); !cmp.Equal(of, map[string]any{"Metadata": map[string]any{"kept": "yes"}}) {
		t.Errorf("left is %v", of)
	}
	for variable, want := range map[string]bool{"CKV_SKIP_CHECK=CKV_AWS_1": true, "CHECKOV_SKIP_CHECK=1": true, "PATH=/bin": false} {
		if steersCheckov(variable) != want {
			t.Errorf("%s: %v, want %v", variable, !want, want)
		}
	}
	e := &Environment{Name: "prod", assembly: synthtest.Load(t, "prod")}
	for _, s := range e.assembly.Stacks {
		s.Template["Metadata"] = skip()
	}
	tool := &tools{temp: t.TempDir()}
	if err := tool.bare(e); err != nil {
		t.Fatal(err)
	}
	for _, file := range e.bare {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "ignore_checks") {
			t.Errorf("%s is suppressed as a whole", filepath.Base(file))
		}
	}
}

// TestTools proves that the tools see what is wrong: in copies of the templates
// with one fault each.
func TestTools(t *testing.T) {
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	tools, err := newTools(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tools.close)
	a := synthtest.Load(t, "dev")
	key := a.Find("AWS::KMS::Key", "customers")
	key.Properties["EnableKeyRotation"] = false
	key.Properties["PendingWindowInDays"] = float64(3)
	statements, _ := key.Properties["KeyPolicy"].(map[string]any)["Statement"].([]any)
	statements[0].(map[string]any)["Action"] = "kms:Steal"
	dir := t.TempDir()
	if err := a.Write(dir); err != nil {
		t.Fatal(err)
	}
	a.Dir = dir
	e := &Environment{Name: "dev", assembly: a, bare: templates(a, dir)}
	for rule, tool := range map[string]func() (result, error){
		"CKV_AWS_7":      func() (result, error) { return tools.checkov(t.Context(), e) },
		"E3034":          func() (result, error) { return tools.cfnLint(t.Context(), e) },
		"UNKNOWN_ACTION": func() (result, error) { return tools.parliament(t.Context(), e) },
	} {
		r, err := tool()
		if err != nil {
			t.Fatal(err)
		}
		if !has(r.all, rule, "keys/customers") {
			t.Errorf("%s did not find %s: %v", r.tool, rule, r.all)
		}
	}
}

func has(found []Finding, rule, place string) bool {
	for _, f := range found {
		if f.Rule == rule && strings.HasPrefix(f.place(), place) {
			return true
		}
	}
	return false
}

// TestRemarks proves that an error on a construct is a finding, and that
// cdk-nag's are left to its reports.
func TestRemarks(t *testing.T) {
	dir := t.TempDir()
	const text = `{
		"/network/Vpc/Resource": [{"type": "aws:cdk:logicalId", "data": "Vpc"}, {"type": "aws:cdk:error", "data": "no such list"}],
		"/network": [{"type": "aws:cdk:warning", "data": "AwsSolutions-IAM5[Resource::*]: wildcard"}]
	}`
	files := map[string]string{"network.metadata.json": text, "validation-report.json": `{"pluginReports": [{"violations": [{"ruleName": "E1", "description": "bad"}],
		"suppressedViolations": [{"ruleName": "W3010"}, {"ruleName": "E2", "description": "by hand"}]}]}`}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := synthtest.Load(t, "dev")
	a.Dir = dir
	r, err := validation(t.Context(), &Environment{Name: "dev", assembly: a})
	if err != nil {
		t.Fatal(err)
	}
	want := []Finding{{CDK, "E1", "dev", "", "", "bad"}, {CDK, "E2", "dev", "", "", "by hand"}, {CDK, "error", "dev", "network", "Vpc", "no such list"}}
	if diff := cmp.Diff(want, r.left); diff != "" {
		t.Error(diff)
	}
}
