package mysql_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

var update = flag.Bool("update", false, "write docs/grants.md anew")

const grantsDocument = "../../../docs/grants.md"

// nobodys are tables that no service touches: goose's own lock.
var nobodys = []string{"goose_lock"}

// TestGrantsDocument keeps the auditor's table fresh.
func TestGrantsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What each service may do in the database\n" +
		"Made from `internal/store/mysql/grants.go` by `go test ./internal/store/mysql -run TestGrantsDocument -update`; do not edit.\n\n" +
		"`padron migrate users` gives each service a user of its own with these rights in the register's schema, and takes every other one away;\n" +
		"where a later version has migrated the schema, those on its tables stay, as programs of that version may still run.\n" +
		"A test asks a real server for each right on each column, granted or not; another takes each right away and sees something fail. No user may create, alter, drop, truncate or lock tables,\n" +
		"read files, pass rights on, or see another schema.\n")
	for _, user := range mysql.ServiceUsers() {
		fmt.Fprintf(&b, "\n## %s\n| table | right | columns | needed for |\n| --- | --- | --- | --- |\n", user)
		for _, g := range mysql.Grants(user) {
			columns := "all"
			if len(g.Columns) > 0 {
				columns = "`" + strings.Join(g.Columns, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", g.Table, g.Privilege, columns, g.Why)
		}
	}
	if *update {
		if err := os.WriteFile(grantsDocument, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(grantsDocument)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/grants.md is not fresh (%v): run this test with -update", err)
	}
}

// columnsOf are the tables of a register and their columns.
func columnsOf(t *testing.T, st *mysql.Store) map[string][]string {
	t.Helper()
	rows, err := st.DB().Query("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		out[table] = append(out[table], column)
	}
	return out
}

const testPassword = "a password's \\ \"end"

// serviceStore is the register as a service's user sees it.
func serviceStore(t *testing.T, url, service, name string) *mysql.Store {
	t.Helper()
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = name, testPassword
	st, err := mysql.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(service, err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// denied reports whether the server refuses a statement for want of a right.
// What else may be wrong with it is no matter: rights are asked first.
func denied(t *testing.T, st *mysql.Store, statement string) bool {
	t.Helper()
	_, err := st.DB().ExecContext(t.Context(), statement)
	var e *driver.MySQLError
	if err != nil && !errors.As(err, &e) {
		t.Fatal(statement, err)
	}
	return e != nil && slices.Contains([]uint16{1044, 1045, 1142, 1143, 1227, 1370, 1410}, e.Number)
}

// statements ask for a privilege on one column, or on a table where that is all
// it is for.
func statement(privilege, table, column string) string {
	switch privilege {
	case "SELECT":
		return fmt.Sprintf("SELECT %s FROM %s LIMIT 0", column, table)
	case "INSERT":
		return fmt.Sprintf("INSERT INTO %s (%s) SELECT 1 FROM (SELECT 1) AS one WHERE 1 = 0", table, column)
	case "UPDATE":
		return fmt.Sprintf("UPDATE %s SET %s = '0' LIMIT 0", table, column)
	}
	return fmt.Sprintf("DELETE FROM %s LIMIT 0", table)
}

// TestEveryRight asks for each right on each column of each table, and finds
// exactly those of the table of grants.
func TestEveryRight(t *testing.T) { mysqltest.Each(t, testEveryRight) }

func testEveryRight(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	tables := columnsOf(t, admin)
	for i, service := range mysql.ServiceUsers() {
		name := fmt.Sprintf("service_%d", i)
		user := mysql.ServiceUser{Service: service, Name: name, Password: testPassword}
		if err := admin.PutUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		st := serviceStore(t, url, service, name)
		if err := st.Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", service, err)
		}
		asked, allowed := 0, 0
		for table, columns := range tables {
			for _, column := range columns {
				for _, privilege := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
					want := slices.ContainsFunc(mysql.Grants(service), func(g mysql.Grant) bool {
						return g.Table == table && g.Privilege == privilege && (len(g.Columns) == 0 || slices.Contains(g.Columns, column))
					})
					asked++
					if want {
						allowed++
					}
					if got := !denied(t, st, statement(privilege, table, column)); got != want {
						t.Errorf("%s: %s of %s.%s: allowed %t, want %t", service, privilege, table, column, got, want)
					}
				}
			}
		}
		t.Logf("%s: %d of %d are allowed", service, allowed, asked)
	}
}

// TestWhatNobodyMay: statements that no service needs.
func TestWhatNobodyMay(t *testing.T) { mysqltest.Each(t, testWhatNobodyMay) }

func testWhatNobodyMay(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	open(t, server.Database(t)) // somebody else's register
	for i, service := range mysql.ServiceUsers() {
		name := fmt.Sprintf("nobody_%d", i)
		if err := admin.PutUser(t.Context(), mysql.ServiceUser{Service: service, Name: name, Password: testPassword}); err != nil {
			t.Fatal(err)
		}
		st := serviceStore(t, url, service, name)
		for _, s := range []string{
			"DROP TABLE customers", "DROP DATABASE " + databaseOf(t, url), "TRUNCATE TABLE audit", "TRUNCATE TABLE customers",
			"ALTER TABLE customers ADD COLUMN x INT", "CREATE TABLE x (i INT)", "CREATE INDEX x ON customers (purchases)",
			"CREATE VIEW v AS SELECT id FROM customers", "CREATE TEMPORARY TABLE x (i INT)", "LOCK TABLES customers READ",
			"RENAME TABLE audit TO audit2", "CREATE TRIGGER x BEFORE INSERT ON audit FOR EACH ROW SET NEW.seq = 1",
			"GRANT SELECT ON customers TO " + name + "@'%'", "CREATE USER x@'%'", "SELECT user FROM mysql.user",
			"SELECT id FROM customers INTO OUTFILE '/tmp/padron-never'", "SELECT LOAD_FILE('/etc/passwd') FROM mysql.user",
			"SET GLOBAL local_infile = 0", "SELECT goose_db_version.id FROM goose_db_version JOIN goose_lock", "DELETE FROM goose_db_version LIMIT 0",
		} {
			if !denied(t, st, s) {
				t.Errorf("%s may: %s", service, s)
			}
		}
		var others int
		if err := st.DB().QueryRow("SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'register%' AND schema_name <> DATABASE()").
			Scan(&others); err != nil || others > 0 {
			t.Errorf("%s sees %d other registers (%v)", service, others, err)
		}
	}
}

func databaseOf(t *testing.T, url string) string {
	t.Helper()
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Database
}

// TestEveryTableHasAnOwner: a new table is somebody's, or named as nobody's.
func TestEveryTableHasAnOwner(t *testing.T) { mysqltest.Each(t, testEveryTableHasAnOwner) }

func testEveryTableHasAnOwner(t *testing.T, server *mysqltest.Server) {
	for table := range columnsOf(t, open(t, server.Database(t))) {
		owned := slices.Contains(nobodys, table)
		for _, service := range mysql.ServiceUsers() {
			owned = owned || slices.ContainsFunc(mysql.Grants(service), func(g mysql.Grant) bool { return g.Table == table })
		}
		if !owned {
			t.Errorf("no service may touch %s: add its rights to grants.go", table)
		}
	}
}

// TestPutUserAgain: rights that are too many go, a new password counts, and the
// rest stays.
func TestPutUserAgain(t *testing.T) { mysqltest.Each(t, testPutUserAgain) }

func testPutUserAgain(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	user := mysql.ServiceUser{Service: mysql.UserCustomersMngr, Name: "again", Password: "the first password"}
	put := func() {
		t.Helper()
		if err := admin.PutUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	grants := func() string {
		t.Helper()
		var all []string
		rows, err := admin.DB().Query("SHOW GRANTS FOR again@'%'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var g string
			if err := rows.Scan(&g); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(g, "USAGE") {
				all = append(all, g)
			}
		}
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	put()
	before := grants()
	user.Password = testPassword
	put()
	if after := grants(); after != before {
		t.Errorf("the rights have changed:\n%s\n%s", before, after)
	}
	for _, s := range []string{
		"GRANT PROCESS ON *.* TO again@'%'", "GRANT CREATE, DROP ON " + databaseOf(t, url) + ".* TO again@'%' WITH GRANT OPTION",
		"GRANT INSERT, DELETE ON customers TO again@'%'", "GRANT UPDATE (hash, role) ON tokens TO again@'%'", "GRANT SELECT ON mysql.user TO again@'%'",
	} {
		if _, err := admin.DB().Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
	put()
	if after := grants(); after != before {
		t.Errorf("too many rights stay:\n%s\nwant\n%s", after, before)
	}
	serviceStore(t, url, user.Service, user.Name)
	user.TLS = true
	put()
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = user.Name, user.Password
	if _, err := mysql.Open(t.Context(), cfg); err == nil {
		t.Error("a user who must come by TLS comes without")
	}
	cfg.TLS, cfg.CA = mysql.TLSVerify, server.CAFile()
	if cfg.CA == "" { // a server that is none of this test's
		cfg.TLS = mysql.TLSSkipVerify
	}
	st, err := mysql.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	_ = st.Close()
}

// TestPutUserOfAnEarlierVersion: a rollback's older version runs while the newer
// programs still do, and takes nothing that they may need.
func TestPutUserOfAnEarlierVersion(t *testing.T) { mysqltest.Each(t, testPutUserOfAnEarlierVersion) }

func testPutUserOfAnEarlierVersion(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	user := mysql.ServiceUser{Service: mysql.UserCustomersMngr, Name: "earlier", Password: testPassword}
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := admin.DB().Exec(s); err != nil {
				t.Fatal(s, err)
			}
		}
		if err := admin.PutUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	may := func(table, schema bool) {
		t.Helper()
		st := serviceStore(t, url, user.Service, user.Name)
		if got := !denied(t, st, statement("DELETE", "customers", "num")); got != table {
			t.Errorf("the newer version's right: allowed %t, want %t", got, table)
		}
		if got := !denied(t, st, "CREATE TABLE x (i INT)"); got != schema {
			t.Errorf("what no version grants: allowed %t, want %t", got, schema)
		}
	}
	run()
	may(false, false)
	run("INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, 1 FROM goose_db_version",
		"GRANT DELETE ON customers TO earlier@'%'", "GRANT CREATE ON "+databaseOf(t, url)+".* TO earlier@'%'")
	may(true, false)
	run("DELETE FROM goose_db_version ORDER BY version_id DESC LIMIT 1")
	may(false, false)
}

func TestPutUserFaults(t *testing.T) {
	admin := open(t, mysqltest.Shared(t).Database(t))
	for name, c := range map[string]struct {
		user mysql.ServiceUser
		want string
	}{
		"no such service": {mysql.ServiceUser{Service: "root", Name: "x", Password: "x"}, "no name"},
		"a quote":         {mysql.ServiceUser{Service: mysql.UserSynchronizer, Name: "x'@'%", Password: "x"}, "no name"},
		"no name":         {mysql.ServiceUser{Service: mysql.UserSynchronizer, Password: "x"}, "no name"},
		"no RDS":          {mysql.ServiceUser{Service: mysql.UserSynchronizer, Name: "by_role", TLS: true}, "the server knows no IAM"},
	} {
		err := admin.PutUser(t.Context(), c.user)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if padron.ErrorCode(admin.PutUser(t.Context(), mysql.ServiceUser{})) != padron.CodeInvalid {
		t.Error("a wrong name is no wrong usage")
	}
}

// TestIdentifiedByIAM locks what RDS is asked for, since no server here has its
// plugin.
func TestIdentifiedByIAM(t *testing.T) {
	const want = " IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL"
	if got := mysql.Identified(mysql.ServiceUser{TLS: true}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
