package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// recordControls are about what the pipeline leaves behind: the files that it
// uploads and the record of each release.
func recordControls() []Control {
	return []Control{
		{
			ID: "delivery.uploads-only", What: "who proposes changes may take one role of the CDK's, the one that uploads files",
			PCI: []string{"6.5.1", "7.2.5"}, NIST: []string{"AC-5", "AC-6"},
			Check: one(typePolicy, "PlanPolicy", func(r *cfn.Resource) string {
				for _, s := range objects(r.Get("PolicyDocument", "Statement")) {
					if !slices.Contains(listed(s["Action"]), "sts:AssumeRole") {
						continue
					}
					for _, role := range several(s["Resource"]) {
						if !strings.Contains(role, ":role/cdk-hnb659fds-file-publishing-role-") || strings.Contains(role, "*") {
							return "may take the role " + role
						}
					}
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				s := statement(e.Find(typePolicy, "PlanPolicy"), "PolicyDocument", "Upload")
				s["Resource"] = "arn:aws:iam::" + e.Env.Account + ":role/cdk-hnb659fds-deploy-role-" + e.Env.Account + "-" + e.Env.Region
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
