package github

import (
	"context"
	"fmt"

	"github.com/google/go-github/v88/github"
)

// Issue keeps one open issue with the label: it opens one with the title and the
// document, or gives the one that is open the newer document. It returns the
// issue's number.
func (r *Repository) Issue(ctx context.Context, label, title, document string) (int, error) {
	tame, err := Tame(document)
	if err != nil {
		return 0, err
	}
	open := &github.IssueListByRepoOptions{State: "open", Labels: []string{label}}
	for issue, err := range r.client.Issues.ListByRepoIter(ctx, r.owner, r.name, open) {
		if err != nil {
			return 0, fmt.Errorf("issues with the label %s: %w", label, err)
		}
		if issue.IsPullRequest() {
			continue
		}
		_, _, err := r.client.Issues.Edit(ctx, r.owner, r.name, issue.GetNumber(), &github.IssueRequest{Body: &tame})
		return issue.GetNumber(), wrap("change the issue", err)
	}
	made, _, err := r.client.Issues.Create(ctx, r.owner, r.name, &github.IssueRequest{Title: &title, Body: &tame, Labels: &[]string{label}})
	return made.GetNumber(), wrap("open an issue", err)
}
