package estate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"padron/infra/cfn"
)

// stands are what the commands at the bastion find: AWS's command that fetches
// the program, the program, and the two that need root.
var stands = map[string]string{
	"aws":     `for last; do :; done; cp "$STANDS/padron" "$last"`,
	"install": `for last; do :; done; mkdir -m 0700 "$last"`,
	"runuser": `[ "$1 $2 $3" = "-u nobody --" ] || exit 9; shift 3; exec "$@"`,
	"padron": `case "$1 $2" in
	"token draft-check") echo '{"admin":"a token"}' > "$4"; echo '{"registrations":["a hash"]}' ;;
	check*) [ "$4" = "$TOKENS" ] && [ -f "$4" ] || exit 2; cat release.json; exit "${FAILS:-0}" ;;
	esac`,
}

// bastion is a folder in which the commands run as Systems Manager runs them.
type bastion struct {
	*testing.T
	dir, tokens string
}

func newBastion(t *testing.T) *bastion {
	t.Helper()
	b := &bastion{t, t.TempDir(), ""}
	b.tokens = filepath.Join(b.dir, "memory")
	for name, script := range stands {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(b.dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	return b
}

// reference is one of the template's, as it stands in a text.
var reference = regexp.MustCompile(`\$\{[a-z]+\.[A-Za-z0-9.]+\}`)

// run runs a document's script and returns what it prints. Nothing of it may stay
// in the folder for temporary files.
func (b *bastion) run(document *cfn.Resource, variables ...string) (string, error) {
	b.Helper()
	var lines []string
	for _, line := range document.List("Content", "mainSteps", "0", "inputs", "runCommand") {
		lines = append(lines, text(line))
	}
	script := reference.ReplaceAllString(strings.Join(lines, "\n"), "known.example")
	script = strings.NewReplacer("/run/padron-check", b.tokens, "{{ version }}", "v1", "{{ applied }}", "2026-01-02T03:04:05Z").Replace(script)
	cmd := exec.CommandContext(b.Context(), "bash", "-c", script)
	cmd.Env = slices.Concat(variables, []string{"PATH=" + b.dir + ":" + os.Getenv("PATH"), "STANDS=" + b.dir, "TOKENS=" + b.tokens + "/tokens.json", "TMPDIR=" + filepath.Join(b.dir, "tmp")})
	out, err := cmd.Output()
	if left, _ := filepath.Glob(filepath.Join(b.dir, "tmp", "*")); len(left) > 0 {
		b.Errorf("%s leaves %v", document, left)
	}
	return string(out), err
}

// TestCommandsOfTheCheck runs the scripts of both documents: the draft leaves
// tokens in memory and prints none, and the check takes them with it, also where
// it fails.
func TestCommandsOfTheCheck(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		draft, check := e.the(t, "AWS::SSM::Document", "bastion/Draft"), e.the(t, "AWS::SSM::Document", "bastion/Check")
		b := newBastion(t)
		if _, err := b.run(check); err == nil {
			t.Error("there are no tokens, and the check is made")
		}
		for _, fails := range []string{"0", "1"} {
			for range 2 { // a draft that was never used is replaced
				if out, err := b.run(draft); err != nil || out != `{"registrations":["a hash"]}`+"\n" {
					t.Fatalf("the draft prints %q: %v", out, err)
				}
			}
			out, err := b.run(check, "FAILS="+fails)
			if (err != nil) != (fails == "1") || out != `{"version":"v1","applied":"2026-01-02T03:04:05Z"}`+"\n" {
				t.Errorf("a check that ends with %s prints %q: %v", fails, out, err)
			}
			if _, err := os.Stat(b.tokens); !os.IsNotExist(err) {
				t.Errorf("after a check that ends with %s there are tokens left: %v", fails, err)
			}
		}
	})
}
