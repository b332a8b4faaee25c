// Package workflows reads the project's GitHub workflows, so that tests can hold
// them to rules and run their steps. It knows the part of the language that they
// use, and refuses the rest.
package workflows

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Workflow is one file.
type Workflow struct {
	// File is its name, such as deploy.yaml; Text is all of it, with comments.
	File string `yaml:"-"`
	Text string `yaml:"-"`

	Name        string            `yaml:"name"`
	On          map[string]any    `yaml:"on"`
	Permissions *map[string]any   `yaml:"permissions"`
	Concurrency Concurrency       `yaml:"concurrency"`
	Env         map[string]string `yaml:"env"`
	Jobs        map[string]*Job   `yaml:"jobs"`
}

// Concurrency says which runs wait for each other.
type Concurrency struct {
	Group  string `yaml:"group"`
	Cancel *bool  `yaml:"cancel-in-progress"`
}

// Job is one job of a workflow.
type Job struct {
	Name        string             `yaml:"name"`
	Needs       string             `yaml:"needs"`
	If          string             `yaml:"if"`
	RunsOn      string             `yaml:"runs-on"`
	Minutes     int                `yaml:"timeout-minutes"`
	Environment string             `yaml:"environment"`
	Permissions map[string]string  `yaml:"permissions"`
	Outputs     map[string]string  `yaml:"outputs"`
	Env         map[string]string  `yaml:"env"`
	Services    map[string]Service `yaml:"services"`
	Steps       []Step             `yaml:"steps"`
}

// Service is a container that a job has beside it.
type Service struct {
	Image   string            `yaml:"image"`
	Env     map[string]string `yaml:"env"`
	Ports   []string          `yaml:"ports"`
	Options string            `yaml:"options"`
}

// Step runs an action or a script of bash.
type Step struct {
	ID   string            `yaml:"id"`
	Name string            `yaml:"name"`
	If   string            `yaml:"if"`
	Uses string            `yaml:"uses"`
	With map[string]any    `yaml:"with"`
	Run  string            `yaml:"run"`
	Dir  string            `yaml:"working-directory"`
	Env  map[string]string `yaml:"env"`
}

// Load reads every workflow of the project in root, by name. A key that this
// package does not know is an error: a test would pass over what it means.
func Load(root string) ([]*Workflow, error) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there are no workflows in %s: %w", root, err)
	}
	var all []*Workflow
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // a file of the project
		if err != nil {
			return nil, err
		}
		w := &Workflow{File: filepath.Base(file), Text: string(text)}
		if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(w); err != nil {
			return nil, fmt.Errorf("%s: %w", w.File, err)
		}
		all = append(all, w)
	}
	return all, nil
}
