package release_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/images"
	"padron/infra/release"
	"padron/infra/release/releasetest"
)

// account is an emulated account with the environment's repositories, and what
// a release needs beside it.
type account struct{ *releasetest.Bench }

func open(t *testing.T) *account {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env, err := config.Load(filepath.Join(root, "config"), "dev")
	if err != nil {
		t.Fatal(err)
	}
	emulated, err := emulate.Start(t.Context(), root, env.Account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emulated.Stop(); err != nil {
			t.Error(err)
		}
	})
	a := &account{releasetest.Open(t, emulated, env, filepath.Dir(root))}
	for _, image := range images.Names {
		if _, err := a.client().CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(env.Prefix() + "-" + image)}); err != nil {
			t.Fatal(err)
		}
	}
	a.scan(t, types.ScanTypeEnhanced)
	return a
}

func (a *account) client() *ecr.Client { return ecr.NewFromConfig(a.Account.Config(a.Env.Region)) }

func (a *account) scan(t *testing.T, how types.ScanType) {
	t.Helper()
	in := &ecr.PutRegistryScanningConfigurationInput{ScanType: how, Rules: []types.RegistryScanningRule{}}
	if _, err := a.client().PutRegistryScanningConfiguration(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// prepare is a release under the description of the project and an allow list.
func (a *account) prepare(t *testing.T, tag, contents, allow string) (*release.Release, []images.Built) {
	t.Helper()
	description, err := os.ReadFile(filepath.Join(a.Project, "infra", "config", "dev.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r, all := a.Prepare(t, description, tag, contents)
	r.Now = func() time.Time { return today }
	if err := os.WriteFile(release.AllowFile(r.Root), []byte(allow), 0o600); err != nil {
		t.Fatal(err)
	}
	return r, all
}

// TestRelease: only what was scanned and has nothing grave in it, but for what
// is allowed, is signed and named by the description. That a CRITICAL finding
// stops an image, and what becomes of a good one, is the story in infra/delivery.
func TestRelease(t *testing.T) {
	a := open(t)
	var everywhere string
	for _, image := range images.Names {
		everywhere += entry("image: " + image)
	}
	for _, c := range []struct {
		tag, allow string
		status     types.ScanStatus // "" is never seen by the scanner
		severities []string
		want       string // "" is released
	}{
		{"high", everywhere, "ACTIVE", []string{"CRITICAL", "HIGH"}, "HIGH CVE-2026-2222 in synchronizer"},
		{"stale", everywhere, "ACTIVE", []string{"LOW"}, "remove it"},
		{"expired", entry("expires: 2026-11-01"), "ACTIVE", []string{"CRITICAL"}, "expired on 2026-11-01"},
		{"unsupported", "[]", "UNSUPPORTED_IMAGE", nil, "nobody has looked at it"},
		{"failed", "[]", "FAILED", nil, "the scan ended as FAILED (as the test has it)"},
		{"endless", "[]", "IN_PROGRESS", nil, "the scan has not ended in"},
		{"unseen", "[]", "", nil, "the scan has not ended in"},
		{"allowed", everywhere, "ACTIVE", []string{"CRITICAL", "MEDIUM"}, ""},
	} {
		t.Run(c.tag, func(t *testing.T) {
			r, all := a.prepare(t, c.tag, c.tag, c.allow)
			if c.status == "" {
				a.Record(t, all)
			} else {
				a.Scanned(t, all, c.status, c.severities...)
			}
			if strings.HasPrefix(c.want, "the scan has not ended") {
				r.Patience = 50 * time.Millisecond
			}
			if err := r.Run(t.Context(), all); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want one that says %q", err, c.want)
			}
			a.released(t, r, all, c.want == "")
		})
	}
	t.Run("again", a.again)
}

// released looks whether the images are signed, and named by the description.
func (a *account) released(t *testing.T, r *release.Release, all []images.Built, want bool) {
	t.Helper()
	env, err := config.Load(filepath.Join(r.Root, "config"), "dev")
	if err != nil {
		t.Fatal(err)
	}
	if named := env.Images.Version == r.Tag && env.Images.Manager == all[1].Digest; named != want {
		t.Errorf("the description names %+v", env.Images)
	}
	signer, err := images.NewSigner(t.Context(), a.Project, a.Registry.Host, a.Registry.Who, a.Registry.Options...)
	if err != nil {
		t.Fatal(err)
	}
	// A change may name what did not pass; it is not deployed.
	env.Images.Padron, env.Images.Manager, env.Images.Synchronizer = digest(all, "padron"), digest(all, "customers-mngr"), digest(all, "synchronizer")
	err = release.Signed(t.Context(), a.Project, env, env.Images.ByProgram(), a.Registry, a.Public)
	if (err == nil) != want || err != nil && strings.Count(err.Error(), "so it passed no gate") != len(all) {
		t.Errorf("deploying what was released=%v: %v", want, err)
	}
	for _, b := range all {
		err := signer.Verify(t.Context(), a.Public, a.Registry.Host+"/padron-dev-"+b.Name, b)
		if (err == nil) != want {
			t.Errorf("signature of %s: %v", b.Name, err)
		}
	}
	if err := signer.Close(); err != nil {
		t.Error(err)
	}
}

func digest(all []images.Built, program string) string {
	return all[slices.IndexFunc(all, func(b images.Built) bool { return b.Name == program })].Digest
}

// again: a release can be tried again, and a name that was given is kept.
func (a *account) again(t *testing.T) {
	r, all := a.prepare(t, "v1", "first", "[]")
	a.scan(t, types.ScanTypeBasic)
	if err := r.Run(t.Context(), all); err == nil || !strings.Contains(err.Error(), "basic scans") {
		t.Errorf("a registry that does not look into programs: %v", err)
	}
	a.scan(t, types.ScanTypeEnhanced)
	a.Scanned(t, all, types.ScanStatusActive)
	for range 2 {
		if err := r.Run(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	other, changed := a.prepare(t, "v1", "second", "[]")
	if err := other.Run(t.Context(), changed); err == nil || !strings.Contains(err.Error(), "what has a name keeps it") {
		t.Errorf("other bytes under the same tag: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	third, more := a.prepare(t, "v3", "third", "[]")
	if err := third.Run(ctx, more); err == nil {
		t.Error("a release that was told to stop goes on")
	}
}
