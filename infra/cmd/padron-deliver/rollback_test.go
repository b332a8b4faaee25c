package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/delivery"
	"padron/infra/emulate"
	"padron/infra/images"
)

// TestRollbackWantsSignatures keeps a release of which one image is not signed:
// nothing goes back to it, and nothing is planned.
func TestRollbackWantsSignatures(t *testing.T) {
	account := account(t)
	host := withRegistry(t, account)
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env, err := config.Load(filepath.Join(root, "config"), "dev")
	if err != nil {
		t.Fatal(err)
	}
	project, keys := filepath.Dir(root), filepath.Join(t.TempDir(), "keys")
	t.Setenv("COSIGN_PASSWORD", "of the test")
	if err := images.NewKeys(t.Context(), project, keys); err != nil {
		t.Fatal(err)
	}
	signer, err := images.NewSigner(t.Context(), project, host, authn.Anonymous)
	if err != nil {
		t.Fatal(err)
	}
	defer signer.Close()
	digests, dir := map[string]string{}, t.TempDir()
	for _, program := range images.Names {
		repository := host + "/" + env.Prefix() + "-" + program
		built := pushed(t, dir, program, repository)
		digests[program] = built.Digest
		if program == "customers-mngr" {
			continue
		}
		if err := signer.Sign(t.Context(), images.Who{Key: filepath.Join(keys, "cosign.key")}, repository, dir, built); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, account, env, digests)
	out := filepath.Join(t.TempDir(), "review")
	err = rollbackCommand{target: target{"dev"}, gate: gate{filepath.Join(keys, "cosign.pub")}, To: "1", Out: out}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "going back to release 1 is refused") || strings.Count(err.Error(), "so it passed no gate") != 1 ||
		!strings.Contains(err.Error(), digests["customers-mngr"]) {
		t.Errorf("one of three images is not signed: %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a plan was written all the same")
	}
}

// withRegistry is the host of a registry that takes images, which the account is
// told to have: the emulation has none.
func withRegistry(t *testing.T, account *emulate.Account) string {
	t.Helper()
	own := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(own.Close)
	host := strings.TrimPrefix(own.URL, "http://")
	behind, err := url.Parse(account.URL)
	if err != nil {
		t.Fatal(err)
	}
	emulation := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetAuthorizationToken") {
			emulation.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]any{"authorizationData": []any{map[string]any{
			"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:password")), "proxyEndpoint": "https://" + host,
		}}})
	}))
	t.Cleanup(front.Close)
	t.Setenv("AWS_ENDPOINT_URL", front.URL)
	return host
}

// pushed is an image of nothing, and its bills of materials in dir.
func pushed(t *testing.T, dir, program, repository string) images.Built {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, arch := range images.Architectures {
		image, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"is": program + arch}})
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if err := os.WriteFile(images.Bill(dir, program, arch), []byte(`{"spdxVersion":"SPDX-2.3"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := images.Write(dir, program, index)
	if err == nil {
		err = images.Push(t.Context(), built, repository, "v1", authn.Anonymous)
	}
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// keep puts the record of a first release of the images onto the shelf.
func keep(t *testing.T, account *emulate.Account, env *config.Environment, digests map[string]string) {
	t.Helper()
	r := &delivery.Release{Format: delivery.Format, Revision: 1, Environment: env.Name, Account: env.Account, Region: env.Region, Images: digests}
	r.Seal()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(account.Config(env.Region), func(o *s3.Options) { o.UsePathStyle = true })
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(delivery.Bucket(env)), Key: aws.String("releases/000001/release.json"), Body: bytes.NewReader(text),
	})
	if err != nil {
		t.Fatal(err)
	}
}
