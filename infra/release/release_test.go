package release_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/images"
	"padron/infra/release"
)

// account is an emulated account with the environment's repositories, a
// registry that takes images, which the emulation is not, and keys.
type account struct {
	*testing.T
	emulated *emulate.Account
	env      *config.Environment
	project  string
	registry *release.Registry
	key      images.Who
	public   images.Who
}

func open(t *testing.T) *account {
	t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	a := &account{T: t, project: filepath.Dir(root)}
	if a.env, err = config.Load(filepath.Join(root, "config"), "dev"); err != nil {
		t.Fatal(err)
	}
	if a.emulated, err = emulate.Start(t.Context(), root, a.env.Account); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.emulated.Stop(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	a.registry = &release.Registry{Host: strings.TrimPrefix(server.URL, "http://"), Who: authn.Anonymous, Options: []name.Option{name.Insecure}}
	for _, image := range images.Names {
		if _, err := a.client().CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(a.env.Prefix() + "-" + image)}); err != nil {
			t.Fatal(err)
		}
	}
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("COSIGN_PASSWORD", "of the test")
	if err := images.NewKeys(t.Context(), a.project, keys); err != nil {
		t.Fatal(err)
	}
	a.key, a.public = images.Who{Key: filepath.Join(keys, "cosign.key")}, images.Who{Key: filepath.Join(keys, "cosign.pub")}
	a.scan(types.ScanTypeEnhanced)
	return a
}

func (a *account) client() *ecr.Client { return ecr.NewFromConfig(a.emulated.Config(a.env.Region)) }

func (a *account) scan(how types.ScanType) {
	a.Helper()
	in := &ecr.PutRegistryScanningConfigurationInput{ScanType: how, Rules: []types.RegistryScanningRule{}}
	if _, err := a.client().PutRegistryScanningConfiguration(a.Context(), in); err != nil {
		a.Fatal(err)
	}
}

// prepare is a release of images that hold nothing but what tells them from
// others, with the descriptions and an allow list in a folder of their own.
func (a *account) prepare(tag, contents, allow string) (*release.Release, []images.Built) {
	a.Helper()
	root, dir := a.TempDir(), a.TempDir()
	description, err := os.ReadFile(filepath.Join(a.project, "infra", "config", "dev.yaml"))
	if err != nil {
		a.Fatal(err)
	}
	a.write(filepath.Join(root, "config", "dev.yaml"), string(description))
	a.write(release.AllowFile(root), allow)
	var all []images.Built
	for _, image := range images.Names {
		built, err := images.Write(dir, image, index(a, contents+image))
		if err != nil {
			a.Fatal(err)
		}
		for _, arch := range images.Architectures {
			a.write(images.Bill(dir, image, arch), `{"spdxVersion":"SPDX-2.3","name":"`+image+`"}`)
		}
		all = append(all, built)
	}
	return &release.Release{
		Project: a.project, Root: root, Env: a.env, Tag: tag, Dir: dir, AWS: a.emulated.Config(a.env.Region), Registry: a.registry,
		Signs: a.key, Believed: a.public, Now: func() time.Time { return today },
		Poll: 10 * time.Millisecond, Patience: 30 * time.Second, Progress: io.Discard,
	}, all
}

func (a *account) write(path, text string) {
	a.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		a.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
}

func index(t testing.TB, contents string) v1.ImageIndex {
	t.Helper()
	var out v1.ImageIndex = empty.Index
	for _, arch := range images.Architectures {
		image, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"contents": contents + arch}})
		if err != nil {
			t.Fatal(err)
		}
		out = mutate.AppendManifests(out, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	return out
}

// record gives the emulated registry the images' records: it takes no image. Each
// has a tag, without which the emulation takes one for another.
func (a *account) record(all []images.Built) {
	a.Helper()
	for _, b := range all {
		for _, digest := range b.Platforms {
			in := &ecr.PutImageInput{
				RepositoryName: aws.String(a.env.Prefix() + "-" + b.Name), ImageManifest: aws.String(manifest(digest)),
				ImageDigest: aws.String(digest), ImageTag: aws.String(digest[len("sha256:"):]),
			}
			// One that is asked for again, as its answer was lost, is there.
			exists := new(types.ImageAlreadyExistsException)
			if _, err := a.client().PutImage(a.Context(), in); err != nil && !errors.As(err, &exists) {
				a.Fatal(err)
			}
		}
	}
}

func manifest(of string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","annotations":{"of":"%x"},`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":%q},"layers":[]}`, sha256.Sum256([]byte(of)), of)
}

// scanned tells what the scan of every image's platforms ends as, and with
// which findings.
func (a *account) scanned(all []images.Built, status types.ScanStatus, severities ...string) {
	a.Helper()
	a.record(all)
	var results []any
	for _, b := range all {
		for _, digest := range b.Platforms {
			repository := a.env.Prefix() + "-" + b.Name
			id := &types.ImageIdentifier{ImageDigest: aws.String(digest)}
			if _, err := a.client().StartImageScan(a.Context(), &ecr.StartImageScanInput{RepositoryName: &repository, ImageId: id}); err != nil {
				a.Fatal(err)
			}
			results = append(results, map[string]any{
				"repositoryName": repository, "imageId": map[string]any{"imageDigest": digest},
				"imageScanStatus":   map[string]any{"status": status, "description": "as the test has it"},
				"imageScanFindings": map[string]any{"imageScanCompletedAt": 1.7e9, "enhancedFindings": enhanced(severities)},
			})
		}
	}
	body, err := json.Marshal(map[string]any{"results": results, "account_id": a.env.Account, "region": a.env.Region})
	if err != nil {
		a.Fatal(err)
	}
	a.post("/moto-api/static/ecr/scan-finding-results", body)
}

func (a *account) post(path string, body []byte) {
	a.Helper()
	request, err := http.NewRequestWithContext(a.Context(), http.MethodPost, a.emulated.URL+path, bytes.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		a.Fatalf("%s answers %s", path, response.Status)
	}
}

func enhanced(severities []string) []any {
	found := []any{}
	for i, severity := range severities {
		found = append(found, map[string]any{
			"severity": severity, "status": "ACTIVE", "type": "PACKAGE_VULNERABILITY", "title": "a finding",
			"packageVulnerabilityDetails": map[string]any{
				"vulnerabilityId":    fmt.Sprintf("CVE-2026-%d", 1111*(i+1)),
				"vulnerablePackages": []any{map[string]any{"name": "golang.org/x/net", "version": "v0.1.0", "fixedInVersion": "0.2.0"}},
			},
		})
	}
	return found
}

// TestRelease: only what was scanned and has nothing grave in it is signed and
// named by the description.
func TestRelease(t *testing.T) {
	a := open(t)
	var everywhere string
	for _, image := range images.Names {
		everywhere += entry("image: " + image)
	}
	for _, c := range []struct {
		tag, allow string
		scan       func([]images.Built)
		want       string // "" is released
	}{
		{"critical", "[]", func(b []images.Built) { a.scanned(b, "ACTIVE", "CRITICAL") }, "CRITICAL CVE-2026-1111 in padron: golang.org/x/net v0.1.0, mended in 0.2.0"},
		{"high", everywhere, func(b []images.Built) { a.scanned(b, "ACTIVE", "CRITICAL", "HIGH") }, "HIGH CVE-2026-2222 in synchronizer"},
		{"stale", everywhere, func(b []images.Built) { a.scanned(b, "ACTIVE", "LOW") }, "remove it"},
		{"expired", entry("expires: 2026-11-01"), func(b []images.Built) { a.scanned(b, "ACTIVE", "CRITICAL") }, "expired on 2026-11-01"},
		{"unsupported", "[]", func(b []images.Built) { a.scanned(b, "UNSUPPORTED_IMAGE") }, "nobody has looked at it"},
		{"failed", "[]", func(b []images.Built) { a.scanned(b, "FAILED") }, "the scan ended as FAILED (as the test has it)"},
		{"endless", "[]", func(b []images.Built) { a.scanned(b, "IN_PROGRESS") }, "the scan has not ended in"},
		{"unseen", "[]", a.record, "the scan has not ended in"},
		{"allowed", everywhere, func(b []images.Built) { a.scanned(b, "ACTIVE", "CRITICAL", "MEDIUM") }, ""},
		{"good", "[]", func(b []images.Built) { a.scanned(b, "ACTIVE") }, ""},
	} {
		t.Run(c.tag, func(t *testing.T) {
			r, all := a.prepare(c.tag, c.tag, c.allow)
			c.scan(all)
			if strings.HasPrefix(c.want, "the scan has not ended") {
				r.Patience = 50 * time.Millisecond
			}
			err := r.Run(t.Context(), all)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v; want one that says %q", err, c.want)
				}
				a.released(t, r, all, false)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			a.released(t, r, all, true)
		})
	}
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
	signer, err := images.NewSigner(t.Context(), a.project, a.registry.Host, a.registry.Who, a.registry.Options...)
	if err != nil {
		t.Fatal(err)
	}
	// A change may name what did not pass; it is not deployed.
	env.Images.Padron, env.Images.Manager, env.Images.Synchronizer = digest(all, "padron"), digest(all, "customers-mngr"), digest(all, "synchronizer")
	err = release.Signed(t.Context(), a.project, env, env.Images.ByProgram(), a.registry, a.public)
	if (err == nil) != want || err != nil && strings.Count(err.Error(), "so it passed no gate") != len(all) {
		t.Errorf("deploying what was released=%v: %v", want, err)
	}
	for _, b := range all {
		err := signer.Verify(t.Context(), a.public, a.registry.Host+"/padron-dev-"+b.Name, b)
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

// TestReleaseAgain: a release can be tried again, and a name that was given is
// kept.
func TestReleaseAgain(t *testing.T) {
	a := open(t)
	r, all := a.prepare("v1", "first", "[]")
	a.scan(types.ScanTypeBasic)
	if err := r.Run(t.Context(), all); err == nil || !strings.Contains(err.Error(), "basic scans") {
		t.Errorf("a registry that does not look into programs: %v", err)
	}
	a.scan(types.ScanTypeEnhanced)
	a.scanned(all, "ACTIVE")
	for range 2 {
		if err := r.Run(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	other, changed := a.prepare("v1", "second", "[]")
	if err := other.Run(t.Context(), changed); err == nil || !strings.Contains(err.Error(), "what has a name keeps it") {
		t.Errorf("other bytes under the same tag: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	third, more := a.prepare("v3", "third", "[]")
	if err := third.Run(ctx, more); err == nil {
		t.Error("a release that was told to stop goes on")
	}
}
