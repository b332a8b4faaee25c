// Package releasetest is what a test needs to release into an emulated account:
// a registry that takes images, which the account's own is not, images that hold
// nothing, keys to sign with, and the findings of a scan.
package releasetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

	"padron/infra/config"
	"padron/infra/emulate"
	"padron/infra/emulate/edge"
	"padron/infra/images"
	"padron/infra/release"
)

// Bench is where a test releases to.
type Bench struct {
	Account *emulate.Account
	Env     *config.Environment
	// Project is padron's folder.
	Project string
	// Registry takes images. The account's repositories have the records of them
	// alone: see [Bench.Record].
	Registry *release.Registry
	// Key signs, and Public is believed.
	Key, Public images.Who
	// Pushed, where it is set, is told of every manifest that the registry takes,
	// but those that are beside an image, such as signatures.
	Pushed func(repository string, manifest v1.Descriptor)
}

// Open starts a registry beside the account, and makes keys. Both end with the
// test. The environment's repositories must be there before anything is recorded.
func Open(t testing.TB, account *emulate.Account, env *config.Environment, project string) *Bench {
	t.Helper()
	b := &Bench{Account: account, Env: env, Project: project}
	server := httptest.NewServer(b.telling(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))))
	t.Cleanup(server.Close)
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("COSIGN_PASSWORD", "of the test")
	if err := images.NewKeys(t.Context(), project, keys); err != nil {
		t.Fatal(err)
	}
	b.Registry = &release.Registry{Host: strings.TrimPrefix(server.URL, "http://"), Who: authn.Anonymous, Options: []name.Option{name.Insecure}}
	b.Key, b.Public = images.Who{Key: filepath.Join(keys, "cosign.key")}, images.Who{Key: filepath.Join(keys, "cosign.pub")}
	return b
}

// telling is the registry, which tells [Bench.Pushed] of images.
func (b *Bench) telling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, _, isManifest := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		if b.Pushed == nil || r.Method != http.MethodPut || !isManifest {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
		manifest, err := v1.ParseManifest(bytes.NewReader(body))
		if digest, size, hashed := v1.SHA256(bytes.NewReader(body)); err == nil && hashed == nil && manifest.Subject == nil {
			b.Pushed(repository, v1.Descriptor{MediaType: manifest.MediaType, Digest: digest, Size: size})
		}
	})
}

// SignsIn answers ecr:GetAuthorizationToken with the registry and a password, in
// the account's place, whose own registry takes no image.
func (b *Bench) SignsIn() edge.Answer {
	return edge.Always(map[string]any{"authorizationData": []any{map[string]any{
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:password")), "proxyEndpoint": "https://" + b.Registry.Host,
	}}})
}

// Prepare is a release of images that hold nothing but contents, which tells
// them from others. The environment's description, and an empty allow list, are
// in a folder of their own.
func (b *Bench) Prepare(t testing.TB, description []byte, tag, contents string) (*release.Release, []images.Built) {
	t.Helper()
	root, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "config", b.Env.Name+".yaml"), description)
	write(t, release.AllowFile(root), []byte("[]"))
	var all []images.Built
	for _, image := range images.Names {
		built, err := images.Write(dir, image, index(t, contents+image))
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range images.Architectures {
			write(t, images.Bill(dir, image, arch), []byte(`{"spdxVersion":"SPDX-2.3","name":"`+image+`"}`))
		}
		all = append(all, built)
	}
	return &release.Release{
		Project: b.Project, Root: root, Env: b.Env, Tag: tag, Dir: dir, AWS: b.Account.Config(b.Env.Region), Registry: b.Registry,
		Signs: b.Key, Believed: b.Public, Now: time.Now, Poll: 10 * time.Millisecond, Patience: 30 * time.Second, Progress: io.Discard,
	}, all
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
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

// Record gives the account's registry the records of the images' platforms: it
// takes no image. Each has a tag, without which the emulation takes one for
// another.
func (b *Bench) Record(t testing.TB, all []images.Built) {
	t.Helper()
	for _, built := range all {
		for _, digest := range built.Platforms {
			b.Put(t, built.Name, digest)
		}
	}
}

// Put gives the account's registry the record of an image.
func (b *Bench) Put(t testing.TB, program, digest string) {
	t.Helper()
	in := &ecr.PutImageInput{
		RepositoryName: aws.String(b.repository(program)), ImageManifest: aws.String(manifest(digest)),
		ImageDigest: &digest, ImageTag: aws.String(digest[len("sha256:"):]),
	}
	// One that is asked for again, as its answer was lost, is there.
	exists := new(types.ImageAlreadyExistsException)
	if _, err := b.client().PutImage(t.Context(), in); err != nil && !errors.As(err, &exists) {
		t.Fatal(err)
	}
}

func manifest(of string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","annotations":{"of":"%x"},`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":%q},"layers":[]}`, sha256.Sum256([]byte(of)), of)
}

func (b *Bench) repository(program string) string { return b.Env.Prefix() + "-" + program }

func (b *Bench) client() *ecr.Client { return ecr.NewFromConfig(b.Account.Config(b.Env.Region)) }
