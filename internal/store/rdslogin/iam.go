package rdslogin

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"

	"padron"
	"padron/internal/store/mysql"
)

// FromIAM returns the credentials of a database user whom RDS knows by an IAM
// role: a token in the password's place, made here for each connection and good
// for 15 minutes. addr is the server's own host and port, which the token is
// bound to; an address that merely leads there is refused. The role needs
// rds-db:connect for the user.
func FromIAM(cfg aws.Config, addr, user string) (mysql.Credentials, error) {
	if cfg.Region == "" {
		return nil, padron.Errorf(padron.CodeInvalid, "PADRON_DB_IAM makes tokens for a region, and none is set: set AWS_REGION")
	}
	return func(ctx context.Context, _ padron.Sensitive) (string, padron.Sensitive, error) {
		token, err := auth.BuildAuthToken(ctx, addr, cfg.Region, user, cfg.Credentials)
		if err != nil {
			return "", "", &padron.Error{Code: padron.CodeUnavailable, Err: err,
				Message: "make an IAM token for the database: the process has no credentials of a role"}
		}
		return user, padron.Sensitive(token), nil
	}, nil
}
