package config

import (
	"fmt"
	"strings"
)

// PlanEnvironment is the GitHub environment of jobs that propose changes: the
// one that guards deployments, with -plan behind. It needs no reviewers, and
// admits pull requests from the repository itself only.
func (d Delivery) PlanEnvironment() string { return d.GitHubEnvironment + "-plan" }

// Subject is what the token of a job in the GitHub environment says that the
// job is (the claim sub). Repositories with immutable subjects carry the
// owner's and their own number, so that nobody who takes the name over is
// taken for them.
func (d Delivery) Subject(environment string) string {
	repository := d.Repository
	if d.OwnerID != "" {
		owner, name, _ := strings.Cut(d.Repository, "/")
		repository = fmt.Sprintf("%s@%s/%s@%s", owner, d.OwnerID, name, d.RepositoryID)
	}
	return "repo:" + repository + ":environment:" + environment
}
