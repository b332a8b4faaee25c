package estate

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// mutualTLS asks every client for a certificate of one of the bundle's
// authorities; nil where the configuration names no bundle.
func mutualTLS(stack awscdk.Stack, env *config.Environment) *elb.MutualAuthentication {
	if env.Features.MutualTLSBundle == "" {
		return nil
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(env.Features.MutualTLSBundle, "s3://"), "/")
	return &elb.MutualAuthentication{
		MutualAuthenticationMode: elb.MutualAuthenticationMode_VERIFY,
		TrustStore: elb.NewTrustStore(stack, jsii.String("TrustStore"), &elb.TrustStoreProps{
			TrustStoreName: jsii.String(env.Prefix()),
			Bucket:         awss3.Bucket_FromBucketName(stack, jsii.String("TrustBundle"), jsii.String(bucket)),
			Key:            jsii.String(key),
		}),
	}
}
