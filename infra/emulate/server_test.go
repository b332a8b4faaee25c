package emulate_test

import (
	"strings"
	"testing"

	"padron/infra/cfn"
	"padron/infra/emulate"
)

// TestStartSaysWhatIsMissing: nobody has to guess what to install.
func TestStartSaysWhatIsMissing(t *testing.T) {
	_, err := emulate.Start(t.Context(), t.TempDir(), "000000000000")
	if err == nil || !strings.Contains(err.Error(), "make infra-deps") {
		t.Errorf("the error is %v, want one that names make infra-deps", err)
	}
}

// TestFailureNamesTheResource: a stack that cannot be created says which
// resource was refused, of which type, and why.
func TestFailureNamesTheResource(t *testing.T) {
	stack := &cfn.Stack{Name: "broken", StackName: "broken", Region: "us-east-1", Template: map[string]any{
		"Resources": map[string]any{
			"Orphan": map[string]any{"Type": "AWS::RDS::DBInstance", "Properties": map[string]any{
				"Engine": "aurora-mysql", "DBInstanceClass": "db.serverless", "DBClusterIdentifier": "of-nobody",
			}},
		},
	}}
	err := account(t, "000000000000").Create(t.Context(), stack)
	if err == nil {
		t.Fatal("a database instance without its cluster was created")
	}
	for _, want := range []string{"broken", "Orphan", "AWS::RDS::DBInstance", "of-nobody"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}
