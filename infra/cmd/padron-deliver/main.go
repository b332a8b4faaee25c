// Command padron-deliver brings a reviewed commit into an account: it plans,
// applies exactly what was planned, finds what was changed by hand, and goes
// back to an earlier release. The workflows run it, and so can a person.
package main

import (
	"os"

	"padron/infra/cli"
)

// commands is the command line: one field and one file a command.
type commands struct {
	Plan     planCommand     `cmd:"" help:"Prove the commit, make a change set for each stack that would change, and write the record and its review document."`
	Review   reviewCommand   `cmd:"" help:"Print the review of a record as this checkout says it, of the account and its own templates; fails where another one was shown."`
	Apply    applyCommand    `cmd:"" help:"Execute exactly the change sets of a reviewed record; anything that differs from it is refused."`
	Rollback rollbackCommand `cmd:"" help:"Plan the way back to an earlier release; apply it like any other plan."`
	Drift    driftCommand    `cmd:"" help:"Find what was changed in the account since it was deployed; exit code 1 where something was."`
	Release  releaseCommand  `cmd:"" help:"Build and push the images, wait for their scan, stop what is grave, sign the rest, and name it in the environment's description."`
	Signed   signedCommand   `cmd:"" help:"See that every image that the description names is signed by a release: what did not pass the gate is not."`
	Verify   verifyCommand   `cmd:"" help:"See that a release is what runs, not the one before it, and that padron check passes at the bastion."`
	Keys     keysCommand     `cmd:"" help:"Make a pair of keys to sign images with; the workflows sign without one."`
}

func main() {
	var c commands
	parsed := cli.Parse("padron-deliver", "Brings a reviewed commit into an account, and nothing else.", &c)
	os.Exit(cli.Code(cli.RunUntilStopped(parsed)))
}
