package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"padron/infra/cfn"
	"padron/infra/delivery"
	"padron/infra/deploy"
	"padron/infra/release"
)

type verifyCommand struct {
	target
	Release  string `placeholder:"REVISION|FILE" help:"The release that must run: its revision, or its release.json; by default the last one."`
	Services bool   `help:"Look at the services alone, and leave the bastion asleep."`
}

// Run sees that the release is what runs, and that padron check passes at the
// bastion.
func (c verifyCommand) Run(ctx context.Context) error {
	root, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	released, err := c.released(ctx, d)
	if err != nil {
		return err
	}
	v := release.Verifier{
		Env: d.Env, Client: ecs.NewFromConfig(d.AWS), Images: released.Images, Poll: d.Poll, Patience: release.DefaultPatience,
	}
	if err := v.Verify(ctx); err != nil {
		return fmt.Errorf("release %d is not what runs:\n%w", released.Revision, err)
	}
	fmt.Printf("release %d of %s runs: %s\n", released.Revision, released.Environment, released.Version)
	if c.Services {
		return nil
	}
	up := &deploy.Deployment{Root: root, Env: d.Env, Templates: named(released), AWS: d.AWS, Out: os.Stdout, Progress: os.Stderr}
	return up.Check(ctx, released.Version, released.Applied, d.Poll)
}

// released is the release to verify.
func (c verifyCommand) released(ctx context.Context, d *delivery.Delivery) (*delivery.Release, error) {
	if c.Release != "" {
		return d.Release(ctx, c.Release)
	}
	last, err := delivery.NewShelf(d.Env, d.AWS).Last(ctx)
	if err == nil && last == nil {
		err = errors.New("nothing was released yet: plan and apply first")
	}
	return last, err
}

// named are the release's stacks by name, all that looking for their outputs
// takes.
func named(r *delivery.Release) *cfn.Assembly {
	var stacks []*cfn.Stack
	for _, s := range r.Stacks {
		stacks = append(stacks, &cfn.Stack{Name: s.Name, StackName: s.StackName, Account: r.Account, Region: s.Region})
	}
	return cfn.Assemble(stacks...)
}
