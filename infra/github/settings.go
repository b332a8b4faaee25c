package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/go-github/v88/github"
)

// Setting is one resource of GitHub's REST API and what it must say.
type Setting struct {
	// Resource is its path; {repository} stands for OWNER/NAME, and {ruleset} for
	// each ruleset that holds for main: the setting is then asked of all.
	Resource string `json:"resource"`
	// Where a person sets it.
	Where string `json:"where"`
	// Why it must be so.
	Why string `json:"why"`
	// Want is what the answer must hold: of an object the named fields, of a
	// list exactly these elements in any order.
	Want any `json:"want"`
}

// Settings reads the file of settings. Unknown keys are an error: a misspelt
// one would check nothing.
func Settings(path string) ([]Setting, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, err
	}
	// Through JSON, so that numbers compare with those of the answers.
	document, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var file struct {
		Settings []Setting `json:"settings"`
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, s := range file.Settings {
		if s.Resource == "" || s.Where == "" || s.Why == "" || s.Want == nil {
			return nil, fmt.Errorf("%s: setting %d (%s) needs resource, where, why and want", path, i+1, s.Resource)
		}
	}
	return file.Settings, nil
}

// Differences asks GitHub for each setting and returns a line for everything
// that is not as it must be, with where to set it; none is the good answer.
// What the token may not read counts as different.
func (r *Repository) Differences(ctx context.Context, settings []Setting) ([]string, error) {
	var lines []string
	for _, s := range settings {
		resources, err := r.resources(ctx, s.Resource)
		if err != nil {
			return nil, err
		}
		for _, resource := range resources {
			got, err := r.ask(ctx, resource)
			if missing, ok := errors.AsType[*github.ErrorResponse](err); ok && unreadable(missing) {
				lines = append(lines, fmt.Sprintf("%s: is not there, or the token may not read it (%s)", resource, s.Where))
				continue
			}
			if err != nil {
				return nil, err
			}
			for _, d := range differ("", s.Want, got) {
				lines = append(lines, fmt.Sprintf("%s: %s (%s)", resource, d, s.Where))
			}
		}
	}
	return lines, nil
}

// resources are the setting's resource, or one for each ruleset of main. A main
// without rules has none, which the setting of its rules tells.
func (r *Repository) resources(ctx context.Context, resource string) ([]string, error) {
	if !strings.Contains(resource, "{ruleset}") {
		return []string{resource}, nil
	}
	answer, err := r.ask(ctx, "repos/{repository}/rules/branches/main")
	if missing, ok := errors.AsType[*github.ErrorResponse](err); ok && unreadable(missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []string
	rules, _ := answer.([]any)
	for _, rule := range rules {
		fields, _ := rule.(map[string]any)
		one := strings.ReplaceAll(resource, "{ruleset}", text(fields["ruleset_id"]))
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all, nil
}

func unreadable(e *github.ErrorResponse) bool {
	return e.Response.StatusCode == http.StatusNotFound || e.Response.StatusCode == http.StatusForbidden
}

func (r *Repository) ask(ctx context.Context, resource string) (any, error) {
	request, err := r.client.NewRequest(ctx, http.MethodGet, strings.ReplaceAll(resource, "{repository}", r.String()), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resource, err)
	}
	var answer any
	if _, err := r.client.Do(request, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", resource, err)
	}
	return answer, nil
}
