package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"padron/internal/awstest"
	"padron/internal/provider/providertest"
	"padron/internal/store/mysqltest"
)

// nobody runs the containers' processes.
const nobody = 65534

// container is a root with the commands in it and nothing else: no shell, no
// /tmp, no /dev, no folder that its user may write.
type container struct{ root string }

// newContainer makes one with further files, by their paths in it.
func newContainer(t *testing.T, files map[string]string) container {
	t.Helper()
	// Not t.TempDir: an unprivileged user must be able to enter the folder.
	root, err := os.MkdirTemp("", "padron-container-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(root, 0o755); _ = os.RemoveAll(root) })
	for _, name := range []string{"padron", "synchronizer", "customers-mngr"} {
		data, err := os.ReadFile(filepath.Join(binDir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	for name, data := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o555)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o555); err != nil {
		t.Fatal(err)
	}
	return container{root}
}

// enclose makes the command run in the container, with this environment alone.
// Who is not root becomes somebody else in a user namespace.
func (c container) enclose(cmd *exec.Cmd, env []string) {
	cmd.Path, cmd.Dir, cmd.Env = "/"+filepath.Base(cmd.Path), "/", env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: gid, Size: 1}}
	}
}

// run runs a command of the container to its end.
func (c container) run(t *testing.T, env []string, name string, args ...string) result {
	t.Helper()
	var out, errOut strings.Builder
	cmd := command(t, "/", nil, name, args...)
	c.enclose(cmd, env)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s in the container: %v", name, err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

func (c container) mustRun(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	r := c.run(t, env, name, args...)
	if r.code != 0 {
		t.Fatalf("%s %v: exit %d\n%s", name, args, r.code, r.stderr)
	}
	return r.stdout
}

// start starts a command of the container until the test ends.
func (c container) start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, "/", nil, name, args...), stderr: &syncBuffer{}}
	c.enclose(p.cmd, env)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines, p.cmd.Stderr = bufio.NewReader(out), p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

// TestInAContainer: migration, synchronizer and API as the tasks run them: from
// scratch, not root, nothing to write to, HTTPS by a certificate made at start,
// and each service's own health check.
func TestInAContainer(t *testing.T) {
	server := mysqltest.Shared(t)
	ca, err := os.ReadFile(server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	c := newContainer(t, map[string]string{"ca.pem": string(ca)})
	register, err := url.Parse(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	register.RawQuery = "tls=true&ca=/ca.pem"
	address := freeAddress(t)
	env := append(awstest.Env(awstest.URL(t)), "PADRON_DB="+register.String(), "PADRON_KEYS=aws-kms:"+awstest.Key(t, "alias/container"),
		"PADRON_LISTEN="+address, "PADRON_TLS_CERT=auto")
	_, source := provide(t, providertest.Options{Customers: 300, Seed: 5, Dirty: 0.02}, nil)
	env = append(env, "PADRON_PROVIDER_URL="+source)

	c.mustRun(t, env, "padron", "migrate", "up")
	c.mustRun(t, env, "padron", "keys", "init")
	if r := c.run(t, env, "padron", "migrate", "users", "--passwords", "/passwords.json"); r.code == 0 {
		t.Fatal("the container can be written to: the test shows nothing")
	}
	first := decode[report](t, c.mustRun(t, env, "synchronizer", "run", "--json"))
	if first["outcome"] != "completed" {
		t.Fatalf("the run: %v", first)
	}
	if r := c.run(t, env, "customers-mngr", "healthcheck"); r.code != 1 || !strings.Contains(r.stderr, "not healthy") {
		t.Errorf("healthcheck of nobody: exit %d, %s", r.code, r.stderr)
	}
	admin := strings.TrimSpace(c.mustRun(t, env, "padron", "token", "create", "--role", "admin", "--name", "container"))
	p := c.start(t, env, "customers-mngr", "serve", "--admin-listen", "127.0.0.1:0")
	if api := servedAt(t, p); api != "https://"+address {
		t.Errorf("served at %s", api)
	}
	if r := c.run(t, env, "customers-mngr", "healthcheck"); r.code != 0 {
		t.Errorf("healthcheck: exit %d, %s", r.code, r.stderr)
	}
	likeLoadBalancer := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer likeLoadBalancer.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/v1/customers/7", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+admin)
	resp, err := likeLoadBalancer.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.TLS.Version != tls.VersionTLS13 {
		t.Errorf("a customer: %s, TLS %x", resp.Status, resp.TLS.Version)
	}
	p.stop(t)

	s := c.start(t, append(env, "PADRON_ADMIN_LISTEN="+address), "synchronizer", "serve", "--every", "1s")
	waitForLog(t, s, "run ended")
	if r := c.run(t, append(env, "PADRON_ADMIN_LISTEN="+address), "synchronizer", "healthcheck"); r.code != 0 {
		t.Errorf("the synchronizer's healthcheck: exit %d, %s", r.code, r.stderr)
	}
	s.stop(t)
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}
