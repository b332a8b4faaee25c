package github_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/github"
	"padron/infra/github/githubtest"
)

// open starts a GitHub and opens its repository.
func open(t *testing.T) (*githubtest.Server, *github.Repository) {
	t.Helper()
	server := githubtest.Start(t)
	repository, err := github.Open(server.URL, githubtest.Repository, githubtest.Token)
	if err != nil {
		t.Fatal(err)
	}
	return server, repository
}

// wanted are the settings of the project's own file, and a GitHub that is set
// so.
func wanted(t *testing.T, server *githubtest.Server) []github.Setting {
	t.Helper()
	settings, err := github.Settings(filepath.Join("..", "..", ".github", "settings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		path := strings.TrimPrefix(strings.TrimPrefix(s.Resource, "repos/{repository}"), "/")
		server.Settings[strings.ReplaceAll(path, "{ruleset}", "7")] = answered(t, s.Want)
	}
	for _, rule := range server.Settings["rules/branches/main"].([]any) {
		rule.(map[string]any)["ruleset_id"] = 7
	}
	return settings
}

// answered is a copy of v as an answer of GitHub has it: with more fields than
// are asked about, and lists in another order.
func answered(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var copied any
	if err := json.Unmarshal(b, &copied); err != nil {
		t.Fatal(err)
	}
	return enrich(copied)
}

func enrich(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range maps.Clone(v) {
			v[name] = enrich(v[name])
		}
		v["node_id"] = "generated"
		return v
	case []any:
		turned := make([]any, 0, len(v))
		for i := len(v) - 1; i >= 0; i-- {
			turned = append(turned, enrich(v[i]))
		}
		return turned
	}
	return v
}

func TestSettingsAsTheyMustBe(t *testing.T) {
	server, repository := open(t)
	lines, err := repository.Differences(t.Context(), wanted(t, server))
	if err != nil || len(lines) > 0 {
		t.Errorf("a repository that is set so differs: %v\n%s", err, strings.Join(lines, "\n"))
	}
}

// TestDifferencesAreFound takes away or weakens one setting at a time.
func TestDifferencesAreFound(t *testing.T) {
	at := func(v any, way ...any) map[string]any {
		for _, step := range way {
			switch step := step.(type) {
			case string:
				v = v.(map[string]any)[step]
			case int:
				v = v.([]any)[step]
			}
		}
		return v.(map[string]any)
	}
	production := "environments/production"
	for _, tt := range []struct {
		name   string
		change func(settings map[string]any)
		want   string
	}{
		{"self-review", func(s map[string]any) {
			at(s[production], "protection_rules", 1)["prevent_self_review"] = false
		}, "environments/production: protection_rules[required_reviewers].prevent_self_review is false and must be true"},
		{"no reviewers", func(s map[string]any) {
			at(s[production])["protection_rules"] = []any{map[string]any{"type": "branch_policy"}}
		}, "environments/production: protection_rules lacks "},
		{"another branch deploys, too", func(s map[string]any) {
			policies := at(s[production+"/deployment-branch-policies"])
			policies["branch_policies"] = append(policies["branch_policies"].([]any), map[string]any{"name": "*", "type": "branch"})
		}, `branch_policies has {"name":"*","type":"branch"}, which is not in the file`},
		{"no environment", func(s map[string]any) { delete(s, production) }, "environments/production: is not there, or the token may not read it"},
		{"actions by tag", func(s map[string]any) { at(s["actions/permissions"])["sha_pinning_required"] = false },
			"actions/permissions: sha_pinning_required is false and must be true"},
		{"not up to date with main", func(s map[string]any) {
			at(s["rules/branches/main"], 0, "parameters")["strict_required_status_checks_policy"] = false
		}, "[required_status_checks].parameters.strict_required_status_checks_policy is false and must be true"},
		{"a check is not required", func(s map[string]any) {
			parameters := at(s["rules/branches/main"], 0, "parameters")
			parameters["required_status_checks"] = parameters["required_status_checks"].([]any)[1:]
		}, `required_status_checks lacks {"context":"plan","integration_id":15368}`},
		{"anybody's check", func(s map[string]any) {
			parameters := at(s["rules/branches/main"], 0, "parameters")
			parameters["required_status_checks"].([]any)[0].(map[string]any)["integration_id"] = nil
		}, "required_status_checks[plan].integration_id is null and must be 15368"},
		{"somebody passes the rules by", func(s map[string]any) {
			at(s["rulesets/7"])["bypass_actors"] = []any{map[string]any{"actor_type": "OrganizationAdmin"}}
		}, `rulesets/7: bypass_actors has {"actor_type":"OrganizationAdmin"}`},
		{"who may pass the rules by is not told", func(s map[string]any) { delete(at(s["rulesets/7"]), "bypass_actors") },
			"rulesets/7: bypass_actors is null and must be []"},
		{"a key that pushes", func(s map[string]any) { s["keys"] = []any{map[string]any{"title": "ci"}} }, `has {"title":"ci"}, which is not in the file`},
		{"a secret", func(s map[string]any) { at(s["actions/secrets"])["total_count"] = 1 }, "total_count is 1 and must be 0"},
		{"another subject", func(s map[string]any) { at(s["actions/oidc/customization/sub"])["use_default"] = false },
			"use_default is false and must be true"},
		{"a field is missing", func(s map[string]any) { delete(at(s[""]), "allow_merge_commit") },
			"repos/{repository}: allow_merge_commit is null and must be false"},
		{"no object", func(s map[string]any) { s[production] = []any{} }, "the answer is [] and must be "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, repository := open(t)
			settings := wanted(t, server)
			tt.change(server.Settings)
			lines, err := repository.Differences(t.Context(), settings)
			if err != nil || len(lines) != 1 || !strings.Contains(lines[0], tt.want) {
				t.Errorf("want one line with %q, got %v:\n%s", tt.want, err, strings.Join(lines, "\n"))
			}
		})
	}
}

func TestSettingsOfAWrongToken(t *testing.T) {
	server := githubtest.Start(t)
	settings := wanted(t, server)
	repository, err := github.Open(server.URL, githubtest.Repository, "another")
	if err != nil {
		t.Fatal(err)
	}
	if lines, err := repository.Differences(t.Context(), settings); err == nil || !strings.Contains(err.Error(), "Bad credentials") {
		t.Errorf("a wrong token: %v %q", err, lines)
	}
}

func TestSettingsFileIsStrict(t *testing.T) {
	for name, text := range map[string]string{
		"misspelt": "settings: [{resource: r, where: w, why: y, wants: {a: 1}}]",
		"no why":   "settings: [{resource: r, where: w, want: {a: 1}}]",
		"no want":  "settings: [{resource: r, where: w, why: y}]",
	} {
		path := filepath.Join(t.TempDir(), "settings.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if settings, err := github.Settings(path); err == nil {
			t.Errorf("%s: read as %v", name, settings)
		}
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	for name, tt := range map[string]struct{ repository, token, want string }{
		"no repository": {"", "x", "write OWNER/NAME"},
		"a path":        {"a/b/c", "x", "write OWNER/NAME"},
		"no token":      {"a/b", "", "set GITHUB_TOKEN"},
	} {
		if _, err := github.Open("http://localhost", tt.repository, tt.token); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := github.Open("http://localhost", "example/padron", "x")
	if diff := cmp.Diff("example/padron", r.String()); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
