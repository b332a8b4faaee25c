package workflows_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestToolsFindNothing runs actionlint, zizmor and checkov over the workflows.
func TestToolsFindNothing(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "../../scripts/workflows")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: a tool found something, or is not installed (make infra-deps)\n%s", err, out)
	}
}

// TestToolsFindFaults puts in one fault for each tool that only it sees.
func TestToolsFindFaults(t *testing.T) {
	project := copied(t)
	const rest = "permissions: {}\nconcurrency: {group: x, cancel-in-progress: false}\njobs:\n  x:\n    name: x\n    runs-on: ubuntu-24.04\n    steps:\n"
	for tool, text := range map[string]string{
		"actionlint": "name: x\non:\n  push:\n" + rest + "      - {name: x, run: 'echo $undefined \"${{ steps.none.outputs.x }}\"'}\n",
		"zizmor":     "name: x\non:\n  push:\n" + rest + "      - {uses: example/action@v1}\n",
		"checkov":    "name: x\non:\n  workflow_dispatch:\n    inputs:\n      x: {type: string}\n" + rest + "      - {name: x, run: 'true'}\n",
	} {
		fault := filepath.Join(project, ".github", "workflows", "fault.yaml")
		if err := os.WriteFile(fault, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), filepath.Join(project, "scripts", "workflows"))
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "fault.yaml") {
			t.Errorf("%s does not see its fault: %v\n%s", tool, err, out)
		}
	}
}
