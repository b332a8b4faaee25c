package config

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/store/mysql"
)

func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestDefaults(t *testing.T) {
	got, err := Load(env(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		DB: DB{Path: "var/padron.db"}, Provider: Provider{Paging: "auto", PageSize: 1000, Concurrency: 4, Retries: 6, RetryBudget: 15 * time.Minute},
		MaxDelete: 0.1, MaxChange: 0.5, QuarantineKeep: 90 * padron.Day,
		Keys: Keys{File: "var/keys.json"}, Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", LogLevel: slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlagBeatsEnvironmentBeatsDefault(t *testing.T) {
	e := env("PADRON_PROVIDER_PAGE_SIZE", "20", "PADRON_PROVIDER_PAGING", "link", "PADRON_LISTEN", "")
	got, err := Load(e, map[string]string{"PADRON_PROVIDER_PAGE_SIZE": "30"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Provider.PageSize != 30 || got.Provider.Paging != "link" || got.Listen != "127.0.0.1:8080" {
		t.Errorf("got %+v, listen %s", got.Provider, got.Listen)
	}
}

func TestFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, value, why string }{
		{"PADRON_DB", "padron.db", "want sqlite:PATH"},
		{"PADRON_DB", "sqlite:", "want sqlite:PATH"},
		{"PADRON_DB", "mysql://u:secret@h", "names no database"},
		{"PADRON_DB", "mysql://h/x?tls=maybe", "unknown tls"},
		{"PADRON_DB", "mysql://h/x", "names no user"},
		{"PADRON_KEYS", "keys.json", "want file:PATH"},
		{"PADRON_KEYS", "aws-kms:", "want file:PATH"},
		{"PADRON_KEYS", "aws-kms:1234", "a key's ARN or alias"},
		{"PADRON_KEYS", "aws-kms:arn:aws:s3:::bucket", "a key's ARN or alias"},
		{"PADRON_PROVIDER_URL", "provider.example", "want an address"},
		{"PADRON_PROVIDER_URL", "file:///etc/passwd", "want an address"},
		{"PADRON_PROVIDER_URL", "https://u:secret@provider.example/", "holds a user or password"},
		{"PADRON_PROVIDER_API_KEY", "secret\nX: y", "no HTTP header can carry"},
		{"PADRON_PROVIDER_PAGING", "pages", "not one of auto, none, page, link"},
		{"PADRON_PROVIDER_PAGE_SIZE", "0", "not a whole number from 1 to 10000"},
		{"PADRON_PROVIDER_PAGE_SIZE", "10001", "not a whole number from 1 to 10000"},
		{"PADRON_SYNC_MAX_DELETE", "NaN", "not a share"},
		{"PADRON_SYNC_MAX_DELETE", "1.01", "not a share"},
		{"PADRON_SYNC_MAX_DELETE", "-0.1", "not a share"},
		{"PADRON_QUARANTINE_KEEP", "23h", "not a time from 1d to 366d"},
		{"PADRON_QUARANTINE_KEEP", "367d", "not a time from 1d to 366d"},
		{"PADRON_QUARANTINE_KEEP", "0", "not a time from 1d to 366d"},
		{"PADRON_LISTEN", "8080", "not HOST:PORT"},
		{"PADRON_ADMIN_LISTEN", "localhost:70000", "has a port"},
		{"PADRON_TLS_CERT", "/nowhere/cert.pem", "not a file"},
		{"PADRON_TLS_KEY", file, "belong together"},
		{"PADRON_TLS_CERT", file, "belong together"},
		{"PADRON_RATE_LIMIT", "fast", "requests a second"},
		{"PADRON_PROVIDER_RATE", "-1", "requests a second"},
		{"PADRON_PROVIDER_CONCURRENCY", "17", "not a whole number from 1 to 16"},
		{"PADRON_PROVIDER_RETRIES", "101", "not a whole number from 0 to 100"},
		{"PADRON_PROVIDER_RETRY_BUDGET", "15", "not a duration from 1s to 24h"},
		{"PADRON_PROVIDER_RETRY_BUDGET", "0s", "not a duration from 1s to 24h"},
		{"PADRON_LOG_LEVEL", "loud", "not debug, info, warn or error"},
		{"PADRON_LOG_FORMAT", "xml", "not one of text, json"},
		{"PADRON_OIDC_ISSUER", "https://login.example", "not supported"},
		{"PADRON_DB_SECRET", "{}", "no username or no password"},
		{"PADRON_DB_SECRET", `{"username":"u","password":"secret"`, "is not JSON"},
		{"PADRON_DB_SECRET", "the secret", "neither an ARN of Secrets Manager"},
		{"PADRON_DB_SECRET", `{"username":"u","password":"secret"}`, "set PADRON_DB to mysql://host:port/name"},
		{"PADRON_DB_SECRET", `{"username":"u","password":"secret","host":"h","port":"x","dbname":"d"}`, "has a port"},
		{"PADRON_DB_SECRET", `{"username":"u","password":"secret","host":"a/b","dbname":"d"}`, "no possible host"},
		{"PADRON_DB_SECRET", "arn:aws:secretsmanager:us-east-1:1:secret:x", "set PADRON_DB to mysql://host:port/name"},
		{"PADRON_DB_IAM", "perhaps", "not true or false"},
		{"PADRON_DB_IAM", "true", "wants a user and no password"},
	}
	for _, tt := range tests {
		_, err := Load(env(tt.name, tt.value), nil)
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s=%s: %v, want one fault with %q", tt.name, tt.value, err, tt.why)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the fault repeats a secret: %v", tt.name, err)
		}
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	_, err := Load(env("PADRON_DB", "x", "PADRON_KEYS", "x", "PADRON_LISTEN", "x", "PADRON_LOG_LEVEL", "x"), nil, "PADRON_PROVIDER_URL")
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	want := []string{"PADRON_DB", "PADRON_PROVIDER_URL", "PADRON_KEYS", "PADRON_LISTEN", "PADRON_LOG_LEVEL"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestEveryVariableIsReadAndDocumented(t *testing.T) {
	read := map[string]bool{}
	if _, err := Load(func(name string) (string, bool) { read[name] = true; return "", false }, nil); err != nil {
		t.Fatal(err)
	}
	for _, v := range Variables() {
		if !read[v.Name] {
			t.Errorf("%s is documented but not read", v.Name)
		}
		delete(read, v.Name)
	}
	for _, name := range unsupported() {
		delete(read, name)
	}
	if len(read) > 0 {
		t.Errorf("read but not documented: %v", read)
	}
}

// TestWhoLogsIn: where the register is and who asks, from three variables.
func TestWhoLogsIn(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:padron-abcdef"
	const whole = `{"username":"s","password":"pw","host":"db.example","port":3307,"dbname":"register"}`
	for name, c := range map[string]struct {
		env  []string
		want DB
	}{
		"the URL": {[]string{"PADRON_DB", "mysql://u:p@h/x"},
			DB{MySQL: &mysql.Config{Addr: "h:3306", User: "u", Password: "p", Database: "x", TLS: mysql.TLSVerify}}},
		"a secret beats the URL's user": {[]string{"PADRON_DB", "mysql://u:p@h/x?tls=rds", "PADRON_DB_SECRET", whole},
			DB{MySQL: &mysql.Config{Addr: "h:3306", User: "s", Password: "pw", Database: "x", TLS: mysql.TLSRDS}}},
		"a secret as RDS manages it": {[]string{"PADRON_DB", "mysql://h/x", "PADRON_DB_SECRET", `{"username":"s","password":"pw"}`},
			DB{MySQL: &mysql.Config{Addr: "h:3306", User: "s", Password: "pw", Database: "x", TLS: mysql.TLSVerify}}},
		"a secret alone": {[]string{"PADRON_DB_SECRET", whole},
			DB{MySQL: &mysql.Config{Addr: "db.example:3307", User: "s", Password: "pw", Database: "register", TLS: mysql.TLSVerify}}},
		"a secret's ARN": {[]string{"PADRON_DB", "mysql://u:p@h/x", "PADRON_DB_SECRET", arn},
			DB{Secret: arn, MySQL: &mysql.Config{Addr: "h:3306", Database: "x", TLS: mysql.TLSVerify}}},
		"IAM": {[]string{"PADRON_DB", "mysql://u@h/x", "PADRON_DB_IAM", "true"},
			DB{IAM: true, MySQL: &mysql.Config{Addr: "h:3306", User: "u", Database: "x", TLS: mysql.TLSVerify}}},
	} {
		got, err := Load(env(c.env...), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got.DB, c.want) {
			t.Errorf("%s: %s, secret %q, IAM %t", name, got.DB, got.DB.Secret, got.DB.IAM)
		}
	}
}

func TestWhoCannotLogIn(t *testing.T) {
	const secret = `{"username":"s","password":"pw","host":"h","dbname":"d"}`
	for want, pairs := range map[string][]string{
		"two ways to log in":               {"PADRON_DB", "mysql://u@h/x", "PADRON_DB_IAM", "true", "PADRON_DB_SECRET", secret},
		"is for a register on a server":    {"PADRON_DB", "sqlite:x.db", "PADRON_DB_SECRET", secret},
		"wants a user and no password":     {"PADRON_DB", "mysql://u:p@h/x", "PADRON_DB_IAM", "true"},
		"whose certificate is checked":     {"PADRON_DB", "mysql://u@h/x?tls=skip-verify", "PADRON_DB_IAM", "true"},
		"names no user: want mysql://user": {"PADRON_DB", "mysql://h/x", "PADRON_DB_IAM", "false"},
		"names no database":                {"PADRON_DB", "mysql://h", "PADRON_DB_SECRET", secret},
	} {
		_, err := Load(env(pairs...), nil)
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%v: %v, want one fault with %q", pairs[0], err, want)
		}
	}
}

func TestAutomaticCertificate(t *testing.T) {
	got, err := Load(env("PADRON_TLS_CERT", "auto"), nil)
	if err != nil || got.TLSCert != TLSAuto {
		t.Errorf("%v", err)
	}
	if _, err := Load(env("PADRON_TLS_CERT", "auto", "PADRON_TLS_KEY", "config_test.go"), nil); err == nil || !strings.Contains(err.Error(), "unset it") {
		t.Errorf("with a key: %v", err)
	}
}
