package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/images"
	"padron/infra/release"
)

type imagesCommand struct {
	Push string `placeholder:"ENVIRONMENT" help:"Push the images into the environment's registry, and print their digests as its configuration names them."`
	JSON bool   `help:"Print one JSON document."`
}

// Run builds every image, and its bills of materials, into dist/images at the
// root of the project.
func (c imagesCommand) Run() error {
	ctx := context.Background()
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	project := filepath.Dir(root)
	source, err := images.FromCommit(ctx, project)
	if err != nil {
		return err
	}
	if c.Push != "" && strings.HasSuffix(source.Version, "-dirty") {
		return errors.New("the checkout has changes that are not committed: commit them, so that an image's version says what is in it")
	}
	all, err := images.All(ctx, source, filepath.Join(project, "dist", "images"))
	if err != nil {
		return err
	}
	if c.Push != "" {
		if err := pushAll(ctx, root, c.Push, source.Version, all); err != nil {
			return err
		}
	}
	return c.print(all)
}

func (c imagesCommand) print(all []images.Built) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"images": all})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, b := range all {
		line := strings.ReplaceAll(b.Name, "-", "_") + ":\t" + b.Digest
		for _, arch := range images.Architectures {
			line += fmt.Sprintf("\t# %s %.1f MB", arch, float64(b.Sizes[arch])/1e6)
		}
		fmt.Fprintln(w, line) //nolint:errcheck // Flush reports it
	}
	return w.Flush()
}

func pushAll(ctx context.Context, root, environment, tag string, all []images.Built) error {
	env, err := config.Load(filepath.Join(root, "config"), environment)
	if err != nil {
		return err
	}
	credentials, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(env.Region))
	if err != nil {
		return err
	}
	registry, err := release.SignIn(ctx, credentials, env)
	if err != nil {
		return err
	}
	for _, b := range all {
		if err := images.Push(ctx, b, registry.Host+"/"+env.Prefix()+"-"+b.Name, tag, registry.Who); err != nil {
			return err
		}
	}
	return nil
}
