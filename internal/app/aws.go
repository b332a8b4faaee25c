package app

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"padron/internal/config"
	"padron/internal/store/mysql"
	"padron/internal/store/rdslogin"
)

const (
	// awsTime bounds one request to an AWS service, connecting included.
	awsTime = 10 * time.Second
	// awsTries is how often one is tried, with the SDK's own pauses between.
	awsTries = 5
)

// awsConfig reads AWS's own settings as its SDK documents them: AWS_REGION,
// AWS_ENDPOINT_URL, the task's role and so on.
func awsConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(awsTime)), awsconfig.WithRetryMaxAttempts(awsTries))
	if err != nil {
		return cfg, fmt.Errorf("read AWS's settings: %w", err)
	}
	return cfg, nil
}

// login returns how to log in to the register where the URL does not say it.
func login(ctx context.Context, db *config.DB) ([]mysql.Option, error) {
	if db.Secret == "" && !db.IAM {
		return nil, nil
	}
	cfg, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	if db.Secret != "" {
		return []mysql.Option{mysql.WithCredentials(rdslogin.FromSecret(cfg, db.Secret))}, nil
	}
	credentials, err := rdslogin.FromIAM(cfg, db.MySQL.Addr, db.MySQL.User)
	return []mysql.Option{mysql.WithCredentials(credentials)}, err
}
