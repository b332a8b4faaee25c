package cfn_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
)

// write makes an assembly of two stacks: what one exports the other imports.
func write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"manifest.json": `{"artifacts": {
			"user": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1",
				"dependencies": ["base", "user.assets"], "properties": {"templateFile": "user.template.json", "stackName": "padron-dev-user"}},
			"base": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1",
				"properties": {"templateFile": "base.template.json", "stackName": "padron-dev-base"}},
			"user.assets": {"type": "cdk:asset-manifest"}}}`,
		"base.template.json": `{
			"Resources": {
				"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/24"}, "Metadata": {"aws:cdk:path": "base/Vpc/Resource"}},
				"Bare": {"Type": "AWS::S3::Bucket"}},
			"Outputs": {
				"Id": {"Value": {"Ref": "Vpc"}, "Export": {"Name": "padron-dev-base:Id"}},
				"Text": {"Value": {"Fn::Join": ["", ["arn:", {"Fn::GetAtt": ["Vpc", "Arn"]}]]}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Text"}}}}}`,
		"user.template.json": `{
			"Resources": {"Thing": {"Type": "T", "Properties": {
				"Vpc": {"Fn::ImportValue": "padron-dev-base:Id"},
				"Arn": {"Fn::ImportValue": "padron-dev-base:Text"},
				"None": {"Fn::ImportValue": "nobody:Exports"},
				"Self": {"Ref": "Thing"},
				"Missing": {"Ref": "Other"},
				"List": [{"Fn::ImportValue": "padron-dev-base:Id"}, "plain"],
				"Deep": {"One": [{"Two": "three"}]},
				"Yes": true, "Truth": "true", "Number": 8443, "Half": 0.5}}}}`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB) *cfn.Assembly {
	t.Helper()
	a, err := cfn.Load(write(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestResolve asks for the value of each function; what is not known before
// deployment is a reference, and inside a text its placeholder.
func TestResolve(t *testing.T) {
	stack := load(t).Stack("base")
	for _, c := range []struct{ in, want string }{
		{`{"Ref": "AWS::Region"}`, `"us-east-1"`},
		{`{"Ref": "AWS::AccountId"}`, `"111122223333"`},
		{`{"Ref": "AWS::Partition"}`, `"aws"`},
		{`{"Ref": "AWS::URLSuffix"}`, `"amazonaws.com"`},
		{`{"Ref": "AWS::StackName"}`, `"padron-dev-base"`},
		{`{"Ref": "AWS::NoValue"}`, `null`},
		{`{"Ref": "Nobody"}`, `"${base.Nobody}"`},
		{`{"Fn::GetAtt": ["Nobody", "Arn"]}`, `"${base.Nobody.Arn}"`},
		{`{"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, 7]]}`, `"a-us-east-1-7"`},
		{`{"Fn::Join": ["", ["id ", {"Ref": "Vpc"}]]}`, `"id ${base.Vpc}"`},
		{`{"Fn::Join": ["", ["arn ", {"Fn::GetAtt": ["Vpc", "Arn"]}]]}`, `"arn ${base.Vpc.Arn}"`},
		{`{"Fn::Sub": "${AWS::Region}/${Vpc}/${Vpc.Arn}/${!kept}"}`, `"us-east-1/${base.Vpc}/${base.Vpc.Arn}/${!kept}"`},
		{`{"Fn::Sub": ["${x}/${AWS::Partition}", {"x": {"Fn::Join": ["+", [1, 2]]}}]}`, `"1+2/aws"`},
		{`{"Fn::Split": ["/", "a/b/c"]}`, `["a", "b", "c"]`},
		{`{"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}`, `"b"`},
		{`{"Fn::Select": ["0", ["x", "y"]]}`, `"x"`},
		{`[{"a": {"Ref": "AWS::Partition"}}, {"b": [{"Ref": "AWS::Region"}]}]`, `[{"a": "aws"}, {"b": ["us-east-1"]}]`},
		// What it does not know stays, and so do functions that are written wrongly.
		{`{"Fn::GetAZs": ""}`, `{"Fn::GetAZs": ""}`},
		{`{"Fn::Select": [9, ["x"]]}`, `{"Fn::Select": [9, ["x"]]}`},
		{`{"Fn::Join": ["-", "no list"]}`, `{"Fn::Join": ["-", "no list"]}`},
		{`{"Fn::Sub": 7}`, `{"Fn::Sub": 7}`},
		{`{"Fn::GetAtt": "alone"}`, `{"Fn::GetAtt": "alone"}`},
		{`{"Ref": "AWS::Region", "beside": 1}`, `{"Ref": "AWS::Region", "beside": 1}`},
	} {
		if diff := cmp.Diff(parse(t, c.want), stack.Resolve(parse(t, c.in))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.in, diff)
		}
	}
}

func parse(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestReferences finds resources behind Ref, GetAtt and imports, in the stack
// that has them.
func TestReferences(t *testing.T) {
	a := load(t)
	vpc, thing := a.Find("AWS::EC2::VPC", "Vpc"), a.Find("T", "Thing")
	if vpc == nil || thing == nil {
		t.Fatal("the assembly lacks a resource")
	}
	if got := thing.Target("Vpc"); got != vpc {
		t.Errorf("Target(Vpc) = %v, want the VPC of the other stack", got)
	}
	if got := thing.Target("Self"); got != thing {
		t.Errorf("Target(Self) = %v", got)
	}
	if got := cfn.Targets(thing.Get("List")); len(got) != 1 || got[0] != vpc {
		t.Errorf("Targets(List) = %v, want the VPC alone", got)
	}
	for path, want := range map[string]string{
		"Arn": "arn:${base.Vpc.Arn}", "None": "${export nobody:Exports}", "Missing": "${user.Other}", "Number": "8443", "Half": "0.5", "Absent": "",
	} {
		if got := thing.Text(path); got != want {
			t.Errorf("Text(%s) = %q, want %q", path, got, want)
		}
	}
	if thing.Target("Arn") != nil || thing.Target("Missing") != nil {
		t.Error("a text and what is not there are no targets")
	}
}

func TestGet(t *testing.T) {
	thing := load(t).Find("T", "Thing")
	if got := thing.Text("Deep", "One", "0", "Two"); got != "three" {
		t.Errorf("Get by names and numbers: %q, want three", got)
	}
	for _, path := range [][]string{{"Deep", "One", "1"}, {"Deep", "One", "x"}, {"Deep", "One", "-1"}, {"Number", "x"}, {"No", "Such"}} {
		if got := thing.Get(path...); got != nil {
			t.Errorf("Get(%v) = %v, want nothing", path, got)
		}
	}
	if !thing.Bool("Yes") || !thing.Bool("Truth") || thing.Bool("Number") || thing.Bool("Absent") {
		t.Error("true and \"true\" are true, and nothing else is")
	}
}
