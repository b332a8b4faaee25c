package main

import (
	"context"
	"fmt"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/images"
)

type keysCommand struct {
	Dir string `arg:"" optional:"" default:"var/signing" help:"Where cosign.key and cosign.pub go, below the project's root [${default}]. COSIGN_PASSWORD protects the first."`
}

// Run makes a pair of keys to sign images with.
func (c keysCommand) Run(ctx context.Context) error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	project := filepath.Dir(root)
	dir := c.Dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(project, dir)
	}
	if err := images.NewKeys(ctx, project, dir); err != nil {
		return err
	}
	_, err = fmt.Printf("%s signs: keep it to yourself; %s verifies: give it to everybody\n", filepath.Join(dir, "cosign.key"), filepath.Join(dir, "cosign.pub"))
	return err
}
