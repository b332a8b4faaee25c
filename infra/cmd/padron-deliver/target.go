package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/cli"
	"padron/infra/delivery"
)

// target is the environment that a command works on.
type target struct {
	Environment string `arg:"" help:"The environment: a file in config without its .yaml."`
}

// at is the checkout and what a delivery of the target needs of it.
func (t target) at(ctx context.Context) (root string, d *delivery.Delivery, err error) {
	root, env, err := cli.Environment(t.Environment)
	if err != nil {
		return "", nil, err
	}
	description, err := os.ReadFile(filepath.Join(root, "config", t.Environment+".yaml")) //nolint:gosec // the environment that the caller names
	if err != nil {
		return "", nil, err
	}
	credentials, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(env.Region))
	if err != nil {
		return "", nil, fmt.Errorf("AWS settings: %w", err)
	}
	return root, &delivery.Delivery{
		Env: env, Description: description, AWS: credentials, Progress: os.Stderr,
		Now: time.Now, Poll: delivery.DefaultPoll, Patience: delivery.DefaultPatience,
	}, nil
}

// ofCommit is the delivery of the commit that is checked out, its templates
// made of it.
func (t target) ofCommit(ctx context.Context) (root string, d *delivery.Delivery, err error) {
	if root, d, err = t.at(ctx); err != nil {
		return "", nil, err
	}
	if d.Source, err = delivery.FromCommit(ctx, filepath.Dir(root)); err != nil {
		return "", nil, err
	}
	if err := synthesize(ctx, root); err != nil {
		return "", nil, err
	}
	d.Templates, err = cfn.Load(cdkout.Dir(root, d.Env.Name))
	return root, d, err
}

// synthesize makes the templates where they are not those of the checkout. The
// command that can is another: this one does not hold the CDK.
func synthesize(ctx context.Context, root string) error {
	fresh, err := cdkout.Fresh(root)
	if err != nil || fresh {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./cmd/padron-infra", "synth")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make the templates: %w; the lines above say why", err)
	}
	return nil
}
