package github

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"

	"github.com/google/go-github/v88/github"
)

// Bounds of an artifact, in bytes and files.
const (
	mostBytes = 64 << 20
	mostFiles = 1000
)

// Review writes the review that a merged commit was approved with into dir, which
// must be empty or not there: the newest artifact of that name from the pull
// request's own workflow. It returns the pull request's number. Whoever may push a branch decides what is in it, so
// what is executed of it is compared with the account and with the commit.
func (r *Repository) Review(ctx context.Context, commit, workflow, artifact, dir string) (int, error) {
	if old, _ := os.ReadDir(dir); len(old) > 0 {
		return 0, fmt.Errorf("%s is not empty: remove it, or name another folder, so that nothing older is taken for a part of the review", dir)
	}
	pull, err := r.merged(ctx, commit)
	if err != nil {
		return 0, err
	}
	found, err := r.newest(ctx, pull.GetHead().GetSHA(), workflow, artifact)
	if err != nil {
		return 0, fmt.Errorf("pull request %d: %w", pull.GetNumber(), err)
	}
	archive, err := r.download(ctx, found)
	if err != nil {
		return 0, fmt.Errorf("artifact %d: %w", found.GetID(), err)
	}
	return pull.GetNumber(), unpack(archive, dir)
}

// base is the branch that is deployed.
const base = "main"

// merged returns the pull request whose merge into main made the commit.
func (r *Repository) merged(ctx context.Context, commit string) (*github.PullRequest, error) {
	for pull, err := range r.client.PullRequests.ListPullRequestsWithCommitIter(ctx, r.owner, r.name, commit, nil) {
		if err != nil {
			return nil, fmt.Errorf("pull requests with commit %s: %w", commit, err)
		}
		if pull.MergedAt != nil && pull.GetMergeCommitSHA() == commit && pull.GetBase().GetRef() == base {
			return pull, nil
		}
	}
	return nil, fmt.Errorf("no pull request was merged as %s into main: what nobody reviewed is not deployed", commit)
}

// newest returns the last artifact of the workflow's runs on the head, of the
// repository's own runs alone: a fork's are somebody else's.
func (r *Repository) newest(ctx context.Context, head, workflow, name string) (*github.Artifact, error) {
	var found *github.Artifact
	runs := &github.ListWorkflowRunsOptions{Event: "pull_request", HeadSHA: head}
	for run, err := range r.client.Actions.ListWorkflowRunsByFileNameIter(ctx, r.owner, r.name, workflow, runs) {
		if err != nil {
			return nil, fmt.Errorf("runs of %s on %s: %w", workflow, head, err)
		}
		if run.GetHeadRepository().GetFullName() != r.String() || run.GetHeadSHA() != head || run.GetEvent() != runs.Event {
			continue
		}
		for a, err := range r.client.Actions.ListWorkflowRunArtifactsIter(ctx, r.owner, r.name, run.GetID(), nil) {
			if err != nil {
				return nil, fmt.Errorf("artifacts of run %d: %w", run.GetID(), err)
			}
			if a.GetName() == name && !a.GetExpired() && (found == nil || a.GetCreatedAt().After(found.GetCreatedAt().Time)) {
				found = a
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no run of %s on %s left the artifact %s, or it has expired: run that workflow again, review what it proposes, then deploy again", workflow, head, name)
	}
	return found, nil
}

// download fetches an artifact's archive and compares it with its digest.
func (r *Repository) download(ctx context.Context, a *github.Artifact) ([]byte, error) {
	if a.GetSizeInBytes() > mostBytes {
		return nil, fmt.Errorf("it has %d bytes, more than %d", a.GetSizeInBytes(), mostBytes)
	}
	where, _, err := r.client.Actions.DownloadArtifact(ctx, r.owner, r.name, a.GetID(), 1)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := r.files.Do(request)
	if err != nil {
		return nil, errors.New("the download failed") // the address holds a signature
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	archive, err := io.ReadAll(io.LimitReader(answer.Body, mostBytes+1))
	if err != nil || answer.StatusCode != http.StatusOK || len(archive) > mostBytes {
		return nil, fmt.Errorf("the download ended with status %d after %d bytes", answer.StatusCode, len(archive))
	}
	if sum := fmt.Sprintf("sha256:%x", sha256.Sum256(archive)); a.GetDigest() != sum {
		return nil, fmt.Errorf("GitHub names the digest %q and sent %s", a.GetDigest(), sum)
	}
	return archive, nil
}

// unpack writes the archive's files below dir, and nothing anywhere else.
func unpack(archive []byte, dir string) error {
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("the artifact is no archive: %w", err)
	}
	if len(files.File) > mostFiles {
		return fmt.Errorf("the artifact has %d files, more than %d", len(files.File), mostFiles)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is written through it
	left := int64(mostBytes)
	for _, f := range files.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if !f.Mode().IsRegular() || !filepath.IsLocal(f.Name) {
			return fmt.Errorf("the artifact has %q, which is no plain file", f.Name)
		}
		if left, err = write(root, f, left); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return nil
}

// write unpacks one file of at most left bytes, and returns how many are left.
func write(root *os.Root, f *zip.File, left int64) (int64, error) {
	if err := root.MkdirAll(path.Dir(f.Name), 0o750); err != nil {
		return 0, err
	}
	in, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // it was read
	out, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, io.LimitReader(in, left+1))
	if n > left {
		err = errors.Join(err, fmt.Errorf("the files are larger than %d bytes", mostBytes))
	}
	return left - n, errors.Join(err, out.Close())
}
