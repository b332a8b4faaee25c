// Package github is the pipeline's side of GitHub: it compares a repository's
// settings with what they must be, brings a review to its pull request, finds
// that review again when the pull request is merged, and keeps an issue on what
// drifted. It needs no AWS credentials and is given none.
package github

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v88/github"
)

// Repository is one repository on GitHub, reached with a token.
type Repository struct {
	client      *github.Client
	owner, name string
	// files fetches what GitHub keeps elsewhere, without the token.
	files *http.Client
}

// Open returns the repository OWNER/NAME at the API's address, as Actions gives
// both to a job. Nothing is asked yet. A request takes 30 seconds at most, a
// download two minutes.
func Open(api, repository, token string) (*Repository, error) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is not a repository: write OWNER/NAME into GITHUB_REPOSITORY", repository)
	}
	if token == "" {
		return nil, fmt.Errorf("no token for %s: set GITHUB_TOKEN; `gh auth token` prints yours", repository)
	}
	api = strings.TrimSuffix(api, "/") + "/"
	client, err := github.NewClient(github.WithURLs(&api, nil), github.WithAuthToken(token), github.WithTimeout(30*time.Second))
	if err != nil {
		return nil, fmt.Errorf("GitHub's API at %s: %w", api, err)
	}
	return &Repository{client: client, owner: owner, name: name, files: &http.Client{Timeout: 2 * time.Minute}}, nil
}

// String returns OWNER/NAME.
func (r *Repository) String() string { return r.owner + "/" + r.name }
