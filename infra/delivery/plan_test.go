package delivery

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
	"padron/infra/review"
	"padron/infra/synthtest"
)

// TestNeeds finds what a template takes from others, in the region and in
// another one.
func TestNeeds(t *testing.T) {
	s := cfn.Assemble(&cfn.Stack{Name: "a", StackName: "padron-dev-a", Region: "r", Template: map[string]any{"Resources": map[string]any{
		"X": map[string]any{"Type": "T", "Properties": map[string]any{
			"One": map[string]any{"Fn::ImportValue": "b:x"}, "Again": []any{map[string]any{"Fn::ImportValue": "b:x"}},
			"Joined": map[string]any{"Fn::ImportValue": map[string]any{"Fn::Sub": "${AWS::StackName}:y"}},
			"Far":    map[string]any{"Fn::GetStackOutput": map[string]any{"StackName": "padron-dev-b", "OutputName": "Z", "Region": "far"}},
		}},
	}}}).Stack("a")
	var got []string
	for _, n := range needs(s) {
		got = append(got, n.String())
	}
	want := []string{"the export b:x", "the export padron-dev-a:y", "the output Z of stack padron-dev-b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}

// TestTorn warns of an export that goes while another stack imports it: the
// order of deployment makes that impossible.
func TestTorn(t *testing.T) {
	env, after := synthtest.Config(t, "dev"), synthtest.Load(t, "dev")
	p := &planning{Delivery: &Delivery{Env: env, Templates: after}, stands: map[string]*deployed{}}
	for _, s := range synthtest.Load(t, "dev").Stacks {
		p.stands[s.Name] = &deployed{template: s.Template}
	}
	if lines := p.torn(); len(lines) > 0 {
		t.Fatalf("nothing changes, and %v", lines)
	}
	delete(after.Stack("edge").Template, "Outputs")
	lines := p.torn()
	if !slices.ContainsFunc(lines, func(l string) bool {
		return strings.Contains(l, "Stack edge gives up the export padron-dev-edge:") && strings.Contains(l, "Deliver the change of services first")
	}) {
		t.Errorf("edge exports nothing any more, and the review says %q", lines)
	}
}

// TestLosses names what holds something, in every way that it can go.
func TestLosses(t *testing.T) {
	r := &Record{Stacks: []StackPlan{{Name: "data", Changes: []review.Change{
		{Action: "Modify", LogicalID: "Cluster", Type: "AWS::RDS::DBCluster", Replacement: "Conditional"},
		{Action: "Remove", LogicalID: "Key", Type: "AWS::KMS::Key"},
		{Action: "Modify", LogicalID: "Bucket", Type: "AWS::S3::Bucket", Replacement: "True"},
		{Action: "Modify", LogicalID: "Same", Type: "AWS::S3::Bucket", Replacement: "False"},
		{Action: "Add", LogicalID: "New", Type: "AWS::S3::Bucket"},
		{Action: "Modify", LogicalID: "Task", Type: "AWS::ECS::TaskDefinition", Replacement: "True"},
	}}}}
	var got []string
	for _, l := range r.Losses() {
		got = append(got, l.String())
	}
	want := []string{
		"data/Cluster (AWS::RDS::DBCluster) may be replaced", "data/Key (AWS::KMS::Key) is deleted", "data/Bucket (AWS::S3::Bucket) is replaced",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("losses (-want +got):\n%s", diff)
	}
	if err := r.allowed([]string{"data/Cluster", "data/Key", "data/Bucket"}); err != nil {
		t.Errorf("all allowed by name: %v", err)
	}
	if err := r.allowed([]string{"data/Cluster"}); err == nil || strings.Count(err.Error(), "is lost") != 2 {
		t.Errorf("one of three allowed: %v", err)
	}
}

// TestStatefulIsComplete wants every type that the templates keep beyond their
// stack among the stateful ones.
func TestStatefulIsComplete(t *testing.T) {
	for _, name := range synthtest.Environments(t) {
		for _, r := range synthtest.Load(t, name).Resources() {
			if policy := r.Body["DeletionPolicy"]; policy != nil && policy != "Delete" && !slices.Contains(stateful, r.Type) {
				t.Errorf("%s is a %s, which its template keeps (%s), and the list of stateful types does not have", r, r.Type, policy)
			}
		}
	}
}

// TestBrokenSaysWhatToDo has words for every end of a failed change.
func TestBrokenSaysWhatToDo(t *testing.T) {
	for status, want := range map[string]string{
		"UPDATE_ROLLBACK_COMPLETE": "is as it was before", "ROLLBACK_COMPLETE": "delete it", "UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
		"ROLLBACK_FAILED": "delete it", "DELETE_FAILED": "look at its events",
	} {
		if text := (&Broken{Stack: "s", Status: status, Why: "X (T) is UPDATE_FAILED: no"}).Error(); !strings.Contains(text, want) || !strings.Contains(text, "X (T) is UPDATE_FAILED: no") {
			t.Errorf("%s: %s", status, text)
		}
	}
}
