package workflows_test

import (
	"testing"

	"padron/infra/workflows"
)

func TestExpressions(t *testing.T) {
	v := workflows.Values{"github.sha": "abc", "a": "x", "b": "x", "c": "y"}
	for text, want := range map[string]string{
		"plain": "plain", "at ${{ github.sha }}": "at abc", "${{a}}${{ 'q' }}": "xq",
	} {
		if got, err := v.Expand(text); err != nil || got != want {
			t.Errorf("%q is %q (%v), want %q", text, got, err, want)
		}
	}
	for condition, want := range map[string]bool{
		"": true, "a == b": true, "a == c": false, "${{ !cancelled() && a == 'x' }}": true, "a == 'y' && a == b": false,
	} {
		if got, err := v.True(condition); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", condition, got, err, want)
		}
	}
	for _, unknown := range []string{"${{ github.actor }}", "${{ toJSON(github) }}"} {
		if got, err := v.Expand(unknown); err == nil {
			t.Errorf("%q is taken as %q", unknown, got)
		}
	}
	for _, unknown := range []string{"always()", "a != b", "github.actor == 'x'", "a == b || a == c"} {
		if got, err := v.True(unknown); err == nil && got {
			t.Errorf("%q is taken as true", unknown)
		}
	}
}
