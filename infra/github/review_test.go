package github_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron/infra/github"
	"padron/infra/github/githubtest"
)

const (
	head   = "1111111111111111111111111111111111111111"
	merged = "2222222222222222222222222222222222222222"
)

// reviewed is a GitHub with one merged pull request and what its runs left.
func reviewed(t *testing.T, artifacts ...githubtest.Artifact) (*githubtest.Server, *github.Repository) {
	t.Helper()
	server, repository := open(t)
	server.Pulls = []githubtest.Pull{{Number: 7, HeadSHA: head, MergedSHA: merged}}
	server.Runs = []githubtest.Run{{Workflow: "pull-request.yaml", HeadSHA: head, Event: "pull_request", Repository: githubtest.Repository, Artifacts: artifacts}}
	return server, repository
}

func review(t *testing.T, repository *github.Repository, commit string) (string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "review")
	_, err := repository.Review(t.Context(), commit, "pull-request.yaml", "review", dir)
	return dir, err
}

func artifact(day int, text string) githubtest.Artifact {
	return githubtest.Artifact{
		Name: "review", Created: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
		Files: map[string]string{"record.json": text, "templates/network.json": "{}"},
	}
}

// TestReviewOfWhatWasMerged takes the newest review of the pull request's own
// runs; what lies beside it is another's.
func TestReviewOfWhatWasMerged(t *testing.T) {
	other := artifact(9, "other")
	other.Name = "findings"
	expired := artifact(8, "expired")
	expired.Expired = true
	server, repository := reviewed(t, artifact(1, "first"), artifact(3, "last"), artifact(2, "second"), other, expired)
	fork := server.Runs[0]
	fork.Repository, fork.Artifacts = "somebody/padron", []githubtest.Artifact{artifact(10, "of a fork")}
	server.Runs = append(server.Runs, fork)
	server.Pulls = append(server.Pulls, githubtest.Pull{Number: 8, HeadSHA: strings.Repeat("4", 40), MergedSHA: strings.Repeat("5", 40), Base: "aside"})
	if _, err := review(t, repository, strings.Repeat("5", 40)); err == nil || !strings.Contains(err.Error(), "into main") {
		t.Errorf("merged into another branch: %v", err)
	}
	dir, err := review(t, repository, merged)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"record.json": "last", "templates/network.json": "{}"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q, want %q (%v)", name, got, want, err)
		}
	}
}

func TestReviewIsRefused(t *testing.T) {
	climbing := artifact(1, "")
	climbing.Archive = archive(t, func(z *zip.Writer) error { _, err := z.Create("../outside"); return err })
	link := artifact(1, "")
	link.Archive = archive(t, func(z *zip.Writer) error {
		h := &zip.FileHeader{Name: "link"}
		h.SetMode(os.ModeSymlink | 0o777)
		_, err := z.CreateHeader(h)
		return err
	})
	many := artifact(1, "")
	many.Archive = archive(t, func(z *zip.Writer) error {
		for i := range 1001 {
			if _, err := z.Create(strings.Repeat("x", i+1)); err != nil {
				return err
			}
		}
		return nil
	})
	bomb := artifact(1, "")
	bomb.Archive = archive(t, func(z *zip.Writer) error {
		w, err := z.Create("bomb")
		if err == nil {
			_, err = w.Write(make([]byte, 64<<20+1))
		}
		return err
	})
	changed := artifact(1, "")
	changed.Digest = "sha256:" + strings.Repeat("0", 64)
	broken := artifact(1, "")
	broken.Archive = []byte("no archive")
	for _, tt := range []struct {
		name, commit string
		artifacts    []githubtest.Artifact
		want         string
	}{
		{"pushed without a pull request", strings.Repeat("3", 40), nil, "no pull request was merged as 333"},
		{"the head itself, not merged", head, nil, "no pull request was merged as 111"},
		{"no artifact", merged, nil, "pull request 7: no run of pull-request.yaml on " + head + " left the artifact review"},
		{"a path out of the folder", merged, []githubtest.Artifact{climbing}, "no plain file"},
		{"a link", merged, []githubtest.Artifact{link}, "no plain file"},
		{"too many files", merged, []githubtest.Artifact{many}, "more than 1000"},
		{"too large when unpacked", merged, []githubtest.Artifact{bomb}, "larger than"},
		{"another digest", merged, []githubtest.Artifact{changed}, "GitHub names the digest"},
		{"no archive", merged, []githubtest.Artifact{broken}, "is no archive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, repository := reviewed(t, tt.artifacts...)
			dir, err := review(t, repository, tt.commit)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q, got %v", tt.want, err)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "outside")); err == nil {
				t.Error("a file lies outside the folder")
			}
		})
	}
}

// TestReviewIsNotMixed: what an earlier plan left in the folder is not taken for a
// part of the review.
func TestReviewIsNotMixed(t *testing.T) {
	_, repository := reviewed(t, artifact(1, "reviewed"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "record.json"), []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := repository.Review(t.Context(), merged, "pull-request.yaml", "review", dir)
	if err == nil || !strings.Contains(err.Error(), dir+" is not empty: ") {
		t.Errorf("into a folder with another review: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "record.json")); err != nil || string(got) != "older" {
		t.Errorf("the older review is %q now (%v)", got, err)
	}
}

func archive(t *testing.T, fill func(*zip.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := fill(z); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
