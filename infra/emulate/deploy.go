package emulate

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"padron/infra/cfn"
)

// Bootstrap does what `cdk bootstrap` and the publication of assets do: each
// region has its bucket and says which version made it, and each stack's files
// are in the bucket. Their content is that of an empty archive, for nothing runs
// here.
func (a *Account) Bootstrap(ctx context.Context, assembly *cfn.Assembly) error {
	made := map[string]bool{}
	for _, stack := range assembly.Stacks {
		if !made[stack.Region] {
			made[stack.Region] = true
			if err := a.prepare(ctx, stack.Region); err != nil {
				return fmt.Errorf("bootstrap %s: %w", stack.Region, err)
			}
		}
		assets, err := assetsOf(assembly.Dir, stack)
		if err != nil {
			return err
		}
		for _, asset := range assets {
			if err := publish(ctx, a.objects(stack.Region), asset); err != nil {
				return fmt.Errorf("asset %s of stack %s: %w", asset.Key, stack.Name, err)
			}
		}
	}
	return nil
}

// Stand bootstraps the account and creates every stack of the assembly but those
// named. The stacks' files are not left: what a delivery finds there is its own.
func (a *Account) Stand(ctx context.Context, assembly *cfn.Assembly, without ...string) error {
	if err := a.Bootstrap(ctx, assembly); err != nil {
		return err
	}
	for _, stack := range assembly.Stacks {
		if slices.Contains(without, stack.Name) {
			continue
		}
		if err := a.Create(ctx, stack); err != nil {
			return err
		}
	}
	for _, stack := range assembly.Stacks {
		assets, err := assetsOf(assembly.Dir, stack)
		if err != nil {
			return err
		}
		for _, asset := range assets {
			if _, err := a.objects(stack.Region).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &asset.Bucket, Key: &asset.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Account) objects(region string) *s3.Client {
	return s3.NewFromConfig(a.Config(region), func(o *s3.Options) { o.UsePathStyle = true })
}

// prepare makes the region's bucket for assets, and says which version did.
func (a *Account) prepare(ctx context.Context, region string) error {
	in := &s3.CreateBucketInput{Bucket: aws.String("cdk-hnb659fds-assets-" + a.ID + "-" + region)}
	if region != "us-east-1" { // S3's own default, which it refuses to be told
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	if _, err := a.objects(region).CreateBucket(ctx, in); err != nil {
		return err
	}
	_, err := ssm.NewFromConfig(a.Config(region)).PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/cdk-bootstrap/hnb659fds/version"), Value: aws.String("30"), Type: ssmtypes.ParameterTypeString,
	})
	return err
}

// asset is where a file of a stack belongs.
type asset struct {
	Bucket string `json:"bucketName"`
	Key    string `json:"objectKey"`
}

func assetsOf(dir string, stack *cfn.Stack) ([]asset, error) {
	path := filepath.Join(dir, stack.Name+".assets.json")
	text, err := os.ReadFile(path) //nolint:gosec // a file of the synthesis
	if err != nil {
		return nil, err
	}
	var manifest struct {
		Files map[string]struct {
			Destinations map[string]asset `json:"destinations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var assets []asset
	for _, file := range manifest.Files {
		for _, destination := range file.Destinations {
			assets = append(assets, destination)
		}
	}
	return assets, nil
}

func publish(ctx context.Context, client *s3.Client, file asset) error {
	var empty bytes.Buffer
	if err := zip.NewWriter(&empty).Close(); err != nil {
		return err
	}
	_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &file.Bucket, Key: &file.Key, Body: bytes.NewReader(empty.Bytes())})
	return err
}

// Create creates the stack, and returns an error where it does not end as
// CREATE_COMPLETE.
func (a *Account) Create(ctx context.Context, stack *cfn.Stack) error {
	body, err := json.Marshal(stack.Template)
	if err != nil {
		return err
	}
	client := cloudformation.NewFromConfig(a.Config(stack.Region))
	_, err = client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: &stack.StackName, TemplateBody: aws.String(string(body)),
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	})
	if err != nil {
		return fmt.Errorf("create stack %s: %w", stack.Name, err)
	}
	return a.expect(ctx, stack, types.StackStatusCreateComplete)
}

// Update brings the stack to its template.
func (a *Account) Update(ctx context.Context, stack *cfn.Stack) error {
	body, err := json.Marshal(stack.Template)
	if err != nil {
		return err
	}
	client := cloudformation.NewFromConfig(a.Config(stack.Region))
	_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: &stack.StackName, TemplateBody: aws.String(string(body)),
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	})
	if err != nil {
		return fmt.Errorf("update stack %s: %w", stack.Name, err)
	}
	return a.expect(ctx, stack, types.StackStatusUpdateComplete)
}

// Delete deletes the stack; what its template retains stays. Buckets are emptied
// first, as somebody has to in AWS too: CloudFormation deletes no bucket that
// holds something.
func (a *Account) Delete(ctx context.Context, stack *cfn.Stack) error {
	client := cloudformation.NewFromConfig(a.Config(stack.Region))
	out, err := client.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &stack.StackName})
	if err != nil {
		return fmt.Errorf("resources of stack %s: %w", stack.Name, err)
	}
	for _, r := range out.StackResources {
		if aws.ToString(r.ResourceType) == "AWS::S3::Bucket" && stack.Resources[aws.ToString(r.LogicalResourceId)].Body["DeletionPolicy"] == "Delete" {
			if err := a.empty(ctx, stack.Region, r.PhysicalResourceId); err != nil {
				return fmt.Errorf("empty bucket %s: %w", aws.ToString(r.PhysicalResourceId), err)
			}
		}
	}
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &stack.StackName}); err != nil {
		return fmt.Errorf("delete stack %s: %w", stack.Name, err)
	}
	return nil
}

// empty deletes every version of every object of a bucket. Its policy goes
// first: it refuses what does not come by TLS, and the emulation has none.
func (a *Account) empty(ctx context.Context, region string, bucket *string) error {
	client := a.objects(region)
	if _, err := client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket}); err != nil {
		return err
	}
	versions, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
	if err != nil {
		return err
	}
	for _, v := range versions.Versions {
		in := &s3.DeleteObjectInput{Bucket: bucket, Key: v.Key, VersionId: v.VersionId, BypassGovernanceRetention: aws.Bool(true)}
		if _, err := client.DeleteObject(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

func (a *Account) expect(ctx context.Context, stack *cfn.Stack, want types.StackStatus) error {
	client := cloudformation.NewFromConfig(a.Config(stack.Region))
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack.StackName})
	if err != nil {
		return err
	}
	if got := out.Stacks[0].StackStatus; got != want {
		return fmt.Errorf("stack %s is %s, want %s", stack.Name, got, want)
	}
	return nil
}
