package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
)

// deliveryStack has the roles that the pipeline works with.
const deliveryStack = "delivery"

// linked are the services whose own role an account must have before the estate
// can use them.
var linked = []string{"ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"}

// Bootstrap makes of an empty account one that the pipeline can deploy to: a
// stack with what deployments may do, the CDK's own stack with that in each
// region, and the stack with the roles that the pipeline takes. It needs an
// administrator once; done again, it brings all of it up to date.
func (d *Deployment) Bootstrap(ctx context.Context) error {
	if _, err := command(d.Root); err != nil {
		return err
	}
	if err := SignedIn(ctx, d.AWS, d.Env); err != nil {
		return err
	}
	for _, service := range linked {
		if err := d.link(ctx, service); err != nil {
			return err
		}
	}
	policy, err := d.executionPolicy(ctx)
	if err != nil {
		return err
	}
	for _, region := range d.regions() {
		if tight, err := d.tight(ctx, region, policy); err != nil || tight {
			if err != nil {
				return err
			}
			continue
		}
		if err := d.cdkBootstrap(ctx, region, policy); err != nil {
			return err
		}
	}
	if err := d.cdk(ctx, "deploy", d.closure(deliveryStack)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.Out, "account %s takes deployments of %s from %s, in the GitHub environments %s and %s; docs/delivery.md says what is set there\n",
		d.Env.Account, d.Env.Prefix(), d.Env.Delivery.Repository, d.Env.Delivery.PlanEnvironment(), d.Env.Delivery.GitHubEnvironment)
	return err
}

// link makes a service's role, unless the account has it.
func (d *Deployment) link(ctx context.Context, service string) error {
	_, err := iam.NewFromConfig(d.AWS).CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String(service)})
	if _, there := errors.AsType[*iamtypes.InvalidInputException](err); there {
		return nil
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "EntityAlreadyExists" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the role of %s: %w", service, err)
	}
	return nil
}

// executionPolicy brings the bootstrap stack up to date and returns the ARN of
// its policy.
func (d *Deployment) executionPolicy(ctx context.Context) (string, error) {
	document, err := execution(d.Env, d.Templates)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(bootstrapTemplate(document))
	if err != nil {
		return "", err
	}
	client, name := cloudformation.NewFromConfig(d.AWS), aws.String(bootstrapStack)
	_, _ = fmt.Fprintf(d.Progress, "deploy %s: what deployments may do\n", bootstrapStack)
	capabilities := []types.Capability{types.CapabilityCapabilityNamedIam}
	_, err = client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: name, TemplateBody: aws.String(string(text)), Capabilities: capabilities, EnableTerminationProtection: aws.Bool(true),
	})
	wait := func() error {
		return cloudformation.NewStackCreateCompleteWaiter(client).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, 10*time.Minute)
	}
	if _, there := errors.AsType[*types.AlreadyExistsException](err); there {
		_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: name, TemplateBody: aws.String(string(text)), Capabilities: capabilities})
		if err != nil && strings.Contains(err.Error(), "No updates are to be performed") {
			return executionARN(d.Env), nil
		}
		wait = func() error {
			return cloudformation.NewStackUpdateCompleteWaiter(client).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, 10*time.Minute)
		}
	}
	if err == nil {
		err = wait()
	}
	if err != nil {
		return "", fmt.Errorf("the stack %s: %w", bootstrapStack, err)
	}
	return executionARN(d.Env), nil
}

// tight reports whether the region has the CDK's roles, and deployments there
// the policy and no other.
func (d *Deployment) tight(ctx context.Context, region, policy string) (bool, error) {
	role := fmt.Sprintf("cdk-hnb659fds-cfn-exec-role-%s-%s", d.Env.Account, region)
	has, err := iam.NewFromConfig(d.AWS).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)})
	if _, missing := errors.AsType[*iamtypes.NoSuchEntityException](err); missing {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the role %s: %w", role, err)
	}
	return len(has.AttachedPolicies) == 1 && aws.ToString(has.AttachedPolicies[0].PolicyArn) == policy, nil
}

// cdkBootstrap makes the CDK's stack in the region. One that somebody made with
// another policy, such as the administrator's, gets this.
func (d *Deployment) cdkBootstrap(ctx context.Context, region, policy string) error {
	path, err := command(d.Root)
	if err != nil {
		return err
	}
	empty, err := os.MkdirTemp("", "padron-bootstrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty) //nolint:errcheck // it is empty
	_, _ = fmt.Fprintf(d.Progress, "cdk bootstrap %s %s\n", d.Env.Account, region)
	//nolint:gosec // the pinned cdk and our own names
	cmd := exec.CommandContext(ctx, path, "bootstrap", "aws://"+d.Env.Account+"/"+region, "--app", "", "--no-notices",
		"--cloudformation-execution-policies", policy)
	// Outside of the project there is no cdk.json whose app it would start.
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = empty, d.Progress, d.Progress, d.environment()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cdk bootstrap in %s stopped (%w): the lines above say why", region, err)
	}
	return nil
}
