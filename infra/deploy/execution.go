package deploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

// The stack that comes before the CDK's own, and its policy: what the role may
// do that CloudFormation changes resources with. One serves every environment of
// an account.
const (
	bootstrapStack  = "padron-bootstrap"
	executionPolicy = "padron-execution"
)

// prefixes are how the permissions of a service begin, by the service in types
// of resources. IAM is not among them: see roleStatements.
var prefixes = map[string]string{
	"AccessAnalyzer": "access-analyzer", "ApplicationAutoScaling": "application-autoscaling", "Backup": "backup", "Budgets": "budgets",
	"CE": "ce", "CertificateManager": "acm", "CloudTrail": "cloudtrail", "CloudWatch": "cloudwatch", "Config": "config", "EC2": "ec2",
	"ECR": "ecr", "ECS": "ecs", "ElasticLoadBalancingV2": "elasticloadbalancing", "Events": "events", "GuardDuty": "guardduty",
	"KMS": "kms", "Lambda": "lambda", "Logs": "logs", "RDS": "rds", "Route53": "route53", "Route53Resolver": "route53resolver", "S3": "s3",
	"SNS": "sns", "SQS": "sqs", "SSM": "ssm", "Scheduler": "scheduler", "SecretsManager": "secretsmanager", "SecurityHub": "securityhub",
	"StepFunctions": "states", "WAFv2": "wafv2",
}

// beside are permissions that a service's resources need of another one.
var beside = map[string]string{"Backup": "backup-storage"}

// never is what a deployment has no business with, though it changes the
// resources that these belong to: to read what they hold, or to enter them.
var never = []string{
	"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:StartSession", "ssm:SendCommand", "ecs:ExecuteCommand",
	"ecs:RunTask", "rds:DownloadCompleteDBLogFile", "ec2:GetConsoleOutput", "ec2:GetPasswordData", "logs:GetLogEvents", "logs:StartQuery",
}

func executionARN(env *config.Environment) string {
	return fmt.Sprintf("arn:aws:iam::%s:policy/%s", env.Account, executionPolicy)
}

// bootstrapTemplate is the stack's template.
func bootstrapTemplate(document map[string]any) map[string]any {
	return map[string]any{
		"Description": "padron: what deployments may do in this account",
		"Resources": map[string]any{"Execution": map[string]any{
			"Type": "AWS::IAM::ManagedPolicy", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
			"Properties": map[string]any{
				"ManagedPolicyName": executionPolicy, "PolicyDocument": document,
				"Description": "What CloudFormation may change for padron: the services of its templates, and roles of its own name",
			},
		}},
	}
}

// execution is the policy document for the templates: the services that they
// use, in their regions, and roles that bear padron's name. The role that holds
// it can neither change itself nor make users.
func execution(env *config.Environment, templates *cfn.Assembly) (map[string]any, error) {
	actions, err := services(templates)
	if err != nil {
		return nil, err
	}
	regions := slices.Sorted(maps.Keys(map[string]bool{env.Region: true, env.CopyRegion: true, "us-east-1": true})) // the last for services without a region
	iam := func(what string) string { return fmt.Sprintf("arn:aws:iam::%s:%s", env.Account, what) }
	statements := []any{
		map[string]any{
			"Sid": "Resources", "Effect": "Allow", "Action": actions, "Resource": "*",
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:RequestedRegion": regions}},
		},
		map[string]any{"Sid": "Never", "Effect": "Deny", "Action": never, "Resource": "*"},
		map[string]any{
			"Sid": "NotItself", "Effect": "Deny", "Action": "iam:*",
			"Resource": []string{iam("role/cdk-*"), iam("policy/" + executionPolicy)},
		},
	}
	return map[string]any{"Version": "2012-10-17", "Statement": append(statements, roleStatements(iam, managed(templates))...)}, nil
}

// services are every permission of the services that the templates use.
func services(templates *cfn.Assembly) ([]string, error) {
	found := map[string]bool{}
	for _, r := range templates.Resources() {
		parts := strings.Split(r.Type, "::")
		if parts[0] != "AWS" || parts[1] == "IAM" || parts[1] == "CDK" {
			continue // a custom resource is a call of a Lambda function
		}
		prefix, ok := prefixes[parts[1]]
		if !ok {
			return nil, fmt.Errorf("%s: which permissions begin what %s needs? add them to prefixes in infra/deploy/execution.go", r, r.Type)
		}
		found[prefix+":*"] = true
		if other := beside[parts[1]]; other != "" {
			found[other+":*"] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// managed are AWS's own policies that roles of the templates have.
func managed(templates *cfn.Assembly) []string {
	found := map[string]bool{}
	for _, r := range templates.Resources("AWS::IAM::Role") {
		for _, arn := range r.List("ManagedPolicyArns") {
			if _, name, ok := strings.Cut(fmt.Sprint(arn), ":iam::aws:policy/"); ok {
				found["arn:aws:iam::aws:policy/"+strings.TrimRight(name, "]}")] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// roleStatements let a deployment make roles, and hand them to services, under
// padron's name alone; to such a role it attaches padron's policies and those of
// AWS that the templates name.
func roleStatements(iam func(string) string, managed []string) []any {
	own := []string{iam("role/padron-*"), iam("policy/padron-*"), iam("instance-profile/padron-*")}
	provider := iam("oidc-provider/token.actions.githubusercontent.com")
	return []any{
		map[string]any{
			"Sid": "Roles", "Effect": "Allow", "Resource": append(own, provider),
			"Action": []string{
				"iam:CreateRole", "iam:DeleteRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy", "iam:PassRole",
				"iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:CreatePolicy", "iam:DeletePolicy", "iam:CreatePolicyVersion",
				"iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
				"iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:CreateOpenIDConnectProvider",
				"iam:DeleteOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:AddClientIDToOpenIDConnectProvider",
				"iam:RemoveClientIDFromOpenIDConnectProvider", "iam:Tag*", "iam:Untag*", "iam:Get*", "iam:List*",
			},
		},
		map[string]any{
			"Sid": "Attach", "Effect": "Allow", "Action": []string{"iam:AttachRolePolicy", "iam:DetachRolePolicy"}, "Resource": own[:1],
			"Condition": map[string]any{"ArnLike": map[string]any{"iam:PolicyARN": append([]string{own[1]}, managed...)}},
		},
		map[string]any{
			"Sid": "Linked", "Effect": "Allow", "Action": []string{"iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus", "iam:GetRole"},
			"Resource": iam("role/aws-service-role/*"),
		},
	}
}
