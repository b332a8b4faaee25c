package images

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Who signs, or must have signed. Either is set: the key, or the identity.
type Who struct {
	// Key is the file of a key: the private one to sign with, or the public one
	// to verify by. Its password is in COSIGN_PASSWORD.
	Key string
	// Identity is the workflow that signed without a key, such as
	// https://github.com/OWNER/NAME/.github/workflows/release.yaml@refs/heads/main,
	// and Issuer who vouches for it. A signer has its identity of the job that it
	// runs in; to verify, both are needed.
	Identity, Issuer string
}

// keyless reports whether there is no key: the signature's certificate comes of
// Sigstore's authority, and the signature stands in its public log.
func (w Who) keyless() bool { return w.Key == "" }

// Signer puts signatures and attestations beside images in a registry, and
// verifies them, by cosign. Both are OCI referrers of the image, in Sigstore's
// bundle format, so that anyone's cosign reads them.
type Signer struct {
	cosign, config string
	insecure       bool
}

// NewSigner makes the pinned cosign of the project below root ready, and lets it
// into a registry. Close it: it holds the registry's password in a file of its
// own.
func NewSigner(ctx context.Context, root, registry string, who authn.Authenticator, options ...name.Option) (*Signer, error) {
	reg, err := name.NewRegistry(registry, options...)
	if err != nil {
		return nil, err
	}
	cosign, err := tool(ctx, root, "cosign")
	if err != nil {
		return nil, err
	}
	access, err := authn.Authorization(ctx, who)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "padron-registry-*")
	if err != nil {
		return nil, err
	}
	s := &Signer{cosign: cosign, config: dir, insecure: reg.Scheme() == "http"}
	docker, err := json.Marshal(map[string]any{"auths": map[string]any{registry: access}})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), docker, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close removes the password.
func (s *Signer) Close() error { return os.RemoveAll(s.config) }

// Sign signs the image that repository holds, and attests the bill of materials
// of each of its platforms, which lie in dir.
func (s *Signer) Sign(ctx context.Context, who Who, repository, dir string, b Built) error {
	if err := s.run(ctx, s.signing(who, "sign", repository+"@"+b.Digest)...); err != nil {
		return fmt.Errorf("sign %s: %w", b.Name, err)
	}
	for _, arch := range Architectures {
		args := s.signing(who, "attest", "--type", "spdxjson", "--predicate", Bill(dir, b.Name, arch), repository+"@"+b.Platforms[arch])
		if err := s.run(ctx, args...); err != nil {
			return fmt.Errorf("attest the bill of materials of %s for %s: %w", b.Name, arch, err)
		}
	}
	return nil
}

// signing are the arguments of a signature. One by a key stands in no log, and
// asks nobody: the key alone says who signed.
func (s *Signer) signing(who Who, verb string, args ...string) []string {
	all := append([]string{verb, "--yes"}, s.registry()...)
	if !who.keyless() {
		all = append(all, "--key", who.Key, "--use-signing-config=false", "--tlog-upload=false")
	}
	return append(all, args...)
}

// Verify returns an error unless the image of this digest in the repository was
// signed by who, and the bill of materials of each of the platforms attested.
// The digest is what is verified: an altered image has another one.
func (s *Signer) Verify(ctx context.Context, who Who, repository string, b Built) error {
	if err := s.Signed(ctx, who, repository, b.Digest); err != nil {
		return fmt.Errorf("signature of %s: %w", b.Name, err)
	}
	for _, arch := range Architectures {
		args := s.verifying(who, "verify-attestation", "--type", "spdxjson", repository+"@"+b.Platforms[arch])
		if err := s.run(ctx, args...); err != nil {
			return fmt.Errorf("attestation of the bill of materials of %s for %s: %w", b.Name, arch, err)
		}
	}
	return nil
}

// Signed returns an error unless the image of this digest in the repository was
// signed by who.
func (s *Signer) Signed(ctx context.Context, who Who, repository, digest string) error {
	return s.run(ctx, s.verifying(who, "verify", repository+"@"+digest)...)
}

func (s *Signer) verifying(who Who, verb string, args ...string) []string {
	all := append([]string{verb}, s.registry()...)
	if who.keyless() {
		all = append(all, "--certificate-identity", who.Identity, "--certificate-oidc-issuer", who.Issuer)
	} else {
		all = append(all, "--key", who.Key, "--insecure-ignore-tlog")
	}
	return append(all, args...)
}

// registry are the arguments for a registry of a test, which has no TLS.
func (s *Signer) registry() []string {
	if s.insecure {
		return []string{"--allow-http-registry"}
	}
	return nil
}

func (s *Signer) run(ctx context.Context, args ...string) error {
	return cosign(ctx, s.cosign, "", []string{"DOCKER_CONFIG=" + s.config}, args...)
}

// cosign runs cosign. What it prints is told where it fails, and holds no secret.
func cosign(ctx context.Context, path, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the pinned cosign
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if _, set := os.LookupEnv("COSIGN_PASSWORD"); !set {
		cmd.Env = append(cmd.Env, "COSIGN_PASSWORD=") // it would ask at a terminal
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cosign %s: %w\n%s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// NewKeys makes a pair of keys to sign with, cosign.key and cosign.pub in dir.
// Keys that are there stay, and are an error. COSIGN_PASSWORD protects the
// private one; without, whoever reads the file can sign.
func NewKeys(ctx context.Context, root, dir string) error {
	private := filepath.Join(dir, "cosign.key")
	if _, err := os.Stat(private); err == nil {
		return fmt.Errorf("%s is there already: what it signed could not be verified any more; remove it by hand to have another", private)
	}
	path, err := tool(ctx, root, "cosign")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return cosign(ctx, path, dir, nil, "generate-key-pair")
}
