// Package emulate deploys the estate to an emulated AWS account: moto, which
// answers AWS's own API, with an extension (moto_padron) for what its
// CloudFormation lacks. Templates that deploy, exports that resolve and
// settings that an auditor's questions find again are proven here without an
// account; what is not proven is written in docs/emulation.md.
package emulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Account is one emulated account, empty at first. It lives in a process of its
// own, which ends with [Account.Stop] or with this one.
type Account struct {
	// ID is the account's 12 digits.
	ID string
	// URL answers every service's API.
	URL string
	// types says what answers for a CloudFormation type.
	types map[string]string

	http    aws.HTTPClient
	process *exec.Cmd
	stdin   io.Closer
	stderr  bytes.Buffer
}

// Start starts an account with the extension from root, the folder infra. It
// returns when the account answers, and the account stays when ctx ends: Stop it.
func Start(ctx context.Context, root, id string) (*Account, error) {
	python, err := interpreter(root)
	if err != nil {
		return nil, err
	}
	a := &Account{ID: id, http: awshttp.NewBuildableClient()}
	a.process = exec.CommandContext(context.WithoutCancel(ctx), python, "-W", "ignore", "-B", "-m", "moto_padron") //nolint:gosec // the pinned Python
	a.process.Dir = filepath.Join(root, "emulate")
	// One account alone: moto takes every caller for it. A fixed seed keeps
	// Python's sets in the same order from run to run.
	a.process.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+id, "PYTHONHASHSEED=0", "MOTO_IAM_LOAD_MANAGED_POLICIES=true", "AWS_EC2_METADATA_DISABLED=true")
	a.process.Stderr = &a.stderr
	stdout, err := a.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if a.stdin, err = a.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := a.process.Start(); err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	if err := a.greet(stdout); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

// interpreter is the Python of make infra-deps, which has moto.
func interpreter(root string) (string, error) {
	python := filepath.Join(root, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return "", fmt.Errorf("there is no %s: run make infra-deps, which installs the pinned moto", python)
	}
	return python, nil
}

// greet reads the one line that the server writes when it listens.
func (a *Account) greet(stdout io.Reader) error {
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("moto ended before it listened: %w", err)
	}
	var hello struct {
		Port  int               `json:"port"`
		Types map[string]string `json:"types"`
	}
	if err := json.Unmarshal(line, &hello); err != nil {
		return fmt.Errorf("moto's first line %q: %w", line, err)
	}
	a.URL, a.types = fmt.Sprintf("http://127.0.0.1:%d", hello.Port), hello.Types
	return nil
}

// Stop ends the account and returns what it complained of, if it failed.
func (a *Account) Stop() error {
	closed := a.stdin.Close()
	if err := a.process.Wait(); err != nil {
		return fmt.Errorf("moto: %w\n%s", err, a.stderr.String())
	}
	return closed
}

// Config is the configuration of AWS's SDK for the account's region. The
// emulation asks for no real credentials.
func (a *Account) Config(region string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(a.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "emulated", SecretAccessKey: "emulated"}, nil
		}),
		HTTPClient: a.http,
	}
}
