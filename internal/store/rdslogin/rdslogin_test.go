package rdslogin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"padron"
	"padron/internal/awstest"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/rdslogin"
)

func TestParseSecret(t *testing.T) {
	for text, want := range map[string]string{
		`{"username":"u","password":"p"}`: "u p  ",
		`{"engine":"mysql","username":"u","password":"p","host":"h","port":3307,"dbname":"d"}`: "u p h:3307 d",
		`{"username":"u","password":"p","host":"h","port":"3308","dbname":"d"}`:                "u p h:3308 d",
		`{"username":"u","password":"p","host":"h","port":null}`:                               "u p h:3306 ",
		`{"username":"u","password":"p","host":"2001:db8::1"}`:                                 "u p [2001:db8::1]:3306 ",
		`{"username":"u","password":""}`:                                                       "no password",
		`{"password":"canary"}`:                                                                "no username",
		`{"username":"u","password":"canary","host":"h","port":70000}`:                         "port",
		`{"username":"u","password":"canary","host":"h","port":{}}`:                            "port",
		`["canary"]`: "not JSON",
		`canary`:     "not JSON",
	} {
		s, err := rdslogin.ParseSecret(text)
		if err != nil {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v, want %q", text, err, want)
			}
			continue
		}
		if got := fmt.Sprint(s.Username, " ", s.Password.Expose(), " ", s.Addr, " ", s.Database); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// counted is a way to Secrets Manager that counts what is read.
func counted(t *testing.T) (aws.Config, *atomic.Int64) {
	t.Helper()
	upstream, err := url.Parse(awstest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return awstest.Config(srv.URL), &n
}

// TestSecretIsReadWhenItMust: once, and again for the refused password alone.
func TestSecretIsReadWhenItMust(t *testing.T) {
	cfg, read := counted(t)
	arn, put := awstest.Secret(t, "read-when-it-must", `{"username":"u","password":"first"}`)
	credentials := rdslogin.FromSecret(cfg, arn)
	for i, step := range []struct {
		refused padron.Sensitive
		want    padron.Sensitive
		reads   int64
	}{
		{"", "first", 1}, {"", "first", 1},
		{"first", "second", 2}, // refused: it was rotated
		{"first", "second", 2}, // another connection was refused at the same time
		{"", "second", 2},
		{"second", "second", 3},
	} {
		if i == 2 {
			put(`{"username":"u","password":"second"}`)
		}
		user, password, err := credentials(t.Context(), step.refused)
		if err != nil || user != "u" || password != step.want || read.Load() != step.reads {
			t.Errorf("step %d: %q, the right password: %t, %d readings, %v", i, user, password == step.want, read.Load(), err)
		}
	}
}

func TestSecretFaults(t *testing.T) {
	cfg := awstest.Config(awstest.URL(t))
	damaged, _ := awstest.Secret(t, "damaged", "canary")
	away := awstest.Config("http://127.0.0.1:1")
	away.RetryMaxAttempts = 1
	for name, c := range map[string]struct {
		cfg       aws.Config
		arn, want string
	}{
		"none":      {cfg, "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-abcdef", "there is none of that ARN"},
		"damaged":   {cfg, damaged, "not JSON"},
		"not there": {away, damaged, "did not answer"},
	} {
		_, _, err := rdslogin.FromSecret(c.cfg, c.arn)(t.Context(), "")
		if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestRotation: a password that is changed, in the server and in the secret, is
// found without a restart.
func TestRotation(t *testing.T) {
	server := mysqltest.Shared(t)
	admin := server.Admin(t)
	do := func(statement string) {
		t.Helper()
		if _, err := admin.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	secret := func(password string) string { return `{"username":"rotated","password":"` + password + `"}` }
	do("CREATE USER rotated@'%' IDENTIFIED BY 'first'")
	do("GRANT ALL ON *.* TO rotated@'%'")
	arn, put := awstest.Secret(t, "rotation", secret("first"))
	cfg, err := mysql.ParseURL(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	st, err := mysql.Open(t.Context(), cfg, mysql.WithCredentials(rdslogin.FromSecret(awstest.Config(awstest.URL(t)), arn)))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	do("ALTER USER rotated@'%' IDENTIFIED BY 'second'")
	server.EndSessions(t, "rotated")
	if err := st.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "does not know this user or password") {
		t.Errorf("before the secret is changed: %v", err)
	}
	put(secret("second"))
	if err := st.Ping(t.Context()); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

// TestIAMToken: a token is for one user at one address, and short-lived.
func TestIAMToken(t *testing.T) {
	const addr = "padron.cluster-c1.us-east-1.rds.amazonaws.com:3306"
	credentials, err := rdslogin.FromIAM(awstest.Config(awstest.URL(t)), addr, "padron_synchronizer")
	if err != nil {
		t.Fatal(err)
	}
	user, token, err := credentials(t.Context(), "")
	if err != nil || user != "padron_synchronizer" {
		t.Fatalf("%q, %v", user, err)
	}
	u, err := url.Parse("https://" + token.Expose())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Host != addr || q.Get("Action") != "connect" || q.Get("DBUser") != user || q.Get("X-Amz-Expires") != "900" ||
		!strings.Contains(q.Get("X-Amz-Credential"), "/us-east-1/rds-db/aws4_request") || q.Get("X-Amz-Signature") == "" {
		t.Error("the token is not one for this user at this address")
	}
	if _, err := rdslogin.FromIAM(aws.Config{}, addr, "u"); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without a region: %v", err)
	}
	nobody := awstest.Config(awstest.URL(t))
	nobody.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, fmt.Errorf("there are none")
	})
	none, err := rdslogin.FromIAM(nobody, addr, "u")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := none(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no credentials of a role") {
		t.Errorf("without credentials: %v", err)
	}
}

// TestIAMLogin: each connection brings a token of its own over checked TLS.
// No server here has the plugin that checks tokens, so the test tells it each one
// before it arrives: its end, with the signature, since MySQL takes no password
// as long as a token.
func TestIAMLogin(t *testing.T) {
	server := mysqltest.Shared(t)
	admin := server.Admin(t)
	address, _, _ := strings.Cut(server.Database(t), "?")
	cfg, err := mysql.ParseURL(address + "?tls=true&ca=" + server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := rdslogin.FromIAM(awstest.Config(awstest.URL(t)), cfg.Addr, "by_iam")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"CREATE USER by_iam@'%' REQUIRE SSL", "GRANT ALL ON *.* TO by_iam@'%'"} {
		if _, err := admin.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	var asked atomic.Int64
	st, err := mysql.Open(t.Context(), cfg, mysql.WithCredentials(func(ctx context.Context, refused padron.Sensitive) (string, padron.Sensitive, error) {
		asked.Add(1)
		user, token, err := tokens(ctx, refused)
		end := token.Expose()[max(0, len(token)-200):]
		if err == nil {
			_, err = admin.Exec("ALTER USER by_iam@'%' IDENTIFIED BY '" + end + "'")
		}
		return user, padron.Sensitive(end), err
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Migrate(t.Context()); err != nil || asked.Load() < 2 {
		t.Errorf("%d connections with a token: %v", asked.Load(), err)
	}
}
