package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// program is a database server that can be run.
type program struct {
	path  string
	maria bool
	// alone: every test runs on it, and on no other.
	alone bool
}

// findServer returns the server that most tests run on.
func findServer() (program, error) {
	if path := os.Getenv("PADRON_TEST_MYSQLD"); path != "" {
		return program{path: path, alone: true}, nil
	}
	for _, name := range []string{"mariadbd", "/usr/sbin/mariadbd", "/usr/libexec/mariadbd"} {
		if path, err := exec.LookPath(name); err == nil {
			return program{path: path, maria: true}, nil
		}
	}
	return program{}, errors.New("mysqltest: no mariadbd here: run scripts/test-deps, or name a MySQL server in PADRON_TEST_MYSQLD")
}

// findMySQL returns the MySQL server that scripts/test-mysql has unpacked.
func findMySQL() (program, error) {
	dir, err := os.Getwd()
	if err != nil {
		return program{}, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "test-mysql")); err == nil {
			path := filepath.Join(dir, "var", "mysql", "mysqld")
			if _, err := os.Stat(path); err != nil {
				return program{}, errors.New("mysqltest: no MySQL server here: run scripts/test-mysql, or name a running one in PADRON_TEST_MYSQL")
			}
			return program{path: path}, nil
		}
		if filepath.Dir(dir) == dir {
			return program{}, errors.New("mysqltest: the repository's root was not found")
		}
		dir = filepath.Dir(dir)
	}
}

var (
	shared = sync.OnceValues(func() (*Server, error) {
		p, err := findServer()
		if err != nil {
			return nil, err
		}
		return start(p)
	})
	sharedMySQL = sync.OnceValues(func() (*Server, error) {
		if url := os.Getenv("PADRON_TEST_MYSQL"); url != "" {
			return connect(url)
		}
		p, err := findMySQL()
		if err != nil {
			return nil, err
		}
		return start(p)
	})
)

// Shared returns the server that every test of this binary uses. It ends with
// the process.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each runs a test on MariaDB and on MySQL, which is the server at the address
// in PADRON_TEST_MYSQL if there is one. Both are shared by every test of this
// binary.
func Each(t *testing.T, test func(*testing.T, *Server)) {
	t.Helper()
	first := Shared(t)
	t.Run(first.name(), func(t *testing.T) { test(t, first) })
	if first.alone {
		return
	}
	t.Run("MySQL", func(t *testing.T) {
		second, err := sharedMySQL()
		if err != nil {
			t.Fatal(err)
		}
		test(t, second)
	})
}

// Private returns a server of this test alone, with further arguments.
func Private(t testing.TB, args ...string) *Server {
	t.Helper()
	p, err := findServer()
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(p, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		_ = s.sweeper.Close()
		_ = os.RemoveAll(s.dir)
	})
	return s
}

// WithoutTLS is the argument of a private server that speaks no TLS.
func WithoutTLS() string {
	if p, err := findServer(); err == nil && !p.maria {
		return "--tls-version="
	}
	return "--skip-ssl"
}

// connect takes a running server, as the user of its URL, who must have every
// right. It gets a user like every other server's, and takes LOAD DATA LOCAL.
func connect(url string) (*Server, error) {
	const form = "mysqltest: PADRON_TEST_MYSQL must be mysql://USER:PASSWORD@HOST:PORT/"
	u, err := neturl.Parse(url)
	if err != nil || u.Scheme != "mysql" || u.User == nil || u.Port() == "" {
		return nil, errors.New(form)
	}
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User = "tcp", u.Host, u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, errors.New(form)
	}
	db := sql.OpenDB(connector)
	defer db.Close() //nolint:errcheck // nothing was left open
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, statement := range []string{
		fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s'", User, Password),
		fmt.Sprintf("GRANT ALL PRIVILEGES ON *.* TO '%s'@'%%' WITH GRANT OPTION", User), "SET GLOBAL local_infile = ON",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("mysqltest: prepare the server of PADRON_TEST_MYSQL: %w", err)
		}
	}
	// Another test binary may use the same server.
	return &Server{addr: cfg.Addr, prefix: strings.ToLower(rand.Text()[:8]) + "_"}, nil
}
