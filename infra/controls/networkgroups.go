package controls

import (
	"fmt"
	"slices"

	"padron/infra/cfn"
)

// rule is a rule of a security group, wherever it stands.
type rule struct {
	at      *cfn.Resource
	ingress bool
	body    map[string]any
}

func (r rule) text(name string) string {
	if r.body[name] == nil {
		return ""
	}
	return fmt.Sprint(r.body[name])
}

// rules are all rules of all groups: their own, and those that are resources.
func rules(e *Estate) []rule {
	var found []rule
	for _, r := range e.Resources("AWS::EC2::SecurityGroup") {
		for _, property := range []string{"SecurityGroupIngress", "SecurityGroupEgress"} {
			for _, v := range r.List(property) {
				if body, ok := v.(map[string]any); ok {
					found = append(found, rule{r, property == "SecurityGroupIngress", body})
				}
			}
		}
	}
	for _, r := range e.Resources("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress") {
		body, _ := r.Get().(map[string]any)
		found = append(found, rule{r, r.Type == "AWS::EC2::SecurityGroupIngress", body})
	}
	return found
}

// everyRule returns a Check of every rule; wrong says what is wrong with one.
func everyRule(wrong func(rule) string) func(*Estate) []string {
	return func(e *Estate) []string {
		var missing []string
		for _, r := range rules(e) {
			if w := wrong(r); w != "" {
				missing = append(missing, fmt.Sprintf("%s: %s", r.at, w))
			}
		}
		return missing
	}
}

func groupControls() []Control {
	return []Control{
		{
			ID: "network.groups-no-administration", What: "no security group lets SSH or RDP in, from anywhere at all",
			PCI: []string{"1.3.1", "2.2.7"}, NIST: []string{"AC-17", "CM-7"}, CIS: []string{"5.2", "5.3"},
			Check: everyRule(func(r rule) string {
				from, _ := r.body["FromPort"].(float64)
				to, _ := r.body["ToPort"].(float64)
				if r.ingress && (from <= 22 && 22 <= to || from <= 3389 && 3389 <= to) {
					return "lets SSH or RDP in"
				}
				return ""
			}),
			Remove: letIn("ManagerGroup", 22, "10.0.0.0/24"),
		},
		{
			ID: "network.groups-one-port", What: "each rule of a security group is about one port of TCP",
			PCI: []string{"1.2.5"}, NIST: []string{"CM-7", "SC-7(5)"},
			Check: everyRule(func(r rule) string {
				if nothing := r.text("CidrIp") == "255.255.255.255/32"; nothing || r.text("IpProtocol") == "tcp" && r.text("FromPort") == r.text("ToPort") {
					return ""
				}
				return fmt.Sprintf("is about %s %s to %s", r.text("IpProtocol"), r.text("FromPort"), r.text("ToPort"))
			}),
			Remove: func(e *Estate) int {
				r := e.Find("AWS::EC2::SecurityGroup", "SynchronizerGroup")
				r.Properties["SecurityGroupEgress"] = []any{map[string]any{"IpProtocol": "-1", "CidrIp": anyIPv4, "Description": "everything"}}
				return 1
			},
		},
		{
			ID: "network.groups-explained", What: "each rule of a security group says what it is for",
			PCI: []string{"1.2.5"}, NIST: []string{"CM-2", "CM-7"},
			Check: everyRule(func(r rule) string {
				if r.text("Description") == "" {
					return "has a rule that says nothing"
				}
				return ""
			}),
			Remove: set("AWS::EC2::SecurityGroupIngress", "Description", nil),
		},
	}
}

func groupEgressControls() []Control {
	return []Control{
		{
			ID: "network.groups-both-sides", What: "what one group lets out to another, that one lets in, and the other way round",
			PCI: []string{"1.2.5", "1.2.7"}, NIST: []string{"AC-4", "CM-7"},
			Check: bothSides, Remove: drop("AWS::EC2::SecurityGroupIngress"),
		},
		{
			ID: "network.groups-closed-egress", What: "every group says what it lets out, since one without a word lets everything out",
			PCI: []string{"1.3.2"}, NIST: []string{"AC-4", "SC-7(5)"},
			Check: closedEgress, Remove: set("AWS::EC2::SecurityGroup", "SecurityGroupEgress", nil),
		},
		{
			ID: "network.groups-few-ways-out", What: "only those groups may leave for any address that must: the synchronizer, and without endpoints the clients of AWS",
			PCI: []string{"1.3.2", "1.4.5"}, NIST: []string{"AC-4", "SC-7(5)"},
			Check: waysOut,
			Remove: func(e *Estate) int {
				r := e.Find("AWS::EC2::SecurityGroup", "DatabaseGroup")
				rule := tcpRule(443)
				rule["CidrIp"] = anyIPv4
				r.Properties["SecurityGroupEgress"] = []any{rule}
				return 1
			},
		},
	}
}

// bothSides compares the rules between two groups.
func bothSides(e *Estate) []string {
	type edge struct {
		from, to *cfn.Resource
		port     string
	}
	out, in := map[edge]bool{}, map[edge]bool{}
	for _, r := range rules(e) {
		self := r.at
		if t := cfn.Target(r.body["GroupId"]); t != nil {
			self = t
		}
		if t := cfn.Target(r.body["DestinationSecurityGroupId"]); t != nil {
			out[edge{self, t, r.text("FromPort")}] = true
		}
		if t := cfn.Target(r.body["SourceSecurityGroupId"]); t != nil {
			in[edge{t, self, r.text("FromPort")}] = true
		}
	}
	var wrong []string
	for x := range out {
		// A group may be let in as part of a range instead.
		if !in[x] && !letsRange(e, x.to, x.port) {
			wrong = append(wrong, fmt.Sprintf("%s lets out to %s on %s, which does not let it in", x.from, x.to, x.port))
		}
	}
	for x := range in {
		if !out[x] && !letsOut(e, x.from, x.port) {
			wrong = append(wrong, fmt.Sprintf("%s lets in %s on %s, which does not come", x.to, x.from, x.port))
		}
	}
	slices.Sort(wrong)
	return wrong
}

func letsRange(e *Estate, group *cfn.Resource, port string) bool {
	return slices.ContainsFunc(rules(e), func(r rule) bool {
		return r.at == group && r.ingress && r.text("CidrIp") != "" && r.text("FromPort") == port
	})
}

func letsOut(e *Estate, group *cfn.Resource, port string) bool {
	return slices.ContainsFunc(rules(e), func(r rule) bool {
		return r.at == group && !r.ingress && r.text("CidrIp") == anyIPv4 && r.text("FromPort") == port
	})
}

func closedEgress(e *Estate) []string {
	says := map[*cfn.Resource]bool{}
	for _, r := range rules(e) {
		if r.ingress {
			continue
		}
		says[r.at] = true
		if t := cfn.Target(r.body["GroupId"]); t != nil {
			says[t] = true
		}
	}
	var wrong []string
	for _, r := range e.Resources("AWS::EC2::SecurityGroup") {
		if !says[r] {
			wrong = append(wrong, r.String()+": lets everything out")
		}
	}
	return wrong
}

func waysOut(e *Estate) []string {
	may := []string{"SynchronizerGroup"}
	if !e.Env.Features.InterfaceEndpoints {
		may = append(may, "ManagerGroup", "MigrationGroup", "BastionGroup")
	}
	var wrong []string
	for _, r := range rules(e) {
		if !r.ingress && r.text("CidrIp") == anyIPv4 && !slices.Contains(may, r.at.Path()) {
			wrong = append(wrong, r.at.String()+": lets out to any address")
		}
	}
	return wrong
}
