// Package recovery derives from the templates what is lost and how long it
// takes when the database or its region is lost: what docs/recovery.md says.
package recovery

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"padron/infra/cfn"
	"padron/infra/config"
)

// What recovery promises: the most that is lost (RPO) inside the region and
// with it, and the longest that it takes (RTO).
const (
	InsideRPO = 5 * time.Minute
	RegionRPO = 24 * time.Hour
	RTO       = 4 * time.Hour
)

const (
	// behind is how far the latest point that Aurora restores to may lie back:
	// it keeps the log of changes all the time.
	behind = 5 * time.Minute
	// copying is the time that the copy of a backup to the other region may take.
	// The plan sets it no bound; an event tells of a copy that failed.
	copying = 8 * time.Hour
)

// Figures are one environment's.
type Figures struct {
	Environment string
	// Days are how far back a point in time can be restored, and for how long
	// daily and monthly backups stay.
	PointDays, DailyDays, MonthlyDays int
	// Gap is the longest time between two backups, Start and Complete the windows
	// in which a backup begins and ends at the latest.
	Gap, Start, Complete time.Duration
	// Copies are the places that backups are copied to.
	Copies []string
	// Locked says that nobody deletes a backup; Tested that one is restored every
	// week.
	Locked, Tested bool
}

// Region is the most that is lost with the region: everything since the last
// backup whose copy had arrived, at the worst moment.
func (f Figures) Region() time.Duration { return f.Gap + f.Start + f.Complete + copying }

// Of derives an environment's figures. The error says which part is missing.
func Of(a *cfn.Assembly, env *config.Environment) (Figures, error) {
	f := Figures{Environment: env.Name}
	plan, cluster := a.Find("AWS::Backup::BackupPlan", "Plan"), a.Find("AWS::RDS::DBCluster", "Cluster")
	if plan == nil || cluster == nil {
		return f, errors.New("there is no backup plan or no database cluster")
	}
	f.PointDays = number(cluster.Text("BackupRetentionPeriod"))
	for i := range plan.List("BackupPlan", "BackupPlanRule") {
		if err := f.rule(a, env, plan, strconv.Itoa(i)); err != nil {
			return f, err
		}
	}
	f.Locked, f.Tested = locked(a), len(a.Resources("AWS::Backup::RestoreTestingSelection")) > 0
	switch {
	case f.PointDays < 1:
		return f, errors.New("the cluster keeps no log of changes: BackupRetentionPeriod is missing")
	case f.DailyDays == 0 || f.MonthlyDays == 0 || f.Gap == 0:
		return f, errors.New("the plan has no rule daily or none monthly")
	}
	return f, nil
}

// rule reads one rule of the plan.
func (f *Figures) rule(a *cfn.Assembly, env *config.Environment, plan *cfn.Resource, index string) error {
	at := func(path ...string) string {
		return plan.Text(append([]string{"BackupPlan", "BackupPlanRule", index}, path...)...)
	}
	days := number(at("Lifecycle", "DeleteAfterDays"))
	if at("RuleName") == "monthly" {
		f.MonthlyDays = days
		return nil
	}
	f.DailyDays = days
	var err error
	if f.Gap, err = gap(at("ScheduleExpression")); err != nil {
		return err
	}
	f.Start, f.Complete = minutes(at("StartWindowMinutes")), minutes(at("CompletionWindowMinutes"))
	away := false
	for _, c := range plan.List("BackupPlan", "BackupPlanRule", index, "CopyActions") {
		copied, _ := c.(map[string]any)
		place, far := destination(a, env, copied["DestinationBackupVaultArn"])
		f.Copies, away = append(f.Copies, place), away || far
	}
	if !away {
		return fmt.Errorf("the rule %s copies nothing to a vault in %s", at("RuleName"), env.CopyRegion)
	}
	return nil
}

// destination names a copy's vault, and reports whether it is in the other
// region.
func destination(a *cfn.Assembly, env *config.Environment, arn any) (string, bool) {
	if v := cfn.Target(arn); v != nil && v.Type == "AWS::Backup::LogicallyAirGappedBackupVault" {
		return "air-gapped vault", false
	}
	for _, v := range a.Resources("AWS::Backup::BackupVault") {
		if v.Stack.Region == env.CopyRegion && arn == fmt.Sprintf("arn:aws:backup:%s:%s:backup-vault:%s", v.Stack.Region, v.Stack.Account, v.Text("BackupVaultName")) {
			return env.CopyRegion, true
		}
	}
	return fmt.Sprint(arn), false
}

// locked reports whether every vault is locked for good.
func locked(a *cfn.Assembly) bool {
	vaults := a.Resources("AWS::Backup::BackupVault")
	return len(vaults) > 0 && !slices.ContainsFunc(vaults, func(v *cfn.Resource) bool {
		return v.Text("LockConfiguration", "ChangeableForDays") == ""
	})
}

// gap is the longest time between two runs of a schedule that runs every day at
// the minutes and hours that it lists.
func gap(schedule string) (time.Duration, error) {
	fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(schedule, "cron("), ")"))
	if len(fields) != 6 || !slices.Equal(fields[2:], []string{"*", "*", "?", "*"}) {
		return 0, fmt.Errorf("%q does not run every day at listed hours, such as cron(0 5,17 * * ? *)", schedule)
	}
	var hours []int
	for h := range strings.SplitSeq(fields[1], ",") {
		n, err := strconv.Atoi(h)
		if err != nil || n < 0 || n > 23 {
			return 0, fmt.Errorf("%q: %q is not an hour", schedule, h)
		}
		hours = append(hours, n)
	}
	slices.Sort(hours)
	longest := hours[0] + 24 - hours[len(hours)-1]
	for i := 1; i < len(hours); i++ {
		longest = max(longest, hours[i]-hours[i-1])
	}
	return time.Duration(longest) * time.Hour, nil
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func minutes(s string) time.Duration { return time.Duration(number(s)) * time.Minute }
