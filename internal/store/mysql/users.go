package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"padron"
)

// ServiceUser is a database user that a service logs in as.
type ServiceUser struct {
	// Service is the service by its user's default name, a key of the grants.
	Service string
	// Name is lower-case letters, digits and underscores, 1 to 32 of them.
	Name string
	// Password is "" for a user whom RDS knows by an IAM role.
	Password padron.Sensitive
	// TLS: the server refuses the user without encryption.
	TLS bool
}

var userName = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// PutUser makes a service's user, or changes it to what it should be: its way to
// log in and its rights, those that are missing and those that are too many.
// Rights that stay are never withdrawn in between, so that it may run while the
// service does. Where a later version has migrated the schema, its programs may
// still run until this one's are back: what they may do with the register's tables
// stays, and only what no version grants is withdrawn. It needs an administrator,
// and the schema.
func (s *Store) PutUser(ctx context.Context, u ServiceUser) error {
	want, ok := grants[u.Service]
	if !ok || !userName.MatchString(u.Name) {
		return padron.Errorf(padron.CodeInvalid, "%q is no name for a database user: want 1 to 32 lower-case letters, digits and underscores", u.Name)
	}
	doing := "make the database user " + u.Name
	for _, statement := range []string{"CREATE USER IF NOT EXISTS ", "ALTER USER "} {
		if _, err := s.db.ExecContext(ctx, statement+account(u.Name)+s.identified(&u)); err != nil {
			return explainUser(doing, &u, err)
		}
	}
	for i := range want {
		if err := s.grant(ctx, "GRANT %s ON %s TO %s", want[i].on(), s.cfg.Database, want[i].Table, u.Name); err != nil {
			return explain(doing, err)
		}
	}
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return explain(doing, err)
	}
	return explain(doing, s.revokeOthers(ctx, u.Name, want, version > s.version))
}

// account is a user who may come from any address: which ones can is the
// network's to say.
func account(name string) string { return "'" + name + "'@'%'" }

// identified is how a user logs in. The password is quoted as the session reads
// it: backslashes escape.
func (s *Store) identified(u *ServiceUser) string {
	require := " REQUIRE NONE"
	if u.TLS {
		require = " REQUIRE SSL"
	}
	if u.Password == "" {
		return " IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'" + require
	}
	return " IDENTIFIED BY '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(u.Password.Expose()) + "'" + require
}

// errNoPlugin is what servers other than RDS say to the plugin's name.
const errNoPlugin = 1524

func explainUser(doing string, u *ServiceUser, err error) error {
	var theirs *driver.MySQLError
	if u.Password == "" && errors.As(err, &theirs) && theirs.Number == errNoPlugin {
		return &padron.Error{Code: padron.CodeUnavailable, Err: fault{theirs.Number, ""},
			Message: doing + ": the server knows no IAM; that wants Amazon RDS, and a password does elsewhere"}
	}
	return explain(doing, err)
}

// grant grants or revokes; schema and table "*" are all of them.
func (s *Store) grant(ctx context.Context, format, what, schema, table, user string) error {
	_, err := s.db.ExecContext(ctx, fmt.Sprintf(format, what, quoted(schema)+"."+quoted(table), account(user)))
	return err
}

// quoted is a name as the server takes any.
func quoted(name string) string {
	if name == "*" {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// right is one right as the server lists it: of all, a schema, a table or a
// column, where the names below are "*".
type right struct{ schema, table, column, privilege string }

// listed are the rights that the server knows of a user, on each level.
const listed = `SELECT '*', '*', '*', privilege_type, is_grantable FROM information_schema.user_privileges WHERE grantee = ?
	UNION ALL SELECT table_schema, '*', '*', privilege_type, is_grantable FROM information_schema.schema_privileges WHERE grantee = ?
	UNION ALL SELECT table_schema, table_name, '*', privilege_type, is_grantable FROM information_schema.table_privileges WHERE grantee = ?
	UNION ALL SELECT table_schema, table_name, column_name, privilege_type, 'NO' FROM information_schema.column_privileges WHERE grantee = ?`

// rights returns what a user may do.
func (s *Store) rights(ctx context.Context, user string) (map[right]bool, error) {
	who := account(user)
	rows, err := s.db.QueryContext(ctx, listed, who, who, who, who)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	have := map[right]bool{}
	for rows.Next() {
		var r right
		var grantable string
		if err := rows.Scan(&r.schema, &r.table, &r.column, &r.privilege, &grantable); err != nil {
			return nil, err
		}
		if r.privilege != "USAGE" { // which is none
			have[r] = true
		}
		if grantable == "YES" {
			have[right{r.schema, r.table, "*", "GRANT OPTION"}] = true
		}
	}
	return have, rows.Err()
}

// granted are the privileges that versions of the services have on tables.
var granted = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}

// revokeOthers withdraws every right that is not wanted, save those that a later
// version may want.
func (s *Store) revokeOthers(ctx context.Context, user string, want []Grant, later bool) error {
	have, err := s.rights(ctx, user)
	if err != nil {
		return err
	}
	for i := range want {
		columns := want[i].Columns
		if len(columns) == 0 {
			columns = []string{"*"}
		}
		for _, column := range columns {
			delete(have, right{s.cfg.Database, want[i].Table, column, want[i].Privilege})
		}
	}
	maps.DeleteFunc(have, func(r right, _ bool) bool {
		return later && r.schema == s.cfg.Database && r.table != "*" && slices.Contains(granted, r.privilege)
	})
	for r := range maps.Keys(have) {
		what := r.privilege
		if r.column != "*" {
			what += " (" + quoted(r.column) + ")"
		}
		if err := s.grant(ctx, "REVOKE %s ON %s FROM %s", what, r.schema, r.table, user); err != nil {
			return err
		}
	}
	return nil
}

// ServiceUsers are the services that have a user of their own, by its default
// name.
func ServiceUsers() []string { return slices.Sorted(maps.Keys(grants)) }
