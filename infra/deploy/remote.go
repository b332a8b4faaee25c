package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// commandTime is how long a command at the bastion may take: an instance that was
// stopped starts in it.
const commandTime = 10 * time.Minute

// remote runs commands at an instance, by documents that are made for it.
type remote struct {
	client   *ssm.Client
	instance string
	poll     time.Duration
}

// run sends the command of the document and returns what it ended as.
func (c remote) run(ctx context.Context, document string, parameters map[string][]string) (*ssm.GetCommandInvocationOutput, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTime, fmt.Errorf("it has not ended in %v", commandTime))
	defer cancel()
	var id string
	err := c.until(ctx, func() (bool, error) {
		sent, err := c.client.SendCommand(ctx, &ssm.SendCommandInput{
			InstanceIds: []string{c.instance}, DocumentName: &document, Parameters: parameters, TimeoutSeconds: aws.Int32(60),
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
		return nil, fmt.Errorf("send %s to %s: %w", document, c.instance, err)
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
		return nil, fmt.Errorf("answer of %s at %s: %w", document, c.instance, err)
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
