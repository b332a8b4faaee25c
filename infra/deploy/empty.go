package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"padron/infra/cfn"
)

// deletable are the buckets that go with the stack.
func deletable(s *cfn.Stack) []*cfn.Resource {
	var buckets []*cfn.Resource
	for _, r := range s.Resources {
		if r.Type == "AWS::S3::Bucket" && r.Body["DeletionPolicy"] == "Delete" {
			buckets = append(buckets, r)
		}
	}
	return buckets
}

// empty deletes what is in the stack's buckets: CloudFormation deletes none that
// holds something.
func (d *Deployment) empty(ctx context.Context, s *cfn.Stack, buckets []*cfn.Resource) error {
	c := d.AWS.Copy()
	c.Region = s.Region
	for _, r := range buckets {
		told, err := cloudformation.NewFromConfig(c).DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{
			StackName: aws.String(s.StackName), LogicalResourceId: aws.String(r.LogicalID),
		})
		if gone(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find bucket %s: %w", r, err)
		}
		name := aws.ToString(told.StackResourceDetail.PhysicalResourceId)
		if err := emptyBucket(ctx, s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), name); err != nil {
			return fmt.Errorf("empty bucket %s: %w", name, err)
		}
	}
	return nil
}

// gone reports whether the stack or its resource is not there any more.
func gone(err error) bool {
	var told smithy.APIError
	return errors.As(err, &told) && told.ErrorCode() == "ValidationError"
}

// emptyBucket deletes every version of every object.
func emptyBucket(ctx context.Context, client *s3.Client, name string) error {
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var all []types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(all) == 0 {
			continue
		}
		answer, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: aws.String(name), Delete: &types.Delete{Objects: all, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		if len(answer.Errors) > 0 {
			return fmt.Errorf("%s: %s", aws.ToString(answer.Errors[0].Key), aws.ToString(answer.Errors[0].Message))
		}
	}
	return nil
}
