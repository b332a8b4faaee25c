// Package deploy puts an environment's templates into its account, in the order
// that an empty account needs, and says in one line what is missing. It deploys
// what was synthesized and proven, never something made anew.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"padron/infra/config"
)

// command returns the pinned cdk, which npm installed below root.
func command(root string) (string, error) {
	path := filepath.Join(root, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("no cdk is installed: run make infra-deps, which installs the pinned one from npm")
	}
	if _, err := exec.LookPath("node"); err != nil {
		if _, err := os.Stat(filepath.Join(root, "node_modules", ".bin", "node")); err != nil {
			return "", errors.New("no Node is installed: run make infra-deps, which installs the pinned one from npm")
		}
	}
	return path, nil
}

// SignedIn returns an error unless the credentials are of the environment's
// account.
func SignedIn(ctx context.Context, c aws.Config, env *config.Environment) error {
	who, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("no AWS credentials that work: sign in with `aws sso login` or set AWS_PROFILE, then try again (%w)", err)
	}
	if account := aws.ToString(who.Account); account != env.Account {
		return fmt.Errorf("these credentials are of account %s and config/%s.yaml says %s: sign in to that account, or correct the file",
			account, env.Name, env.Account)
	}
	return nil
}

// Bootstrapped returns an error unless the CDK's own stack is in the region.
func Bootstrapped(ctx context.Context, c aws.Config, env *config.Environment, region string) error {
	c.Region = region
	_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/cdk-bootstrap/hnb659fds/version")})
	if err != nil {
		return fmt.Errorf("the CDK is not bootstrapped in %s: run make bootstrap ENV=%s once (%w)", region, env.Name, err)
	}
	return nil
}

// digests are the repositories and the digests that the environment runs.
func digests(env *config.Environment) map[string]string {
	return map[string]string{
		env.Prefix() + "-synchronizer":   env.Images.Synchronizer,
		env.Prefix() + "-customers-mngr": env.Images.Manager,
		env.Prefix() + "-padron":         env.Images.Padron,
	}
}

// pushed returns an error unless every image that the environment names is in
// the registry.
func pushed(ctx context.Context, c aws.Config, env *config.Environment) error {
	client := ecr.NewFromConfig(c)
	var missing []string
	for repository, digest := range digests(env) {
		if digest == config.NoImage {
			missing = append(missing, repository+": config names no image yet")
			continue
		}
		_, err := client.DescribeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: aws.String(repository), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: aws.String(digest)}},
		})
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %s is not there (%v)", repository, digest, err))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("images are missing: release them, which writes their digests into config/%s.yaml (docs/deploy.md, \"Images\"), then deploy again\n  %s",
		env.Name, strings.Join(missing, "\n  "))
}

// resolver looks names up: [net.Resolver] in production.
type resolver interface {
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
}

// delegated returns an error unless the world asks the name servers of the
// environment's public zone for its names: a certificate cannot be validated
// before.
func delegated(ctx context.Context, c aws.Config, dns resolver, env *config.Environment) error {
	want, err := nameServers(ctx, c, env)
	if err != nil {
		return err
	}
	got, err := dns.LookupNS(ctx, env.Domains.Zone)
	if err == nil {
		for _, ns := range got {
			if slices.Contains(want, strings.TrimSuffix(ns.Host, ".")) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not delegated to its zone yet: where the parent domain is managed, add NS records for %s with these values, wait until they are known, then deploy again\n  %s",
		env.Domains.Zone, env.Domains.Zone, strings.Join(want, "\n  "))
}

// nameServers returns the name servers of the public zone.
func nameServers(ctx context.Context, c aws.Config, env *config.Environment) ([]string, error) {
	client := route53.NewFromConfig(c)
	pages := route53.NewListHostedZonesPaginator(client, &route53.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list hosted zones: %w", err)
		}
		for _, z := range page.HostedZones {
			if aws.ToString(z.Name) != env.Domains.Zone+"." || z.Config.PrivateZone {
				continue
			}
			zone, err := client.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: z.Id})
			if err != nil {
				return nil, fmt.Errorf("hosted zone %s: %w", env.Domains.Zone, err)
			}
			return zone.DelegationSet.NameServers, nil
		}
	}
	return nil, fmt.Errorf("there is no public hosted zone %s: deploy the stack names first", env.Domains.Zone)
}
