package config

import (
	"fmt"
	"strings"
	"time"
)

// The pipeline's roles.
const (
	PlanRole    = "plan"
	DeployRole  = "deploy"
	ReleaseRole = "release"
)

// sessions are how long a job keeps a role: as long as it may take. To change a
// database takes longest, and one whose role ends meanwhile leaves a release of
// which there is no record.
var sessions = map[string]time.Duration{PlanRole: time.Hour, DeployRole: 3 * time.Hour, ReleaseRole: 2 * time.Hour}

// Session is how long a job may keep the role, at least an hour and at most the
// twelve that IAM knows (AWS, CreateRole, MaxSessionDuration).
func (d Delivery) Session(role string) time.Duration { return sessions[role] }

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
