package main

import (
	"context"
	"fmt"
	"path/filepath"

	"padron/infra/delivery"
	"padron/infra/deploy"
	"padron/infra/images"
	"padron/infra/release"
)

type signedCommand struct {
	target
	gate
}

// Run sees that every image that the environment's description names passed the
// gate.
func (c signedCommand) Run(ctx context.Context) error {
	root, d, err := c.at(ctx)
	if err != nil {
		return err
	}
	if err := c.passed(ctx, root, d, d.Env.Images.ByProgram()); err != nil {
		return err
	}
	_, err = fmt.Printf("every image of %s passed the gate\n", d.Env.Name)
	return err
}

// gate is whose signature says that an image passed it.
type gate struct {
	Key string `placeholder:"FILE" type:"existingfile" help:"Believe this key, a cosign.pub. Without, the workflow release is believed."`
}

// passed returns an error for each of the images, digests by program, that no
// release signed.
func (g gate) passed(ctx context.Context, root string, d *delivery.Delivery, digests map[string]string) error {
	if err := deploy.SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	registry, err := release.SignIn(ctx, d.AWS, d.Env)
	if err != nil {
		return err
	}
	believed := releaser(d.Env)
	if g.Key != "" {
		believed = images.Who{Key: g.Key}
	}
	return release.Signed(ctx, filepath.Dir(root), d.Env, digests, registry, believed)
}
