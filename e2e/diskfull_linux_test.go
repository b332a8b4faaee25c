package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"padron/internal/store/mysqltest"
)

// disk is a small disk of its own: memory that is mounted where nobody else sees
// it, as long as a shell lives there.
type disk struct {
	path   string
	pid    int
	input  io.Writer
	output *bufio.Reader
}

// newDisk needs no rights: who is not root mounts as root of a user namespace.
func newDisk(t *testing.T, size string) *disk {
	t.Helper()
	at := t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", `mount --make-rprivate / && mount -t tmpfs -o size="$1",mode=0777 none "$0" && echo done
		while read -r size; do mount -o remount,size="$size" "$0" && echo done; done`, at, size)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = input.Close(); _ = cmd.Wait() })
	d := &disk{at, cmd.Process.Pid, input, bufio.NewReader(output)}
	d.done(t)
	return d
}

func (d *disk) done(t *testing.T) {
	t.Helper()
	if line, err := d.output.ReadString('\n'); err != nil || line != "done\n" {
		t.Fatalf("mount: %q, %v", line, err)
	}
}

// grow makes space, or takes it away.
func (d *disk) grow(t *testing.T, size string) {
	t.Helper()
	if _, err := fmt.Fprintln(d.input, size); err != nil {
		t.Fatal(err)
	}
	d.done(t)
}

// enter has a command run where the disk is.
func (d *disk) enter(cmd *exec.Cmd) {
	args := []string{"nsenter", "--target", strconv.Itoa(d.pid), "--mount", "--wd=" + cmd.Dir}
	if os.Getuid() != 0 {
		args = append(args, "--user", "--preserve-credentials")
	}
	cmd.Args = append(append(args, cmd.Path), cmd.Args[1:]...)
	cmd.Path = "/usr/bin/nsenter"
}

// copyTo copies a file from the disk.
func (d *disk) copyTo(t *testing.T, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.pid), "root", d.path, filepath.Base(to)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFullOnSQLite: a run whose disk is full says so; what it had written is
// whole, and with some space the next run goes on.
func TestDiskFullOnSQLite(t *testing.T) {
	small := newDisk(t, "6m")
	d := newInterrupted(t, "")
	d.env = append(d.env, "PADRON_DB=sqlite:"+filepath.Join(small.path, "padron.db"))
	d.enter = small.enter
	d.fails("disk is full")
	small.grow(t, "400m")
	r := d.begin()
	rep, code := r.end()
	if code != 0 || rep["outcome"] != "completed" || rep["resumed_from"] == "" {
		t.Errorf("with some space: exit %d, %v, want it to go on\n%s", code, rep, r.stderr)
	}
	_ = d.store.Close()
	small.copyTo(t, filepath.Join(d.dir, "var", "padron.db"))
	d.store = d.open("")
	defer d.store.Close()
	d.checkTruth()
}

// fails wants a run to fail and say so.
func (d *interrupted) fails(says string) {
	d.Helper()
	r := d.begin()
	if rep, code := r.end(); code != 1 || rep["outcome"] != "failed" || !strings.Contains(r.stderr.String(), says) {
		d.Errorf("exit %d, %v, want it to fail and say %q\n%s", code, rep, says, r.stderr)
	}
}

// TestDiskFullOnMySQL: the same where the server has no space for its tables: one
// file, which may not grow beyond a limit, holds all of them.
func TestDiskFullOnMySQL(t *testing.T) {
	server := mysqltest.Private(t, "--innodb-file-per-table=OFF", "--innodb-data-file-path=ibdata1:12M:autoextend:max:20M")
	db := server.Database(t)
	d := newInterrupted(t, db)
	d.fails("disk is full")
	if n := d.count(); n == 0 || n >= someBatches.Customers {
		t.Errorf("%d customers, want some batches", n)
	}
	server.Kill()
	server.RestartElsewhere(t, "--innodb-data-file-path=ibdata1:12M:autoextend")
	d.database.lead(server.Addr())
	d.store = d.open(server.URL(server.Addr(), databaseName(t, db), "tls=false"))
	defer d.store.Close()
	d.resumes()
}
