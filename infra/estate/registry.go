package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Registry is the repositories of images, one for each program.
type Registry struct {
	Stack                         awscdk.Stack
	Synchronizer, Manager, Padron awsecr.Repository
}

// Images that a repository keeps: the running one is among them unless nothing
// was deployed for as many releases. What has no tag goes after the days.
const (
	keptImages   = 100
	untaggedDays = 7
)

// NewRegistry adds the stack registry.
func NewRegistry(app awscdk.App, env *config.Environment, keys *Keys, who *Identity) *Registry {
	stack := newStack(app, env, "registry", "container images, scanned as long as they are kept")
	repository := func(id string) awsecr.Repository {
		return awsecr.NewRepository(stack, jsii.String(id), &awsecr.RepositoryProps{
			RepositoryName:     jsii.String(env.Prefix() + "-" + id),
			ImageTagMutability: awsecr.TagMutability_IMMUTABLE,
			ImageScanOnPush:    jsii.Bool(true),
			Encryption:         awsecr.RepositoryEncryption_KMS(),
			EncryptionKey:      keys.Registry,
			EmptyOnDelete:      jsii.Bool(!env.Protected),
			RemovalPolicy:      removal(env),
			LifecycleRules: &[]*awsecr.LifecycleRule{
				{
					RulePriority: jsii.Number(1), Description: jsii.String("nothing refers to what has no tag"),
					TagStatus: awsecr.TagStatus_UNTAGGED, MaxImageAge: awscdk.Duration_Days(jsii.Number(untaggedDays)),
				},
				{
					RulePriority: jsii.Number(2), Description: jsii.String("the newest releases"),
					TagStatus: awsecr.TagStatus_ANY, MaxImageCount: jsii.Number(keptImages),
				},
			},
		})
	}
	r := &Registry{
		Stack:        stack,
		Synchronizer: repository("synchronizer"),
		Manager:      repository("customers-mngr"),
		Padron:       repository("padron"),
	}
	scanContinuously(stack, env)
	pull(stack, "SynchronizerPull", who.SynchronizerExecution, r.Synchronizer)
	pull(stack, "ManagerPull", who.ManagerExecution, r.Manager)
	pull(stack, "MigrationPull", who.MigrationExecution, r.Padron)
	return r
}

// scanContinuously lets Inspector look at every image again whenever a new
// vulnerability is known, not only when it was pushed. The setting is the
// account's one and only: an account holds one environment.
func scanContinuously(stack awscdk.Stack, env *config.Environment) {
	awsecr.NewCfnRegistryScanningConfiguration(stack, jsii.String("Scanning"), &awsecr.CfnRegistryScanningConfigurationProps{
		ScanType: jsii.String("ENHANCED"),
		Rules: []any{&awsecr.CfnRegistryScanningConfiguration_ScanningRuleProperty{
			ScanFrequency: jsii.String("CONTINUOUS_SCAN"),
			RepositoryFilters: []any{&awsecr.CfnRegistryScanningConfiguration_RepositoryFilterProperty{
				Filter: jsii.String(env.Prefix() + "-*"), FilterType: jsii.String("WILDCARD"),
			}},
		}},
	})
}

// pull lets a role pull from one repository.
func pull(stack awscdk.Stack, id string, role awsiam.IRole, from awsecr.Repository) {
	grant(stack, id, role,
		allow("Pull", []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, []string{*from.RepositoryArn()}),
		allow("LogIn", []string{"ecr:GetAuthorizationToken"}, []string{"*"}), // the registry's: it knows no resource
	)
}
