package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"padron/infra/cdkout"
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
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	project := filepath.Dir(root)
	env, err := config.Load(filepath.Join(root, "config"), c.Environment)
	if err != nil {
		return fmt.Errorf("config/%s.yaml: %w", c.Environment, err)
	}
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
	credentials, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(env.Region))
	if err != nil {
		return fmt.Errorf("AWS settings: %w", err)
	}
	if err := deploy.SignedIn(ctx, credentials, env); err != nil {
		return err
	}
	r := &release.Release{
		Project: project, Root: root, Env: env, Tag: c.Tag, Dir: filepath.Join(project, "dist", "images"), AWS: credentials,
		Now: time.Now, Poll: release.DefaultPoll, Patience: release.DefaultPatience, Progress: os.Stderr,
	}
	if r.Signs, r.Believed, err = c.who(env); err != nil {
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
