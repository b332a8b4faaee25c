package workflows_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"padron/infra/cdkout"
	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/delivery"
	"padron/infra/emulate"
	"padron/infra/emulate/edge"
	"padron/infra/images"
	"padron/infra/release"
	"padron/infra/release/releasetest"
	"padron/infra/synthtest"
)

// production is the emulated account of the environment prod, with the registry
// that takes its images.
type production struct {
	*emulate.Account
	env   *config.Environment
	bench *releasetest.Bench
	// url is where programs find the account, and roles what lets them in there.
	url   string
	roles *roles
	// checked are the parameters of the bastion's last check.
	checked map[string][]string
}

// firstDay makes an account in which what the checkout describes runs as release 1,
// with images that passed the gate: as after docs/delivery.md's first day.
func (r *runner) firstDay() {
	r.t.Helper()
	root, err := cdkout.Root()
	if err != nil {
		r.t.Fatal(err)
	}
	env := synthtest.Config(r.t, "prod")
	account, err := emulate.Start(r.t.Context(), root, env.Account)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := account.Stop(); err != nil {
			r.t.Error(err)
		}
	})
	p := &production{Account: account, env: env, bench: releasetest.Open(r.t, account, env, r.project)}
	r.account = p
	p.bench.Pushed = func(repository string, manifest v1.Descriptor) { r.pushed(p, repository, manifest) }
	p.roles = guard(r.t, account.Config(env.Region), edge.Handler(r.t, account, p.answers()))
	front := httptest.NewServer(p.roles)
	r.t.Cleanup(front.Close)
	p.url = front.URL
	first, all := p.bench.Prepare(r.t, nil, "v0", "first")
	if _, err := release.Pin(filepath.Join(r.project, "infra"), env.Name, first.Tag, all); err != nil {
		r.t.Fatal(err)
	}
	r.git("commit", "--quiet", "--all", "--message", "Name the first images")
	if p.env, err = config.Load(filepath.Join(r.project, "infra", "config"), env.Name); err != nil {
		r.t.Fatal(err)
	}
	templates := synthtest.Variant(r.t, env.Name, "workflows", func(e *config.Environment) { e.Images = p.env.Images })
	if err := p.Stand(r.t.Context(), templates); err != nil {
		r.t.Fatal(err)
	}
	r.sign(p, first, all)
	r.released(p, templates)
}

// sign pushes images and signs them as the workflow release does those that passed
// the gate.
func (r *runner) sign(p *production, of *release.Release, all []images.Built) {
	r.t.Helper()
	registry := p.bench.Registry
	signer, err := images.NewSigner(r.t.Context(), r.project, registry.Host, registry.Who, registry.Options...)
	if err != nil {
		r.t.Fatal(err)
	}
	defer signer.Close()
	for name, value := range r.vouched("release.yaml", p.env.Delivery.GitHubEnvironment) {
		r.t.Setenv(name, value)
	}
	for _, built := range all {
		repository := registry.Host + "/" + p.env.Prefix() + "-" + built.Name
		if err := images.Push(r.t.Context(), built, repository, of.Tag, registry.Who, registry.Options...); err != nil {
			r.t.Fatal(err)
		}
		if err := signer.Sign(r.t.Context(), images.Who{}, repository, of.Dir, built); err != nil {
			r.t.Fatal(err)
		}
	}
}

// released keeps the record of what stands as release 1.
func (r *runner) released(p *production, templates *cfn.Assembly) {
	r.t.Helper()
	description, err := os.ReadFile(filepath.Join(r.project, "infra", "config", p.env.Name+".yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	source, err := delivery.FromCommit(r.t.Context(), r.project)
	if err != nil {
		r.t.Fatal(err)
	}
	deliver := func() *delivery.Delivery {
		return &delivery.Delivery{
			Env: p.env, Description: description, Templates: templates, Source: source, AWS: p.Config(p.env.Region),
			Progress: r.t.Output(), Now: time.Now, Poll: time.Millisecond, Patience: time.Minute,
		}
	}
	plan, err := deliver().Plan(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := deliver().Apply(r.t.Context(), plan.Record, nil); err != nil {
		r.t.Fatal(err)
	}
}

// pushed gives the account's registry the record of an image that the other
// registry took, and what its scan found: nothing grave.
func (r *runner) pushed(p *production, repository string, manifest v1.Descriptor) {
	program := strings.TrimPrefix(repository, p.env.Prefix()+"-")
	digest := manifest.Digest.String()
	if manifest.MediaType.IsIndex() {
		p.bench.Put(r.t, program, digest)
		return
	}
	p.bench.Scanned(r.t, []images.Built{{Name: program, Platforms: map[string]string{"any": digest}}}, ecrtypes.ScanStatusActive, "MEDIUM")
}

// answers are given in the account's place: what the emulation cannot do.
func (p *production) answers() edge.Answers {
	answers := edge.Service{Account: p.Account, Env: p.env}.Answers()
	answers["GetAuthorizationToken"] = p.bench.SignsIn()
	// The bastion: which document is sent is the command's id.
	answers["SendCommand"] = func(body []byte) any {
		var sent struct {
			DocumentName string
			Parameters   map[string][]string
		}
		_ = json.Unmarshal(body, &sent)
		p.checked = sent.Parameters
		return map[string]any{"Command": map[string]any{"CommandId": sent.DocumentName}}
	}
	answers["GetCommandInvocation"] = func(body []byte) any {
		output := `{"checks":[{"check":"versions","outcome":"passed","detail":"as released"}]}`
		if strings.Contains(string(body), "-draft") {
			output = `{"registrations":["{\"id\":\"a\"}"]}`
		}
		return map[string]any{"Status": "Success", "StandardOutputContent": output}
	}
	return answers
}

// keepLess has somebody keep a log for a week, by hand.
func (p *production) keepLess(t testing.TB) {
	t.Helper()
	_, err := cloudwatchlogs.NewFromConfig(p.Config(p.env.Region)).PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{
		LogGroupName: aws.String("/padron/" + p.env.Name + "/migration"), RetentionInDays: aws.Int32(7),
	})
	if err != nil {
		t.Fatal(err)
	}
}
