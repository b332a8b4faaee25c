// Package rdslogin says who logs in to a register in Amazon RDS: the user of a
// secret in Secrets Manager, or an IAM role.
package rdslogin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"padron"
	"padron/internal/store/mysql"
)

// Secret is a database's credentials as Secrets Manager keeps them
// ("JSON structure of database credential secrets" in its documentation). A
// secret that RDS itself manages holds user name and password alone.
type Secret struct {
	Username string
	Password padron.Sensitive
	// Addr is host and port, "" where the secret names no host.
	Addr string
	// Database is "" where the secret names none.
	Database string
}

// ParseSecret reads a secret's JSON. The error quotes nothing of it.
func ParseSecret(text string) (Secret, error) {
	var in struct {
		Username string           `json:"username"`
		Password padron.Sensitive `json:"password"`
		Host     string           `json:"host"`
		Port     json.RawMessage  `json:"port"`
		DBName   string           `json:"dbname"`
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return Secret{}, errors.New("is not JSON as Secrets Manager holds it: want username, password, host, port, dbname")
	}
	if in.Username == "" || in.Password == "" {
		return Secret{}, errors.New("has no username or no password")
	}
	s := Secret{Username: in.Username, Password: in.Password, Database: in.DBName}
	if in.Host == "" {
		return s, nil
	}
	port := "3306"
	if p := string(bytes.Trim(in.Port, `"`)); p != "" && p != "null" { // written as a number, and sometimes as a text
		port = p
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Secret{}, errors.New("has a port that is not 1 to 65535")
	}
	s.Addr = net.JoinHostPort(in.Host, port)
	return s, nil
}

// IsARN reports whether text names a secret in Secrets Manager.
func IsARN(text string) bool {
	a, err := arn.Parse(text)
	return err == nil && a.Service == "secretsmanager" && a.Region != "" && a.Resource != ""
}

// FromSecret returns the credentials of a secret, by its ARN. It is read once,
// and again when the server refuses its password: after a rotation.
func FromSecret(cfg aws.Config, secretARN string) mysql.Credentials {
	if a, err := arn.Parse(secretARN); err == nil {
		cfg.Region = a.Region
	}
	r := &secretReader{client: secretsmanager.NewFromConfig(cfg), arn: secretARN}
	return r.credentials
}

// secretReader keeps the secret that was read last.
type secretReader struct {
	client *secretsmanager.Client
	arn    string
	mu     sync.Mutex
	last   Secret
}

// credentials returns the secret that is known, unless there is none or its
// password is the refused one. Connections that are refused at once read it once.
func (r *secretReader) credentials(ctx context.Context, refused padron.Sensitive) (string, padron.Sensitive, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.Username != "" && r.last.Password != refused {
		return r.last.Username, r.last.Password, nil
	}
	fresh, err := r.read(ctx)
	if err != nil {
		return "", "", err
	}
	r.last = fresh
	return fresh.Username, fresh.Password, nil
}

func (r *secretReader) read(ctx context.Context) (Secret, error) {
	out, err := r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &r.arn})
	if err != nil {
		return Secret{}, &padron.Error{Code: padron.CodeUnavailable, Message: "read the secret that PADRON_DB_SECRET names" + advice(err), Err: err}
	}
	s, err := ParseSecret(aws.ToString(out.SecretString))
	if err != nil {
		return Secret{}, padron.Errorf(padron.CodeUnavailable, "the secret that PADRON_DB_SECRET names %s", err)
	}
	return s, nil
}

// advice says what a person can do about an error of Secrets Manager.
func advice(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ": it did not answer; check the role's credentials and the way to Secrets Manager"
	}
	switch api.ErrorCode() {
	case "AccessDeniedException":
		return ": the role must have secretsmanager:GetSecretValue for it, and kms:Decrypt for its key"
	case "ResourceNotFoundException":
		return ": there is none of that ARN"
	}
	return fmt.Sprintf(": %s", api.ErrorCode())
}
