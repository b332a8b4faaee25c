package delivery

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"padron/infra/images"
)

// Source is what a delivery is made of.
type Source struct {
	// Version is padron's, as git describes it; Commit and Tree are the full
	// hashes of the commit and of its files.
	Version, Commit, Tree string
}

// FromCommit describes the checkout at root. One with a file that is changed or
// not known to git is refused: what is reviewed is a commit, not a folder.
func FromCommit(ctx context.Context, root string) (Source, error) {
	built, err := images.FromCommit(ctx, root)
	if err != nil {
		return Source{}, err
	}
	changed, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return Source{}, err
	}
	if changed != "" {
		first, _, _ := strings.Cut(changed, "\n")
		return Source{}, fmt.Errorf("the checkout has changes that are not committed, such as %q: commit them or put them aside, so that what is delivered is a commit",
			strings.TrimSpace(first))
	}
	tree, err := git(ctx, root, "rev-parse", "HEAD^{tree}")
	return Source{Version: built.Version, Commit: built.Revision, Tree: tree}, err
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output() //nolint:gosec // our own arguments
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w; deliveries are made from a checkout", args[0], root, err)
	}
	return strings.TrimSpace(string(out)), nil
}
