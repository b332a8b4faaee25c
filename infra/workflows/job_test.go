package workflows_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"padron/infra/github/githubtest"
	"padron/infra/images/sigstoretest"
	"padron/infra/workflows"
)

// runner runs jobs in a copy of the project, as GitHub's runner does: their
// scripts for real, in bash, with a variable where GitHub puts one. What stands in
// for a program is in stubs: see stand.
type runner struct {
	t       *testing.T
	project string
	stubs   string
	github  *githubtest.Server
	account *production
	// sigstore vouches for jobs, and for what they sign.
	sigstore *sigstoretest.Sigstore
	values   workflows.Values
	// artifacts are folders by name, kept between the jobs of a run.
	artifacts map[string]string
	// ran are the names of the steps whose scripts ran.
	ran []string
	// summary is what the steps put onto the page of the run.
	summary string
}

// job runs one, unless its condition keeps it from running, and puts its outputs
// where the next one finds them.
func (r *runner) job(w *workflows.Workflow, id string) (ran bool) {
	r.t.Helper()
	job := w.Jobs[id]
	if job == nil {
		r.t.Fatalf("%s has no job %s", w.File, id)
	}
	if !r.holds(job.If) {
		return false
	}
	env := map[string]string{}
	for _, given := range []map[string]string{w.Env, job.Env} {
		maps.Copy(env, r.expandAll(given))
	}
	if job.Permissions["id-token"] == "write" {
		maps.Copy(env, r.vouched(w.File, job.Environment))
	}
	for i, step := range job.Steps {
		if !r.holds(step.If) {
			continue
		}
		if step.Uses != "" {
			r.action(step, env, job)
			continue
		}
		outputs, err := r.script(step, env)
		if err != nil {
			r.t.Fatalf("%s, job %s, step %d (%s): %v", w.File, id, i, step.Name, err)
		}
		for name, value := range outputs {
			r.values["steps."+step.ID+".outputs."+name] = value
		}
		r.ran = append(r.ran, w.File+"/"+id+"/"+step.Name)
	}
	for name, text := range job.Outputs {
		r.values["needs."+id+".outputs."+name] = r.expand(text)
	}
	return true
}

// vouched are the variables by which a job of the workflow gets its tokens.
func (r *runner) vouched(workflow, environment string) map[string]string {
	return r.sigstore.Job(r.account.env.Delivery.Subject(environment), githubtest.Repository+"/.github/workflows/"+workflow+"@refs/heads/main")
}

// script runs a step's script in bash, as GitHub's documentation says that it
// does, and returns what it wrote into GITHUB_OUTPUT.
func (r *runner) script(step workflows.Step, env map[string]string) (map[string]string, error) {
	r.t.Helper()
	dir := r.t.TempDir()
	script, output, summary := filepath.Join(dir, "script.sh"), filepath.Join(dir, "output"), filepath.Join(dir, "summary")
	for path, text := range map[string]string{script: r.expand(step.Run), output: "", summary: ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	cmd.Dir = filepath.Join(r.project, step.Dir)
	cmd.Env = append(bare(), "PATH="+r.stubs+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=true",
		"GITHUB_API_URL="+r.github.URL, "GITHUB_REPOSITORY="+r.values["github.repository"], "GITHUB_SHA="+r.values["github.sha"],
		"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary,
		"AWS_ENDPOINT_URL="+r.account.url, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	for _, given := range []map[string]string{env, r.expandAll(step.Env)} {
		for k, v := range given {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	shown, err := os.ReadFile(summary)
	if err != nil {
		r.t.Fatal(err)
	}
	r.summary += string(shown)
	text, err := os.ReadFile(output)
	if err != nil {
		r.t.Fatal(err)
	}
	outputs := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			r.t.Fatalf("an output is %q", line)
		}
		outputs[name] = value
	}
	return outputs, nil
}

// bare is this process's environment without what signs in anywhere.
func bare() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "GITHUB_") || strings.HasPrefix(v, "ACTIONS_")
	})
}

// action does what an action does, as far as the next steps see it. One that is
// not known here fails.
func (r *runner) action(step workflows.Step, env map[string]string, job *workflows.Job) {
	r.t.Helper()
	name, _, _ := strings.Cut(step.Uses, "@")
	with := map[string]string{}
	for k, v := range step.With {
		with[k] = r.expand(fmt.Sprint(v))
	}
	switch name {
	case "step-security/harden-runner", "actions/setup-go":
	case "actions/checkout":
		r.checkout(cmp.Or(with["ref"], r.values["github.sha"]))
	case "aws-actions/configure-aws-credentials":
		r.signIn(with, env, job, job.Minutes*60)
	case "actions/upload-artifact":
		r.upload(with["name"], filepath.Join(r.project, with["path"]))
	case "actions/download-artifact":
		from := r.artifacts[with["name"]]
		if from == "" {
			r.t.Fatalf("there is no artifact %s", with["name"])
		}
		if err := os.CopyFS(filepath.Join(r.project, with["path"]), os.DirFS(from)); err != nil {
			r.t.Fatal(err)
		}
	case "github/codeql-action/upload-sarif":
		r.sarif(filepath.Join(r.project, with["sarif_file"]))
	default:
		r.t.Fatalf("the action %s is not known here", name)
	}
}

// upload keeps the files of the folder, of which there must be some.
func (r *runner) upload(name, from string) {
	r.t.Helper()
	if files, err := os.ReadDir(from); err != nil || len(files) == 0 {
		r.t.Fatalf("the artifact %s has no files: %v", name, err)
	}
	r.artifacts[name] = r.t.TempDir()
	if err := os.CopyFS(r.artifacts[name], os.DirFS(from)); err != nil {
		r.t.Fatal(err)
	}
}

// checkout makes the folder what it is on a fresh machine: the commit's files,
// the templates and tools that a machine before it made, and nothing else.
func (r *runner) checkout(commit string) {
	r.t.Helper()
	r.git("checkout", "--quiet", "--force", "--detach", commit)
	r.git("clean", "-fdxq", "-e", "/infra/node_modules", "-e", "/infra/.venv", "-e", "/infra/cdk.out", "-e", "/var")
}

// git runs git in the project, and returns what it prints.
func (r *runner) git(args ...string) string {
	r.t.Helper()
	return git(r.t, r.project, args...)
}

// signIn signs the job in to the account as a role.
func (r *runner) signIn(with, env map[string]string, job *workflows.Job, needs int) {
	r.t.Helper()
	role := with["role-to-assume"]
	if job.Permissions["id-token"] != "write" {
		r.t.Fatalf("the job takes %s without a token", role)
	}
	seconds, err := strconv.ParseInt(with["role-duration-seconds"], 10, 32)
	if err != nil || int(seconds) < needs {
		r.t.Errorf("the job %s takes %s for %q seconds, and may need it for %d", job.Name, role, with["role-duration-seconds"], needs)
	}
	credentials, err := r.account.roles.signIn(role, r.account.env.Delivery.Subject(job.Environment), int32(seconds))
	if err != nil {
		r.t.Fatalf("the job %s: %v", job.Name, err)
	}
	maps.Copy(env, credentials)
	env["AWS_REGION"] = with["aws-region"]
}

// sarif reads every file as GitHub would.
func (r *runner) sarif(dir string) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sarif"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("no findings in %s: %v", dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		var document struct {
			Version string
			Runs    []struct {
				Tool struct{ Driver struct{ Name string } }
			}
		}
		if err := json.Unmarshal(text, &document); err != nil || document.Version != "2.1.0" || len(document.Runs) == 0 {
			r.t.Errorf("%s is no SARIF 2.1.0: %v", file, err)
		}
	}
}

func (r *runner) holds(condition string) bool {
	r.t.Helper()
	holds, err := r.values.True(condition)
	if err != nil {
		r.t.Fatal(err)
	}
	return holds
}

func (r *runner) expand(text string) string {
	r.t.Helper()
	out, err := r.values.Expand(text)
	if err != nil {
		r.t.Fatalf("%q: %v", text, err)
	}
	return out
}

func (r *runner) expandAll(given map[string]string) map[string]string {
	r.t.Helper()
	out := map[string]string{}
	for k, v := range given {
		out[k] = r.expand(v)
	}
	return out
}
