// Package e2e drives the built commands from outside, as their users do.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// binDir holds the commands under test.
var binDir string

// patience bounds what a test waits for; nothing takes that long.
const patience = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "padron-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	build := exec.Command("go", "build", "-o", dir, "padron/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
		return 1
	}
	binDir = dir
	return m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", binDir+string(os.PathListSeparator)+os.Getenv("PATH"))
			return nil
		},
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"serve": scriptServe, "field": scriptField, "exitcode": scriptExitCode},
		UpdateScripts: os.Getenv("UPDATE") != "",
	})
}

// scriptServe starts a command in the background and puts the first line it
// prints into a variable: serve VARIABLE COMMAND ARGS...
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve VARIABLE COMMAND ARGS...")
	}
	cmd := exec.Command(filepath.Join(binDir, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	go io.Copy(io.Discard, out) //nolint:errcheck // until the command ends
	ts.Setenv(args[0], strings.TrimSpace(line))
}

// scriptExitCode runs a command that must end with a code: exitcode CODE COMMAND
// ARGS...
func scriptExitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND ARGS...")
	}
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if got := fmt.Sprint(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// scriptField puts a field of a JSON document into a variable, by a path of
// names and numbers: field VARIABLE FILE PATH
func scriptField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: field VARIABLE FILE PATH")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &doc))
	for step := range strings.SplitSeq(args[2], ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			var i int
			_, err := fmt.Sscan(step, &i)
			ts.Check(err)
			doc = v[i]
		default:
			ts.Fatalf("%s: nothing at %s", args[1], step)
		}
	}
	ts.Setenv(args[0], fmt.Sprint(doc))
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares a command with nothing of the caller's environment but what
// is given.
func command(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, name), args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// run runs a command to its end.
func run(t *testing.T, dir string, env []string, name string, args ...string) result {
	t.Helper()
	cmd := command(t, dir, env, name, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// mustRun runs a command that must succeed.
func mustRun(t *testing.T, dir string, env []string, name string, args ...string) result {
	t.Helper()
	r := run(t, dir, env, name, args...)
	if r.code != 0 {
		t.Fatalf("%s %v: exit %d\n%s", name, args, r.code, r.stderr)
	}
	return r
}

// process is a command that serves.
type process struct {
	cmd    *exec.Cmd
	lines  *bufio.Reader
	stderr *syncBuffer
}

// start starts a command and stops it at the end of the test.
func start(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, dir, env, name, args...), stderr: &syncBuffer{}}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewReader(out)
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

// stop asks the process to end and waits; a second call does nothing.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s did not stop cleanly: %v\n%s", p.cmd.Path, err, p.stderr)
	}
}

// line returns the next line of standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	s, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("%s printed no line: %v\n%s", p.cmd.Path, err, p.stderr)
	}
	return strings.TrimSpace(s)
}

// waitForLog waits for a JSON log line with that message and returns it.
func waitForLog(t *testing.T, p *process, msg string) map[string]any {
	t.Helper()
	return waitForLogs(t, p, msg, 1)[0]
}

// waitForLogs waits for so many lines with that message.
func waitForLogs(t *testing.T, p *process, msg string, n int) (entries []map[string]any) {
	t.Helper()
	deadline := time.After(patience)
	for {
		text, changed := p.stderr.watch()
		entries = entries[:0]
		for line := range strings.Lines(text) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == msg {
				entries = append(entries, entry)
			}
		}
		if len(entries) >= n {
			return entries
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no log line %q:\n%s", msg, text)
		}
	}
}

// syncBuffer is a buffer that a process writes and a test reads.
type syncBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.b.Write(p)
}

// watch returns what was written and a channel that is closed by the next write.
func (s *syncBuffer) watch() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.b.String(), s.changed
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// answer is one HTTP answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends one request. body is JSON, or "" for none.
func call(t *testing.T, method, url, token, body string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// decode reads JSON into a value of type T.
func decode[T any](t *testing.T, s string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, s)
	}
	return v
}
