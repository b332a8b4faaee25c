// Package cfn reads what a synthesis wrote: the CloudFormation templates of one
// environment, with the references between resources and between stacks
// resolved. Everything that is proven, drawn or priced is read from here, from
// the very files that are deployed, and not from the program that made them.
package cfn

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// Assembly is one environment's stacks.
type Assembly struct {
	// Dir is where it was read from.
	Dir string
	// Stacks are in the order of deployment: a stack stands behind every one
	// that it depends on.
	Stacks []*Stack
}

// Stack is one stack's template.
type Stack struct {
	// Name is the short name, such as network: the template's file is
	// NAME.template.json. StackName is the name in the account.
	Name      string
	StackName string
	// Account and Region are where it is deployed.
	Account string
	Region  string
	// Needs are the names of the stacks that must exist before.
	Needs []string
	// Tags are what the stack and all that it makes are marked with.
	Tags map[string]string
	// Template is the parsed template; Resources are its resources by logical
	// id. Both share the same maps: to change one is to change the other.
	Template  map[string]any
	Resources map[string]*Resource

	assembly *Assembly
}

// Resource is one resource of a stack.
type Resource struct {
	Stack     *Stack
	LogicalID string
	Type      string
	// Properties is never nil. Values are as in the template, references and
	// all; [Resource.Get] resolves them.
	Properties map[string]any
	// Body is the whole resource: Type, Properties, Metadata, DependsOn,
	// DeletionPolicy and the rest.
	Body map[string]any
}

// Load reads the assembly in dir, which a synthesis wrote.
func Load(dir string) (*Assembly, error) {
	var manifest struct {
		Artifacts map[string]struct {
			Type         string   `json:"type"`
			Environment  string   `json:"environment"`
			Dependencies []string `json:"dependencies"`
			Properties   struct {
				TemplateFile string            `json:"templateFile"`
				StackName    string            `json:"stackName"`
				Tags         map[string]string `json:"tags"`
			} `json:"properties"`
		} `json:"artifacts"`
	}
	if err := readJSON(filepath.Join(dir, "manifest.json"), &manifest); err != nil {
		return nil, fmt.Errorf("%w; make infra writes it", err)
	}
	a := &Assembly{Dir: dir}
	for _, name := range slices.Sorted(maps.Keys(manifest.Artifacts)) {
		artifact := manifest.Artifacts[name]
		if artifact.Type != "aws:cloudformation:stack" {
			continue
		}
		s := &Stack{Name: name, StackName: artifact.Properties.StackName, Tags: artifact.Properties.Tags, assembly: a}
		place := strings.Split(strings.TrimPrefix(artifact.Environment, "aws://"), "/")
		if len(place) == 2 {
			s.Account, s.Region = place[0], place[1]
		}
		for _, d := range artifact.Dependencies {
			if manifest.Artifacts[d].Type == "aws:cloudformation:stack" {
				s.Needs = append(s.Needs, d)
			}
		}
		if err := readJSON(filepath.Join(dir, artifact.Properties.TemplateFile), &s.Template); err != nil {
			return nil, err
		}
		s.index()
		a.Stacks = append(a.Stacks, s)
	}
	a.order()
	return a, nil
}

// Assemble makes an assembly of stacks of which names, place, needs and template
// are set: of what is deployed, or was. It keeps copies of them.
func Assemble(stacks ...*Stack) *Assembly {
	a := &Assembly{}
	for _, given := range stacks {
		s := *given
		s.assembly = a
		s.index()
		a.Stacks = append(a.Stacks, &s)
	}
	a.order()
	return a
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path) //nolint:gosec // the caller's own file
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// index makes Resources of the template.
func (s *Stack) index() {
	s.Resources = map[string]*Resource{}
	all, _ := s.Template["Resources"].(map[string]any)
	for id, v := range all {
		body, ok := v.(map[string]any)
		if !ok {
			continue
		}
		properties, ok := body["Properties"].(map[string]any)
		if !ok {
			properties = map[string]any{}
			body["Properties"] = properties
		}
		typ, _ := body["Type"].(string)
		s.Resources[id] = &Resource{Stack: s, LogicalID: id, Type: typ, Properties: properties, Body: body}
	}
}

// order sorts the stacks so that each stands behind what it needs.
func (a *Assembly) order() {
	sort.Slice(a.Stacks, func(i, j int) bool { return a.Stacks[i].Name < a.Stacks[j].Name })
	var sorted []*Stack
	done := map[string]bool{}
	var visit func(s *Stack)
	visit = func(s *Stack) {
		if s == nil || done[s.Name] {
			return
		}
		done[s.Name] = true
		for _, n := range s.Needs {
			visit(a.Stack(n))
		}
		sorted = append(sorted, s)
	}
	for _, s := range a.Stacks {
		visit(s)
	}
	a.Stacks = sorted
}

// Stack returns the stack with the short name, nil where there is none.
func (a *Assembly) Stack(name string) *Stack {
	for _, s := range a.Stacks {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Resources returns every resource of the types, all where none is named, by
// stack and logical id.
func (a *Assembly) Resources(types ...string) []*Resource {
	var found []*Resource
	for _, s := range a.Stacks {
		first := len(found)
		for _, r := range s.Resources {
			if len(types) == 0 || slices.Contains(types, r.Type) {
				found = append(found, r)
			}
		}
		slices.SortFunc(found[first:], func(a, b *Resource) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	}
	return found
}

// Find returns the resource of the type whose construct path ends with suffix
// (see [Resource.Path]), nil where there is none or more than one.
func (a *Assembly) Find(typ, suffix string) *Resource {
	var found *Resource
	for _, r := range a.Resources(typ) {
		if !strings.HasSuffix("/"+r.Path(), "/"+strings.TrimPrefix(suffix, "/")) {
			continue
		}
		if found != nil {
			return nil
		}
		found = r
	}
	return found
}

// Assembly returns the assembly that the stack is of.
func (s *Stack) Assembly() *Assembly { return s.assembly }

// Remove takes the resource out of its template. References to it stay, and
// resolve to nothing.
func (r *Resource) Remove() {
	delete(r.Stack.Resources, r.LogicalID)
	if all, ok := r.Stack.Template["Resources"].(map[string]any); ok {
		delete(all, r.LogicalID)
	}
}

// Clone returns a deep copy that shares nothing: what a mutation changes.
func (a *Assembly) Clone() *Assembly {
	c := &Assembly{Dir: a.Dir}
	for _, s := range a.Stacks {
		t := *s
		t.assembly, t.Template = c, clone(s.Template).(map[string]any) //nolint:forcetypeassert // clone keeps the type
		t.index()
		c.Stacks = append(c.Stacks, &t)
	}
	return c
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = clone(x)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = clone(x)
		}
		return l
	}
	return v
}

// Write puts each template into dir as NAME.template.json, indented.
func (a *Assembly) Write(dir string) error {
	for _, s := range a.Stacks {
		text, err := json.MarshalIndent(s.Template, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, s.Name+".template.json"), append(text, '\n'), 0o600); err != nil {
			return err
		}
	}
	return nil
}
