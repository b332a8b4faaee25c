package proof

import (
	"fmt"
	"regexp"
	"strings"

	"padron/infra/cfn"
)

// form is how the ARN of a type reads: {region}, {account} and {name} are
// filled in. Name is the property that holds the physical name.
type form struct {
	arn, name string
	// ref says that Ref answers the ARN, too.
	ref bool
}

// forms are the ARNs of the types that policies of the estate name.
var forms = map[string]form{
	"AWS::Backup::BackupPlan":                    {"arn:aws:backup:{region}:{account}:backup-plan:{name}", "", false},
	"AWS::Backup::BackupVault":                   {"arn:aws:backup:{region}:{account}:backup-vault:{name}", "BackupVaultName", false},
	"AWS::Backup::LogicallyAirGappedBackupVault": {"arn:aws:backup:{region}:{account}:backup-vault:{name}", "BackupVaultName", false},
	"AWS::CloudTrail::Trail":                     {"arn:aws:cloudtrail:{region}:{account}:trail/{name}", "TrailName", false},
	"AWS::CloudWatch::Alarm":                     {"arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "AlarmName", false},
	"AWS::EC2::Instance":                         {"arn:aws:ec2:{region}:{account}:instance/{name}", "", false},
	"AWS::ECR::Repository":                       {"arn:aws:ecr:{region}:{account}:repository/{name}", "RepositoryName", false},
	"AWS::ECS::Cluster":                          {"arn:aws:ecs:{region}:{account}:cluster/{name}", "ClusterName", false},
	"AWS::ECS::Service":                          {"arn:aws:ecs:{region}:{account}:service/{name}", "ServiceName", true},
	"AWS::ECS::TaskDefinition":                   {"arn:aws:ecs:{region}:{account}:task-definition/{name}:1", "Family", true},
	"AWS::ElasticLoadBalancingV2::Listener":      {"arn:aws:elasticloadbalancing:{region}:{account}:listener/app/{name}/0123456789abcdef/0123456789abcdef", "", true},
	"AWS::ElasticLoadBalancingV2::ListenerRule":  {"arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/{name}/0123456789abcdef/0123456789abcdef/0123456789abcdef", "", true},
	"AWS::ElasticLoadBalancingV2::LoadBalancer":  {"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/0123456789abcdef", "Name", true},
	"AWS::ElasticLoadBalancingV2::TargetGroup":   {"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/0123456789abcdef", "Name", true},
	"AWS::Events::Rule":                          {"arn:aws:events:{region}:{account}:rule/{name}", "Name", false},
	"AWS::IAM::ManagedPolicy":                    {"arn:aws:iam::{account}:policy/{name}", "ManagedPolicyName", true},
	"AWS::IAM::OIDCProvider":                     {"arn:aws:iam::{account}:oidc-provider/{name}", "", true},
	"AWS::IAM::Role":                             {"arn:aws:iam::{account}:role/{name}", "RoleName", false},
	"AWS::KMS::Key":                              {"arn:aws:kms:{region}:{account}:key/{name}", "", false},
	"AWS::KMS::ReplicaKey":                       {"arn:aws:kms:{region}:{account}:key/{name}", "", false},
	"AWS::Lambda::Function":                      {"arn:aws:lambda:{region}:{account}:function:{name}", "FunctionName", false},
	"AWS::Logs::LogGroup":                        {"arn:aws:logs:{region}:{account}:log-group:{name}:*", "LogGroupName", false},
	"AWS::RDS::DBCluster":                        {"arn:aws:rds:{region}:{account}:cluster:{name}", "DBClusterIdentifier", false},
	"AWS::RDS::DBInstance":                       {"arn:aws:rds:{region}:{account}:db:{name}", "DBInstanceIdentifier", false},
	"AWS::S3::Bucket":                            {"arn:aws:s3:::{name}", "BucketName", false},
	"AWS::SNS::Topic":                            {"arn:aws:sns:{region}:{account}:{name}", "TopicName", true},
	"AWS::SQS::Queue":                            {"arn:aws:sqs:{region}:{account}:{name}", "QueueName", false},
	"AWS::SSM::Document":                         {"arn:aws:ssm:{region}:{account}:document/{name}", "Name", false},
	"AWS::Scheduler::ScheduleGroup":              {"arn:aws:scheduler:{region}:{account}:schedule-group/{name}", "Name", false},
	"AWS::SecretsManager::Secret":                {"arn:aws:secretsmanager:{region}:{account}:secret:{name}", "Name", true},
	"AWS::StepFunctions::StateMachine":           {"arn:aws:states:{region}:{account}:stateMachine:{name}", "StateMachineName", true},
	"AWS::WAFv2::WebACL":                         {"arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/0123456789abcdef", "Name", false},
}

// reference is one in a text, as [cfn.Reference.String] writes it.
var reference = regexp.MustCompile(`\$\{([a-z0-9-]+)\.([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}`)

// literalText replaces every reference in the text by what it may be once
// deployed. Variables of IAM, as ${aws:username}, stay.
func literalText(a *cfn.Assembly, text string) (string, error) {
	var fault error
	replaced := reference.ReplaceAllStringFunc(text, func(m string) string {
		parts := reference.FindStringSubmatch(m)
		stack := a.Stack(parts[1])
		if stack == nil || stack.Resources[parts[2]] == nil {
			return m
		}
		known, err := literal(cfn.Reference{Resource: stack.Resources[parts[2]], Attribute: parts[3]})
		if err != nil {
			fault = err
		}
		return known
	})
	return replaced, fault
}

// literal is what the reference may be once deployed: an ARN of the right
// form, or a name.
func literal(ref cfn.Reference) (string, error) {
	r := ref.Resource
	f, known := forms[r.Type]
	isARN := strings.HasSuffix(ref.Attribute, "Arn") || ref.Attribute == "" && f.ref
	if isARN && !known {
		return "", fmt.Errorf("the ARN of %s has no known form: add it to forms in proof/arns.go", r.Type)
	}
	name := r.LogicalID
	if f.name != "" && r.Text(f.name) != "" {
		name = r.Text(f.name)
	}
	if strings.Contains(ref.Attribute, "Secret") { // MasterUserSecret.SecretArn
		f = forms["AWS::SecretsManager::Secret"]
	}
	if !isARN {
		return name, nil
	}
	return strings.NewReplacer("{region}", r.Stack.Region, "{account}", r.Stack.Account, "{name}", name).Replace(f.arn), nil
}
