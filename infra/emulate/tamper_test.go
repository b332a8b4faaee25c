package emulate_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// tampering is what somebody with too many rights does by hand, and the
// question that has to notice.
type tampering struct {
	what, noticed string
	do            func(*testing.T, *clients) error
}

// tamper proves the questions: one that stays green whatever stands in the
// account is worth nothing.
func (d *deployed) tamper(t *testing.T) {
	asks := map[string]func(testing.TB){}
	for _, q := range d.questions() {
		asks[q.what] = q.ask
	}
	for _, x := range append(d.tamperNetwork(), append(d.tamperAccess(), d.tamperData()...)...) {
		if err := x.do(t, d.in(d.env.Region)); err != nil {
			t.Errorf("%s: %v", x.what, err)
		} else if len(faults(t, asks[x.noticed])) == 0 {
			t.Errorf("%s: the question about %s stays green", x.what, x.noticed)
		}
	}
}

// recorder takes a question's complaints.
type recorder struct {
	testing.TB
	faults []string
}

func (r *recorder) Error(args ...any) { r.faults = append(r.faults, fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// faults returns what the question finds to be wrong.
func faults(t *testing.T, ask func(testing.TB)) []string {
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() { // which a fatal complaint ends
		defer close(done)
		ask(r)
	}()
	<-done
	return r.faults
}

func (d *deployed) tamperNetwork() []tampering {
	balancer := func(t *testing.T) *string { return d.balancer(t).LoadBalancerArn }
	return []tampering{
		{"public addresses", "subnets", func(t *testing.T, c *clients) error {
			_, err := c.ec2.ModifySubnetAttribute(t.Context(), &ec2.ModifySubnetAttributeInput{
				SubnetId: &d.privateSubnets(t)[0], MapPublicIpOnLaunch: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)},
			})
			return err
		}},
		{"a private subnet on the Internet gateway", "routes", func(t *testing.T, c *clients) error {
			tables := must(c.ec2.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: named("association.subnet-id", d.privateSubnets(t)[0])}))(t)
			gateways := must(c.ec2.DescribeInternetGateways(t.Context(), &ec2.DescribeInternetGatewaysInput{Filters: named("attachment.vpc-id", d.vpc(t))}))(t)
			_, err := c.ec2.ReplaceRoute(t.Context(), &ec2.ReplaceRouteInput{
				RouteTableId: tables.RouteTables[0].RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0"),
				GatewayId: gateways.InternetGateways[0].InternetGatewayId,
			})
			return err
		}},
		{"invalid headers let through", "balancer", func(t *testing.T, c *clients) error {
			_, err := c.elb.ModifyLoadBalancerAttributes(t.Context(), &elb.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: balancer(t), Attributes: []elbtypes.LoadBalancerAttribute{{
					Key: aws.String("routing.http.drop_invalid_header_fields.enabled"), Value: aws.String("false"),
				}},
			})
			return err
		}},
		{"old TLS", "listener", func(t *testing.T, c *clients) error {
			listeners := must(c.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: balancer(t)}))(t).Listeners
			_, err := c.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: listeners[0].ListenerArn, SslPolicy: aws.String("ELBSecurityPolicy-2016-08")})
			return err
		}},
	}
}

func (d *deployed) tamperAccess() []tampering {
	return []tampering{
		{"a key that is not turned over", "keys", func(t *testing.T, c *clients) error {
			_, err := c.kms.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: aws.String(d.key(t, d.env.Region, "database"))})
			return err
		}},
		{"the customers' key for the whole account", "customers key", func(t *testing.T, c *clients) error {
			_, err := c.kms.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{
				KeyId: aws.String(d.key(t, d.env.Region, "customers")), PolicyName: aws.String("default"),
				Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + d.env.Account + `:root"},"Action":"kms:*","Resource":"*"}]}`),
			})
			return err
		}},
		{"a role for anybody", "roles", func(t *testing.T, c *clients) error {
			_, err := c.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
				RoleName:       aws.String(d.env.Prefix() + "-synchronizer"),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`),
			})
			return err
		}},
		{"a trail that is off", "trail", func(t *testing.T, c *clients) error {
			_, err := c.trail.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(d.env.Prefix())})
			return err
		}},
	}
}

func (d *deployed) tamperData() []tampering {
	return []tampering{
		{"a bucket open to the world", "buckets", func(t *testing.T, c *clients) error {
			_, err := c.s3.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &d.buckets(t)[0]})
			return err
		}},
		{"logs of one day", "logs", func(t *testing.T, c *clients) error {
			_, err := c.logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{
				LogGroupName: aws.String("/padron/" + d.env.Name + "/vpc"), RetentionInDays: aws.Int32(1),
			})
			return err
		}},
		{"images whose tags move", "registry", func(t *testing.T, c *clients) error {
			_, err := c.ecr.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{
				RepositoryName: aws.String(d.env.Prefix() + "-padron"), ImageTagMutability: ecrtypes.ImageTagMutabilityMutable,
			})
			return err
		}},
		{"backups of one day", "cluster", func(t *testing.T, c *clients) error {
			_, err := c.rds.ModifyDBCluster(t.Context(), &rds.ModifyDBClusterInput{
				DBClusterIdentifier: aws.String(d.env.Prefix()), BackupRetentionPeriod: aws.Int32(1),
			})
			return err
		}},
	}
}
