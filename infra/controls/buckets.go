package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const (
	typeBucketPolicy = "AWS::S3::BucketPolicy"
	// accessLogs is the bucket at the end of the chain.
	accessLogs = "AccessLogs"
)

func bucketsControls() []Control {
	return slices.Concat(bucketAccessControls(), bucketKeepingControls())
}

// bucketAccessControls are about who may reach what is in a bucket.
func bucketAccessControls() []Control {
	return []Control{
		{
			ID: "buckets.private", What: "no bucket can be made public",
			PCI: []string{"1.4.4", "7.2.1"}, NIST: []string{"AC-3", "SC-7"}, CIS: []string{"2.1.4"},
			Check: every(typeBucket, are(map[string]string{
				"PublicAccessBlockConfiguration.BlockPublicAcls": "true", "PublicAccessBlockConfiguration.BlockPublicPolicy": "true",
				"PublicAccessBlockConfiguration.IgnorePublicAcls": "true", "PublicAccessBlockConfiguration.RestrictPublicBuckets": "true",
			})),
			Remove: set(typeBucket, "PublicAccessBlockConfiguration", nil),
		},
		{
			ID: "buckets.tls-only", What: "no bucket answers without TLS",
			PCI: []string{"4.2.1"}, NIST: []string{"SC-8"}, CIS: []string{"2.1.1"},
			Check: func(e *Estate) []string {
				return every(typeBucket, func(bucket *cfn.Resource) string {
					for _, p := range e.Resources(typeBucketPolicy) {
						if p.Target("Bucket") == bucket && deniesPlain(p) {
							return ""
						}
					}
					return "no policy denies requests without TLS"
				})(e)
			},
			Remove: drop(typeBucketPolicy),
		},
		{
			ID: "buckets.one-owner", What: "the account owns every object, whoever wrote it, and access lists mean nothing",
			PCI: []string{"7.2.1"}, NIST: []string{"AC-3", "AC-6"},
			Check:  every(typeBucket, is("BucketOwnerEnforced", "OwnershipControls", "Rules", "0", "ObjectOwnership")),
			Remove: set(typeBucket, "OwnershipControls", nil),
		},
	}
}

// bucketKeepingControls are about what is in a bucket.
func bucketKeepingControls() []Control {
	return []Control{
		{
			ID: "buckets.versioned", What: "what is overwritten or deleted in a bucket can be had back",
			PCI: []string{"10.3.2"}, NIST: []string{"AU-9", "CP-9"},
			Check:  every(typeBucket, is("Enabled", "VersioningConfiguration", "Status")),
			Remove: set(typeBucket, "VersioningConfiguration", nil),
		},
		{
			ID: "buckets.encrypted", What: "buckets are encrypted with the key of logs, and the one for access logs with S3's",
			PCI: []string{"10.3.1"}, NIST: []string{"AU-9", "SC-28"},
			Check: every(typeBucket, func(r *cfn.Resource) string {
				path := []string{"BucketEncryption", "ServerSideEncryptionConfiguration", "0", "ServerSideEncryptionByDefault"}
				if r.Path() == accessLogs {
					return is("AES256", append(path, "SSEAlgorithm")...)(r)
				}
				return keyIs("logs", append(path, "KMSMasterKeyID")...)(r)
			}),
			Remove: set(typeBucket, "BucketEncryption", nil),
		},
		{
			ID: "buckets.accesses-logged", What: "who reads a bucket is logged in another",
			PCI: []string{"10.2.1.3"}, NIST: []string{"AU-2", "AU-12"},
			Check: every(typeBucket, func(r *cfn.Resource) string {
				if to := r.Target("LoggingConfiguration", "DestinationBucketName"); r.Path() != accessLogs && (to == nil || to.Path() != accessLogs) {
					return "its accesses are not logged"
				}
				return ""
			}),
			Remove: set(typeBucket, "LoggingConfiguration", nil),
		},
	}
}

// deniesPlain reports whether the policy denies everything to requests without
// TLS.
func deniesPlain(policy *cfn.Resource) bool {
	for i := range policy.List("PolicyDocument", "Statement") {
		at := []string{"PolicyDocument", "Statement", fmt.Sprint(i)}
		get := func(path ...string) string { return policy.Text(append(at, path...)...) }
		if get("Effect") == "Deny" && strings.Contains(get("Action"), "s3:*") && get("Condition", "Bool", "aws:SecureTransport") == "false" {
			return true
		}
	}
	return false
}
