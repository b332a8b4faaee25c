package main

import (
	"os"
	"path/filepath"

	"padron/infra/picture"
)

type pictureCommand struct{}

// Run draws the production environment, in both languages, into docs.
func (pictureCommand) Run() error {
	root, all, err := load(picture.Environment)
	if err != nil {
		return err
	}
	for _, f := range picture.Files {
		d, err := picture.New(all[0].templates, picture.Environment, f.Language)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, f.Path), d.SVG(), 0o600); err != nil {
			return err
		}
	}
	return nil
}
