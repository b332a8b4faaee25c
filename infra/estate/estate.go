// Package estate is everything of padron that stands in an AWS account, one
// file and one stack for each part of it, wired by plain Go values. The only
// input is a [config.Environment].
package estate

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// Estate is an environment's stacks, in the order of deployment.
type Estate struct {
	Identity *Identity
	Keys     *Keys
	Network  *Network
	Data     *Data
	Registry *Registry
	Names    *Names
	Edge     *Edge
	// Migration holds the cluster too.
	Migration     *Migration
	Services      *Services
	Observability *Observability
	Bastion       *Bastion
	Audit         *Audit
	Copies        *Copies
	Backup        *Backup
	Transit       *Transit
	Delivery      *Delivery
}

// New adds every stack of the environment to the app.
func New(app awscdk.App, env *config.Environment) *Estate {
	e := &Estate{}
	e.Identity = NewIdentity(app, env)
	e.Keys = NewKeys(app, env, e.Identity)
	e.Network = NewNetwork(app, env, e.Keys)
	e.Data = NewData(app, env, e.Keys, e.Network, e.Identity)
	e.Registry = NewRegistry(app, env, e.Keys, e.Identity)
	e.Names = NewNames(app, env, e.Keys, e.Network)
	e.Edge = NewEdge(app, env, e.Keys, e.Network, e.Names)
	e.Migration = NewMigration(app, env, e.Identity, e.Keys, e.Network, e.Data, e.Registry)
	e.Services = NewServices(app, env, e.Identity, e.Keys, e.Network, e.Data, e.Registry, e.Edge, e.Migration.Cluster)
	e.Observability = NewObservability(app, env, e.Keys, e.Data, e.Edge, e.Services)
	e.Delivery = NewDelivery(app, env, e.Keys, e.Network)
	e.Bastion = NewBastion(app, env, e.Identity, e.Keys, e.Network, e.Data, e.Delivery)
	e.Audit = NewAudit(app, env, e.Keys, e.Network)
	e.Copies = NewCopies(app, env, e.Keys, e.Identity)
	e.Backup = NewBackup(app, env, e.Keys, e.Network, e.Data, e.Audit, e.Copies)
	if env.Features.TransitGateway || env.Features.PrivateLink {
		e.Transit = NewTransit(app, env, e.Keys, e.Network, e.Edge)
	}
	return e
}

// newStack makes the stack that every part begins with. Its name in the account
// is the environment's prefix and id.
func newStack(app awscdk.App, env *config.Environment, id, what string) awscdk.Stack {
	return newStackIn(app, env, id, what, env.Region)
}

// newStackIn is newStack in a region that is not the environment's own.
func newStackIn(app awscdk.App, env *config.Environment, id, what, region string) awscdk.Stack {
	return awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		StackName:             jsii.String(env.Prefix() + "-" + id),
		Description:           jsii.String("padron " + env.Name + ": " + what),
		Env:                   &awscdk.Environment{Account: jsii.String(env.Account), Region: jsii.String(region)},
		TerminationProtection: jsii.Bool(env.Protected),
		AnalyticsReporting:    jsii.Bool(false),
		Tags:                  &map[string]*string{"padron:environment": jsii.String(env.Name), "padron:stack": jsii.String(id)},
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})
}

// cfnResource is the template's resource of a construct that makes one.
func cfnResource(of constructs.IConstruct) awscdk.CfnResource {
	return of.Node().DefaultChild().(awscdk.CfnResource) //nolint:forcetypeassert // it is what the construct makes
}

// texts turns Go strings into what jsii takes.
func texts(values ...string) *[]*string { return jsii.Strings(values...) }

// output shows a value of the stack to whoever looks at it in the account.
func output(stack awscdk.Stack, id string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(id+"Output"), &awscdk.CfnOutputProps{Value: value}).OverrideLogicalId(jsii.String(id))
}
