package delivery

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"padron/infra/cfn"
	"padron/infra/config"
	"padron/infra/deploy"
)

// Delivery is one environment of one commit on its way into its account.
type Delivery struct {
	Env *config.Environment
	// Description is Env as it is written in the commit.
	Description []byte
	// Templates are what was synthesized of the commit.
	Templates *cfn.Assembly
	Source    Source
	// AWS are the credentials and region.
	AWS aws.Config
	// Progress gets what happens on the way.
	Progress io.Writer
	// Now tells the time.
	Now func() time.Time
	// Poll is how long to wait between two questions about the same thing.
	Poll time.Duration
	// Patience is how long one stack may take.
	Patience time.Duration

	// files are the templates as written, by stack.
	files map[string][]byte
	// kept is the release that the templates are of, nil where they are a
	// commit's.
	kept *Release
}

// The defaults of a delivery. A database cluster is what takes longest.
const (
	DefaultPoll     = 5 * time.Second
	DefaultPatience = 2 * time.Hour
)

// ready returns an error unless the credentials are of the environment's
// account, and the CDK's bucket and roles are in each of its regions.
func (d *Delivery) ready(ctx context.Context) error {
	if err := deploy.SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range d.Templates.Stacks {
		if s.Account != d.Env.Account {
			return fmt.Errorf("stack %s is for account %s and the environment %s is account %s", s.Name, s.Account, d.Env.Name, d.Env.Account)
		}
		if !seen[s.Region] {
			seen[s.Region] = true
			if err := deploy.Bootstrapped(ctx, d.AWS, d.Env, s.Region); err != nil {
				return err
			}
		}
	}
	return nil
}

// in is the configuration for the region.
func (d *Delivery) in(region string) aws.Config {
	c := d.AWS.Copy()
	c.Region = region
	return c
}

func (d *Delivery) stacks(region string) *cloudformation.Client {
	return cloudformation.NewFromConfig(d.in(region))
}

func objects(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// say tells whoever waits what happens.
func (d *Delivery) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.Progress, format+"\n", args...)
}

// executionRole is the role of cdk bootstrap that CloudFormation changes resources
// with.
func (d *Delivery) executionRole(region string) string {
	return fmt.Sprintf("arn:aws:iam::%s:role/cdk-hnb659fds-cfn-exec-role-%s-%s", d.Env.Account, d.Env.Account, region)
}

// pause waits a little before the next question.
func (d *Delivery) pause(ctx context.Context) error {
	timer := time.NewTimer(d.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
