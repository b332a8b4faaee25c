package workflows_test

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"padron/infra/config"
	"padron/infra/github"
	"padron/infra/workflows"
)

// root is the project's folder, seen from here.
var root = filepath.Join("..", "..")

func load(t *testing.T) []*workflows.Workflow {
	t.Helper()
	all, err := workflows.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// pinned is an action at a commit, with its version behind.
var pinned = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)

// TestActionsArePinned wants every action at a full commit, the version as a
// comment, and the same commit wherever it is used.
func TestActionsArePinned(t *testing.T) {
	commits := map[string]string{}
	for _, w := range load(t) {
		found := pinned.FindAllStringSubmatch(w.Text, -1)
		if n := strings.Count(w.Text, "uses: "); n != len(found) {
			t.Errorf("%s uses %d actions, and %d of them at a commit with its version", w.File, n, len(found))
		}
		for _, f := range found {
			if before, ok := commits[f[1]]; ok && before != f[2] {
				t.Errorf("%s uses %s at %s; elsewhere it is at %s", w.File, f[1], f[2], before)
			}
			commits[f[1]] = f[2]
		}
	}
}

// TestWorkflowRules holds every workflow and job to what keeps a pipeline from
// being a way in.
func TestWorkflowRules(t *testing.T) {
	for _, w := range load(t) {
		if w.Permissions == nil || len(*w.Permissions) > 0 {
			t.Errorf("%s gives every job a permission: write permissions: {} at its top", w.File)
		}
		if w.Concurrency.Group == "" || w.Concurrency.Cancel == nil {
			t.Errorf("%s does not say which of its runs wait for each other", w.File)
		}
		for _, trigger := range []string{"pull_request_target", "workflow_run", "issue_comment"} {
			if _, ok := w.On[trigger]; ok {
				t.Errorf("%s runs on %s, with rights, for somebody who has none", w.File, trigger)
			}
		}
		if strings.Contains(w.Text, "secrets.") || strings.Contains(w.Text, "aws-access-key-id") {
			t.Errorf("%s uses a secret: jobs prove who they are by their token (OIDC), and nothing is kept", w.File)
		}
		for id, job := range w.Jobs {
			for _, fault := range faults(w, job) {
				t.Errorf("%s: job %s %s", w.File, id, fault)
			}
		}
	}
}

// faults are what is wrong with a job.
func faults(w *workflows.Workflow, job *workflows.Job) (found []string) {
	wrong := func(is bool, format string, args ...any) {
		if is {
			found = append(found, fmt.Sprintf(format, args...))
		}
	}
	wrong(job.RunsOn != "ubuntu-24.04", "runs on %q, not on a named release", job.RunsOn)
	wrong(job.Minutes == 0, "has no time limit")
	wrong(job.Permissions == nil, "does not say its permissions")
	wrong(len(job.Steps) == 0 || !strings.HasPrefix(job.Steps[0].Uses, "step-security/harden-runner@"), "does not begin with harden-runner")
	writes := slices.Sorted(maps.Keys(job.Permissions))
	writes = slices.DeleteFunc(writes, func(what string) bool { return job.Permissions[what] != "write" })
	token := slices.Contains(writes, "id-token")
	_, pull := w.On["pull_request"]
	wrong(token && job.Environment == "", "may get a token for AWS outside of an environment, which no role trusts")
	wrong(!token && job.Environment != "", "is in the environment %s and takes no role", job.Environment)
	wrong(token && len(writes) > 1, "takes a role and may write to GitHub, too: %q", writes)
	wrong(pull && token && job.Environment != "production-plan", "takes another role than plan's in a pull request")
	wrong(pull && token && job.If != "github.event.pull_request.head.repo.full_name == github.repository", "does not leave out forks")
	wrong(len(signIns(job)) > 1, "takes more than one role")
	for _, s := range job.Steps {
		checkout := strings.HasPrefix(s.Uses, "actions/checkout@")
		wrong(checkout && s.With["persist-credentials"] != false, "leaves the token in the checkout")
		wrong(checkout && pull && !token && len(writes) > 0 && s.With["ref"] != "${{ github.event.pull_request.base.sha }}",
			"may write (%q) and checks out the pull request", writes)
		wrong(strings.HasPrefix(s.Uses, "actions/setup-go@") && (token || len(writes) > 0) && s.With["cache"] != false,
			"has rights and builds from a cache that another run wrote")
		wrong(strings.Contains(s.Run, "${{"), "puts an expression into the script of %q: give it by env", s.Name)
		wrong(s.Run != "" && s.Name == "", "has a script without a name")
	}
	return found
}

// signIns are the steps in which the job takes a role.
func signIns(job *workflows.Job) []workflows.Step {
	return slices.DeleteFunc(slices.Clone(job.Steps), func(s workflows.Step) bool {
		return !strings.HasPrefix(s.Uses, "aws-actions/configure-aws-credentials@")
	})
}

// TestRulesFindFaults breaks a rule at a time.
func TestRulesFindFaults(t *testing.T) {
	find := func(file, id string) (*workflows.Workflow, *workflows.Job) {
		for _, w := range load(t) {
			if w.File == file {
				return w, w.Jobs[id]
			}
		}
		t.Fatalf("there is no %s", file)
		return nil, nil
	}
	for _, tt := range []struct {
		file, job string
		weaken    func(j *workflows.Job)
		want      string
	}{
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Environment = "" }, "outside of an environment"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Permissions["contents"] = "write" }, "may write to GitHub, too"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Minutes = 0 }, "no time limit"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Steps = j.Steps[1:] }, "harden-runner"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.RunsOn = "ubuntu-latest" }, "not on a named release"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Permissions = nil }, "does not say its permissions"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { delete(j.Steps[1].With, "persist-credentials") }, "leaves the token"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { delete(j.Steps[2].With, "cache") }, "from a cache"},
		{"deploy.yaml", "apply", func(j *workflows.Job) { j.Steps = append(j.Steps, signIns(j)...) }, "more than one role"},
		{"pull-request.yaml", "plan", func(j *workflows.Job) { j.If = "" }, "does not leave out forks"},
		{"pull-request.yaml", "plan", func(j *workflows.Job) { j.Environment = "production" }, "another role than plan's"},
		{"pull-request.yaml", "comment", func(j *workflows.Job) { delete(j.Steps[1].With, "ref") }, "checks out the pull request"},
		{"pull-request.yaml", "comment", func(j *workflows.Job) { j.Environment = "production-plan" }, "takes no role"},
		{"pull-request.yaml", "test", func(j *workflows.Job) { j.Steps[3].Run = "echo ${{ github.head_ref }}" }, "give it by env"},
		{"pull-request.yaml", "test", func(j *workflows.Job) { j.Steps[3].Name = "" }, "without a name"},
	} {
		w, job := find(tt.file, tt.job)
		tt.weaken(job)
		if got := strings.Join(faults(w, job), "\n"); !strings.Contains(got, tt.want) {
			t.Errorf("%s, job %s: want a fault with %q, got %q", tt.file, tt.job, tt.want, got)
		}
	}
}

// TestSettingsNameWhatWorkflowsUse compares the settings that GitHub must have
// with the workflows and the description of production: the checks that a merge
// requires are jobs, the environments are those that the roles trust, and the
// actions that are allowed are those that are used.
func TestSettingsNameWhatWorkflowsUse(t *testing.T) {
	settings, err := github.Settings(filepath.Join(root, ".github", "settings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	env, err := config.Load(filepath.Join("..", "config"), "prod")
	if err != nil {
		t.Fatal(err)
	}
	trusted := []string{env.Delivery.GitHubEnvironment, env.Delivery.PlanEnvironment()}
	var jobs, environments, actions []string
	for _, w := range load(t) {
		for _, f := range pinned.FindAllStringSubmatch(w.Text, -1) {
			if owner, _, _ := strings.Cut(f[1], "/"); owner != "actions" && owner != "github" {
				actions = append(actions, f[1]+"@*")
			}
		}
		for _, job := range w.Jobs {
			if _, ok := w.On["pull_request"]; ok {
				jobs = append(jobs, job.Name)
			}
			if job.Environment != "" {
				environments = append(environments, job.Environment)
			}
		}
	}
	same(t, "environments of the jobs and those that the roles trust", environments, trusted)
	same(t, "environments in the settings", named(settings, "repos/{repository}/environments/*"), trusted)
	same(t, "allowed actions", list(t, settings, "repos/{repository}/actions/permissions/selected-actions", "patterns_allowed"), actions)
	for _, check := range required(t, settings) {
		if !slices.Contains(jobs, check) {
			t.Errorf("a merge requires the check %s, which is no job of a pull request", check)
		}
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	set := func(s []string) []string { return slices.Compact(slices.Sorted(slices.Values(s))) }
	if got, want := set(got), set(want); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// named are the last parts of the resources that match.
func named(settings []github.Setting, pattern string) (found []string) {
	for _, s := range settings {
		if ok, _ := path.Match(pattern, s.Resource); ok {
			found = append(found, path.Base(s.Resource))
		}
	}
	return found
}

func want(t *testing.T, settings []github.Setting, resource string) any {
	t.Helper()
	i := slices.IndexFunc(settings, func(s github.Setting) bool { return s.Resource == resource })
	if i < 0 {
		t.Fatalf("the settings do not have %s", resource)
	}
	return settings[i].Want
}

func list(t *testing.T, settings []github.Setting, resource, field string) (found []string) {
	t.Helper()
	for _, v := range want(t, settings, resource).(map[string]any)[field].([]any) {
		found = append(found, v.(string))
	}
	return found
}

// required are the checks without which nothing is merged.
func required(t *testing.T, settings []github.Setting) (found []string) {
	t.Helper()
	for _, rule := range want(t, settings, "repos/{repository}/rules/branches/main").([]any) {
		rule := rule.(map[string]any)
		if rule["type"] != "required_status_checks" {
			continue
		}
		for _, check := range rule["parameters"].(map[string]any)["required_status_checks"].([]any) {
			found = append(found, check.(map[string]any)["context"].(string))
		}
	}
	if len(found) == 0 {
		t.Error("a merge requires no check")
	}
	return found
}
