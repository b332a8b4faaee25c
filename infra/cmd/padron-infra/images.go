package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"padron/infra/cdkout"
	"padron/infra/images"
)

type imagesCommand struct {
	JSON bool `help:"Print one JSON document."`
}

// Run builds every image, and its bills of materials, into dist/images at the
// root of the project. To push them is padron-deliver's, past its gate.
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
	all, err := images.All(ctx, source, filepath.Join(project, "dist", "images"))
	if err != nil {
		return err
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
