package delivery

import (
	"path/filepath"
	"slices"
	"strings"

	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
	"padron/infra/images"
	"padron/infra/release"
	"padron/infra/synthtest"
)

// stopped tries to release images in which the scan finds something CRITICAL.
// What was pushed stays in the registry, and a change that names it all the same
// is not deployed: nobody signed it.
func (s *story) stopped(c commit) {
	r, all := s.images.Prepare(s.T, s.description(c), "v2-rc", "critical")
	s.images.Scanned(s.T, all, ecrtypes.ScanStatusActive, "CRITICAL")
	want := "CRITICAL CVE-2026-1111 in customers-mngr: golang.org/x/net v0.1.0, mended in 0.2.0"
	if err := r.Run(s.Context(), all); err == nil || !strings.Contains(err.Error(), want) {
		s.Fatalf("with a CRITICAL finding: %v; want %q", err, want)
	}
	env := s.pinned(r)
	if diff := cmp.Diff(c.env.Images, env.Images); diff != "" {
		s.Errorf("the description after the gate (-want +got):\n%s", diff)
	}
	env.Images = imagesOf(all, "v2-rc")
	if err := s.signed(r, env); err == nil || strings.Count(err.Error(), "so it passed no gate") != len(all) {
		s.Errorf("a change that names what was stopped: %v", err)
	}
}

// released puts images in which nothing grave is found through the gate, and
// returns the commit that names them.
func (s *story) released(c commit) commit {
	r, all := s.images.Prepare(s.T, s.description(c), "v2", "good")
	s.images.Scanned(s.T, all, ecrtypes.ScanStatusActive, "MEDIUM")
	if err := r.Run(s.Context(), all); err != nil {
		s.Fatal(err)
	}
	env := s.pinned(r)
	if diff := cmp.Diff(imagesOf(all, "v2"), env.Images); diff != "" {
		s.Errorf("the description after the gate (-want +got):\n%s", diff)
	}
	if err := s.signed(r, env); err != nil {
		s.Error(err)
	}
	s.push(env) // the account's registry took no image
	return commit{"third", env, synthtest.Variant(s.T, "dev", "released", func(e *config.Environment) {
		opening(e)
		e.Images = env.Images
	})}
}

// pinned is the description as the release leaves it.
func (s *story) pinned(r *release.Release) *config.Environment {
	s.Helper()
	env, err := config.Load(filepath.Join(r.Root, "config"), r.Env.Name)
	if err != nil {
		s.Fatal(err)
	}
	return env
}

// imagesOf are the images as a description names them.
func imagesOf(all []images.Built, version string) config.Images {
	of := func(program string) string {
		return all[slices.IndexFunc(all, func(b images.Built) bool { return b.Name == program })].Digest
	}
	return config.Images{Version: version, Synchronizer: of("synchronizer"), Manager: of("customers-mngr"), Padron: of("padron")}
}

// signed is what the deployment looks at first: who signed what it names.
func (s *story) signed(r *release.Release, env *config.Environment) error {
	return release.Signed(s.Context(), r.Project, env, env.Images.ByProgram(), r.Registry, r.Believed)
}

// arrives has the release's images planned, reviewed and applied like any change.
// A deployment that "completed" is verified only where it did on the new
// revision.
func (s *story) arrives(c commit) {
	plan, before := s.plan(c), s.runs(c)
	if diff := cmp.Diff([]string{"migration", "services"}, touched(plan.Record)); diff != "" {
		s.Errorf("what changes (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		"| customers-mngr | `" + config.NoImage + "` | `" + c.env.Images.Manager + "` |",
		"- REPLACES services/customersmngrtask6A7597EF (AWS::ECS::TaskDefinition): arn:aws:ecs:",
		"| **REPLACES** | `customersmngrtask6A7597EF` | ECS::TaskDefinition | **`ContainerDefinitions`** |",
	} {
		if !strings.Contains(plan.Review, want) {
			s.Errorf("the review does not say %q:\n%s", want, plan.Review)
		}
	}
	released := s.migrates(c, plan.Record, true)
	if released.Revision != 3 || released.Version != "v2" || cmp.Diff(c.env.Images.ByProgram(), released.Images) != "" {
		s.Errorf("the release of the images: %+v", released)
	}
	if err := s.verify(c, s.runs(c), released); err != nil {
		s.Errorf("the release is not what runs: %v", err)
	}
	err := s.verify(c, before, released)
	if want := "customers-mngr runs an old revision: " + before + " has the image " + config.NoImage + ", not the release's " + c.env.Images.Manager; err == nil || !strings.Contains(err.Error(), want) {
		s.Errorf("a deployment that completed on the old revision: %v; want %q", err, want)
	}
}
