package deploy

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"padron/infra/cfn"
	"padron/infra/config"
)

// Deployment is one environment on its way into its account.
type Deployment struct {
	// Root is the folder infra.
	Root string
	Env  *config.Environment
	// Templates are what was synthesized for Env.
	Templates *cfn.Assembly
	// AWS are the credentials and region.
	AWS aws.Config
	// DNS looks up what the world knows of the zone.
	DNS resolver
	// Poll is how long to wait between two questions about a task; 0 leaves it to
	// AWS's SDK.
	Poll time.Duration
	// Out gets results, Progress what happens on the way.
	Out, Progress io.Writer
}

// Stacks that an empty account cannot have at once: each needs something of the
// world besides the stacks before it.
const (
	// edge waits for the certificate, which waits for the delegation.
	edgeStack = "edge"
	// services wait for images and for the database's schema and users, which
	// the task of the stack migration makes.
	migrationStack = "migration"
	servicesStack  = "services"
)

// networkStack says in which subnets and with which security group the
// migration runs.
const networkStack = "network"

// Up deploys every stack. What is missing stops it with one line that says what
// to do; started again, it goes on from there.
func (d *Deployment) Up(ctx context.Context) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	if err := d.cdk(ctx, "deploy", d.free()); err != nil {
		return err
	}
	if err := delegated(ctx, d.AWS, d.DNS, d.Env); err != nil {
		return err
	}
	if err := pushed(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	if err := d.cdk(ctx, "deploy", d.closure(edgeStack, migrationStack)); err != nil {
		return err
	}
	if _, err := d.Migrate(ctx); err != nil {
		return err
	}
	if err := d.cdk(ctx, "deploy", d.names()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.Out, "%s is up at https://%s.%s, from inside the network; docs/deploy.md says how to check it from the bastion\n",
		d.Env.Prefix(), d.Env.Domains.Host, d.Env.Domains.Zone)
	return err
}

// Down deletes every stack, and what is in the buckets that go with it. An
// access log that comes in meanwhile stops it; started again, it goes on.
// Protected environments are refused: what protects them is switched off in the
// configuration first, on the record.
func (d *Deployment) Down(ctx context.Context) error {
	if d.Env.Protected {
		return fmt.Errorf("%s is protected: set protected to false in config/%s.yaml, deploy that, then destroy (docs/deploy.md)", d.Env.Prefix(), d.Env.Name)
	}
	if err := d.ready(ctx); err != nil {
		return err
	}
	var next []string
	for _, s := range slices.Backward(d.Templates.Stacks) {
		if buckets := deletable(s); len(buckets) > 0 {
			if err := d.cdk(ctx, "destroy", next); err != nil {
				return err
			}
			if err := d.empty(ctx, s, buckets); err != nil {
				return err
			}
			next = nil
		}
		next = append(next, s.Name)
	}
	return d.cdk(ctx, "destroy", next)
}

// ready checks what every command needs before it touches the account.
func (d *Deployment) ready(ctx context.Context) error {
	if _, err := command(d.Root); err != nil {
		return err
	}
	if err := SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	for _, region := range d.regions() {
		if err := Bootstrapped(ctx, d.AWS, d.Env, region); err != nil {
			return err
		}
	}
	return nil
}

// regions are those that the stacks are deployed to.
func (d *Deployment) regions() []string {
	var found []string
	for _, s := range d.Templates.Stacks {
		if !slices.Contains(found, s.Region) {
			found = append(found, s.Region)
		}
	}
	return found
}

func (d *Deployment) names() []string {
	var all []string
	for _, s := range d.Templates.Stacks {
		all = append(all, s.Name)
	}
	return all
}

// free are the stacks that need none of those that wait for the world.
func (d *Deployment) free() []string {
	waiting := []string{edgeStack, migrationStack, servicesStack}
	return slices.DeleteFunc(d.names(), func(name string) bool {
		return slices.ContainsFunc(d.closure(name), func(need string) bool { return slices.Contains(waiting, need) })
	})
}

// closure are the named stacks and all that they need, in order.
func (d *Deployment) closure(names ...string) []string {
	needed := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		s := d.Templates.Stack(name)
		if s == nil || needed[name] {
			return
		}
		needed[name] = true
		for _, n := range s.Needs {
			add(n)
		}
	}
	for _, name := range names {
		add(name)
	}
	return slices.DeleteFunc(d.names(), func(name string) bool { return !needed[name] })
}

// cdk runs the pinned cdk on the stacks of the templates that are there, if any.
func (d *Deployment) cdk(ctx context.Context, verb string, stacks []string) error {
	if len(stacks) == 0 {
		return nil
	}
	path, err := command(d.Root)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(d.Progress, "%s %s: %s\n", verb, d.Env.Prefix(), strings.Join(stacks, " "))
	args := append([]string{verb, "--app", d.Templates.Dir, "--exclusively"}, stacks...)
	if verb == "deploy" {
		args = append(args, "--require-approval", "never", "--progress", "events")
	} else {
		args = append(args, "--force")
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the pinned cdk and our own stacks
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.Root, d.Progress, d.Progress
	cmd.Env = d.environment()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cdk %s stopped (%w): the lines above say at which resource and why; CloudFormation has rolled that stack back", verb, err)
	}
	return nil
}

// environment starts the cdk on the pinned Node.
func (d *Deployment) environment() []string {
	bin := filepath.Join(d.Root, "node_modules", ".bin")
	return append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "CDK_DISABLE_CLI_TELEMETRY=1")
}
