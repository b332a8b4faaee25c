package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/cli"
	"padron/infra/deploy"
	"padron/infra/synth"
)

// target is the environment that a command works on.
type target struct {
	Environment string `arg:"" help:"The environment: a file in config without its .yaml."`
}

type deployCommand struct{ target }

// Run deploys every stack of the environment.
func (c deployCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error { return d.Up(ctx) })
}

type bootstrapCommand struct{ target }

// Run prepares the account of the environment.
func (c bootstrapCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error { return d.Bootstrap(ctx) })
}

type destroyCommand struct{ target }

// Run deletes every stack of the environment.
func (c destroyCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error { return d.Down(ctx) })
}

type migrateCommand struct{ target }

// Run brings the database's schema and users up to date.
func (c migrateCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error {
		_, err := d.Migrate(ctx)
		return err
	})
}

type bastionCommand struct{ target }

// Run makes the bastion ready and prints how to use it.
func (c bastionCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error { return d.Bastion(ctx) })
}

type tokenCommand struct {
	target
	Role    string `required:"" help:"viewer, analyst, admin, operator, auditor or privacy."`
	Name    string `required:"" help:"Whom the token is for, such as billing-service."`
	Expires string `default:"90d" help:"Lifetime, from 1m to 366d."`
}

// Run makes a token in the deployed register and prints it.
func (c tokenCommand) Run() error {
	return c.with(func(ctx context.Context, d *deploy.Deployment) error { return d.Token(ctx, c.Role, c.Name, c.Expires) })
}

// with synthesizes, and calls do with a deployment of the target.
func (t target) with(do func(context.Context, *deploy.Deployment) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, env, err := cli.Environment(t.Environment)
	if err != nil {
		return err
	}
	if err := withNode(root); err != nil {
		return err
	}
	if err := synth.Run(root); err != nil {
		return err
	}
	templates, err := cfn.Load(cdkout.Dir(root, env.Name))
	if err != nil {
		return err
	}
	credentials, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(env.Region))
	if err != nil {
		return fmt.Errorf("AWS settings: %w", err)
	}
	return do(ctx, &deploy.Deployment{
		Root: root, Env: env, Templates: templates, AWS: credentials, DNS: net.DefaultResolver,
		Out: os.Stdout, Progress: os.Stderr,
	})
}
