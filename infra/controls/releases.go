package controls

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// recordControls are about what the pipeline leaves behind: the files that it
// uploads and the record of each release.
func recordControls() []Control {
	return []Control{
		{
			ID: "delivery.uploads-once", What: "who proposes changes uploads the files that stacks are made of, and replaces none that is there",
			PCI: []string{"6.5.1", "7.2.5"}, NIST: []string{"AC-6", "SI-7"},
			Check: uploadsOnce,
			Remove: func(e *Estate) int {
				delete(statement(e.Find(typePolicy, "PlanPolicy"), "PolicyDocument", "Upload"), "Condition")
				return 1
			},
		},
		{
			ID: "delivery.releases-kept", What: "the record of a release is added by who deploys it, and changed or deleted by nobody in the pipeline",
			PCI: []string{"6.5.1", "10.3.2", "10.5.1"}, NIST: []string{"AU-9", "CM-3"},
			Check: keepsReleases,
			Remove: func(e *Estate) int {
				s := statement(e.Find(typePolicy, "PlanPolicy"), "PolicyDocument", "ReadReleases")
				s["Action"] = []any{"s3:GetObject", "s3:PutObject"}
				return 1
			},
		},
	}
}

// uploadsOnce checks that the role that plans writes objects in the CDK's buckets
// alone, none of them twice, and takes no other role that may do more.
func uploadsOnce(e *Estate) []string {
	once := map[string]any{"Null": map[string]any{"s3:if-none-match": "false"}}
	return one(typePolicy, "PlanPolicy", func(r *cfn.Resource) string {
		for _, s := range objects(r.Get("PolicyDocument", "Statement")) {
			for _, action := range listed(s["Action"]) {
				switch _, verb, _ := strings.Cut(action, ":"); {
				case strings.HasPrefix(action, "sts:"):
					return "may take the role " + strings.Join(several(s["Resource"]), ", ")
				case strings.HasPrefix(action, "s3:") && !reads(action) && (verb != "PutObject" || !reflect.DeepEqual(s["Condition"], once)):
					return "may write over an object, or delete one: " + action
				case action == "s3:PutObject" && slices.ContainsFunc(several(s["Resource"]), func(x string) bool {
					return !strings.HasPrefix(x, "arn:aws:s3:::cdk-hnb659fds-assets-"+e.Env.Account+"-")
				}):
					return "writes elsewhere than in the CDK's buckets"
				}
			}
		}
		return ""
	})(e)
}

// keepsReleases checks that nobody but the role that deploys writes to the
// bucket of releases, and that nobody deletes there.
func keepsReleases(e *Estate) []string {
	bucket := e.Find(typeBucket, "Releases")
	if bucket == nil {
		return []string{"there is no bucket for releases"}
	}
	var wrong []string
	for _, p := range e.Resources(typePolicy) {
		for _, s := range objects(p.Get("PolicyDocument", "Statement")) {
			if !about(s, bucket) {
				continue
			}
			for _, action := range listed(s["Action"]) {
				if !reads(action) && (action != "s3:PutObject" || p.Path() != "DeployPolicy") {
					wrong = append(wrong, fmt.Sprintf("%s: allows %s on releases", p, action))
				}
			}
		}
	}
	return wrong
}

// about reports whether the statement names the bucket or what is in it.
func about(s map[string]any, bucket *cfn.Resource) bool {
	name := cfn.Reference{Resource: bucket, Attribute: "Arn"}.String()
	return slices.ContainsFunc(several(s["Resource"]), func(r string) bool { return strings.HasPrefix(r, name) })
}
