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

// openMySQL opens a register on a server as it is.
func openMySQL(ctx context.Context, cfg *config.Config, opts ...mysql.Option) (*mysql.Store, error) {
	credentials, err := login(ctx, &cfg.DB)
	if err != nil {
		return nil, err
	}
	return mysql.Open(ctx, *cfg.DB.MySQL, append(opts, credentials...)...)
}

// PutUsers makes the services' users on the register's server; its schema must
// be this version's.
func PutUsers(ctx context.Context, cfg *config.Config, users []mysql.ServiceUser) error {
	st, err := openMySQL(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // every write was committed before
	if err := st.Ping(ctx); err != nil {
		return err
	}
	for _, u := range users {
		if err := st.PutUser(ctx, u); err != nil {
			return err
		}
	}
	return nil
}
