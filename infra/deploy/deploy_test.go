package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"padron/infra/cdkout"
	"padron/infra/emulate"
	"padron/infra/synthtest"
)

// world answers for the domain name system outside the account.
type world struct{ servers []string }

func (w world) LookupNS(context.Context, string) ([]*net.NS, error) {
	if len(w.servers) == 0 {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	var answer []*net.NS
	for _, s := range w.servers {
		answer = append(answer, &net.NS{Host: s + "."})
	}
	return answer, nil
}

// TestEmptyAccount goes the whole way of docs/deploy.md on an emulated account
// with the real cdk: each thing that is missing stops it with a line that says
// what to do, and the next try goes on from there.
func TestEmptyAccount(t *testing.T) {
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	env := synthtest.Config(t, "dev")
	account := start(t, root, env.Account)
	var progress, out bytes.Buffer
	d := &Deployment{
		Root: root, Env: env, Templates: synthtest.Load(t, "dev"), AWS: account.Config(env.Region),
		DNS: world{}, Out: &out, Progress: &progress,
	}
	stops := func(want string) {
		t.Helper()
		progress.Reset()
		err := d.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("want a stop because %q, got %v\n%s", want, err, progress.String())
		}
	}
	stops("the CDK is not bootstrapped in us-east-1: run make bootstrap ENV=dev once")
	firstDay(t, d)
	stops("is not delegated to its zone yet")
	servers, err := nameServers(t.Context(), d.AWS, env)
	if err != nil {
		t.Fatal(err)
	}
	d.DNS = world{servers[:1]}
	if err := pushed(t.Context(), d.AWS, env); err == nil || !strings.Contains(err.Error(), "padron-dev-synchronizer: config names no image yet") {
		t.Errorf("without images: %v", err)
	}
	pushImages(t, d)
	ended := endTasks(t, d)
	if err := d.Up(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	<-ended
	if want := "padron-dev is up at https://customers.dev.padron.example.com"; !strings.Contains(out.String(), want) {
		t.Errorf("said %q, want %q", out.String(), want)
	}
	if err := d.Down(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	left, err := cloudformation.NewFromConfig(d.AWS).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range left.Stacks {
		if strings.HasPrefix(aws.ToString(s.StackName), env.Prefix()) {
			t.Errorf("%s is still there: %s", aws.ToString(s.StackName), s.StackStatus)
		}
	}
}

// start starts the account, and points the cdk that tests start at it.
func start(t *testing.T, root, id string) *emulate.Account {
	t.Helper()
	account, err := emulate.Start(t.Context(), root, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Stop(); err != nil {
			t.Error(err)
		}
	})
	shim, err := filepath.Abs(filepath.Join("testdata", "localhost.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		// S3 wants a host that a bucket's name can stand before.
		"AWS_ENDPOINT_URL": strings.Replace(account.URL, "127.0.0.1", "localhost", 1),
		"NODE_OPTIONS":     "--require " + shim, "AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated",
		"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	return account
}

// pushImages gives the registry an image of each name, and the configuration
// their digests.
func pushImages(t *testing.T, d *Deployment) {
	t.Helper()
	client := ecr.NewFromConfig(d.AWS)
	push := func(name string) string {
		t.Helper()
		manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","annotations":{"name":"` + name + `"},` +
			`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}`
		answer, err := client.PutImage(t.Context(), &ecr.PutImageInput{
			RepositoryName: aws.String(d.Env.Prefix() + "-" + name), ImageManifest: aws.String(manifest), ImageTag: aws.String("test"),
			ImageDigest: aws.String(fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))),
		})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(answer.Image.ImageId.ImageDigest)
	}
	d.Env.Images.Synchronizer, d.Env.Images.Manager, d.Env.Images.Padron = push("synchronizer"), push("customers-mngr"), push("padron")
}

// endTasks ends the first task that is started: the emulation starts none of
// its containers, so none ends by itself.
func endTasks(t *testing.T, d *Deployment) <-chan struct{} {
	t.Helper()
	client, done := ecs.NewFromConfig(d.AWS), make(chan struct{})
	go func() {
		defer close(done)
		poll := time.NewTicker(200 * time.Millisecond)
		defer poll.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-poll.C:
			}
			if stopped, err := stopOne(t.Context(), client, d.Env.Prefix()); stopped || err != nil && !errors.Is(err, context.Canceled) {
				if err != nil {
					t.Error(err)
				}
				return
			}
		}
	}()
	return done
}

func stopOne(ctx context.Context, client *ecs.Client, prefix string) (bool, error) {
	clusters, err := client.ListClusters(ctx, &ecs.ListClustersInput{})
	if err != nil {
		return false, err
	}
	for _, cluster := range clusters.ClusterArns {
		if !strings.Contains(cluster, prefix) {
			continue
		}
		tasks, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(cluster), StartedBy: aws.String("padron-infra")})
		if err != nil {
			return false, err
		}
		if len(tasks.TaskArns) > 0 {
			_, err := client.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String(cluster), Task: aws.String(tasks.TaskArns[0])})
			return true, err
		}
	}
	return false, nil
}

// TestOtherAccount refuses credentials of another account than the
// configuration's before anything is touched.
func TestOtherAccount(t *testing.T) {
	root, err := cdkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	account := start(t, root, "999900001111")
	env := synthtest.Config(t, "dev")
	d := &Deployment{Root: root, Env: env, Templates: synthtest.Load(t, "dev"), AWS: account.Config(env.Region)}
	for what, do := range map[string]func(context.Context) error{"up": d.Up, "down": d.Down} {
		err := do(t.Context())
		if err == nil || !strings.Contains(err.Error(), "of account 999900001111 and config/dev.yaml says 111122223333") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestProtected refuses to destroy an environment that is protected.
func TestProtected(t *testing.T) {
	env := synthtest.Config(t, "prod")
	d := &Deployment{Env: env}
	if err := d.Down(t.Context()); err == nil || !strings.Contains(err.Error(), "set protected to false in config/prod.yaml") {
		t.Errorf("destroy a protected environment: %v", err)
	}
}

// TestWithoutCDK says how to install it.
func TestWithoutCDK(t *testing.T) {
	d := &Deployment{Root: t.TempDir(), Env: synthtest.Config(t, "dev")}
	if err := d.Up(t.Context()); err == nil || err.Error() != "no cdk is installed: run make infra-deps, which installs the pinned one from npm" {
		t.Errorf("without a cdk: %v", err)
	}
}
