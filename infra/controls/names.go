package controls

import (
	"fmt"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeZone   = "AWS::Route53::HostedZone"
	typeRecord = "AWS::Route53::RecordSet"
)

// ownZone reports whether the estate makes the public zone.
func ownZone(env *config.Environment) bool { return env.Domains.PublicZoneID == "" }

// ownQueries reports whether Route 53 logs the zone's queries: it does so in one
// region.
func ownQueries(env *config.Environment) bool { return ownZone(env) && env.Region == "us-east-1" }

func namesControls() []Control {
	return []Control{
		{
			ID: "names.private", What: "the service's name is answered inside the VPC and nowhere else",
			PCI: []string{"1.4.5"}, NIST: []string{"SC-7", "SC-22"},
			Check: every(typeRecord, func(r *cfn.Resource) string {
				zone := r.Target("HostedZoneId")
				if t := r.Text("Type"); (t == "A" || t == "AAAA" || t == "CNAME") && (zone == nil || zone.List("VPCs") == nil) {
					return "tells the world an address"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				zone := e.Find(typeZone, "Private")
				delete(zone.Properties, "VPCs")
				return 1
			},
		},
		{
			ID: "names.queries-logged", What: "what the world asks about the zone is logged",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-2", "AU-12"}, Where: ownQueries,
			Check: one(typeZone, "Public", func(r *cfn.Resource) string {
				if r.Target("QueryLoggingConfig", "CloudWatchLogsLogGroupArn") == nil {
					return "its queries are not logged"
				}
				return ""
			}),
			Remove: put(typeZone, "Public", nil, "QueryLoggingConfig"),
		},
		{
			ID: "names.one-issuer", What: "nobody but Amazon may issue a certificate for the zone (CAA)",
			PCI: []string{"4.2.1.1"}, NIST: []string{"SC-17", "SC-20"}, Where: ownZone,
			Check: func(e *Estate) []string {
				for _, r := range e.Resources(typeRecord) {
					if r.Text("Type") == "CAA" && strings.Contains(fmt.Sprint(r.Get("ResourceRecords")), `issue "amazon.com"`) {
						return nil
					}
				}
				return []string{"the zone has no CAA record for amazon.com"}
			},
			Remove: without(typeRecord, "CaaAmazon"),
		},
	}
}
