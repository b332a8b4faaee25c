package deploy

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"padron/infra/images"
)

const (
	bastionStack = "bastion"
	// toolsKey is where the bastion may read programs from.
	toolsKey = "tools/padron"
)

// Bastion starts the bastion, brings it padron of this checkout, and prints how
// to open a session there and what to do in it.
func (d *Deployment) Bastion(ctx context.Context) error {
	out, err := d.wake(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.Out, `aws ssm start-session --region %[1]s --target %[2]s --document-name %[3]s

In the session:
aws s3 cp s3://%[4]s/%[5]s /tmp/padron && chmod +x /tmp/padron
/tmp/padron check https://%[6]s.%[7]s --tokens FILE

Afterwards:
aws ec2 stop-instances --region %[1]s --instance-ids %[2]s
`, d.Env.Region, out["Instance"], out["Document"], out["Bucket"], toolsKey, d.Env.Domains.Host, d.Env.Domains.Zone)
	return err
}

// wake starts the bastion and brings it padron of this checkout. It returns what
// the stack tells of it.
func (d *Deployment) wake(ctx context.Context) (map[string]string, error) {
	out, err := d.outputs(ctx, bastionStack, "Instance", "Document", "Draft", "Check", "Bucket")
	if err != nil {
		return nil, err
	}
	source, err := images.FromCommit(ctx, filepath.Dir(d.Root))
	if err != nil {
		return nil, err
	}
	program, err := images.Compile(ctx, source, "padron", "arm64")
	if err != nil {
		return nil, err
	}
	_, err = s3.NewFromConfig(d.AWS).PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(out["Bucket"]), Key: aws.String(toolsKey),
		Body: bytes.NewReader(program), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return nil, fmt.Errorf("put padron into %s: %w", out["Bucket"], err)
	}
	if _, err := ec2.NewFromConfig(d.AWS).StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{out["Instance"]}}); err != nil {
		return nil, fmt.Errorf("start the bastion %s: %w", out["Instance"], err)
	}
	return out, nil
}
