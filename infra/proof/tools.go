package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// tools are the programs of infra/.venv, and a folder to give them input in.
type tools struct {
	bin, temp string
	parallel  int
}

func newTools(root string) (*tools, error) {
	bin := filepath.Join(root, ".venv", "bin")
	wanted, err := os.ReadFile(filepath.Join(root, "requirements.txt")) //nolint:gosec // a file of ours
	if err != nil {
		return nil, err
	}
	installed, err := os.ReadFile(filepath.Join(root, ".venv", "installed.txt")) //nolint:gosec // a file of ours
	if err != nil || !bytes.Equal(wanted, installed) {
		return nil, errors.New("the checking tools in infra/.venv are missing or old: run make infra-deps")
	}
	temp, err := os.MkdirTemp("", "padron-proof-")
	return &tools{bin: bin, temp: temp, parallel: max(2, runtime.NumCPU())}, err
}

func (t *tools) close() { _ = os.RemoveAll(t.temp) }

// run starts a tool and decodes the JSON that it prints. A tool exits with
// another status than 0 when it finds something, so the status says little.
func (t *tools) run(ctx context.Context, out any, input []byte, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(t.bin, name), args...) //nolint:gosec // a tool of ours
	// Nothing outside is asked: what is proven here is proven without a network,
	// and without what .checkov.yaml, .cfnlintrc or CKV_ in the environment say
	// to skip: those would be a second ledger.
	cmd.Dir = t.temp
	cmd.Env = append(slices.DeleteFunc(os.Environ(), steersCheckov), "HOME="+t.temp, "LOG_LEVEL=ERROR", "PYTHONWARNINGS=ignore", "NO_COLOR=1")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if decode := json.Unmarshal(text, out); decode != nil {
		return fmt.Errorf("%s printed no JSON: %w: %s", name, errors.Join(decode, err), strings.TrimSpace(stderr.String()))
	}
	return nil
}

// steersCheckov reports whether NAME=VALUE sets an option of checkov.
func steersCheckov(variable string) bool {
	return strings.HasPrefix(variable, "CKV_") || strings.HasPrefix(variable, "CHECKOV_")
}

// bare writes the environment's templates without any tool's suppression in
// them.
func (t *tools) bare(e *Environment) error {
	a := e.assembly.Clone()
	for _, s := range a.Stacks {
		unsuppress(s.Template)
	}
	for _, r := range a.Resources() {
		unsuppress(r.Body)
	}
	dir := filepath.Join(t.temp, e.Name)
	e.bare = templates(a, dir)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return a.Write(dir)
}

// unsuppress takes the tools' suppressions out of the metadata of a template or
// of a resource: cfn-lint heeds both.
func unsuppress(of map[string]any) {
	metadata, _ := of["Metadata"].(map[string]any)
	delete(metadata, "checkov")
	delete(metadata, "cfn-lint")
}

// templates are the files of the assembly's stacks in dir.
func templates(a *cfn.Assembly, dir string) []string {
	files := make([]string, len(a.Stacks))
	for i, s := range a.Stacks {
		files[i] = filepath.Join(dir, s.Name+".template.json")
	}
	return files
}

// find makes a finding on the resource with the logical id in a template file.
func (e *Environment) find(tool, rule, file, logicalID, message string) Finding {
	stack := strings.TrimSuffix(filepath.Base(file), ".template.json")
	path := logicalID
	if s := e.assembly.Stack(stack); s != nil && s.Resources[logicalID] != nil {
		path = s.Resources[logicalID].Path()
	}
	return Finding{tool, rule, e.Name, stack, path, message}
}
