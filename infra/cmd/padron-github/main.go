// Command padron-github is what the workflows do on GitHub: compare its settings
// with the file, comment on a pull request, fetch the review of what was merged,
// keep an issue. Each runs the same on a laptop, with GITHUB_TOKEN set.
package main

import (
	"context"
	"fmt"
	"os"

	"padron/infra/cli"
	"padron/infra/github"
)

// commands is the command line. A token stands in no argument: GITHUB_TOKEN is
// read from the environment alone.
type commands struct {
	API        string `name:"api" env:"GITHUB_API_URL" default:"https://api.github.com" help:"Where GitHub's REST API is."`
	Repository string `env:"GITHUB_REPOSITORY" placeholder:"OWNER/NAME" help:"The repository."`

	Settings settingsCommand `cmd:"" help:"Print what of the repository's settings is not as the file says; exit 1 where anything is."`
	Comment  commentCommand  `cmd:"" help:"Put a review document onto its pull request."`
	Review   reviewCommand   `cmd:"" help:"Fetch the review that a merged commit was approved with."`
	Issue    issueCommand    `cmd:"" help:"Open an issue with a document, or bring the open one up to date."`
	Role     roleCommand     `cmd:"" help:"Print the role, the region and the seconds that a job works with, as outputs of a step."`
}

func main() {
	var c commands
	parsed := cli.Parse("padron-github", "What the workflows do on GitHub. GITHUB_TOKEN holds the token.", &c)
	os.Exit(cli.Code(cli.RunUntilStopped(parsed, &c)))
}

func (c *commands) open() (*github.Repository, error) {
	return github.Open(c.API, c.Repository, os.Getenv("GITHUB_TOKEN"))
}

type settingsCommand struct {
	File string `default:"../.github/settings.yaml" help:"The settings as they must be."`
}

// Run prints a line for each difference.
func (s settingsCommand) Run(ctx context.Context, c *commands) error {
	wanted, err := github.Settings(s.File)
	if err != nil {
		return err
	}
	repository, err := c.open()
	if err != nil {
		return err
	}
	lines, err := repository.Differences(ctx, wanted)
	for _, line := range lines {
		fmt.Println(line)
	}
	if err == nil && len(lines) > 0 {
		err = fmt.Errorf("%d settings of %s are not as %s says", len(lines), repository, s.File)
	}
	return err
}

type commentCommand struct {
	Pull     int    `required:"" help:"The number of the pull request."`
	Document string `arg:"" help:"The Markdown file."`
}

// Run comments.
func (s commentCommand) Run(ctx context.Context, c *commands) error {
	document, err := github.ReadDocument(s.Document)
	if err != nil {
		return err
	}
	repository, err := c.open()
	if err != nil {
		return err
	}
	return repository.Comment(ctx, s.Pull, document)
}

type reviewCommand struct {
	Commit   string `required:"" help:"The commit that the merge made."`
	Workflow string `default:"pull-request.yaml" help:"The file of the workflow that made the review."`
	Artifact string `default:"review" help:"The artifact's name."`
	Out      string `required:"" placeholder:"DIR" help:"Where its files go."`
}

// Run fetches, and says from where.
func (s reviewCommand) Run(ctx context.Context, c *commands) error {
	repository, err := c.open()
	if err != nil {
		return err
	}
	pull, err := repository.Review(ctx, s.Commit, s.Workflow, s.Artifact, s.Out)
	if err == nil {
		fmt.Printf("%s holds the review of pull request %d\n", s.Out, pull)
	}
	return err
}

type issueCommand struct {
	Label    string `required:"" help:"The label; one issue with it is open at most."`
	Title    string `required:"" help:"The title of a new issue."`
	Document string `arg:"" help:"The Markdown file."`
}

// Run opens the issue or changes it.
func (s issueCommand) Run(ctx context.Context, c *commands) error {
	document, err := github.ReadDocument(s.Document)
	if err != nil {
		return err
	}
	repository, err := c.open()
	if err != nil {
		return err
	}
	number, err := repository.Issue(ctx, s.Label, s.Title, document)
	if err == nil {
		fmt.Printf("issue %d has the report\n", number)
	}
	return err
}
