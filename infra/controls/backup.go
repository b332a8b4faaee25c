package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeVault = "AWS::Backup::BackupVault"
	typePlan  = "AWS::Backup::BackupPlan"
	typeAir   = "AWS::Backup::LogicallyAirGappedBackupVault"
)

func backupControls() []Control {
	return slices.Concat(vaultControls(), lastResort(), planControls())
}

func vaultControls() []Control {
	return []Control{
		{
			ID: "backup.encrypted", What: "backups and copies are encrypted with the key of backups",
			PCI: []string{"3.5.1", "9.4.1"}, NIST: []string{"CP-9", "SC-28"},
			Check: every(typeVault, func(r *cfn.Resource) string {
				key := r.Target("EncryptionKeyArn")
				if key != nil && key.Type == "AWS::KMS::ReplicaKey" {
					key = key.Target("PrimaryKeyArn")
				}
				if key == nil || key.Stack.Name != "keys" || key.Path() != "backup" {
					return "EncryptionKeyArn is not the key backup, nor its replica"
				}
				return ""
			}),
			Remove: set(typeVault, "EncryptionKeyArn", nil),
		},
		{
			ID: "backup.nobody-deletes", What: "nobody deletes a backup or shortens its life",
			PCI: []string{"10.3.2", "3.2.1"}, NIST: []string{"AC-3", "CP-9"},
			Check: every(typeVault, func(r *cfn.Resource) string {
				s := statement(r, "AccessPolicy", "NobodyDeletes")
				if s == nil || s["Effect"] != "Deny" {
					return "its policy has no denial NobodyDeletes"
				}
				for _, want := range []string{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"} {
					if actions, _ := s["Action"].([]any); !slices.Contains(actions, any(want)) {
						return want + " is not denied"
					}
				}
				return ""
			}),
			Remove: set(typeVault, "AccessPolicy", nil),
		},
		{
			ID: "backup.locked", What: "not even an administrator deletes a backup: vault lock in compliance mode",
			PCI: []string{"10.3.2"}, NIST: []string{"CP-9", "SI-12"},
			Where: func(env *config.Environment) bool { return env.Features.VaultLock },
			Check: func(e *Estate) []string {
				return every(typeVault, are(map[string]string{
					"LockConfiguration.ChangeableForDays": "3",
					"LockConfiguration.MinRetentionDays":  fmt.Sprint(e.Env.Retention.DailyBackups),
					"LockConfiguration.MaxRetentionDays":  fmt.Sprint(e.Env.Retention.MonthlyBackups),
				}))(e)
			},
			Remove: set(typeVault, "LockConfiguration", nil),
		},
	}
}

// lastResort is what is left when the account is lost.
func lastResort() []Control {
	return []Control{
		{
			ID: "backup.air-gapped", What: "copies stand in a vault that the account cannot empty",
			PCI: []string{"10.3.3"}, NIST: []string{"CP-6", "CP-9"},
			Where: func(env *config.Environment) bool { return env.Features.AirGappedVault },
			Check: every(typePlan, func(r *cfn.Resource) string {
				for _, rule := range objects(r.Get("BackupPlan", "BackupPlanRule")) {
					if !copiesTo(rule, func(to any) bool { t := cfn.Target(to); return t != nil && t.Type == typeAir }) {
						return fmt.Sprintf("%v is not copied to a vault of type %s", rule["RuleName"], typeAir)
					}
				}
				return ""
			}),
			Remove: func(e *Estate) int { return uncopy(e, func(to string) bool { return !strings.HasPrefix(to, "arn:") }) },
		},
	}
}

// copiesTo reports whether a rule of a plan copies to a destination that is
// wanted.
func copiesTo(rule map[string]any, wanted func(any) bool) bool {
	return slices.ContainsFunc(objects(rule["CopyActions"]), func(c map[string]any) bool { return wanted(c["DestinationBackupVaultArn"]) })
}

// uncopy takes the copies away whose destination, as in the template, is
// unwanted, and returns how many.
func uncopy(e *Estate, unwanted func(string) bool) int {
	removed := 0
	plan, _ := e.Find(typePlan, "Plan").Properties["BackupPlan"].(map[string]any)
	for _, rule := range objects(plan["BackupPlanRule"]) {
		var kept []any
		for _, c := range objects(rule["CopyActions"]) {
			if to, _ := c["DestinationBackupVaultArn"].(string); unwanted(to) {
				removed++
				continue
			}
			kept = append(kept, c)
		}
		rule["CopyActions"] = kept
	}
	return removed
}

func planControls() []Control {
	return []Control{
		{
			ID: "backup.planned", What: "backups are made every day and every month, and kept as configured",
			PCI: []string{"12.10.1"}, NIST: []string{"CP-9"},
			Check: func(e *Estate) []string {
				days := map[string]string{}
				for _, rule := range objects(e.Find(typePlan, "Plan").Get("BackupPlan", "BackupPlanRule")) {
					life, _ := rule["Lifecycle"].(map[string]any)
					days[fmt.Sprint(rule["RuleName"])] = fmt.Sprint(life["DeleteAfterDays"])
				}
				want := map[string]string{"daily": fmt.Sprint(e.Env.Retention.DailyBackups), "monthly": fmt.Sprint(e.Env.Retention.MonthlyBackups)}
				if fmt.Sprint(days) != fmt.Sprint(want) {
					return []string{fmt.Sprintf("rules keep for %v days, want %v", days, want)}
				}
				return nil
			},
			Remove: func(e *Estate) int {
				plan, _ := e.Find(typePlan, "Plan").Properties["BackupPlan"].(map[string]any)
				rules, _ := plan["BackupPlanRule"].([]any)
				plan["BackupPlanRule"] = rules[:1]
				return len(rules) - 1
			},
		},
		{
			ID: "backup.copied-away", What: "every backup is copied to a vault in another region",
			PCI: []string{"10.3.3", "12.10.1"}, NIST: []string{"CP-6", "CP-9"},
			Check: copiedAway,
			Remove: func(e *Estate) int {
				return uncopy(e, func(to string) bool { return strings.Contains(to, ":"+e.Env.CopyRegion+":") })
			},
		},
		{
			ID: "backup.database-selected", What: "the database is among what is backed up",
			PCI: []string{"12.10.1"}, NIST: []string{"CP-9"},
			Check: every("AWS::Backup::BackupSelection", func(r *cfn.Resource) string {
				cluster := r.Stack.Resolve(r.Properties)
				if !strings.Contains(fmt.Sprint(cluster), "cluster:") {
					return "no database cluster is selected"
				}
				return ""
			}),
			Remove: drop("AWS::Backup::BackupSelection"),
		},
		{
			ID: "backup.restore-tested", What: "the latest backup is restored every week, to see that it can be",
			PCI: []string{"12.10.2"}, NIST: []string{"CP-4", "CP-9", "CP-10"},
			Where:  func(env *config.Environment) bool { return env.Features.RestoreTest },
			Check:  restoreTested,
			Remove: drop("AWS::Backup::RestoreTestingSelection"),
		},
		{
			ID: "backup.failures-told", What: "somebody is told of a backup, copy or restore that failed",
			PCI: []string{"10.7.2", "12.10.5"}, NIST: []string{"CP-9", "IR-6"},
			Check: tells("Tell-backup-failed"), Remove: without(typeRule, "Tell-backup-failed"),
		},
	}
}

func copiedAway(e *Estate) []string {
	var missing []string
	for _, rule := range objects(e.Find(typePlan, "Plan").Get("BackupPlan", "BackupPlanRule")) {
		there := func(to any) bool {
			arn := fmt.Sprint(to)
			for _, v := range e.Resources(typeVault) {
				want := fmt.Sprintf("arn:aws:backup:%s:%s:backup-vault:%s", v.Stack.Region, v.Stack.Account, v.Text("BackupVaultName"))
				if v.Stack.Region == e.Env.CopyRegion && arn == want {
					return true
				}
			}
			return false
		}
		if !copiesTo(rule, there) {
			missing = append(missing, fmt.Sprintf("backup/Plan: %v is not copied to a vault in %s", rule["RuleName"], e.Env.CopyRegion))
		}
	}
	return missing
}

func restoreTested(e *Estate) []string {
	missing := every("AWS::Backup::RestoreTestingPlan", func(r *cfn.Resource) string {
		if v := cfn.Target(first(r.List("RecoveryPointSelection", "IncludeVaults"))); v == nil || v.Type != typeVault {
			return "it takes backups from no vault of the estate"
		}
		if !strings.Contains(r.Text("ScheduleExpression"), "SUN") {
			return "it is not weekly"
		}
		return ""
	})(e)
	return append(missing, every("AWS::Backup::RestoreTestingSelection", is("Aurora", "ProtectedResourceType"))(e)...)
}
