package workflows_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"padron/infra/github/githubtest"
	"padron/infra/workflows"
)

// TestWorkflowsRun runs the scripts of every step of every workflow, in the order
// of a change's life: a pull request, its merge, a night. What is behind the
// edge stands in for, and nothing else:
//
//   - `make TARGET` is `make --dry-run TARGET`: the target is there, with its
//     prerequisites and variables, and its recipe, which takes minutes, is what
//     `make test` and the other targets run here anyway;
//   - `go run ./cmd/padron-deliver` is testdata/padron-deliver, which wants the
//     role that the step must have and leaves the files that the command leaves.
//     That the real one understands every command line is a test of its own, in
//     its package, and that it does what they say is the story in infra/delivery;
//   - GitHub is githubtest, to which the real padron-github speaks.
func TestWorkflowsRun(t *testing.T) {
	r := start(t)
	files := map[string]*workflows.Workflow{}
	for _, w := range load(t) {
		files[w.File] = w
	}
	r.pullRequest(files["pull-request.yaml"])
	r.merge(files["deploy.yaml"])
	r.nights(files["nightly.yaml"], files["drift.yaml"])
	r.back(files["rollback.yaml"])
	r.release(files["release.yaml"])
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for id, job := range files[name].Jobs {
			for _, step := range job.Steps {
				if at := name + "/" + id + "/" + step.Name; step.Run != "" && !slices.Contains(r.ran, at) {
					t.Errorf("%s did not run", at)
				}
			}
		}
	}
}

const (
	head   = "1111111111111111111111111111111111111111"
	merged = "2222222222222222222222222222222222222222"
)

// pullRequest runs what a pull request runs, first a fork's and then the
// repository's own.
func (r *runner) pullRequest(w *workflows.Workflow) {
	r.t.Helper()
	r.values["github.event.pull_request.number"] = "7"
	r.values["github.event.pull_request.base.sha"] = strings.Repeat("0", 40)
	r.values["github.event.pull_request.head.repo.full_name"] = "somebody/padron"
	r.sarifOfLinters()
	if !r.job(w, "test") || !r.job(w, "race") || !r.job(w, "lint") {
		r.t.Error("a fork's pull request is not tested")
	}
	if r.job(w, "findings") || r.job(w, "plan") {
		r.t.Error("a fork's pull request runs a job that has rights")
	}
	r.values["github.event.pull_request.head.repo.full_name"] = githubtest.Repository
	for _, id := range []string{"findings", "plan", "comment"} {
		if !r.job(w, id) {
			r.t.Errorf("job %s does not run", id)
		}
	}
	if comments := r.github.Comments[7]; len(comments) != 1 || !strings.Contains(comments[0].Body, "the review of the stand-in") {
		r.t.Errorf("the pull request has the comments %+v", comments)
	}
}

// merge runs what follows the merge of the pull request, on another machine.
func (r *runner) merge(w *workflows.Workflow) {
	r.t.Helper()
	files := map[string]string{}
	for _, name := range []string{"record.json", "review.md"} {
		text, err := os.ReadFile(filepath.Join(r.artifacts["review"], name))
		if err != nil {
			r.t.Fatalf("the artifact of the plan: %v", err)
		}
		files[name] = string(text)
	}
	r.github.Pulls = []githubtest.Pull{{Number: 7, HeadSHA: head, MergedSHA: merged}}
	r.github.Runs = []githubtest.Run{{
		Workflow: "pull-request.yaml", HeadSHA: head, Event: "pull_request", Repository: githubtest.Repository,
		Artifacts: []githubtest.Artifact{{Name: "review", Created: time.Now(), Files: files}},
	}}
	r.another()
	r.values["github.sha"] = merged
	if r.summary = ""; !r.job(w, "review") || !strings.Contains(r.summary, "the review of the stand-in") {
		r.t.Errorf("who approves reads %q", r.summary)
	}
	if apply := w.Jobs["apply"]; apply.Needs != "review" || !r.job(w, "apply") {
		r.t.Errorf("a merge is not deployed after its review, but after %q", apply.Needs)
	}
}

// nights runs a night in which somebody has changed something by hand.
func (r *runner) nights(nightly, drift *workflows.Workflow) {
	r.t.Helper()
	for id := range nightly.Jobs {
		r.job(nightly, id)
	}
	r.another()
	r.job(drift, "look")
	if !r.job(drift, "report") {
		r.t.Error("drift is not reported")
	}
	if len(r.github.Issues) != 1 || !strings.Contains(r.github.Issues[0].Body, "the drift of the stand-in") {
		r.t.Errorf("the issues are %+v", r.github.Issues)
	}
	r.values["needs.look.outputs.drifted"] = "false"
	if r.job(drift, "report") {
		r.t.Error("a night without drift opens an issue")
	}
}

// back runs a rollback to release 3.
func (r *runner) back(w *workflows.Workflow) {
	r.t.Helper()
	r.another()
	r.values["github.event.client_payload.release"] = "3"
	r.job(w, "plan")
	r.job(w, "apply")
}

// release runs a release, which leaves a patch that names the new images.
func (r *runner) release(w *workflows.Workflow) {
	r.t.Helper()
	r.another()
	r.job(w, "images")
	patch, err := os.ReadFile(filepath.Join(r.artifacts["release"], "images.patch"))
	if err != nil || !strings.Contains(string(patch), "+  synchronizer: sha256:aaaa") {
		r.t.Errorf("the release leaves the patch %q: %v", patch, err)
	}
}

// another forgets what an earlier machine built.
func (r *runner) another() {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.project, "dist")); err != nil {
		r.t.Fatal(err)
	}
}

// sarifOfLinters writes what `make findings` does, by the tools that are quick;
// the target itself runs dry.
func (r *runner) sarifOfLinters() {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.project, "scripts", "workflows"), "--sarif", "dist/findings")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

// start copies the project, as git sees it, and puts the stand-ins in front.
func start(t *testing.T) *runner {
	t.Helper()
	project := copied(t)
	stubs := filepath.Join(t.TempDir(), "stubs")
	if err := os.Mkdir(stubs, 0o750); err != nil {
		t.Fatal(err)
	}
	stand, err := filepath.Abs(filepath.Join("testdata", "padron-deliver"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"make": "exec " + look(t, "make") + ` --dry-run "$@"`,
		"go":   `[ "$1 $2" != "run ./cmd/padron-deliver" ] || { shift 2; exec bash ` + stand + ` "$@"; }` + "\nexec " + look(t, "go") + ` "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(stubs, name), []byte("#!/usr/bin/env bash\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return &runner{
		t: t, project: project, stubs: stubs, github: githubtest.Start(t), artifacts: map[string]string{},
		values: workflows.Values{"github.repository": githubtest.Repository, "github.token": githubtest.Token, "github.sha": head},
	}
}

func look(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// copied is the project's files in a folder of their own, with the tools that
// make installs linked in.
func copied(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted, and not yet committed
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"infra/node_modules", "infra/.venv", "infra/cdk.out", "var/workflows"} {
		from, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(from, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm", "The project as it is"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	return dir
}
