// Package awstest runs moto, an emulator of AWS's services, for tests. A server
// listens on a free port of 127.0.0.1 and ends with the test binary. Tests
// never skip for want of it; scripts/test-deps installs it.
package awstest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Region is where everything is made.
const Region = "us-east-1"

// startTime is how long the server may take to start.
const startTime = 60 * time.Second

var shared = sync.OnceValues(start)

// URL is the address of the server that every test of this binary shares.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.url
}

// Env are the variables by which a program finds the services at an address, as
// somebody whom moto believes.
func Env(url string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// Config is the same for this process.
func Config(url string) aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// Key makes a KMS key with an alias, and returns the key's ARN.
func Key(t testing.TB, alias string) string {
	t.Helper()
	client := kms.NewFromConfig(Config(URL(t)))
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: made.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	return *made.KeyMetadata.Arn
}

// Secret makes a secret in Secrets Manager, and returns its ARN and a function
// that replaces its value.
func Secret(t testing.TB, name, value string) (arn string, put func(value string)) {
	t.Helper()
	client := secretsmanager.NewFromConfig(Config(URL(t)))
	made, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return *made.ARN, func(value string) {
		t.Helper()
		if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: &value}); err != nil {
			t.Fatal(err)
		}
	}
}

// untilTheEnd runs a program until its own input ends, which is with the process
// that holds it, however that one ends.
const untilTheEnd = `"$0" "$@" </dev/null & cat >/dev/null; kill -KILL $!`

// server is the emulator. To lose its input would be to end it.
type server struct {
	url   string
	input io.WriteCloser
}

// start runs the server.
func start() (*server, error) {
	binary, err := find()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", untilTheEnd, binary, "-H", "127.0.0.1", "-p", "0")
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("awstest: %w", err)
	}
	late := time.AfterFunc(startTime, func() { _ = input.Close() })
	defer late.Stop()
	url, err := address(bufio.NewScanner(out))
	return &server{url, input}, err
}

var runningOn = regexp.MustCompile(`Running on (http://\S+)`)

// address reads what the server says until it tells its address, and the rest
// in the background, so that it never waits for a reader.
func address(lines *bufio.Scanner) (string, error) {
	said := ""
	for lines.Scan() {
		said += lines.Text() + "\n"
		if m := runningOn.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
					continue // nobody asks
				}
			}()
			return m[1], nil
		}
	}
	return "", fmt.Errorf("awstest: moto did not start:\n%s", said)
}

// find returns moto's server: PADRON_TEST_MOTO, or what scripts/test-deps
// installed beneath the module's root.
func find() (string, error) {
	if path := os.Getenv("PADRON_TEST_MOTO"); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("awstest: no go.mod above the test's folder")
		}
	}
	path := filepath.Join(dir, "var", "venv", "bin", "moto_server")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("awstest: no moto here: run scripts/test-deps, or name its server in PADRON_TEST_MOTO")
	}
	return path, nil
}
