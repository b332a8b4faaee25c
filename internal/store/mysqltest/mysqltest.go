// Package mysqltest runs private database servers for tests: MariaDB as Debian
// packages it, and for what an engine must do on both, MySQL as scripts/test-mysql
// unpacks it. Where PADRON_TEST_MYSQLD names the binary of a MySQL server, every
// test runs on that one alone; PADRON_TEST_MYSQL is the address of a running one
// that takes MySQL's place.
//
// A server listens on a free port of 127.0.0.1, keeps its files in a temporary
// folder, and ends with the test binary, however that one ends. Tests never skip
// for want of a server; scripts/test-deps sees to both.
package mysqltest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// User and Password log in to every server, with every right. The password has
// what a URL must escape.
const (
	User     = "padron"
	Password = "p@ss:/wörd?#%"
)

// startTime is how long a server may take to start.
const startTime = 60 * time.Second

// Server is one database server.
type Server struct {
	program
	dir  string
	port int
	args []string
	// addr is that of a server that somebody else runs; prefix keeps its
	// databases apart from those of other binaries.
	addr, prefix string

	cmd    *exec.Cmd
	log    *log
	exited chan struct{}
	// sweeper removes the server and its folder when this process has gone.
	sweeper *os.File
	names   atomic.Int64
}

// start makes a server's files and runs it.
func start(p program, args ...string) (*Server, error) {
	s := &Server{program: p, args: args}
	var err error
	if s.dir, err = os.MkdirTemp(parent(), "padron-mysql-"); err != nil {
		return nil, err
	}
	if s.sweeper, err = sweep(s.dir); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
		// Somebody may take the port before the server does.
		if err = s.run(); err == nil || attempt == 2 {
			return s, err
		}
	}
}

// parent is where servers keep their files: TMPDIR if it is set, else memory if
// there is enough.
func parent() string {
	const enough = 4 << 30
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs("/dev/shm", &fs) == nil && fs.Bavail*uint64(fs.Bsize) > enough {
		return "/dev/shm"
	}
	return os.TempDir()
}

// sweep starts a shell that waits for the end of this process. It is told the
// server's process id by line, and sees the end as the end of its input.
func sweep(dir string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // the shell has its own
	cmd := exec.Command("/bin/sh", "-c", `while read -r line; do pid=$line; done
		[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
		rm -rf "$0" 2>/dev/null || { sleep 1; rm -rf "$0"; }`, dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("mysqltest: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // nobody is left to tell
	return w, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // it only held the port
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// run starts the server on its files and waits until it answers.
func (s *Server) run() error {
	s.log = &log{ready: make(chan struct{})}
	s.cmd = exec.Command(s.path, s.arguments()...)
	s.cmd.Stderr = s.log
	s.cmd.Stdout = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("mysqltest: %w", err)
	}
	if _, err := fmt.Fprintln(s.sweeper, s.cmd.Process.Pid); err != nil {
		return err
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		_ = cmd.Wait() // its log says more
		close(exited)
	}()
	limit := time.NewTimer(startTime)
	defer limit.Stop()
	select {
	case <-s.log.ready:
		return nil
	case <-exited:
		return fmt.Errorf("mysqltest: %s ended at its start:\n%s", s.path, s.log)
	case <-limit.C:
		s.Kill()
		return fmt.Errorf("mysqltest: %s did not start:\n%s", s.path, s.log)
	}
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone
	<-s.exited
}

// Restart starts a server that was killed, on the same port and files.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// RestartElsewhere starts a server that was killed on the same files and another
// port, with further arguments, as the next primary of a cluster with one storage
// does.
func (s *Server) RestartElsewhere(t testing.TB, args ...string) {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s.port, s.args = port, append(s.args, args...)
	s.Restart(t)
}

// Process is the process of a server that this binary runs.
func (s *Server) Process() *os.Process { return s.cmd.Process }

// Addr is the server's address and port.
func (s *Server) Addr() string {
	if s.addr != "" {
		return s.addr
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// name is what the server is called in the names of tests.
func (s *Server) name() string {
	if s.maria {
		return "MariaDB"
	}
	return "MySQL"
}

// CAFile is the path of the certificate that signed the server's, which is for
// "localhost" and 127.0.0.1. It is "" for a server that somebody
// else runs.
func (s *Server) CAFile() string {
	if s.addr != "" {
		return ""
	}
	return s.file("ca.pem")
}

// Admin opens the server with every right and no database.
func (s *Server) Admin(t testing.TB) *sql.DB {
	t.Helper()
	db, err := s.admin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *Server) admin() (*sql.DB, error) {
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd = "tcp", s.Addr(), User, Password
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Database makes an empty database that ends with the test, and returns its
// URL, without TLS.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("register_%s%d", s.prefix, s.names.Add(1))
	s.exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { s.exec(t, "DROP DATABASE IF EXISTS "+name) })
	return s.URL(s.Addr(), name, "tls=false")
}

// URL is a database's URL by way of an address, with a query.
func (s *Server) URL(addr, name, query string) string {
	u := url.URL{Scheme: "mysql", User: url.UserPassword(User, Password), Host: addr, Path: "/" + name, RawQuery: query}
	return u.String()
}

// EndSessions ends every connection of a user.
func (s *Server) EndSessions(t testing.TB, user string) {
	t.Helper()
	admin := s.Admin(t)
	rows, err := admin.Query("SELECT id FROM information_schema.processlist WHERE user = ?", user)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, err := admin.Exec(fmt.Sprintf("KILL %d", id)); err != nil {
			t.Log(err) // it has gone by itself
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) exec(t testing.TB, statement string) {
	t.Helper()
	db, err := s.admin()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was left open
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

// log keeps what the server says and sees when it is ready.
type log struct {
	mu    sync.Mutex
	text  strings.Builder
	ready chan struct{}
	once  sync.Once
}

// Write implements [io.Writer].
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 1 << 20
	if l.text.Len() < most {
		l.text.Write(p)
	}
	if strings.Contains(l.text.String(), "ready for connections") {
		l.once.Do(func() { close(l.ready) })
	}
	return len(p), nil
}

// String is what the server said.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
