// Package synth turns every environment's configuration into templates, in
// cdk.out/ENVIRONMENT.
package synth

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/cdkout"
	"padron/infra/config"
	"padron/infra/estate"
	"padron/infra/ledger"
)

// flags are the behaviours of the CDK that the estate is written for, where
// they differ from its defaults.
func flags(env *config.Environment) *map[string]any {
	return &map[string]any{
		// The zones are the configuration's: nobody is asked for the account's.
		fmt.Sprintf("availability-zones:account=%s:region=%s", env.Account, env.Region): env.Zones,
		"aws:cdk:enable-path-metadata":                         true,
		"@aws-cdk/aws-iam:minimizePolicies":                    true,
		"@aws-cdk/aws-iam:standardizedServicePrincipals":       true,
		"@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope": true,
		"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy":      true,
		"@aws-cdk/aws-ecs:arnFormatIncludesClusterName":        true,
		"@aws-cdk/core:checkSecretUsage":                       true,
		"@aws-cdk/core:enablePartitionLiterals":                true,
		"@aws-cdk/core:defaultCrossStackReferences":            "strong", // what others import cannot be taken away
	}
}

// Run synthesizes every environment below root, the folder infra, where the
// templates are not those of the present sources already. The faults of all
// configurations come at once.
func Run(root string) error {
	fresh, err := cdkout.Fresh(root)
	if err != nil || fresh {
		return err
	}
	sum, err := cdkout.Sum(root)
	if err != nil {
		return err
	}
	environments, err := config.All(filepath.Join(root, "config"))
	if err != nil {
		return err
	}
	decisions, err := ledger.Load(root)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(root, "cdk.out")); err != nil {
		return err
	}
	defer jsii.Close()
	for _, env := range environments {
		app := newApp(cdkout.Dir(root, env.Name), env)
		estate.New(app, env)
		suppress(app, env, names(environments), decisions)
		inspect(app)
		app.Synth(nil)
	}
	return cdkout.Mark(root, sum)
}

// newApp makes the app of one environment, whose templates go to dir.
func newApp(dir string, env *config.Environment) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(dir), AnalyticsReporting: jsii.Bool(false), Context: flags(env),
	})
}

func names(environments []*config.Environment) []string {
	all := make([]string, len(environments))
	for i, e := range environments {
		all[i] = e.Name
	}
	return all
}
