package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Check starts the bastion, has padron check run there against the release of
// this version, and prints what it saw. A check that failed is an error, as is
// one that was not made. The bastion stays up; its schedule stops it.
//
// The check asks with a token of each role, which the bastion makes itself and
// keeps for minutes. Only their hashes come here, and go to the migration's task,
// which registers them.
func (d *Deployment) Check(ctx context.Context, version string, applied time.Time, poll time.Duration) error {
	if version == "" {
		return fmt.Errorf("config/%s.yaml names no version of its images: release them by padron-deliver release", d.Env.Name)
	}
	bastion, err := d.wake(ctx)
	if err != nil {
		return err
	}
	return d.checkAt(ctx, bastion, version, applied, poll)
}

// checkAt is Check at a bastion that is awake, by what its stack tells.
func (d *Deployment) checkAt(ctx context.Context, bastion map[string]string, version string, applied time.Time, poll time.Duration) error {
	c := remote{client: ssm.NewFromConfig(d.AWS), instance: bastion["Instance"], poll: poll}
	drafted, err := c.run(ctx, bastion["Draft"], nil)
	if err != nil {
		return err
	}
	if err := d.register(ctx, drafted); err != nil {
		return err
	}
	answer, err := c.run(ctx, bastion["Check"], map[string][]string{"version": {version}, "applied": {applied.UTC().Format(time.RFC3339)}})
	if err != nil {
		return err
	}
	return d.judge(answer)
}

// register stores the tokens that the bastion drafted. That they are a check's
// and nothing more is for the program to see that stores them: what the bastion
// says is not believed.
func (d *Deployment) register(ctx context.Context, drafted *ssm.GetCommandInvocationOutput) error {
	var told struct{ Registrations []string }
	_ = json.Unmarshal([]byte(aws.ToString(drafted.StandardOutputContent)), &told)
	if drafted.Status != ssmtypes.CommandInvocationStatusSuccess || len(told.Registrations) == 0 {
		return fmt.Errorf("the bastion drafts no tokens, and ended as %s: %s", drafted.Status, strings.TrimSpace(aws.ToString(drafted.StandardErrorContent)))
	}
	command := append([]string{"token", "register", "--check", "--"}, told.Registrations...)
	_, err := d.runTask(ctx, "the registration of the check's tokens", &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{
		{Name: aws.String(usersContainer), Command: command},
	}})
	return err
}

// tooEarly is the one reason for which a check may be skipped: what would show it
// has not happened yet. Nothing that it needs is missing here.
const tooEarly = "too_early"

// result is one check as padron check tells it.
type result struct{ Check, Outcome, Detail, Reason string }

// good reports whether the check passed, or could not be made yet.
func (r result) good() bool {
	return r.Outcome == "passed" || r.Outcome == "skipped" && r.Reason == tooEarly
}

// judge prints the checks as a table, and returns an error unless all of them
// are good.
func (d *Deployment) judge(answer *ssm.GetCommandInvocationOutput) error {
	var told struct{ Checks []result }
	text := aws.ToString(answer.StandardOutputContent)
	if json.Unmarshal([]byte(text), &told) != nil || len(told.Checks) == 0 {
		return fmt.Errorf("the check at the bastion ended as %s and tells nothing: %s", answer.Status, strings.TrimSpace(aws.ToString(answer.StandardErrorContent)))
	}
	w := tabwriter.NewWriter(d.Out, 0, 8, 2, ' ', 0)
	var bad []string
	for _, c := range told.Checks {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Check, c.Outcome, c.Detail) //nolint:errcheck // Flush reports it
		if !c.good() {
			bad = append(bad, c.Check+" "+c.Outcome)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(bad) > 0 || answer.Status != ssmtypes.CommandInvocationStatusSuccess {
		return fmt.Errorf("the check at the bastion ended as %s: %s", answer.Status, strings.Join(bad, ", "))
	}
	return nil
}
