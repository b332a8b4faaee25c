package picture

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// What a card says below its name. Each line is read from the resources, and
// missing where they do not say it.

func say(phrase string) func(*plan, []*cfn.Resource) []string {
	return func(p *plan, _ []*cfn.Resource) []string { return []string{p.words.t(phrase)} }
}

func counted(format string) func(*plan, []*cfn.Resource) []string {
	return func(p *plan, all []*cfn.Resource) []string {
		if len(all) == 1 {
			return nil
		}
		return []string{p.words.f(format, len(all))}
	}
}

func zoneNames(phrase string) func(*plan, []*cfn.Resource) []string {
	return func(p *plan, all []*cfn.Resource) []string {
		return []string{p.words.t(phrase), shorten(strings.TrimSuffix(all[0].Text("Name"), "."), stripW-textX-4)}
	}
}

func budgets(p *plan, all []*cfn.Resource) []string {
	return []string{p.words.f("%s USD a month", all[0].Text("Budget", "BudgetLimit", "Amount"))}
}

// vaults says where the vault is locked, and how often it is filled.
func vaults(p *plan, all []*cfn.Resource) []string {
	for _, r := range all {
		if r.Get("LockConfiguration") != nil {
			return []string{p.words.t("vault locked")}
		}
	}
	return nil
}

func webRules(p *plan, all []*cfn.Resource) []string {
	return []string{p.words.f("%d rules", len(all[0].List("Rules")))}
}

// schedules are those that start runs.
func schedules(p *plan, all []*cfn.Resource) []string {
	var lines []string
	for _, r := range all {
		if slices.ContainsFunc(p.mentions(r), func(m *cfn.Resource) bool {
			return m.Type == "AWS::StepFunctions::StateMachine" || m.Type == "AWS::ECS::TaskDefinition"
		}) {
			lines = append(lines, r.Text("ScheduleExpression"))
		}
	}
	return lines
}

func secrets(p *plan, all []*cfn.Resource) []string {
	return []string{p.words.f("%d secrets", len(all))}
}

// when returns the phrase where it holds.
func (p *plan) when(holds bool, phrase string) []string {
	if !holds {
		return nil
	}
	return []string{p.words.t(phrase)}
}

func regions(p *plan, all []*cfn.Resource) []string {
	return p.when(all[0].Bool("IsMultiRegionTrail"), "every region")
}

// weekly reads the day of the week, the fifth field of a cron expression.
func weekly(p *plan, all []*cfn.Resource) []string {
	fields := strings.Fields(all[0].Text("ScheduleExpression"))
	return p.when(len(fields) == 6 && len(fields[4]) == 3, "every week")
}

func divided(p *plan, all []*cfn.Resource) []string {
	return p.when(strings.Contains(all[0].Text("DefinitionString"), `"Map"`), "runs in partitions")
}

// platform is what every task runs on.
func platform(p *plan, _ []*cfn.Resource) []string {
	return p.when(!slices.ContainsFunc(p.Resources("AWS::ECS::TaskDefinition"), func(d *cfn.Resource) bool {
		return d.Text("RuntimePlatform", "CpuArchitecture") != "ARM64" || !fargate(d)
	}), "Fargate, ARM64")
}

func fargate(definition *cfn.Resource) bool {
	return slices.Contains(definition.List("RequiresCompatibilities"), any("FARGATE"))
}

func repositories(p *plan, all []*cfn.Resource) []string {
	if len(p.Resources("AWS::ECR::RegistryScanningConfiguration")) == 0 {
		return []string{p.words.f("%d repositories", len(all))}
	}
	return []string{p.words.f("%d repositories, scanned", len(all))}
}

func keys(p *plan, all []*cfn.Resource) []string {
	if slices.ContainsFunc(all, func(r *cfn.Resource) bool { return !r.Bool("EnableKeyRotation") }) {
		return []string{p.words.f("%d keys", len(all))}
	}
	return []string{p.words.f("%d keys, rotated", len(all))}
}

// posture is true of a role that may read settings and do nothing else.
func posture(p *plan, all []*cfn.Resource) []string {
	policies := fmt.Sprint(all[0].Get("ManagedPolicyArns"))
	return p.when(strings.Contains(policies, "policy/SecurityAudit") && len(all[0].List("ManagedPolicyArns")) == 1, "CloudGuard, read-only")
}

// Which resources a card stands for.

// secret accepts secrets, and clusters whose administrator's secret RDS keeps
// in Secrets Manager.
func secret(_ *plan, r *cfn.Resource) bool {
	return r.Type != "AWS::RDS::DBCluster" || r.Bool("ManageMasterUserPassword")
}

func private(_ *plan, r *cfn.Resource) bool { return len(r.List("VPCs")) > 0 }
func public(p *plan, r *cfn.Resource) bool  { return !private(p, r) }

// migrates accepts what the stack migration runs.
func migrates(_ *plan, r *cfn.Resource) bool { return r.Stack.Name == "migration" }

// byGitHub accepts roles that a workflow of GitHub may take.
func byGitHub(_ *plan, r *cfn.Resource) bool {
	return strings.Contains(fmt.Sprint(r.Get("AssumeRolePolicyDocument")), "token.actions.githubusercontent.com")
}

// byExternalID accepts roles that another account may take.
func byExternalID(_ *plan, r *cfn.Resource) bool {
	return strings.Contains(fmt.Sprint(r.Get("AssumeRolePolicyDocument")), "sts:ExternalId")
}
