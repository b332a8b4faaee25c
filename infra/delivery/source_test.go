package delivery

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a checkout with one commit.
func repository(t *testing.T) (dir string, run func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	run = func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "-q")
	write(t, dir, "a", "1")
	run("add", "a")
	run("commit", "-q", "-m", "one")
	return dir, run
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFromCommit refuses a folder that is no commit, and knows a merge of the
// same files by its tree.
func TestFromCommit(t *testing.T) {
	dir, run := repository(t)
	first, err := FromCommit(t.Context(), dir)
	if err != nil || len(first.Commit) != 40 || len(first.Tree) != 40 {
		t.Fatalf("a clean checkout: %+v, %v", first, err)
	}
	for name, text := range map[string]string{"a": "2", "new": ""} {
		write(t, dir, name, text)
		if _, err := FromCommit(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "changes that are not committed, such as") {
			t.Errorf("with %s changed: %v", name, err)
		}
		run("clean", "-q", "-f")
		run("checkout", "-q", "a")
	}
	run("commit", "-q", "--allow-empty", "-m", "the same files")
	second, err := FromCommit(t.Context(), dir)
	if err != nil || second.Commit == first.Commit || second.Tree != first.Tree {
		t.Errorf("another commit of the same files: %+v, %v", second, err)
	}
	if _, err := FromCommit(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("no checkout: %v", err)
	}
}
