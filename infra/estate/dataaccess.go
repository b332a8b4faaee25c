package estate

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
)

// admit gives each service its one database user, the migration the
// administrator's secret and the synchronizer's start the provider's key. A
// service has no way to log in as anybody else, and only the migration as
// administrator.
func (d *Data) admit(env *config.Environment, who *Identity) {
	as := func(id string, role awsiam.Role, user string) {
		grant(d.Stack, id, role, allow("LogIn", []string{"rds-db:connect"}, []string{d.userARN(env, user)}))
	}
	as("SynchronizerLogin", who.Synchronizer, synchronizerUser)
	as("ManagerLogin", who.Manager, managerUser)
	read := func(id, sid string, role awsiam.Role, secret awssecretsmanager.ISecret) {
		grant(d.Stack, id, role, allow(sid, []string{"secretsmanager:GetSecretValue"}, []string{*secret.SecretArn()}))
	}
	read("MigrationLogin", "ReadAdministrator", who.Migration, d.Cluster.Secret())
	read("ProviderKeyRead", "ReadProviderKey", who.SynchronizerExecution, d.ProviderKey)
}

// userARN is the resource of logging in as the user to this cluster.
func (d *Data) userARN(env *config.Environment, user string) string {
	return fmt.Sprintf("arn:aws:rds-db:%s:%s:dbuser:%s/%s", env.Region, env.Account, *d.Cluster.ClusterResourceIdentifier(), user)
}

// providerKey makes the secret with a value that the provider will refuse:
// nothing that is one belongs into a template.
func providerKey(stack awscdk.Stack, env *config.Environment, keys *Keys) awssecretsmanager.Secret {
	return awssecretsmanager.NewSecret(stack, jsii.String("ProviderKey"), &awssecretsmanager.SecretProps{
		SecretName:    jsii.String(env.Prefix() + "/provider-api-key"),
		Description:   jsii.String("The provider's API key: put the real one here"),
		EncryptionKey: keys.Secrets,
		RemovalPolicy: removal(env),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			PasswordLength: jsii.Number(32), ExcludePunctuation: jsii.Bool(true),
		},
	})
}
