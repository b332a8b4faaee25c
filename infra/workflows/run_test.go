package workflows_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"padron/infra/delivery"
	"padron/infra/github/githubtest"
	"padron/infra/images/sigstoretest"
	"padron/infra/workflows"
)

// TestWorkflowsRun runs the scripts of every step of every workflow, in the order
// of a change's life: a release of images, a pull request that brings them and
// lets another consumer in, its merge, two nights, the way back. Every program of
// the project is the real one, and works on what the one before it left. What is
// behind the edge stands in for, and nothing else:
//
//   - `go run ./cmd/PROGRAM` starts the program, which is built once;
//   - the account is moto with this project's extension, as in infra/delivery's
//     story; a job has there what its role has (see roles);
//   - the account's registry is go-containerregistry's, and what a scan found is
//     given to moto (package releasetest); the end of a service's deployment, and
//     its tasks, are answered in moto's place (edge.Service), and so is what the
//     bastion's two commands print;
//   - GitHub is githubtest, to which the real padron-github speaks; its actions do
//     what the next steps see of them (runner.action);
//   - images are signed as the workflow, by a real cosign, with the certificates and
//     in the log of a Sigstore of the test (package sigstoretest);
//   - some targets of make only print what they would do (see dryTargets).
func TestWorkflowsRun(t *testing.T) {
	r := start(t)
	r.firstDay()
	r.stand()
	files := map[string]*workflows.Workflow{}
	for _, w := range load(t) {
		files[w.File] = w
	}
	r.release(files["release.yaml"])
	r.pullRequest(files["pull-request.yaml"])
	r.merge(files["deploy.yaml"])
	r.nights(files["nightly.yaml"], files["drift.yaml"])
	r.back(files["rollback.yaml"])
	r.madeAll()
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

// pullRequest runs what a pull request runs, first a fork's and then the
// repository's own.
func (r *runner) pullRequest(w *workflows.Workflow) {
	r.t.Helper()
	r.values["github.event.pull_request.number"] = "7"
	r.propose()
	r.values["github.event.pull_request.head.repo.full_name"] = "somebody/padron"
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
	if comments := r.github.Comments[7]; len(comments) != 1 {
		r.t.Errorf("the pull request has the comments %+v", comments)
	} else {
		r.says("the comment", comments[0].Body)
	}
}

// says wants of the review of the pull request what it brings.
func (r *runner) says(where, review string) {
	r.t.Helper()
	for _, want := range []string{
		"+ lets in from 10.77.0.0/16 on tcp 443 (consumer billing)",
		"- REPLACES services/customersmngrtask", "- 5 checking tools gave",
	} {
		if !strings.Contains(review, want) {
			r.t.Errorf("%s does not say %q:\n%s", where, want, review)
		}
	}
}

// propose makes a branch that brings the released images and lets another
// consumer in, before the others, and the commit that a merge of it would make.
func (r *runner) propose() {
	r.t.Helper()
	r.values["github.event.pull_request.base.sha"] = r.git("rev-parse", "main")
	r.git("checkout", "--quiet", "--force", "-b", "change", "main")
	r.git("apply", filepath.Join(r.artifacts["release"], "images.patch"))
	path := filepath.Join(r.project, "infra", "config", "prod.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	changed := strings.Replace(string(text), "consumers:\n", "consumers:\n  - {name: billing, cidr: 10.77.0.0/16, via: transit}\n", 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.git("commit", "--quiet", "--all", "--message", "Let billing in")
	r.values["github.sha"] = r.merged("What a merge would make")
}

// merged merges the branch into what main is, and returns the commit.
func (r *runner) merged(message string) string {
	r.t.Helper()
	r.git("checkout", "--quiet", "--detach", "main")
	r.git("merge", "--quiet", "--no-ff", "--message", message, "change")
	return r.git("rev-parse", "HEAD")
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
	head, merged := r.git("rev-parse", "change"), r.merged("Let billing in")
	r.git("branch", "--force", "main", merged)
	r.github.Pulls = []githubtest.Pull{{Number: 7, HeadSHA: head, MergedSHA: merged}}
	r.github.Runs = []githubtest.Run{{
		Workflow: "pull-request.yaml", HeadSHA: head, Event: "pull_request", Repository: githubtest.Repository,
		Artifacts: []githubtest.Artifact{{Name: "review", Created: time.Now(), Files: files}},
	}}
	r.values["github.sha"] = merged
	if r.summary = ""; !r.job(w, "review") {
		r.t.Error("a merge is not reviewed")
	}
	r.says("what is approved", r.summary)
	r.onlyDeploys(w)
	if apply := w.Jobs["apply"]; apply.Needs != "review" || !r.job(w, "apply") {
		r.t.Errorf("a merge is not deployed after its review, but after %q", apply.Needs)
	}
	r.runs(2, tag)
}

// onlyDeploys tries what is approved with the role that plans: nothing is changed.
func (r *runner) onlyDeploys(w *workflows.Workflow) {
	r.t.Helper()
	jobs := r.account.env.Delivery
	plan := fmt.Sprintf("arn:aws:iam::%s:role/%s-plan", r.account.env.Account, r.account.env.Prefix())
	if _, err := r.account.roles.signIn(plan, jobs.Subject(jobs.GitHubEnvironment), 3600); err == nil {
		r.t.Error("a job in the environment that deploys takes the role that plans")
	}
	credentials, err := r.account.roles.signIn(plan, jobs.Subject(jobs.PlanEnvironment()), 3600)
	if err != nil {
		r.t.Fatal(err)
	}
	steps := w.Jobs["apply"].Steps
	apply := steps[slices.IndexFunc(steps, func(s workflows.Step) bool { return strings.Contains(s.Run, "padron-deliver apply") })]
	const want = "not authorized to perform cloudformation:ExecuteChangeSet"
	if _, err := r.script(apply, credentials); err == nil || !strings.Contains(err.Error(), want) {
		r.t.Errorf("to apply with the role that plans: %v, want %q", err, want)
	}
}

// runs wants the last check at the bastion to have been of this version, and the
// record of this release to be the last.
func (r *runner) runs(revision int, version string) {
	r.t.Helper()
	if got := r.account.checked["version"]; !slices.Equal(got, []string{version}) {
		r.t.Errorf("the bastion checked %q, want %s", got, version)
	}
	last, err := delivery.NewShelf(r.account.env, r.account.Config(r.account.env.Region)).Last(r.t.Context())
	if err != nil || last.Revision != revision || last.Version != version {
		r.t.Errorf("the last release is %+v (%v), want %d of %s", last, err, revision, version)
	}
}

// nights runs a quiet night, and one in which somebody has changed something by
// hand.
func (r *runner) nights(nightly, drift *workflows.Workflow) {
	r.t.Helper()
	for id := range nightly.Jobs {
		r.job(nightly, id)
	}
	r.job(drift, "look")
	if r.job(drift, "report") {
		r.t.Error("a night without drift opens an issue")
	}
	r.account.keepLess(r.t)
	r.job(drift, "look")
	if !r.job(drift, "report") {
		r.t.Error("drift is not reported")
	}
	if len(r.github.Issues) != 1 || !strings.Contains(r.github.Issues[0].Body, "`/RetentionInDays` | `\"365\"` | `\"7\"`") {
		r.t.Errorf("the issues are %+v", r.github.Issues)
	}
}

// back runs a rollback to the first release.
func (r *runner) back(w *workflows.Workflow) {
	r.t.Helper()
	r.values["github.event.client_payload.release"] = "1"
	if r.summary = ""; !r.job(w, "plan") || !strings.Contains(r.summary, "back to release 1") {
		r.t.Errorf("who approves the way back reads %q", r.summary)
	}
	r.job(w, "apply")
	r.runs(3, "v0")
}

// tag is what the images of the release are called.
const tag = "v1.2.3"

// release runs a release, which leaves a patch that names the new images.
func (r *runner) release(w *workflows.Workflow) {
	r.t.Helper()
	r.git("tag", tag, "main")
	r.values["github.sha"] = r.git("rev-parse", "main")
	r.job(w, "images")
	patch, err := os.ReadFile(filepath.Join(r.artifacts["release"], "images.patch"))
	if err != nil || !strings.Contains(string(patch), `+  version: "`+tag+`"`) || strings.Count(string(patch), "\n+ ") != 4 {
		r.t.Errorf("the release leaves the patch %q: %v", patch, err)
	}
}

// start copies the project, as git sees it.
func start(t *testing.T) *runner {
	t.Helper()
	stubs := filepath.Join(t.TempDir(), "stubs")
	if err := os.Mkdir(stubs, 0o750); err != nil {
		t.Fatal(err)
	}
	return &runner{
		t: t, project: copied(t), stubs: stubs, github: githubtest.Start(t), sigstore: sigstoretest.Start(t), artifacts: map[string]string{},
		values: workflows.Values{"github.repository": githubtest.Repository, "github.token": githubtest.Token},
	}
}

// stand puts the stand-ins in front of what steps find on their path.
func (r *runner) stand() {
	r.t.Helper()
	programs := built(r.t)
	for name, text := range map[string]string{
		"make": r.makeStub(),
		"go": fmt.Sprintf(`program=%s/${2#./cmd/}
if [ "$1" != run ] || [ ! -x "$program" ]; then exec %s "$@"; fi
shift 2
exec "$program" "$@"`, programs, look(r.t, "go")),
	} {
		if err := os.WriteFile(filepath.Join(r.stubs, name), []byte("#!/usr/bin/env bash\nset -e\n"+text+"\n"), 0o700); err != nil {
			r.t.Fatal(err)
		}
	}
}

// built is a folder with the programs that steps start by `go run`, which would
// build each again and again.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	build.Dir = filepath.Join(root, "infra")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
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
	for _, name := range []string{"infra/node_modules", "infra/.venv", "var/workflows"} {
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
	git(t, dir, "init", "--quiet", "--initial-branch", "main")
	git(t, dir, "config", "user.name", "test")
	git(t, dir, "config", "user.email", "test@example.com")
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "The project as it is")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
