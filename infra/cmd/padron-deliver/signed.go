package main

import (
	"context"
	"fmt"
	"path/filepath"

	"padron/infra/deploy"
	"padron/infra/images"
	"padron/infra/release"
)

type signedCommand struct {
	target
	Key string `placeholder:"FILE" type:"existingfile" help:"Believe this key, a cosign.pub. Without, the workflow release is believed."`
}

// Run sees that every image that the environment's description names passed the
// gate.
func (c signedCommand) Run(ctx context.Context) error {
	root, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	if err := deploy.SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	registry, err := release.SignIn(ctx, d.AWS, d.Env)
	if err != nil {
		return err
	}
	believed := releaser(d.Env)
	if c.Key != "" {
		believed = images.Who{Key: c.Key}
	}
	if err := release.Signed(ctx, filepath.Dir(root), d.Env, registry, believed); err != nil {
		return err
	}
	_, err = fmt.Printf("every image of %s passed the gate\n", d.Env.Name)
	return err
}
