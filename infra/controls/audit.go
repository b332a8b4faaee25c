package controls

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeTrail    = "AWS::CloudTrail::Trail"
	typeBucket   = "AWS::S3::Bucket"
	typeDetector = "AWS::GuardDuty::Detector"
	typeRule     = "AWS::Events::Rule"
	typeRecorder = "AWS::Config::ConfigurationRecorder"
	typeAlarm    = "AWS::CloudWatch::Alarm"
)

func localTrail(env *config.Environment) bool  { return env.Features.LocalTrail }
func guardDuty(env *config.Environment) bool   { return env.Features.GuardDuty }
func securityHub(env *config.Environment) bool { return env.Features.SecurityHub }

func auditControls() []Control {
	return slices.Concat(trailControls(), trailBucketControls(), threatControls(), postureControls(), outsiderControls())
}

func trailControls() []Control {
	return []Control{
		{
			ID: "audit.trail-everywhere", What: "calls in every region are recorded, and those of services that have none",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-2", "AU-12"}, CIS: []string{"3.1"}, Where: localTrail,
			Check: every(typeTrail, are(map[string]string{
				"IsLogging": "true", "IsMultiRegionTrail": "true", "IncludeGlobalServiceEvents": "true"})),
			Remove: set(typeTrail, "IsMultiRegionTrail", false),
		},
		{
			ID: "audit.trail-validated", What: "a change to the trail's files shows",
			PCI: []string{"10.3.2", "10.3.4"}, NIST: []string{"AU-9", "AU-10", "SI-7"}, CIS: []string{"3.2"}, Where: localTrail,
			Check:  every(typeTrail, is("true", "EnableLogFileValidation")),
			Remove: set(typeTrail, "EnableLogFileValidation", false),
		},
		{
			ID: "audit.trail-encrypted", What: "the trail is encrypted with the key of logs",
			PCI: []string{"10.3.1"}, NIST: []string{"AU-9", "SC-28"}, CIS: []string{"3.5"}, Where: localTrail,
			Check:  every(typeTrail, keyIs("logs", "KMSKeyId")),
			Remove: set(typeTrail, "KMSKeyId", nil),
		},
		{
			ID: "audit.trail-objects", What: "reads and writes of objects in the estate's buckets are recorded",
			PCI: []string{"10.2.1.1"}, NIST: []string{"AU-2", "AU-12"}, CIS: []string{"3.8", "3.9"}, Where: localTrail,
			Check: every(typeTrail, func(r *cfn.Resource) string {
				if !strings.Contains(fmt.Sprint(r.Get("AdvancedEventSelectors")), "AWS::S3::Object") {
					return "no selector of AWS::S3::Object"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				r := e.Find(typeTrail, "Trail")
				selectors, _ := r.Properties["AdvancedEventSelectors"].([]any)
				r.Properties["AdvancedEventSelectors"] = selectors[:1]
				return len(selectors) - 1
			},
		},
		{
			ID: "audit.trail-watched", What: "what the CIS benchmark's section 4 names raises an alarm, and a change of who opens customers",
			PCI: []string{"10.4.1", "10.4.1.1"}, NIST: []string{"AU-6", "SI-4"}, Where: localTrail,
			CIS:    []string{"4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13", "4.14", "4.15"},
			Check:  watched,
			Remove: without(typeAlarm, "Watch-root-user"),
		},
	}
}

// watchedFor is what the filters on the trail must look for, by their names: the
// telling part of each pattern.
var watchedFor = map[string]string{
	"unauthorized-calls": "AccessDenied*", "console-without-mfa": "MFAUsed", "root-user": `"Root"`, "iam-policies": "AttachRolePolicy",
	"trail-changes": "StopLogging", "console-failures": "Failed authentication", "keys-disabled": "ScheduleKeyDeletion",
	"bucket-policies": "PutBucketPolicy", "config-changes": "StopConfigurationRecorder", "security-groups": "AuthorizeSecurityGroupIngress",
	"access-lists": "ReplaceNetworkAclEntry", "gateways": "AttachInternetGateway", "route-tables": "ReplaceRoute", "vpc-changes": "CreateVpc",
	"organization": "LeaveOrganization", "key-policies": "PutKeyPolicy", "role-trust": "UpdateAssumeRolePolicy",
}

// watched checks that each filter on the trail looks for what it is named for
// and has an alarm that tells someone.
func watched(e *Estate) []string {
	told := map[string]bool{}
	for _, a := range e.Resources(typeAlarm) {
		if topic := cfn.Target(first(a.List("AlarmActions"))); topic != nil && topic.Type == "AWS::SNS::Topic" {
			told[a.Text("Namespace")+" "+a.Text("MetricName")] = true
		}
	}
	var missing []string
	filters := map[string]bool{}
	for _, f := range e.Resources("AWS::Logs::MetricFilter") {
		if f.Stack.Name != "audit" {
			continue
		}
		name := f.Text("FilterName")
		filters[name] = true
		if want := watchedFor[name]; !strings.Contains(f.Text("FilterPattern"), want) {
			missing = append(missing, fmt.Sprintf("%s: does not look for %s", f, want))
		}
		m := f.Text("MetricTransformations", "0", "MetricNamespace") + " " + f.Text("MetricTransformations", "0", "MetricName")
		if !told[m] {
			missing = append(missing, f.String()+": no alarm tells anybody of "+m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(watchedFor)) {
		if !filters[name] {
			missing = append(missing, "audit: no filter "+name+" on the trail")
		}
	}
	return missing
}

func first(l []any) any {
	if len(l) == 0 {
		return nil
	}
	return l[0]
}

func trailBucketControls() []Control {
	return []Control{
		{
			ID: "audit.trail-locked", What: "nobody deletes or overwrites the trail before its time",
			PCI: []string{"10.3.2", "10.5.1"}, NIST: []string{"AU-9", "AU-11"}, CIS: []string{"3.4"}, Where: localTrail,
			Check:  trailLocked,
			Remove: put(typeBucket, "TrailBucket", nil, "ObjectLockConfiguration"),
		},
		{
			ID: "audit.trail-reads-logged", What: "who reads the trail's bucket is logged",
			PCI: []string{"10.2.1.3"}, NIST: []string{"AU-9", "AU-12"}, CIS: []string{"3.4"}, Where: localTrail,
			Check: one(typeBucket, "TrailBucket", func(r *cfn.Resource) string {
				if r.Target("LoggingConfiguration", "DestinationBucketName") == nil {
					return "its accesses are not logged"
				}
				return ""
			}),
			Remove: put(typeBucket, "TrailBucket", nil, "LoggingConfiguration"),
		},
		{
			ID: "audit.trail-handed-over", What: "each new file of the trail is announced to a SIEM",
			PCI: []string{"10.3.3"}, NIST: []string{"AU-4", "AU-6"}, Where: localTrail,
			Check: one(typeBucket, "TrailBucket", func(r *cfn.Resource) string {
				q := r.Target("NotificationConfiguration", "QueueConfigurations", "0", "Queue")
				if q == nil || q.Text("RedrivePolicy", "maxReceiveCount") == "" {
					return "no queue with a dead-letter queue hears of new files"
				}
				return ""
			}),
			Remove: put(typeBucket, "TrailBucket", nil, "NotificationConfiguration"),
		},
		{
			ID: "audit.queues-encrypted", What: "queues are encrypted with the key of messages",
			PCI: []string{"3.5.1"}, NIST: []string{"SC-28"}, Where: localTrail,
			Check:  every("AWS::SQS::Queue", keyIs("messages", "KmsMasterKeyId")),
			Remove: set("AWS::SQS::Queue", "KmsMasterKeyId", nil),
		},
	}
}

func trailLocked(e *Estate) []string {
	mode := "GOVERNANCE"
	if e.Env.Protected {
		mode = "COMPLIANCE"
	}
	rule := "ObjectLockConfiguration.Rule.DefaultRetention."
	return one(typeBucket, "TrailBucket", are(map[string]string{
		"ObjectLockEnabled": "true", rule + "Mode": mode, rule + "Days": fmt.Sprint(e.Env.Retention.Trail),
	}))(e)
}

func threatControls() []Control {
	feature := func(id, what, name string, pci, nist []string) Control {
		return Control{
			ID: "audit." + id, What: what, PCI: pci, NIST: nist, Where: guardDuty,
			Check: every(typeDetector, func(r *cfn.Resource) string {
				for _, f := range objects(r.Get("Features")) {
					if f["Name"] == name && f["Status"] == "ENABLED" && (name != "RUNTIME_MONITORING" || f["AdditionalConfiguration"] != nil) {
						return ""
					}
				}
				return name + " is not on"
			}),
			Remove: func(e *Estate) int {
				for _, f := range objects(e.Find(typeDetector, "Detector").Properties["Features"]) {
					if f["Name"] == name {
						f["Status"] = "DISABLED"
						return 1
					}
				}
				return 0
			},
		}
	}
	return []Control{
		{
			ID: "audit.threats", What: "GuardDuty watches calls, connections and names",
			PCI: []string{"11.5.1"}, NIST: []string{"SI-4", "RA-5"}, Where: guardDuty,
			Check:  every(typeDetector, is("true", "Enable")),
			Remove: set(typeDetector, "Enable", false),
		},
		feature("database-logins", "logins to the database are watched", "RDS_LOGIN_EVENTS", []string{"10.4.1", "11.5.1"}, []string{"SI-4", "AC-2"}),
		feature("runtime", "what runs in the tasks is watched", "RUNTIME_MONITORING", []string{"5.2.2", "11.5.1"}, []string{"SI-3", "SI-4"}),
		feature("object-reads", "reads of buckets are watched", "S3_DATA_EVENTS", []string{"11.5.1"}, []string{"SI-4"}),
		feature("malware", "disks are searched for malware", "EBS_MALWARE_PROTECTION", []string{"5.2.1", "5.3.2"}, []string{"SI-3"}),
		{
			ID: "audit.threats-told", What: "somebody is told of a threat",
			PCI: []string{"10.4.1", "12.10.5"}, NIST: []string{"IR-6", "SI-4"}, Where: guardDuty,
			Check: tells("Tell-threats"), Remove: without(typeRule, "Tell-threats"),
		},
	}
}

// tells checks that the rule sends to a topic that is encrypted and that
// somebody has subscribed to.
func tells(rule string) func(*Estate) []string {
	return func(e *Estate) []string {
		return one(typeRule, rule, func(r *cfn.Resource) string {
			topic := r.Target("Targets", "0", "Arn")
			if topic == nil || topic.Type != "AWS::SNS::Topic" {
				return "its target is no topic"
			}
			if w := keyIs("messages", "KmsMasterKeyId")(topic); w != "" {
				return "its topic: " + w
			}
			for _, s := range e.Resources("AWS::SNS::Subscription") {
				if s.Target("TopicArn") == topic {
					return ""
				}
			}
			return "nobody has subscribed to its topic"
		})(e)
	}
}

func postureControls() []Control {
	return []Control{
		{
			ID: "audit.standards", What: "the account is measured by FSBP, CIS 3.0, NIST 800-53 and PCI DSS 4.0.1",
			PCI: []string{"6.3.1", "11.5.2"}, NIST: []string{"CA-7", "RA-5"}, CIS: []string{"4.16"}, Where: securityHub,
			Check: standardsOn,
			Remove: func(e *Estate) int {
				e.Find("AWS::SecurityHub::Standard", "Standard3").Remove()
				return 1
			},
		},
		{
			ID: "audit.standards-told", What: "somebody is told of a setting that matters and is wrong",
			PCI: []string{"12.10.5"}, NIST: []string{"CA-7", "IR-6"}, Where: securityHub,
			Check: tells("Tell-posture"), Remove: without(typeRule, "Tell-posture"),
		},
		{
			ID: "audit.settings-recorded", What: "the settings of every resource are recorded as they change",
			PCI: []string{"1.2.8", "2.2.1"}, NIST: []string{"CM-3", "CM-6", "CM-8"}, CIS: []string{"3.3"}, Where: securityHub,
			Check: every(typeRecorder, are(map[string]string{
				"RecordingGroup.AllSupported": "true", "RecordingGroup.IncludeGlobalResourceTypes": "true"})),
			Remove: drop(typeRecorder),
		},
		{
			ID: "audit.settings-encrypted", What: "the record of settings is encrypted with the key of logs",
			PCI: []string{"10.3.1"}, NIST: []string{"AU-9", "SC-28"}, Where: securityHub,
			Check:  every("AWS::Config::DeliveryChannel", keyIs("logs", "S3KmsKeyArn")),
			Remove: set("AWS::Config::DeliveryChannel", "S3KmsKeyArn", nil),
		},
	}
}

// outsiderControls are about who comes in from another account.
func outsiderControls() []Control {
	return []Control{
		{
			ID: "audit.outsiders-found", What: "what outsiders may use is found",
			PCI: []string{"7.2.5.1"}, NIST: []string{"AC-3", "AC-6", "CA-7"}, CIS: []string{"1.20"},
			Check: every("AWS::AccessAnalyzer::Analyzer", is("ACCOUNT", "Type")), Remove: drop("AWS::AccessAnalyzer::Analyzer"),
		},
		{
			ID: "audit.outsiders-told", What: "somebody is told that an outsider may use something",
			PCI: []string{"12.10.5"}, NIST: []string{"IR-6"},
			Check: tells("Tell-access"), Remove: without(typeRule, "Tell-access"),
		},
		{
			ID: "audit.posture-by-external-id", What: "the posture service comes with its external id, and reads settings only",
			PCI: []string{"8.6.1", "7.2.5"}, NIST: []string{"AC-3", "AC-6"},
			Where: func(env *config.Environment) bool { return env.Features.PostureAccount != "" },
			Check: one("AWS::IAM::Role", "posture", func(r *cfn.Resource) string {
				if r.Text("AssumeRolePolicyDocument", "Statement", "0", "Condition", "StringEquals", "sts:ExternalId") == "" {
					return "no external id is asked for"
				}
				if got := names(r, "ManagedPolicyArns"); !slices.Equal(got, []string{"arn:aws:iam::aws:policy/SecurityAudit"}) {
					return fmt.Sprintf("its policies are %q, want SecurityAudit alone", got)
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				document, _ := e.Find("AWS::IAM::Role", "posture").Properties["AssumeRolePolicyDocument"].(map[string]any)
				for _, s := range objects(document["Statement"]) {
					delete(s, "Condition")
				}
				return 1
			},
		},
	}
}

func standardsOn(e *Estate) []string {
	var on []string
	for _, r := range e.Resources("AWS::SecurityHub::Standard") {
		_, standard, _ := strings.Cut(r.Text("StandardsArn"), "::standards/")
		on = append(on, standard)
	}
	var missing []string
	for _, want := range []string{"aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/3.0.0",
		"nist-800-53/v/5.0.0", "pci-dss/v/4.0.1"} {
		if !slices.Contains(on, want) {
			missing = append(missing, "the standard "+want+" is not on")
		}
	}
	return missing
}
