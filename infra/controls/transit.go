package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeVPN     = "AWS::EC2::VPNConnection"
	typeGateway = "AWS::EC2::TransitGateway"
	typeService = "AWS::EC2::VPCEndpointService"

	typeBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer"
)

func transitOn(env *config.Environment) bool   { return env.Features.TransitGateway }
func privateLink(env *config.Environment) bool { return env.Features.PrivateLink }

func vpnOn(env *config.Environment) bool {
	return transitOn(env) && slices.ContainsFunc(env.Consumers, func(c config.Consumer) bool { return c.Via == "vpn" })
}

func transitControls() []Control {
	return slices.Concat(gatewayControls(), linkControls())
}

func gatewayControls() []Control {
	return []Control{
		{
			ID: "transit.nobody-unasked", What: "no network joins the transit gateway without being accepted",
			PCI: []string{"1.2.5", "1.4.1"}, NIST: []string{"AC-4", "CA-3", "SC-7"},
			Where:  func(env *config.Environment) bool { return transitOn(env) && env.Transit.GatewayID == "" },
			Check:  every(typeGateway, is("disable", "AutoAcceptSharedAttachments")),
			Remove: set(typeGateway, "AutoAcceptSharedAttachments", "enable"),
		},
		{
			ID: "transit.routes-declared", What: "exactly the declared consumers are routed to, from every private subnet",
			PCI: []string{"1.2.3", "1.4.1"}, NIST: []string{"AC-4", "CA-3"}, CIS: []string{"5.5"}, Where: transitOn,
			Check: routesDeclared,
			Remove: func(e *Estate) int {
				for _, r := range e.Resources("AWS::EC2::Route") {
					if r.Stack.Name == "transit" {
						r.Properties["DestinationCidrBlock"] = "10.0.0.0/8"
						return 1
					}
				}
				return 0
			},
		},
		{
			ID: "transit.vpn-strong", What: "the tunnels know IKEv2, AES-256-GCM and SHA-384, and nothing weaker",
			PCI: []string{"4.2.1", "2.2.7"}, NIST: []string{"SC-8", "SC-13"}, Where: vpnOn,
			Check: every(typeVPN, func(r *cfn.Resource) string {
				return tunnels(r, func(t map[string]any) bool {
					return only(t, "IKEVersions", "ikev2") && only(t, "Phase1EncryptionAlgorithms", "AES256-GCM-16") &&
						only(t, "Phase2EncryptionAlgorithms", "AES256-GCM-16") && only(t, "Phase1IntegrityAlgorithms", "SHA2-384")
				})
			}),
			Remove: func(e *Estate) int { return loosen(e, "Phase1EncryptionAlgorithms") },
		},
		{
			ID: "transit.vpn-logged", What: "what happens to the tunnels is logged",
			PCI: []string{"10.2.1"}, NIST: []string{"AC-17", "AU-12"}, Where: vpnOn,
			Check: every(typeVPN, func(r *cfn.Resource) string {
				return tunnels(r, func(t map[string]any) bool { return strings.Contains(fmt.Sprint(t["LogOptions"]), "LogEnabled:true") })
			}),
			Remove: func(e *Estate) int { return loosen(e, "LogOptions") },
		},
	}
}

func linkControls() []Control {
	return []Control{
		{
			ID: "transit.link-accepted", What: "an account that connects by PrivateLink is accepted by hand",
			PCI: []string{"1.2.5", "7.2.1"}, NIST: []string{"AC-3", "CA-3"}, Where: privateLink,
			Check:  every(typeService, is("true", "AcceptanceRequired")),
			Remove: set(typeService, "AcceptanceRequired", false),
		},
		{
			ID: "transit.link-principals", What: "only the accounts that are named may ask for an endpoint",
			PCI: []string{"7.2.1"}, NIST: []string{"AC-3", "CA-3"}, Where: privateLink,
			Check: func(e *Estate) []string {
				return every(typeService+"Permissions", func(r *cfn.Resource) string {
					want := make([]string, len(e.Env.Transit.EndpointConsumers))
					for i, account := range e.Env.Transit.EndpointConsumers {
						want[i] = "arn:aws:iam::" + account + ":root"
					}
					if got := names(r, "AllowedPrincipals"); !slices.Equal(got, want) {
						return fmt.Sprintf("AllowedPrincipals are %q, want %q", got, want)
					}
					return ""
				})(e)
			},
			Remove: set(typeService+"Permissions", "AllowedPrincipals", []any{"*"}),
		},
		{
			ID: "transit.link-internal", What: "the load balancer of PrivateLink has no public address and no way in but by an endpoint",
			PCI: []string{"1.4.4", "1.3.1"}, NIST: []string{"AC-4", "SC-7"}, Where: privateLink,
			Check: func(e *Estate) []string {
				return one(typeBalancer, "Link", func(r *cfn.Resource) string { return closed(e, r) })(e)
			},
			Remove: put(typeBalancer, "Link", "internet-facing", "Scheme"),
		},
	}
}

// tunnels checks both tunnels of a connection.
func tunnels(r *cfn.Resource, good func(map[string]any) bool) string {
	options := objects(r.Get("VpnTunnelOptionsSpecifications"))
	if len(options) != 2 {
		return fmt.Sprintf("%d tunnels have options, want 2", len(options))
	}
	for i, t := range options {
		if !good(t) {
			return fmt.Sprintf("tunnel %d is not as it should be", i+1)
		}
	}
	return ""
}

// only reports whether the option offers this one value.
func only(tunnel map[string]any, option, value string) bool {
	offered := objects(tunnel[option])
	return len(offered) == 1 && offered[0]["Value"] == value
}

// loosen takes the option from the first tunnel of every connection.
func loosen(e *Estate, option string) int {
	found := e.Resources(typeVPN)
	for _, r := range found {
		delete(objects(r.Properties["VpnTunnelOptionsSpecifications"])[0], option)
	}
	return len(found)
}

// routesDeclared compares the routes to the gateway with the consumers: each
// consumer from each private subnet's table, and nothing else.
func routesDeclared(e *Estate) []string {
	tables := map[string][]string{}
	for _, r := range e.Resources("AWS::EC2::Route") {
		if r.Get("TransitGatewayId") != nil {
			table := r.Target("RouteTableId")
			if table == nil {
				return []string{r.String() + ": its table is none of ours"}
			}
			tables[table.Path()] = append(tables[table.Path()], r.Text("DestinationCidrBlock"))
		}
	}
	var want, missing []string
	for _, c := range e.Env.Consumers {
		want = append(want, c.CIDR)
	}
	slices.Sort(want)
	if len(tables) != len(e.Env.Zones) {
		missing = append(missing, fmt.Sprintf("%d route tables lead to the gateway, want %d", len(tables), len(e.Env.Zones)))
	}
	for table, got := range tables {
		if slices.Sort(got); !slices.Equal(got, want) {
			missing = append(missing, fmt.Sprintf("%s leads %q to the gateway, want %q", table, got, want))
		}
	}
	return missing
}

// closed checks that a load balancer is internal and that none of its groups
// has a rule that lets anybody in.
func closed(e *Estate, balancer *cfn.Resource) string {
	if balancer.Text("Scheme") != "internal" {
		return "it is not internal"
	}
	groups := cfn.Targets(balancer.Get("SecurityGroups"))
	if len(groups) == 0 {
		return "it has no security group"
	}
	for _, g := range groups {
		if len(g.List("SecurityGroupIngress")) > 0 {
			return g.String() + " lets somebody in"
		}
		for _, rule := range e.Resources("AWS::EC2::SecurityGroupIngress") {
			if rule.Target("GroupId") == g {
				return rule.String() + " lets somebody in"
			}
		}
	}
	return ""
}
