package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"padron/infra/config"
	"padron/infra/delivery"
	"padron/infra/deploy"
	"padron/infra/images"
	"padron/infra/release"
)

// tokenIssuer vouches for the jobs of GitHub's workflows, and workflow is the
// one that releases, from the branch main alone.
const (
	tokenIssuer = "https://token.actions.githubusercontent.com" //nolint:gosec // an address
	workflow    = "/.github/workflows/release.yaml@refs/heads/main"
)

type releaseCommand struct {
	target
	Tag string `placeholder:"NAME" help:"What the images are called in the registry; by default the commit's version."`
	Key string `placeholder:"FILE" type:"existingfile" help:"Sign with this key of padron-deliver keys, and verify by cosign.pub beside it. Without, the job of the workflow release signs as itself."`
}

// Run builds the commit's images, pushes them, and names them in the
// environment's description if their scans let them pass.
func (c releaseCommand) Run(ctx context.Context) error {
	root, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	project := filepath.Dir(root)
	if _, err := delivery.FromCommit(ctx, project); err != nil {
		return err // an image is of a commit, too
	}
	source, err := images.FromCommit(ctx, project)
	if err != nil {
		return err
	}
	if c.Tag == "" {
		c.Tag = source.Version
	}
	if err := deploy.SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	r := &release.Release{
		Project: project, Root: root, Env: d.Env, Tag: c.Tag, Dir: filepath.Join(project, "dist", "images"), AWS: d.AWS,
		Now: time.Now, Poll: release.DefaultPoll, Patience: release.DefaultPatience, Progress: os.Stderr,
	}
	if r.Signs, r.Believed, err = c.who(d.Env); err != nil {
		return err
	}
	all, err := images.All(ctx, source, r.Dir)
	if err != nil {
		return err
	}
	return r.Run(ctx, all)
}

// who signs, and who is believed.
func (c releaseCommand) who(env *config.Environment) (signs, believed images.Who, err error) {
	if c.Key == "" {
		if os.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL") == "" {
			return signs, believed, errors.New("nobody to sign as: this is no job of a workflow with `id-token: write`; make a key by `padron-deliver keys`, and give it with --key")
		}
		return releaser(env), releaser(env), nil
	}
	return images.Who{Key: c.Key}, images.Who{Key: filepath.Join(filepath.Dir(c.Key), "cosign.pub")}, nil
}

// releaser is the workflow that releases.
func releaser(env *config.Environment) images.Who {
	return images.Who{Identity: "https://github.com/" + env.Delivery.Repository + workflow, Issuer: tokenIssuer}
}
