package workflows_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"padron/infra/github"
)

// TestOwnersOwnWhatIsThere wants every line of CODEOWNERS to be about something
// that is there, and owned by teams; the pipeline's own files not by the authors
// of everything else alone; and the reviewers of production to be such a team.
func TestOwnersOwnWhatIsThere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "CODEOWNERS"))
	if err != nil {
		t.Fatal(err)
	}
	owners := map[string][]string{}
	var teams []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		owners[fields[0]] = fields[1:]
		teams = append(teams, fields[1:]...)
		if _, err := os.Stat(filepath.Join(root, fields[0])); err != nil && fields[0] != "*" {
			t.Errorf("%s is owned and not there: %v", fields[0], err)
		}
		if len(fields) < 2 || slices.ContainsFunc(fields[1:], func(who string) bool { return !strings.Contains(who, "/") }) {
			t.Errorf("%s is owned by %q: name teams, as @OWNER/TEAM", fields[0], fields[1:])
		}
	}
	for _, path := range []string{"/.github/", "/infra/estate/", "/infra/ledger/", "/infra/scan-allow.yaml"} {
		if !slices.Contains(owners[path], "@example/security") {
			t.Errorf("%s decides who gets in, or what passes, and is owned by %q", path, owners[path])
		}
	}
	settings, err := github.Settings(filepath.Join(root, ".github", "settings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range want(t, settings, "repos/{repository}/environments/production").(map[string]any)["protection_rules"].([]any) {
		reviewers, _ := rule.(map[string]any)["reviewers"].([]any)
		for _, r := range reviewers {
			slug := r.(map[string]any)["reviewer"].(map[string]any)["slug"].(string)
			if !slices.Contains(teams, "@example/"+slug) {
				t.Errorf("production is let go by the team %s, which owns nothing", slug)
			}
		}
	}
}
