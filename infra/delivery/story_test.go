package delivery

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/release/releasetest"
	"padron/infra/synthtest"
)

// story is an emulated account in which deliveries follow each other.
type story struct {
	*testing.T
	account *emulate.Account
	// images is where releases go.
	images   *releasetest.Bench
	progress io.Writer
	now      time.Time
}

// in is the story as the subtest tells it.
func (s *story) in(t *testing.T) *story {
	sub := *s
	sub.T = t
	return &sub
}

// commit is something to deliver: templates, and the description that they were
// made of.
type commit struct {
	name      string
	env       *config.Environment
	templates *cfn.Assembly
}

func begin(t *testing.T) *story {
	t.Helper()
	account, env, root := empty(t)
	return &story{
		T: t, account: account, images: releasetest.Open(t, account, env, filepath.Dir(root)),
		progress: t.Output(), now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}
}

// empty is an emulated account of dev in which nothing is, until the test ends.
// Root is the folder infra.
func empty(t *testing.T) (account *emulate.Account, env *config.Environment, root string) {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env = synthtest.Config(t, "dev")
	if account, err = emulate.Start(t.Context(), root, env.Account); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Stop(); err != nil {
			t.Error(err)
		}
	})
	return account, env, root
}

// of is the delivery of the commit.
func (s *story) of(c commit) *Delivery {
	s.Helper()
	hash := sha([]byte(c.name))[:40]
	return &Delivery{
		Env: c.env, Description: s.description(c), Templates: c.templates, Source: Source{Version: "v1", Commit: hash, Tree: hash},
		AWS: s.account.Config(c.env.Region), Progress: s.progress,
		Now:  func() time.Time { s.now = s.now.Add(time.Second); return s.now },
		Poll: time.Millisecond, Patience: time.Minute,
	}
}

// description is the environment's file in the commit.
func (s *story) description(c commit) []byte {
	s.Helper()
	text, err := yaml.Marshal(c.env)
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// firstDay deploys all stacks but those named, as padron-infra deploy does, and
// pushes the images.
func (s *story) firstDay(c commit, without ...string) {
	s.Helper()
	if err := s.account.Stand(s.Context(), c.templates, without...); err != nil {
		s.Fatal(err)
	}
	s.push(c.env)
}

// push gives the account's registry the records of the images that the
// environment names.
func (s *story) push(env *config.Environment) {
	s.Helper()
	for program, digest := range env.Images.ByProgram() {
		s.images.Put(s.T, program, digest)
	}
}

// plan plans, and fails the test where that fails.
func (s *story) plan(c commit) *Plan {
	s.Helper()
	plan, err := s.of(c).Plan(s.Context(), "The proofs found nothing.")
	if err != nil {
		s.Fatal(err)
	}
	return plan
}

// apply applies, and fails the test where that fails.
func (s *story) apply(c commit, plan *Plan, overrides ...string) *Release {
	s.Helper()
	release, err := s.of(c).Apply(s.Context(), plan.Record, overrides)
	if err != nil {
		s.Fatal(err)
	}
	return release
}

// refuses wants apply to stop before it touches anything, with these words.
func (s *story) refuses(d *Delivery, record *Record, overrides []string, words ...string) {
	s.Helper()
	_, err := d.Apply(s.Context(), record, overrides)
	if err == nil {
		s.Fatalf("applied, and should be refused with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			s.Errorf("refused with\n%v\nwithout saying %q", err, w)
		}
	}
}

// edited is the commit with its templates changed as by another program.
func (s *story) edited(c commit, name string, change func(*cfn.Assembly)) commit {
	s.Helper()
	dir := s.TempDir()
	if err := os.CopyFS(dir, os.DirFS(c.templates.Dir)); err != nil {
		s.Fatal(err)
	}
	next := c.templates.Clone()
	change(next)
	for _, stack := range next.Stacks {
		if hashOf(stack.Template) != hashOf(c.templates.Stack(stack.Name).Template) {
			s.rewrite(dir, stack)
		}
	}
	loaded, err := cfn.Load(dir)
	if err != nil {
		s.Fatal(err)
	}
	return commit{name, c.env, loaded}
}

// rewrite puts the stack's template into dir, and its hash where the CDK does.
func (s *story) rewrite(dir string, stack *cfn.Stack) {
	s.Helper()
	path := filepath.Join(dir, stack.Name+templateSuffix)
	old, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	text, err := json.Marshal(stack.Template)
	if err != nil {
		s.Fatal(err)
	}
	manifest := filepath.Join(dir, stack.Name+".assets.json")
	assets, err := os.ReadFile(manifest)
	if err != nil {
		s.Fatal(err)
	}
	for file, content := range map[string][]byte{path: text, manifest: bytes.ReplaceAll(assets, []byte(sha(old)), []byte(sha(text)))} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// states are what the record does with the stacks named.
func states(r *Record, names ...string) string {
	var all []string
	for _, name := range names {
		for _, s := range r.Stacks {
			if s.Name == name {
				all = append(all, string(s.State))
			}
		}
	}
	return strings.Join(all, " ")
}

// touched are the stacks for which the record has a change set.
func touched(r *Record) []string {
	var all []string
	for _, s := range r.Stacks {
		if s.ChangeSet != "" {
			all = append(all, s.Name)
		}
	}
	return all
}

// changeSetOf is the stack's change set in the record.
func changeSetOf(r *Record, name string) string {
	i := slices.IndexFunc(r.Stacks, func(s StackPlan) bool { return s.Name == name })
	return r.Stacks[i].ChangeSet
}
