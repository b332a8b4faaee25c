package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// checkTime is how long the check at the bastion may take: an instance that was
// stopped starts in it.
const checkTime = 10 * time.Minute

// Check starts the bastion, has padron check run there against the release of
// this version, and prints what it saw. A check that failed is an error, as is
// one that nobody made. The bastion stays up; its schedule stops it.
func (d *Deployment) Check(ctx context.Context, version string, applied time.Time, poll time.Duration) error {
	if version == "" {
		return fmt.Errorf("config/%s.yaml names no version of its images: release them by padron-deliver release", d.Env.Name)
	}
	out, err := d.wake(ctx)
	if err != nil {
		return err
	}
	c := remote{client: ssm.NewFromConfig(d.AWS), instance: out["Instance"], document: out["Check"], poll: poll}
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("the check at the bastion has not ended in %v", checkTime))
	defer cancel()
	answer, err := c.run(ctx, map[string][]string{"version": {version}, "applied": {applied.UTC().Format(time.RFC3339)}})
	if err != nil {
		return err
	}
	return d.judge(answer)
}

// remote is a command at an instance, by a document that is made for it.
type remote struct {
	client             *ssm.Client
	instance, document string
	poll               time.Duration
}

// run sends the command and returns what it ended as.
func (c remote) run(ctx context.Context, parameters map[string][]string) (*ssm.GetCommandInvocationOutput, error) {
	var id string
	err := c.until(ctx, func() (bool, error) {
		sent, err := c.client.SendCommand(ctx, &ssm.SendCommandInput{
			InstanceIds: []string{c.instance}, DocumentName: &c.document, Parameters: parameters, TimeoutSeconds: aws.Int32(60),
		})
		if _, asleep := errors.AsType[*types.InvalidInstanceId](err); asleep {
			return false, nil // it starts, and has not reported yet
		}
		if err == nil {
			id = aws.ToString(sent.Command.CommandId)
		}
		return err == nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("send %s to %s: %w", c.document, c.instance, err)
	}
	var answer *ssm.GetCommandInvocationOutput
	err = c.until(ctx, func() (ended bool, err error) {
		answer, err = c.client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: &id, InstanceId: &c.instance})
		if _, early := errors.AsType[*types.InvocationDoesNotExist](err); early {
			return false, nil
		}
		return err == nil && final(answer.Status), err
	})
	if err != nil {
		return nil, fmt.Errorf("answer of %s at %s: %w", c.document, c.instance, err)
	}
	return answer, nil
}

func final(s types.CommandInvocationStatus) bool {
	switch s {
	case types.CommandInvocationStatusPending, types.CommandInvocationStatusInProgress, types.CommandInvocationStatusDelayed, types.CommandInvocationStatusCancelling:
		return false
	}
	return true
}

// until asks again until it is done.
func (c remote) until(ctx context.Context, done func() (bool, error)) error {
	for {
		ok, err := done()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(c.poll):
		}
	}
}

// judge prints the checks as a table, and returns an error unless all of them
// passed or wanted what was not given.
func (d *Deployment) judge(answer *ssm.GetCommandInvocationOutput) error {
	var told struct {
		Checks []struct{ Check, Outcome, Detail string }
	}
	text := aws.ToString(answer.StandardOutputContent)
	if json.Unmarshal([]byte(text), &told) != nil || len(told.Checks) == 0 {
		return fmt.Errorf("the check at the bastion ended as %s and tells nothing: %s", answer.Status, strings.TrimSpace(aws.ToString(answer.StandardErrorContent)))
	}
	w := tabwriter.NewWriter(d.Out, 0, 8, 2, ' ', 0)
	var failed []string
	for _, c := range told.Checks {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Check, c.Outcome, c.Detail) //nolint:errcheck // Flush reports it
		if c.Outcome == "failed" {
			failed = append(failed, c.Check)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 || answer.Status != types.CommandInvocationStatusSuccess {
		return fmt.Errorf("the check at the bastion ended as %s: %s failed", answer.Status, strings.Join(failed, ", "))
	}
	return nil
}
