package mysqltest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron/internal/store/mysqltest"
)

func TestServer(t *testing.T) {
	s := mysqltest.Shared(t)
	db := s.Admin(t)
	var durable int
	var version string
	if err := db.QueryRow("SELECT @@innodb_flush_log_at_trx_commit, @@version").Scan(&durable, &version); err != nil {
		t.Fatal(err)
	}
	t.Log(version)
	if durable != 1 {
		t.Error("the server is not durable")
	}
	if first, second := s.Database(t), s.Database(t); first == second {
		t.Error("two tests share a database")
	}
}

// TestServerEndsWithItsProcess kills a test binary that has a server.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv("MYSQLTEST_CHILD") != "" {
		mysqltest.Shared(t)
		if err := os.WriteFile(os.Getenv("MYSQLTEST_CHILD"), []byte(mysqltest.Shared(t).CAFile()), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Exit(1) // no cleanup runs
	}
	at := filepath.Join(t.TempDir(), "ca")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServerEndsWithItsProcess$")
	cmd.Env = append(os.Environ(), "MYSQLTEST_CHILD="+at)
	if err := cmd.Run(); err == nil {
		t.Fatal("the child ended well")
	}
	file, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(string(file))
	if !strings.Contains(dir, "padron-mysql-") {
		t.Fatalf("the folder is %q", dir)
	}
	limit := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s is still there", dir)
		}
	}
}

// TestRunningServer: a server that somebody else runs takes MySQL's place, for
// binaries at the same time too.
func TestRunningServer(t *testing.T) {
	if os.Getenv("MYSQLTEST_CHILD") != "" {
		names := ""
		mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
			var load bool
			if err := s.Admin(t).QueryRow("SELECT @@GLOBAL.local_infile").Scan(&load); err != nil || !load {
				t.Errorf("LOAD DATA LOCAL is off (%v)", err)
			}
			names += s.Database(t) + "\n"
		})
		if err := os.WriteFile(os.Getenv("MYSQLTEST_CHILD"), []byte(names), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	running := mysqltest.Private(t, "--local-infile=OFF")
	used := map[string]bool{}
	for _, file := range []string{"first", "second"} {
		at := filepath.Join(t.TempDir(), file)
		cmd := exec.Command(os.Args[0], "-test.run", "^TestRunningServer$")
		cmd.Env = append(os.Environ(), "MYSQLTEST_CHILD="+at, "PADRON_TEST_MYSQLD=", "PADRON_TEST_MYSQL="+running.URL(running.Addr(), "", ""))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		names := strings.Split(strings.TrimSpace(string(text)), "\n")
		if last := names[len(names)-1]; len(names) != 2 || !strings.Contains(last, running.Addr()) || used[last] {
			t.Errorf("databases %q, want the second on %s and never twice", names, running.Addr())
		}
		used[names[1]] = true
	}
}
