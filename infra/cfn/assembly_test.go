package cfn_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

// TestLoad reads stacks in the order of deployment, and nothing else of the
// manifest.
func TestLoad(t *testing.T) {
	a := load(t)
	var order []string
	for _, s := range a.Stacks {
		order = append(order, s.Name)
	}
	if diff := cmp.Diff([]string{"base", "user"}, order); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
	user := a.Stack("user")
	if diff := cmp.Diff([]string{"base"}, user.Needs); diff != "" {
		t.Errorf("needs (-want +got)\n%s", diff)
	}
	if user.Account != "111122223333" || user.Region != "us-east-1" || user.StackName != "padron-dev-user" {
		t.Errorf("user is in %s %s as %s", user.Account, user.Region, user.StackName)
	}
	if a.Stack("user.assets") != nil {
		t.Error("an asset manifest is no stack")
	}
	if bare := a.Find("AWS::S3::Bucket", "Bare"); bare == nil || bare.Properties == nil || bare.Path() != "Bare" {
		t.Error("a resource without properties and path has an empty map and its id")
	}
}

func TestLoadFails(t *testing.T) {
	if _, err := cfn.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make infra") {
		t.Errorf("no manifest: %v, want what to do", err)
	}
	dir := write(t)
	if err := os.WriteFile(filepath.Join(dir, "base.template.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cfn.Load(dir); err == nil || !strings.Contains(err.Error(), "base.template.json") {
		t.Errorf("a broken template: %v, want its name", err)
	}
}

func TestFind(t *testing.T) {
	a := load(t)
	if got := len(a.Resources()); got != 3 {
		t.Errorf("%d resources, want 3", got)
	}
	if got := a.Resources("AWS::S3::Bucket", "T"); len(got) != 2 || got[0].LogicalID != "Bare" || got[1].LogicalID != "Thing" {
		t.Errorf("Resources by types: %v", got)
	}
	if a.Find("AWS::EC2::VPC", "pc") != nil {
		t.Error("a suffix is one of whole names")
	}
	a.Stack("user").Resources["Twin"] = a.Find("AWS::EC2::VPC", "Vpc")
	if a.Find("AWS::EC2::VPC", "Vpc") != nil {
		t.Error("two that match are none")
	}
}

// TestClone changes a copy in every way that a mutation does, and wants the
// original to be as it was.
func TestClone(t *testing.T) {
	a := load(t)
	before := cmpText(t, a)
	c := a.Clone()
	if diff := cmp.Diff(before, cmpText(t, c)); diff != "" {
		t.Fatalf("the copy differs (-original +copy)\n%s", diff)
	}
	thing := c.Find("T", "Thing")
	if thing.Target("Vpc") != c.Find("AWS::EC2::VPC", "Vpc") {
		t.Error("a reference in the copy leads out of it")
	}
	thing.Properties["List"].([]any)[1] = "changed"
	thing.Properties["Deep"].(map[string]any)["One"] = nil
	c.Find("AWS::EC2::VPC", "Vpc").Remove()
	delete(c.Stack("base").Template["Outputs"].(map[string]any), "Text")
	if diff := cmp.Diff(before, cmpText(t, a)); diff != "" {
		t.Errorf("the original changed with the copy (-before +after)\n%s", diff)
	}
	if got := thing.Target("Vpc"); got != nil {
		t.Errorf("a reference to what was removed leads to %v", got)
	}
	if c.Find("AWS::EC2::VPC", "Vpc") != nil || strings.Contains(cmpText(t, c)["base"], "AWS::EC2::VPC") {
		t.Error("what was removed is still in the template")
	}
}

// cmpText is every template as it would be written.
func cmpText(t *testing.T, a *cfn.Assembly) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := a.Write(dir); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, s := range a.Stacks {
		text, err := os.ReadFile(filepath.Join(dir, s.Name+".template.json"))
		if err != nil {
			t.Fatal(err)
		}
		texts[s.Name] = string(text)
	}
	return texts
}
