// Package release puts images into an environment's registry, and lets none
// pass that was not scanned, or in which the scan found what nobody has decided
// to live with. What passes is signed, and its digests become the input of the
// next plan.
package release

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"padron/infra/config"
	"padron/infra/images"
)

// The defaults of a release. Inspector takes a few minutes for an image.
const (
	DefaultPoll     = 10 * time.Second
	DefaultPatience = 20 * time.Minute
)

// Release is one version of the images on its way into one environment.
type Release struct {
	// Project is padron's folder, which pins the tools; Root is the folder infra
	// with the descriptions and the allow list.
	Project, Root string
	Env           *config.Environment
	// Tag is what the images are called in the registry, once and for all.
	Tag string
	// Dir is where the built images and their bills of materials lie.
	Dir string
	AWS aws.Config
	// Registry is where to push to; where it is nil, the account's.
	Registry *Registry
	// Signs is who signs, Believed who must have: the same, seen from outside.
	Signs, Believed images.Who
	Now             func() time.Time
	Poll, Patience  time.Duration
	// Progress gets what happens on the way.
	Progress io.Writer
}

// Registry is a registry and a password for it.
type Registry struct {
	Host    string
	Who     authn.Authenticator
	Options []name.Option
}

// Run pushes the images, waits for their scan, stops at the gate, signs what
// passed, and names it in the environment's description. Images that were
// pushed and did not pass stay there, unsigned and named by nobody.
func (r *Release) Run(ctx context.Context, all []images.Built) error {
	allow, err := LoadAllowList(r.Root, r.Now())
	if err != nil {
		return err
	}
	scanner := Scanner{Client: ecr.NewFromConfig(r.AWS), Poll: r.Poll, Patience: r.Patience}
	if err := scanner.Enhanced(ctx); err != nil {
		return err
	}
	registry := r.Registry
	if registry == nil {
		if registry, err = SignIn(ctx, r.AWS, r.Env); err != nil {
			return err
		}
	}
	for _, b := range all {
		r.say("push %s %s", b.Name, b.Digest)
		if err := images.Push(ctx, b, registry.Host+"/"+r.repository(b), r.Tag, registry.Who, registry.Options...); err != nil {
			return err
		}
	}
	if err := r.gate(ctx, scanner, allow, all); err != nil {
		return err
	}
	if err := r.sign(ctx, registry, all); err != nil {
		return err
	}
	path, err := Pin(r.Root, r.Env.Name, r.Tag, all)
	if err != nil {
		return err
	}
	r.say("%s names %s now: commit it, and have that planned and reviewed", path, r.Tag)
	return nil
}

func (r *Release) repository(b images.Built) string { return r.Env.Prefix() + "-" + b.Name }

// gate waits for the scans and judges what they found.
func (r *Release) gate(ctx context.Context, scanner Scanner, allow AllowList, all []images.Built) error {
	var found []Finding
	for _, b := range all {
		r.say("wait for the scan of %s", b.Name)
		one, err := scanner.Findings(ctx, r.repository(b), b)
		if err != nil {
			return err
		}
		found = append(found, one...)
	}
	allowed, err := allow.Gate(found)
	for _, f := range allowed {
		r.say("let pass for now: %s", f)
	}
	r.say("%d findings, %d of them grave and let pass", len(found), len(allowed))
	return err
}

// sign signs every image and verifies the signatures as anybody would.
func (r *Release) sign(ctx context.Context, registry *Registry, all []images.Built) (err error) {
	signer, err := images.NewSigner(ctx, r.Project, registry.Host, registry.Who, registry.Options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, signer.Close()) }()
	for _, b := range all {
		repository := registry.Host + "/" + r.repository(b)
		if err := signer.Sign(ctx, r.Signs, repository, r.Dir, b); err != nil {
			return err
		}
		if err := signer.Verify(ctx, r.Believed, repository, b); err != nil {
			return err
		}
		r.say("signed %s", b.Name)
	}
	return nil
}

func (r *Release) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Progress, format+"\n", args...)
}

// SignIn returns the account's registry and a password for it, good for twelve
// hours.
func SignIn(ctx context.Context, c aws.Config, env *config.Environment) (*Registry, error) {
	answer, err := ecr.NewFromConfig(c).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err == nil && len(answer.AuthorizationData) == 0 {
		err = errors.New("it gives no token")
	}
	if err != nil {
		return nil, fmt.Errorf("sign in to the registry of account %s: %w; sign in with `aws sso login` or set AWS_PROFILE", env.Account, err)
	}
	data := answer.AuthorizationData[0]
	plain, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	if err != nil {
		return nil, fmt.Errorf("the registry's token cannot be read: %w", err)
	}
	user, password, _ := strings.Cut(string(plain), ":")
	return &Registry{
		Host: strings.TrimPrefix(aws.ToString(data.ProxyEndpoint), "https://"), Who: &authn.Basic{Username: user, Password: password},
	}, nil
}
