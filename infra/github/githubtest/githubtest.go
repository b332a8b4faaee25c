// Package githubtest is a small GitHub on this machine for tests: the part of
// the REST API that padron uses, in the shapes of its documentation, kept in
// memory. It refuses a request without the token.
package githubtest

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Token is what requests must come with, and Repository the one that is there.
const (
	Token      = "generated-test-token"
	Repository = "example/padron"
)

// Text is a comment or an issue.
type Text struct {
	ID     int64
	Number int
	Title  string
	Body   string
	Author string
	Labels []string
}

// Artifact is what a run left.
type Artifact struct {
	Name    string
	Created time.Time
	Expired bool
	Files   map[string]string
	// Archive is sent in place of Files, and Digest in place of its true one.
	Archive []byte
	Digest  string
}

// Run is one run of a workflow.
type Run struct {
	// Workflow is the name of its file, Repository that of the head.
	Workflow, HeadSHA, Event, Repository string
	Artifacts                            []Artifact
}

// Pull is a merged pull request.
type Pull struct {
	Number             int
	HeadSHA, MergedSHA string
	// Base is the branch that it was merged into, "" for main.
	Base string
}

// Server is the GitHub.
type Server struct {
	// URL is what GITHUB_API_URL is set to.
	URL string

	mu sync.Mutex
	// Settings are the answers by path below repos/OWNER/NAME, "" for its own.
	Settings map[string]any
	// Comments are those of the pull requests by number.
	Comments map[int][]Text
	Issues   []Text
	Pulls    []Pull
	Runs     []Run
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{Settings: map[string]any{}, Comments: map[int][]Text{}}
	mux := http.NewServeMux()
	const repo = "/repos/" + Repository
	mux.HandleFunc("GET "+repo+"/commits/{sha}/pulls", s.pulls)
	mux.HandleFunc("GET "+repo+"/actions/workflows/{file}/runs", s.runs)
	mux.HandleFunc("GET "+repo+"/actions/runs/{id}/artifacts", s.artifacts)
	mux.HandleFunc("GET "+repo+"/actions/artifacts/{id}/zip", s.redirect)
	mux.HandleFunc("GET "+repo+"/issues/{number}/comments", s.comments)
	mux.HandleFunc("POST "+repo+"/issues/{number}/comments", s.comment)
	mux.HandleFunc("PATCH "+repo+"/issues/comments/{id}", s.editComment)
	mux.HandleFunc("GET "+repo+"/issues", s.issues)
	mux.HandleFunc("POST "+repo+"/issues", s.issue)
	mux.HandleFunc("PATCH "+repo+"/issues/{number}", s.editIssue)
	mux.HandleFunc("GET "+repo+"/{path...}", s.setting)
	mux.HandleFunc("GET "+repo, s.setting)
	server := httptest.NewServer(s.guard(mux))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// guard lets downloads through, whose address is the credential, and everything
// else with the token.
func (s *Server) guard(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		authorized := r.Header.Get("Authorization") == "Bearer "+Token
		var run, n int
		if _, err := fmt.Sscanf(r.URL.Path, "/blob/%d/%d", &run, &n); err == nil {
			if r.Header.Get("Authorization") != "" {
				refuse(w, http.StatusBadRequest, "the token went to the store of files")
				return
			}
			_, _ = w.Write(s.Runs[run].Artifacts[n].archive())
			return
		}
		if !authorized {
			refuse(w, http.StatusUnauthorized, "Bad credentials")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (a Artifact) archive() []byte {
	if a.Archive != nil {
		return a.Archive
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		w, err := z.Create(name)
		if err != nil {
			panic(err)
		}
		if _, err := w.Write([]byte(a.Files[name])); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (s *Server) pulls(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, p := range s.Pulls {
		if sha := r.PathValue("sha"); sha == p.MergedSHA || sha == p.HeadSHA {
			found = append(found, map[string]any{
				"number": p.Number, "merge_commit_sha": p.MergedSHA, "merged_at": "2026-01-02T03:04:05Z",
				"head": map[string]any{"sha": p.HeadSHA}, "base": map[string]any{"ref": cmp.Or(p.Base, "main")},
			})
		}
	}
	answer(w, found)
}

func (s *Server) runs(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for i, run := range s.Runs {
		if run.Workflow == r.PathValue("file") && run.HeadSHA == r.FormValue("head_sha") && run.Event == r.FormValue("event") {
			found = append(found, map[string]any{"id": i + 1, "head_sha": run.HeadSHA, "event": run.Event, "head_repository": map[string]any{"full_name": run.Repository}})
		}
	}
	answer(w, map[string]any{"total_count": len(found), "workflow_runs": found})
}

// An artifact's id is its run's and its place in it.
func (s *Server) artifacts(w http.ResponseWriter, r *http.Request) {
	run := number(r, "id") - 1
	found := []any{}
	for i, a := range s.Runs[run].Artifacts {
		archive := a.archive()
		digest := a.Digest
		if digest == "" {
			digest = fmt.Sprintf("sha256:%x", sha256.Sum256(archive))
		}
		found = append(found, map[string]any{
			"id": run*1000 + i, "name": a.Name, "expired": a.Expired, "created_at": a.Created.Format(time.RFC3339),
			"size_in_bytes": len(archive), "digest": digest,
		})
	}
	answer(w, map[string]any{"total_count": len(found), "artifacts": found})
}

func (s *Server) redirect(w http.ResponseWriter, r *http.Request) {
	id := number(r, "id")
	//nolint:gosec // to itself
	http.Redirect(w, r, fmt.Sprintf("%s/blob/%d/%d?sig=generated", s.URL, id/1000, id%1000), http.StatusFound)
}

func (s *Server) setting(w http.ResponseWriter, r *http.Request) {
	v, ok := s.Settings[r.PathValue("path")]
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	answer(w, v)
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil {
		panic(err)
	}
	return n
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
