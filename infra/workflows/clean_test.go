package workflows_test

import (
	"os/exec"
	"testing"
)

// TestToolsFindNothing runs actionlint, zizmor and checkov over the workflows.
func TestToolsFindNothing(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../scripts/workflows")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: a tool found something, or is not installed (make infra-deps)\n%s", err, out)
	}
}
