package sigstoretest_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"padron/infra/images"
	"padron/infra/images/sigstoretest"
)

const workflow = "example/padron/.github/workflows/release.yaml@refs/heads/main"

// image is one that holds nothing, with bills of materials in dir.
func image(t *testing.T, dir string) images.Built {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, arch := range images.Architectures {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if err := os.WriteFile(images.Bill(dir, "padron", arch), []byte(`{"spdxVersion":"SPDX-2.3"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := images.Write(dir, "padron", index)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// TestKeyless signs as a workflow's job does, without a key: that workflow is
// believed, and no other.
func TestKeyless(t *testing.T) {
	sigstore := sigstoretest.Start(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	host, dir := strings.TrimPrefix(server.URL, "http://"), t.TempDir()
	built, repository := image(t, dir), host+"/padron"
	if err := images.Push(t.Context(), built, repository, "v1", authn.Anonymous, name.Insecure); err != nil {
		t.Fatal(err)
	}
	signer, err := images.NewSigner(t.Context(), filepath.Join("..", "..", ".."), host, authn.Anonymous, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	defer signer.Close()
	for name, value := range sigstore.Job("repo:example/padron:environment:production", workflow) {
		t.Setenv(name, value)
	}
	if err := signer.Sign(t.Context(), images.Who{}, repository, dir, built); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ identity, issuer, want string }{
		{workflow, sigstoretest.Issuer, ""},
		{strings.Replace(workflow, "main", "evil", 1), sigstoretest.Issuer, "expected SAN value"},
		{strings.Replace(workflow, "release", "nightly", 1), sigstoretest.Issuer, "expected SAN value"},
		{workflow, "https://accounts.example.com", "expected issuer value"},
	} {
		who := images.Who{Identity: "https://github.com/" + c.identity, Issuer: c.issuer}
		err := signer.Verify(t.Context(), who, repository, built)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("signed by %s, and %s of %s is believed: %v, want %q", workflow, c.identity, c.issuer, err, c.want)
		}
	}
}
