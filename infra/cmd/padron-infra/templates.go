package main

import (
	"fmt"
	"os"
	"path/filepath"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
)

// synthesized is an environment with its templates.
type synthesized struct {
	env       *config.Environment
	templates *cfn.Assembly
}

// load makes the templates where the sources changed, and returns those of every
// environment, or of the one that only names; root is the folder infra.
func load(only string) (root string, all []synthesized, err error) {
	if root, err = cdkout.Root(); err != nil {
		return "", nil, err
	}
	if err := fresh(root); err != nil {
		return "", nil, err
	}
	environments, err := config.All(filepath.Join(root, "config"))
	if err != nil {
		return "", nil, err
	}
	for _, env := range environments {
		if only != "" && env.Name != only {
			continue
		}
		templates, err := cfn.Load(cdkout.Dir(root, env.Name))
		if err != nil {
			return "", nil, err
		}
		all = append(all, synthesized{env, templates})
	}
	if len(all) == 0 {
		return "", nil, fmt.Errorf("no environment %q: --env wants one of those in config", only)
	}
	return root, all, nil
}

// fresh makes the templates where the sources changed.
func fresh(root string) error {
	if ok, err := cdkout.Fresh(root); err != nil || ok {
		return err
	}
	return synthCommand{}.Run()
}

// document is where the page stands.
func document(root, name string) string { return filepath.Join(root, "..", "docs", name) }

// publish prints the page, or writes it into docs.
func publish(write bool, root, name, text string) error {
	if write {
		return os.WriteFile(document(root, name), []byte(text), 0o644) //nolint:gosec // a page for everybody
	}
	_, err := fmt.Print(text)
	return err
}
