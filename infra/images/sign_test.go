package images_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"padron/infra/images"
)

// published is an image in the test's registry.
type published struct {
	images.Built
	repository string
}

// keys makes a pair of keys and returns who signs and who is believed.
func keys(t *testing.T, root string) (private, public images.Who) {
	t.Helper()
	t.Setenv("COSIGN_PASSWORD", "of the test")
	dir := filepath.Join(t.TempDir(), "keys")
	if err := images.NewKeys(t.Context(), root, dir); err != nil {
		t.Fatal(err)
	}
	if err := images.NewKeys(t.Context(), root, dir); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("keys over keys: %v", err)
	}
	return images.Who{Key: filepath.Join(dir, "cosign.key")}, images.Who{Key: filepath.Join(dir, "cosign.pub")}
}

// checkSignatures signs what was pushed, and verifies it as somebody who has the
// public key alone. What another signed, or nobody, or what was altered since
// is refused.
func checkSignatures(t *testing.T, root, bills, registry string, pushed []published) {
	t.Helper()
	mine, believed := keys(t, root)
	_, stranger := keys(t, root)
	signer, err := images.NewSigner(t.Context(), root, registry, authn.Anonymous, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := signer.Close(); err != nil {
			t.Error(err)
		}
	})
	refused := func(why string, who images.Who, b images.Built, repository string) {
		t.Helper()
		if err := signer.Verify(t.Context(), who, repository, b); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want one that says %q", b.Name, err, why)
		}
	}
	for _, p := range pushed {
		refused("no signatures found", believed, p.Built, p.repository)
		if err := signer.Sign(t.Context(), mine, p.repository, bills, p.Built); err != nil {
			t.Fatal(err)
		}
		if err := signer.Verify(t.Context(), believed, p.repository, p.Built); err != nil {
			t.Error(err)
		}
		refused("accepted signatures do not match", stranger, p.Built, p.repository)
	}
	p := pushed[0]
	altered := p.Built
	altered.Digest = alter(t, p)
	refused("digest does not match any digest in statement", believed, altered, p.repository)
	swapped := p.Built
	swapped.Platforms = map[string]string{"amd64": p.Digest, "arm64": p.Digest}
	refused("none of the attestations matched the predicate type", believed, swapped, p.repository)
}

// alter pushes the image with a change, and hangs what was signed of the good
// one onto it: the registry's own claim, which nobody signed. It returns the
// digest.
func alter(t *testing.T, p published) string {
	t.Helper()
	good, err := name.NewDigest(p.repository+"@"+p.Digest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := mutate.Annotations(index, map[string]string{"altered": "yes"}).(v1.ImageIndex)
	hash, err := bad.Digest()
	if err != nil {
		t.Fatal(err)
	}
	size, err := bad.Size()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(good.Context().Digest(hash.String()), bad); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	signatures(t, good, v1.Descriptor{MediaType: manifest.MediaType, Digest: hash, Size: size})
	return hash.String()
}

// signatures copies what refers to an image to another one.
func signatures(t *testing.T, from name.Digest, to v1.Descriptor) {
	t.Helper()
	referrers, err := remote.Referrers(from)
	if err != nil {
		t.Fatal(err)
	}
	list, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Manifests) == 0 {
		t.Fatal("nothing refers to the signed image")
	}
	for _, one := range list.Manifests {
		signature, err := remote.Image(from.Context().Digest(one.Digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		moved := mutate.Subject(signature, to).(v1.Image)
		hash, err := moved.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(from.Context().Digest(hash.String()), moved); err != nil {
			t.Fatal(err)
		}
	}
}
