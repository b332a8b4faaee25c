package mysql_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

func TestTLS(t *testing.T) {
	server := mysqltest.Shared(t)
	database := strings.TrimPrefix(strings.SplitAfter(server.Database(t), server.Addr())[1], "/")
	database, _, _ = strings.Cut(database, "?")
	byName := strings.Replace(server.Addr(), "127.0.0.1", "localhost", 1)
	byOtherName := strings.Replace(server.Addr(), "127.0.0.1", "127.0.0.2", 1)
	line := newProxy(t, server.Addr())
	plain := mysqltest.Private(t, mysqltest.WithoutTLS())
	for name, c := range map[string]struct{ url, want string }{
		"verified by address":    {server.URL(server.Addr(), database, "tls=true&ca="+server.CAFile()), ""},
		"verified by name":       {server.URL(byName, database, "tls=true&ca="+server.CAFile()), ""},
		"unknown authority":      {server.URL(server.Addr(), database, "tls=true"), "not trusted"},
		"another server's":       {server.URL(server.Addr(), database, "tls=true&ca="+plain.CAFile()), "not trusted"},
		"not checked":            {server.URL(line.addr(), database, "tls=skip-verify"), ""},
		"no TLS there":           {plain.URL(plain.Addr(), "x", "tls=skip-verify"), "speaks no TLS"},
		"no server of RDS's":     {server.URL(server.Addr(), database, "tls=rds"), "not trusted"},
		"no file of authorities": {server.URL(server.Addr(), database, "tls=true&ca=/none"), "certificate authorities"},
		"no authority in it":     {server.URL(server.Addr(), database, "tls=true&ca=connect_test.go"), "no certificate in PEM form"},
		"nobody listens":         {server.URL(byOtherName, database, "tls=true"), "open the register"},
		"no such database":       {server.URL(server.Addr(), "none", "tls=false"), "no such database"},
		"no user":                {"mysql://" + server.Addr() + "/" + database, "names no user"},
		"a wrong password":       {"mysql://" + mysqltest.User + ":canary@" + server.Addr() + "/" + database, "does not know this user"},
	} {
		st, err := connect(t, c.url)
		if err != nil {
			if c.want == "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
			continue
		}
		var variable, cipher string
		if err := st.DB().QueryRow("SHOW STATUS LIKE 'Ssl_cipher'").Scan(&variable, &cipher); err != nil || cipher == "" || c.want != "" {
			t.Errorf("%s: cipher %q (%v), want %q", name, cipher, err, c.want)
		}
	}
}

// TestCredentialsAreAskedForEachConnection: a password that changes is used by
// the next connection.
func TestCredentialsAreAskedForEachConnection(t *testing.T) {
	mysqltest.Each(t, testCredentialsAreAskedForEachConnection)
}

func testCredentialsAreAskedForEachConnection(t *testing.T, server *mysqltest.Server) {
	admin := server.Admin(t)
	cfg, err := mysql.ParseURL(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(password string) {
		t.Helper()
		for _, statement := range []string{
			"CREATE USER IF NOT EXISTS rotating@'%'", "GRANT ALL ON *.* TO rotating@'%'",
			"ALTER USER rotating@'%' IDENTIFIED BY '" + password + "'",
		} {
			if _, err := admin.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	var current atomic.Value
	var asked atomic.Int64
	st, err := mysql.Open(t.Context(), cfg, mysql.WithCredentials(func(context.Context, padron.Sensitive) (string, padron.Sensitive, error) {
		asked.Add(1)
		if password, ok := current.Load().(string); ok {
			return "rotating", padron.Sensitive(password), nil
		}
		return "", "", errors.New("the secret cannot be read")
	}))
	if err == nil || !strings.Contains(err.Error(), "the secret cannot be read") {
		t.Fatalf("without credentials: %v, %v", st, err)
	}
	rotate("first")
	current.Store("first")
	asked.Store(0)
	st, err = mysql.Open(t.Context(), cfg, mysql.WithCredentials(func(context.Context, padron.Sensitive) (string, padron.Sensitive, error) {
		asked.Add(1)
		return "rotating", padron.Sensitive(current.Load().(string)), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	rotate("second")
	current.Store("second")
	before := asked.Load()
	conn, err := st.DB().Conn(t.Context()) // the open connection
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.Ping(t.Context()); err != nil || asked.Load() <= before {
		t.Errorf("asked %d times (%v)", asked.Load(), err)
	}
}

// TestTimeLimit: a statement ends with its context, and its transaction with
// it.
func TestTimeLimit(t *testing.T) { mysqltest.Each(t, testTimeLimit) }

func testTimeLimit(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	st := open(t, url)
	held := lease(t, st)
	conn, err := st.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Rollback()
	if _, err := conn.Exec("SELECT one FROM lease FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := st.Apply(ctx, held, batch(1, 2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a batch that waits for a row: %v", err)
	}
}

// TestServerThatResumes: a paused database breaks or refuses connections until
// it is back.
func TestServerThatResumes(t *testing.T) {
	server := mysqltest.Shared(t)
	paused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := paused.Addr().String()
	broken := make(chan struct{})
	go func() {
		if conn, err := paused.Accept(); err == nil {
			_ = conn.Close() // the first one is broken, the others refused
		}
		_ = paused.Close()
		close(broken)
	}()
	cfg, err := mysql.ParseURL(strings.Replace(server.Database(t), server.Addr(), address, 1))
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		st, err := mysql.Open(t.Context(), cfg, mysql.WithPatience(time.Minute))
		if err == nil {
			_ = st.Close()
		}
		opened <- err
	}()
	<-broken
	resumed, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer resumed.Close()
	go forward(resumed, server.Addr())
	if err := <-opened; err != nil {
		t.Error(err)
	}

	began := time.Now()
	if _, err := mysql.Open(t.Context(), wrongPassword(cfg), mysql.WithPatience(time.Minute)); err == nil || time.Since(began) > 30*time.Second {
		t.Errorf("a refused login is waited for: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	cfg.Addr = "127.0.0.1:1"
	if _, err := mysql.Open(ctx, cfg, mysql.WithPatience(time.Hour)); err == nil || ctx.Err() == nil {
		t.Errorf("a server that never comes: %v", err)
	}
}

func wrongPassword(cfg mysql.Config) mysql.Config { cfg.Password = "wrong"; return cfg }

// forward leads connections on until the listener is closed.
func forward(l net.Listener, to string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		onward, err := net.Dial("tcp", to)
		if err != nil {
			_ = from.Close()
			continue
		}
		go func() { _, _ = io.Copy(onward, from); _ = onward.Close() }()
		go func() { _, _ = io.Copy(from, onward); _ = from.Close() }()
	}
}
