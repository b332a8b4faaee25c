package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-containerregistry/pkg/authn"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/delivery"
	"padron/infra/emulate"
	"padron/infra/emulate/edge"
	"padron/infra/images"
	"padron/infra/release/releasetest"
)

// TestRollbackWantsSignatures keeps a release of which one image is not signed:
// nothing goes back to it, and nothing is planned.
func TestRollbackWantsSignatures(t *testing.T) {
	account := account(t)
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env, err := config.Load(filepath.Join(root, "config"), "dev")
	if err != nil {
		t.Fatal(err)
	}
	project := filepath.Dir(root)
	bench := releasetest.Open(t, account, env, project)
	t.Setenv("AWS_ENDPOINT_URL", edge.Open(t, account, edge.Answers{"GetAuthorizationToken": bench.SignsIn()}))
	host := bench.Registry.Host
	signer, err := images.NewSigner(t.Context(), project, host, authn.Anonymous)
	if err != nil {
		t.Fatal(err)
	}
	defer signer.Close()
	digests := map[string]string{}
	r, all := bench.Prepare(t, nil, "v1", "")
	for _, built := range all {
		repository := host + "/" + env.Prefix() + "-" + built.Name
		digests[built.Name] = built.Digest
		if err := images.Push(t.Context(), built, repository, r.Tag, authn.Anonymous); err != nil {
			t.Fatal(err)
		}
		if built.Name == "customers-mngr" {
			continue
		}
		if err := signer.Sign(t.Context(), bench.Key, repository, r.Dir, built); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, account, env, digests)
	out := filepath.Join(t.TempDir(), "review")
	err = rollbackCommand{target: target{"dev"}, gate: gate{bench.Public.Key}, To: "1", Out: out}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "going back to release 1 is refused") || strings.Count(err.Error(), "so it passed no gate") != 1 ||
		!strings.Contains(err.Error(), digests["customers-mngr"]) {
		t.Errorf("one of three images is not signed: %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a plan was written all the same")
	}
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
