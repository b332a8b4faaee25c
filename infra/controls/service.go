package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

func serviceControls() []Control {
	network := []string{"NetworkConfiguration", "AwsvpcConfiguration"}
	return []Control{
		{
			ID: "services.no-exec", What: "nobody opens a shell in a task",
			PCI: []string{"7.2.2", "2.2.4"}, NIST: []string{"AC-6", "CM-7"},
			Check:  every(typeTaskService, is("false", "EnableExecuteCommand")),
			Remove: set(typeTaskService, "EnableExecuteCommand", true),
		},
		{
			ID: "services.no-public-addresses", What: "tasks have no public addresses",
			PCI: []string{"1.4.4"}, NIST: []string{"AC-4", "SC-7"},
			Check:  every(typeTaskService, is("DISABLED", append(network, "AssignPublicIp")...)),
			Remove: put(typeTaskService, "Manager", "ENABLED", append(network, "AssignPublicIp")...),
		},
		{
			ID: "services.zones", What: "customers-mngr runs in every zone's private subnet",
			NIST: []string{"CP-10", "SC-6"},
			Check: func(e *Estate) []string {
				return every(typeTaskService, func(r *cfn.Resource) string { return missingZones(e, r) })(e)
			},
			Remove: func(e *Estate) int {
				r := e.Find(typeTaskService, "Manager")
				at, _ := r.Properties["NetworkConfiguration"].(map[string]any)
				vpc, _ := at["AwsvpcConfiguration"].(map[string]any)
				subnets, _ := vpc["Subnets"].([]any)
				vpc["Subnets"] = subnets[:1]
				return len(subnets) - 1
			},
		},
	}
}

func keepingControls() []Control {
	return []Control{
		{
			ID: "services.health-checked", What: "a task that does not answer is replaced",
			NIST: []string{"SI-4", "CP-10"},
			Check: one(typeTask, "customers-mngr-task", func(r *cfn.Resource) string {
				if got := r.Text("ContainerDefinitions", "0", "HealthCheck", "Command", "1"); got != "/customers-mngr" {
					return "its container is not asked for its health"
				}
				return ""
			}),
			Remove: inContainers("HealthCheck", nil),
		},
		{
			ID: "services.measured", What: "every task is measured (Container Insights, enhanced)",
			PCI: []string{"10.7.2"}, NIST: []string{"AU-12", "SI-4"},
			Check:  every(typeTaskCluster, is("enhanced", "ClusterSettings", "0", "Value")),
			Remove: set(typeTaskCluster, "ClusterSettings", nil),
		},
		{
			ID: "services.scaled", What: "more requests or less CPU get more tasks, between the configured bounds",
			NIST: []string{"AU-4", "CP-2", "SC-5"},
			Check: func(e *Estate) []string {
				bounds := are(map[string]string{
					"MinCapacity": fmt.Sprint(e.Env.Manager.MinTasks), "MaxCapacity": fmt.Sprint(e.Env.Manager.MaxTasks),
				})
				return slices.Concat(every(typeScaledTarget, bounds)(e), scaledBy(e))
			},
			Remove: without(typeScaling, "ByRequests"),
		},
		{
			ID: "services.purposes", What: "services use the customers' key for their own purposes alone",
			PCI: []string{"3.6.1.2", "7.2.2"}, NIST: []string{"AC-6", "SC-12"},
			Check: purposes,
			Remove: func(e *Estate) int {
				for _, s := range policyStatements(e.Find("AWS::IAM::ManagedPolicy", "SynchronizerKeys")) {
					delete(s, "Condition")
				}
				return 1
			},
		},
	}
}

// missingZones names the zones in which the service has no private subnet.
func missingZones(e *Estate, service *cfn.Resource) string {
	var zones []string
	for _, subnet := range cfn.Targets(service.Get("NetworkConfiguration", "AwsvpcConfiguration", "Subnets")) {
		if !strings.Contains(strings.ToLower(subnet.Path()), "private") {
			return subnet.String() + " is not private"
		}
		zones = append(zones, subnet.Text("AvailabilityZone"))
	}
	for _, zone := range e.Env.Zones {
		if !slices.Contains(zones, zone) {
			return "does not run in " + zone
		}
	}
	return ""
}

// scaledBy checks that both figures scale: CPU, and requests of every target
// group that the service may be in.
func scaledBy(e *Estate) []string {
	var all strings.Builder
	for _, p := range e.Resources(typeScaling) {
		fmt.Fprintln(&all, p.Get("TargetTrackingScalingPolicyConfiguration"))
	}
	var missing []string
	if !strings.Contains(all.String(), "ECSServiceAverageCPUUtilization") {
		missing = append(missing, "tasks are not scaled by CPU")
	}
	for _, group := range e.Resources("AWS::ElasticLoadBalancingV2::TargetGroup") {
		name := cfn.Reference{Resource: group, Attribute: "TargetGroupFullName"}.String()
		if group.Stack.Name == "edge" && !strings.Contains(all.String(), name) {
			missing = append(missing, "tasks are not scaled by the requests of "+group.String())
		}
	}
	return missing
}

// purposes checks that every statement on the customers' key names purposes,
// and that the synchronizer's decryption has none that opens customers.
func purposes(e *Estate) []string {
	var wrong []string
	seen := 0
	for _, p := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		for _, s := range policyStatements(p) {
			if !strings.Contains(fmt.Sprint(p.Stack.Resolve(s["Resource"])), "${keys.customers") && !onCustomers(p, s) {
				continue
			}
			seen++
			condition := fmt.Sprint(p.Stack.Resolve(s["Condition"]))
			opens := strings.Contains(condition, "seal") && fmt.Sprint(s["Action"]) == "kms:Decrypt" && strings.Contains(p.Path(), "Synchronizer")
			if !strings.Contains(condition, "kms:EncryptionContext:purpose") || opens {
				wrong = append(wrong, fmt.Sprintf("%s: %v may be done for purposes that are not the service's", p, s["Action"]))
			}
		}
	}
	if seen == 0 {
		wrong = append(wrong, "no policy names the customers' key")
	}
	return wrong
}

// onCustomers reports whether the statement's resource is the customers' key.
func onCustomers(p *cfn.Resource, s map[string]any) bool {
	key := cfn.Target(p.Stack.Resolve(s["Resource"]))
	return key != nil && key.Stack.Name == "keys" && key.Path() == "customers"
}

// policyStatements are a policy's statements as in the template.
func policyStatements(p *cfn.Resource) []map[string]any {
	if p == nil {
		return nil
	}
	document, _ := p.Properties["PolicyDocument"].(map[string]any)
	return objects(document["Statement"])
}

func deploymentControls() []Control {
	return []Control{
		{
			ID: "services.circuit-breaker", What: "a rolling deployment whose tasks do not start goes back by itself",
			PCI: []string{"6.5.1"}, NIST: []string{"CM-3", "CP-10"}, Where: rolling,
			Check: every(typeTaskService, are(map[string]string{
				"DeploymentConfiguration.Strategy":                          "ROLLING",
				"DeploymentConfiguration.DeploymentCircuitBreaker.Rollback": "true",
			})),
			Remove: put(typeTaskService, "Manager", nil, "DeploymentConfiguration", "DeploymentCircuitBreaker"),
		},
		{
			ID: "services.blue-green", What: "a deployment goes back when an alarm goes off, to tasks that are still there",
			PCI: []string{"6.5.1"}, NIST: []string{"CM-3", "CP-10"}, Where: blueGreen,
			Check: every(typeTaskService, func(r *cfn.Resource) string {
				alarms := cfn.Targets(r.Get("DeploymentConfiguration", "Alarms", "AlarmNames"))
				bake, _ := r.Get("DeploymentConfiguration", "BakeTimeInMinutes").(float64)
				if len(alarms) < 2 || bake < 5 || !r.Bool("DeploymentConfiguration", "Alarms", "Rollback") {
					return "is not taken back by alarms within a bake time"
				}
				return is("BLUE_GREEN", "DeploymentConfiguration", "Strategy")(r)
			}),
			Remove: put(typeTaskService, "Manager", nil, "DeploymentConfiguration", "Alarms"),
		},
		{
			ID: "services.shift-one-rule", What: "a deployment moves traffic by one rule between two groups, and touches nothing else",
			PCI: []string{"7.2.5"}, NIST: []string{"AC-6"}, Where: blueGreen,
			Check: func(e *Estate) []string {
				return slices.Concat(
					allowedOnly("elasticloadbalancing:ModifyRule", "edge", "balancing")(e),
					allowedOnly("elasticloadbalancing:RegisterTargets", "edge", "balancing")(e),
					none(e, "elasticloadbalancing:ModifyListener"), none(e, "elasticloadbalancing:ModifyLoadBalancerAttributes"))
			},
			Remove: func(e *Estate) int {
				s := policyStatements(e.Find("AWS::IAM::ManagedPolicy", "Balancing"))
				s[len(s)-1]["Action"] = "elasticloadbalancing:Modify*"
				return 1
			},
		},
	}
}

// none checks that no role of the estate's tasks and services may do the action.
func none(e *Estate, action string) []string {
	var wrong []string
	for _, p := range permissions(e, action) {
		if p.role.Stack.Name == "identity" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", action, p))
		}
	}
	return wrong
}
