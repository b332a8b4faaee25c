package emulate_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// clients are AWS's own clients for one region of the emulated account.
type clients struct {
	acm       *acm.Client
	backup    *backup.Client
	trail     *cloudtrail.Client
	logs      *cloudwatchlogs.Client
	ec2       *ec2.Client
	ecr       *ecr.Client
	ecs       *ecs.Client
	elb       *elb.Client
	iam       *iam.Client
	kms       *kms.Client
	rds       *rds.Client
	route53   *route53.Client
	s3        *s3.Client
	scheduler *scheduler.Client
	secrets   *secretsmanager.Client
}

func (d *deployed) in(region string) *clients {
	c := d.Config(region)
	return &clients{
		acm: acm.NewFromConfig(c), backup: backup.NewFromConfig(c), trail: cloudtrail.NewFromConfig(c),
		logs: cloudwatchlogs.NewFromConfig(c), ec2: ec2.NewFromConfig(c), ecr: ecr.NewFromConfig(c),
		ecs: ecs.NewFromConfig(c), elb: elb.NewFromConfig(c), iam: iam.NewFromConfig(c), kms: kms.NewFromConfig(c),
		rds: rds.NewFromConfig(c), route53: route53.NewFromConfig(c), scheduler: scheduler.NewFromConfig(c),
		secrets: secretsmanager.NewFromConfig(c),
		s3:      s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// must takes the answer of a call and then the test that an error ends:
// must(client.Call(ctx, in))(t).
func must[T any](answer T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// str reads what AWS's SDK points to.
func str(s *string) string { return aws.ToString(s) }

// named is a filter of EC2's calls.
func named(name string, values ...string) []ec2types.Filter {
	return []ec2types.Filter{{Name: &name, Values: values}}
}

// same reports a setting that is not what it should be.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
