package cfn_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzResolve wants any value to be resolved without a panic, to leave what it
// was given as it is, and to give the same again.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{
		`{"Fn::Sub": ["${x}${", {"x": {"Fn::Sub": "${x}"}}]}`,
		`{"Fn::Select": [-1, {"Fn::Split": ["", {"Ref": 1}]}]}`,
		`{"Fn::Join": [{"Ref": "Vpc"}, [null, {"Fn::GetAtt": ["Vpc"]}]]}`,
		`{"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}:Id"}}`,
		`{"Fn::GetAtt": ["Vpc", {"Ref": "AWS::NoValue"}]}`,
		`[{"Fn::Sub": "${Vpc.A.B}${!x}${}"}]`,
	} {
		f.Add(seed)
	}
	stack := load(f).Stack("base")
	f.Fuzz(func(t *testing.T, text string) {
		var v, untouched any
		if json.Unmarshal([]byte(text), &v) != nil || json.Unmarshal([]byte(text), &untouched) != nil {
			return
		}
		first := stack.Resolve(v)
		if diff := cmp.Diff(untouched, v); diff != "" {
			t.Errorf("resolving changed its argument\n%s", diff)
		}
		same := cmp.Comparer(func(a, b interface{ String() string }) bool { return a.String() == b.String() })
		if diff := cmp.Diff(first, stack.Resolve(v), same); diff != "" {
			t.Errorf("resolving twice differs\n%s", diff)
		}
	})
}
