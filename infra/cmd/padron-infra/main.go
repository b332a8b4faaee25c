// Command padron-infra makes the estate's templates, proves them and deploys
// them.
package main

import (
	"os"

	"padron/infra/cdkout"
	"padron/infra/cli"
	"padron/infra/synth"
)

// commands is the command line: one field and one file a command.
type commands struct {
	Synth synthCommand `cmd:"" help:"Make every environment's templates, in cdk.out/ENVIRONMENT."`
	Check checkCommand `cmd:"" help:"Run the checking tools over the templates: every finding outside the ledger, and how much was judged."`

	Images   imagesCommand   `cmd:"" help:"Build the container images and their bills of materials into dist/images."`
	Deploy   deployCommand   `cmd:"" help:"Deploy every stack of an environment into its account; goes on where it stopped."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the deployed database's schema and users up to date."`
	Token    tokenCommand    `cmd:"" help:"Make an API token in the deployed register, and print it."`
	Bastion  bastionCommand  `cmd:"" help:"Start the bastion, bring it padron, and print how to open a session there."`
	Destroy  destroyCommand  `cmd:"" help:"Delete every stack of an environment that is not protected."`
	Emulate  emulateCommand  `cmd:"" help:"Count what an emulated deployment makes for real, and what in name only."`
	Reach    reachCommand    `cmd:"" help:"Print who can reach whom, proven from the templates."`
	Picture  pictureCommand  `cmd:"" help:"Draw the production environment from its templates, into docs."`
	Elements elementsCommand `cmd:"" help:"Print where each element of the architecture is made, and what proves it."`
	Controls controlsCommand `cmd:"" help:"Print the safeguards, and what notices the removal of each."`
	Cost     costCommand     `cmd:"" help:"Print what each environment costs in a month."`

	Bootstrap bootstrapCommand `cmd:"" help:"Make of an empty account one that the pipeline can deploy to: what deployments may do, the CDK's own stack, the pipeline's roles."`

	Recovery recoveryCommand `cmd:"" help:"Print what is lost, and how long it takes, when the database or its region is lost."`
}

func main() {
	var c commands
	parsed := cli.Parse("padron-infra", "Makes the AWS estate's templates, proves them and deploys them.", &c)
	os.Exit(cli.Code(parsed.Run()))
}

type synthCommand struct {
	Config string `and:"variant" placeholder:"DIR" help:"The folder of other configurations, to see what a change would deploy; with --out."`
	Out    string `and:"variant" placeholder:"DIR" help:"Where the templates of those go, one folder an environment; with --config."`
}

// Run makes the templates where the sources changed, those of --config always.
func (c synthCommand) Run() error {
	root, err := cdkout.Root()
	if err != nil {
		return err
	}
	if err := withNode(root); err != nil {
		return err
	}
	if c.Config != "" {
		return synth.Variant(root, c.Config, c.Out)
	}
	return synth.Run(root)
}
