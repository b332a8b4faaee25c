package config

import (
	"strconv"
	"strings"

	"padron/internal/store/mysql"
	"padron/internal/store/rdslogin"
)

// database reads where the register is and who logs in: PADRON_DB,
// PADRON_DB_SECRET and PADRON_DB_IAM.
func (p *parser) database() DB {
	before := len(p.faults)
	db := parse(p, "PADRON_DB", parseDB)
	secret := parse(p, "PADRON_DB_SECRET", parseSecret)
	db.IAM = parse(p, "PADRON_DB_IAM", parseBool)
	switch {
	case len(p.faults) > before:
		return db
	case secret != nil && db.IAM:
		p.fault("PADRON_DB_IAM", "and PADRON_DB_SECRET are two ways to log in: set one")
	case secret != nil:
		p.useSecret(&db, secret)
	case db.IAM:
		p.useIAM(&db)
	case db.MySQL != nil && db.MySQL.User == "":
		p.fault("PADRON_DB", "names no user: want mysql://user:password@host:port/name, PADRON_DB_SECRET or PADRON_DB_IAM")
	}
	return db
}

// useSecret lets a secret beat the user part of PADRON_DB. Where PADRON_DB is
// not set, the secret says where the register is, too.
func (p *parser) useSecret(db *DB, s *dbSecret) {
	if db.MySQL == nil && !p.given("PADRON_DB") && s.arn == "" && s.Addr != "" && s.Database != "" {
		c, err := mysql.ParseURL("mysql://" + s.Addr + "/" + s.Database)
		if err != nil {
			p.fault("PADRON_DB_SECRET", "names no possible host or dbname")
			return
		}
		*db = DB{MySQL: &c}
	}
	if db.MySQL == nil {
		p.fault("PADRON_DB_SECRET", "is for a register on a server: set PADRON_DB to mysql://host:port/name")
		return
	}
	db.Secret = s.arn
	db.MySQL.User, db.MySQL.Password = s.Username, s.Password
}

// useIAM wants a user, no password, and a server that proves who it is: a token
// goes over the wire as it is.
func (p *parser) useIAM(db *DB) {
	switch {
	case db.MySQL == nil || db.MySQL.User == "" || db.MySQL.Password != "":
		p.fault("PADRON_DB_IAM", "wants a user and no password: set PADRON_DB to mysql://user@host:port/name")
	case !db.MySQL.Verified():
		p.fault("PADRON_DB_IAM", "wants a server whose certificate is checked: set tls=true or tls=rds in PADRON_DB")
	}
}

func parseDB(s string) (DB, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return DB{Path: rest}, nil
	case scheme == "mysql":
		c, err := mysql.ParseURL(s)
		if err != nil {
			return DB{}, errorf("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		return DB{MySQL: &c}, nil
	}
	return DB{}, errorf("want sqlite:PATH, such as sqlite:var/padron.db, or mysql://user:password@host:port/name?tls=true")
}

// dbSecret is a secret's ARN, or what is in it.
type dbSecret struct {
	arn string
	rdslogin.Secret
}

func parseSecret(s string) (*dbSecret, error) {
	if rdslogin.IsARN(s) {
		return &dbSecret{arn: s}, nil
	}
	if !strings.HasPrefix(strings.TrimSpace(s), "{") {
		return nil, errorf("is neither an ARN of Secrets Manager nor the JSON it holds")
	}
	secret, err := rdslogin.ParseSecret(s)
	return &dbSecret{Secret: secret}, err
}

func parseBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errorf("%q is not true or false", s)
	}
	return b, nil
}
