package images

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool returns the path of a program that tools/NAME.mod pins. Go builds it
// when it is first asked for, which takes minutes, and keeps it in its cache.
func tool(ctx context.Context, root, name string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "-modfile="+filepath.Join("tools", name+".mod"), name) //nolint:gosec // our own arguments
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build %s of tools/%s.mod: %w\n%s", name, name, err, stderr.Bytes())
	}
	return strings.TrimSpace(string(path)), nil
}

// without returns the environment without the variables that begin with a
// prefix: a tool does what the repository says, whatever its caller has set.
func without(prefix string) []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, prefix) {
			kept = append(kept, v)
		}
	}
	return kept
}
