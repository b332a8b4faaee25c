package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeListener    = "AWS::ElasticLoadBalancingV2::Listener"
	typeTargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup"
	typeCertificate = "AWS::CertificateManager::Certificate"
	typeWebACL      = "AWS::WAFv2::WebACL"
)

// apiBalancer is the load balancer of the API, by its path: others may stand before it.
const apiBalancer = "Balancer"

func edgeControls() []Control {
	return slices.Concat(balancerControls(), listenerControls(), firewallControls())
}

func balancerControls() []Control {
	attributes := []struct {
		id, what, key, want string
		pci, nist           []string
		where               func(*config.Environment) bool
	}{
		{"edge.headers-checked", "requests with invalid headers lose them", "routing.http.drop_invalid_header_fields.enabled", "true",
			[]string{"6.2.4"}, []string{"SI-10"}, nil},
		{"edge.requests-checked", "requests that two programs could read differently are refused", "routing.http.desync_mitigation_mode", "strictest",
			[]string{"6.2.4"}, []string{"SI-10"}, nil},
		{"edge.requests-logged", "every request to the load balancer is logged", "access_logs.s3.enabled", "true",
			[]string{"10.2.1"}, []string{"AU-2", "AU-12"}, nil},
		{"edge.kept", "the load balancer is not deleted by mistake", "deletion_protection.enabled", "true",
			nil, []string{"CP-10"}, protected},
	}
	list := []Control{{
		ID: "edge.internal", What: "no load balancer has a public address",
		PCI: []string{"1.4.2", "1.4.4"}, NIST: []string{"AC-4", "SC-7"},
		Check:  every(typeBalancer, is("internal", "Scheme")),
		Remove: set(typeBalancer, "Scheme", "internet-facing"),
	}}
	for _, a := range attributes {
		list = append(list, Control{
			ID: a.id, What: a.what, PCI: a.pci, NIST: a.nist, Where: a.where,
			Check: one(typeBalancer, apiBalancer, func(r *cfn.Resource) string {
				if got := attribute(r, "LoadBalancerAttributes", a.key); got != a.want {
					return fmt.Sprintf("%s is %q, want %q", a.key, got, a.want)
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				return dropAttribute(e.Find(typeBalancer, apiBalancer), "LoadBalancerAttributes", a.key)
			},
		})
	}
	return list
}

// attribute returns the value of a key in a list of keys and values.
func attribute(r *cfn.Resource, property, key string) string {
	for _, a := range objects(r.Get(property)) {
		if a["Key"] == key {
			return fmt.Sprint(a["Value"])
		}
	}
	return ""
}

func dropAttribute(r *cfn.Resource, property, key string) int {
	if r == nil {
		return 0
	}
	list, _ := r.Properties[property].([]any)
	kept := slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		m, _ := v.(map[string]any)
		return m["Key"] == key
	})
	r.Properties[property] = kept
	return len(list) - len(kept)
}

func mutualTLS(env *config.Environment) bool { return env.Features.MutualTLSBundle != "" }

func listenerControls() []Control {
	return []Control{
		{
			ID: "edge.https-only", What: "the load balancer listens on 443 by HTTPS and on nothing else",
			PCI: []string{"2.2.4", "4.2.1"}, NIST: []string{"CM-7", "SC-8"},
			Check:  apiListeners(are(map[string]string{"Port": "443", "Protocol": "HTTPS"})),
			Remove: put(typeListener, "Balancer/Https", "HTTP", "Protocol"),
		},
		{
			ID: "edge.tls13", What: "clients speak TLS 1.3 and nothing older",
			PCI: []string{"2.2.7", "4.2.1"}, NIST: []string{"SC-8", "SC-13"},
			Check:  apiListeners(is("ELBSecurityPolicy-TLS13-1-3-2021-06", "SslPolicy")),
			Remove: put(typeListener, "Balancer/Https", "ELBSecurityPolicy-2016-08", "SslPolicy"),
		},
		{
			ID: "edge.certified", What: "the load balancer's certificate is for its name, and proven and renewed by DNS",
			PCI: []string{"4.2.1.1"}, NIST: []string{"SC-12", "SC-17"},
			Check: both(every(typeCertificate, is("DNS", "ValidationMethod")), apiListeners(func(r *cfn.Resource) string {
				if c := r.Target("Certificates", "0", "CertificateArn"); c == nil || c.Type != typeCertificate {
					return "has no certificate of the estate's"
				}
				return ""
			})),
			Remove: set(typeCertificate, "ValidationMethod", "EMAIL"),
		},
		{
			ID: "edge.known-clients", What: "clients show a certificate of an authority that the configuration names",
			PCI: []string{"8.3.1"}, NIST: []string{"AC-3", "IA-3"}, Where: mutualTLS,
			Check: apiListeners(func(r *cfn.Resource) string {
				if store := r.Target("MutualAuthentication", "TrustStoreArn"); store == nil || r.Text("MutualAuthentication", "Mode") != "verify" {
					return "asks nobody for a certificate"
				}
				return ""
			}),
			Remove: put(typeListener, "Balancer/Https", "passthrough", "MutualAuthentication", "Mode"),
		},
		{
			ID: "edge.encrypted-to-the-task", What: "the load balancer speaks to the tasks by HTTPS",
			PCI: []string{"4.2.1"}, NIST: []string{"SC-8"},
			Check:  every(typeTargetGroup, withHTTPS),
			Remove: set(typeTargetGroup, "Protocol", "HTTP"),
		},
		{
			ID: "edge.sick-tasks-left-out", What: "a task that does not answer for 30 seconds gets no request",
			NIST: []string{"CP-10", "SC-5"},
			Check: one(typeTargetGroup, "Blue", are(map[string]string{
				"HealthCheckPath": "/healthz", "HealthCheckProtocol": "HTTPS", "HealthCheckIntervalSeconds": "10",
				"HealthCheckTimeoutSeconds": "5", "HealthyThresholdCount": "3", "UnhealthyThresholdCount": "3",
			})),
			Remove: put(typeTargetGroup, "Blue", "/", "HealthCheckPath"),
		},
	}
}

// withHTTPS is a wrong for every target group: it is HTTPS, or it passes TCP on
// to a load balancer that is.
func withHTTPS(r *cfn.Resource) string {
	if r.Text("TargetType") == "alb" {
		return ""
	}
	return is("HTTPS", "Protocol")(r)
}

// apiListeners checks the listeners of the API's load balancer, at least one.
func apiListeners(wrong func(*cfn.Resource) string) func(*Estate) []string {
	return func(e *Estate) []string {
		balancer, found := e.Find(typeBalancer, apiBalancer), 0
		var missing []string
		for _, r := range e.Resources(typeListener) {
			if to := r.Target("LoadBalancerArn"); to == nil || to != balancer {
				continue
			}
			found++
			if w := wrong(r); w != "" {
				missing = append(missing, r.String()+": "+w)
			}
		}
		if found == 0 {
			missing = append(missing, "the load balancer has no listener")
		}
		return missing
	}
}

func hasWAF(env *config.Environment) bool { return env.Features.WAF }

func firewallControls() []Control {
	return []Control{
		{
			ID: "edge.firewall", What: "a web application firewall with AWS's rules stands before the load balancer",
			PCI: []string{"6.4.2"}, NIST: []string{"SC-7", "SI-3"}, Where: hasWAF,
			Check: both(
				every("AWS::WAFv2::WebACLAssociation", func(r *cfn.Resource) string {
					if to := r.Target("ResourceArn"); to == nil || to.Path() != apiBalancer {
						return "stands before nothing"
					}
					return ""
				}),
				every(typeWebACL, func(r *cfn.Resource) string {
					for _, name := range []string{"CommonRuleSet", "KnownBadInputsRuleSet", "SQLiRuleSet", "AmazonIpReputationList"} {
						if !slices.ContainsFunc(ruleNames(r), func(s string) bool { return strings.HasSuffix(s, name) }) {
							return "has no " + name
						}
					}
					return ""
				})),
			Remove: drop("AWS::WAFv2::WebACLAssociation"),
		},
		{
			ID: "edge.floods-stopped", What: "an address that asks too often is stopped before it reaches a task",
			NIST: []string{"SC-5"}, Where: hasWAF,
			Check: every(typeWebACL, func(r *cfn.Resource) string {
				if r.Get("Rules", "0", "Statement", "RateBasedStatement", "Limit") == nil || r.Get("Rules", "0", "Action", "Block") == nil {
					return "has no rule that blocks by rate"
				}
				return ""
			}),
			Remove: func(e *Estate) int {
				acl := e.Find(typeWebACL, "Firewall")
				rules, _ := acl.Properties["Rules"].([]any)
				acl.Properties["Rules"] = rules[1:]
				return 1
			},
		},
		{
			ID: "edge.firewall-logged", What: "what the firewall saw is logged, without credentials and queries",
			PCI: []string{"3.3.2", "10.2.1"}, NIST: []string{"AU-2", "AU-12", "SI-12"}, Where: hasWAF,
			Check: every("AWS::WAFv2::LoggingConfiguration", func(r *cfn.Resource) string {
				redacted := fmt.Sprint(r.Get("RedactedFields"))
				for _, field := range []string{"authorization", "cookie", "QueryString"} {
					if !strings.Contains(redacted, field) {
						return field + " is written down"
					}
				}
				return ""
			}),
			Remove: set("AWS::WAFv2::LoggingConfiguration", "RedactedFields", nil),
		},
	}
}

// ruleNames are the names of the managed rule groups of a firewall.
func ruleNames(acl *cfn.Resource) []string {
	var found []string
	for i := range acl.List("Rules") {
		found = append(found, acl.Text("Rules", fmt.Sprint(i), "Statement", "ManagedRuleGroupStatement", "Name"))
	}
	return found
}
