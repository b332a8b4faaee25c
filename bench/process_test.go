package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"padron/bench/report"
)

// source is the sample provider as a process.
type source struct {
	url string
	pid int
}

// provide serves so many customers, a share of which is dirty, until done is
// called.
func (h *harness) provide(customers int, dirty string) (s source, done func()) {
	h.Helper()
	cmd := h.program(nil, "padron", "provider", "--listen", "127.0.0.1:0", "--customers", strconv.Itoa(customers), "--dirty", dirty, "--seed", "1")
	out := must(cmd.StdoutPipe())(h)
	check(h, cmd.Start())
	done = h.ending(cmd)
	line := must(bufio.NewReader(out).ReadString('\n'))(h)
	return source{strings.TrimSpace(line), cmd.Process.Pid}, done
}

// dirty is the share of dirty records where nothing else is asked for.
const dirty = "0.01"

// change changes a share of the customers, 0 to 1.
func (h *harness) change(s source, share string) {
	h.Helper()
	u := must(url.Parse(s.url))(h)
	u.Path = "/_sample/mutate"
	resp := must(http.Post(u.String(), "application/json", strings.NewReader(`{"change":`+share+`,"seed":1}`)))(h)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		h.Fatalf("the provider changes nothing: %s", resp.Status)
	}
}

// register is where a run writes to.
type register struct {
	name, url string
	keys      string
}

// register makes an empty one.
func (h *harness) register() register {
	h.Helper()
	address := h.server.Database(h)
	return register{path.Base(must(url.Parse(address))(h).Path), address, filepath.Join(h.TempDir(), "keys.json")}
}

// drop removes a register at once.
func (h *harness) drop(r register) {
	h.Helper()
	must(h.admin.Exec("DROP DATABASE " + r.name))(h)
}

// env is a service's environment.
func (r register) env(s source) []string {
	return []string{"PADRON_DB=" + r.url, "PADRON_KEYS=file:" + r.keys, "PADRON_PROVIDER_URL=" + s.url}
}

// program is one of ours, with nothing of this process's settings.
func (h *harness) program(env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(h.bin, name), args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PADRON_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// ran is what a process did.
type ran struct {
	took time.Duration
	// peak is the most memory it had resident, in bytes.
	peak int64
	// processor is the time it used, in seconds.
	processor float64
	out       []byte
}

// run runs a program to its end.
func (h *harness) run(cmd *exec.Cmd) (r ran) {
	h.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	started := time.Now()
	check(h, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond) // the kernel forgets the peak with the process
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.peak = max(r.peak, report.Memory(cmd.Process.Pid))
		case err := <-ended:
			r.took, r.out = time.Since(started), out.Bytes()
			if err != nil {
				h.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, errs.Bytes())
			}
			r.processor = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			return r
		}
	}
}

// outcome is the part of a run's report that is looked at.
type outcome struct {
	Outcome                                     string
	Read, Inserted, Updated, Deleted, Unchanged int64
}

// synchronize runs the synchronizer once.
func (h *harness) synchronize(r register, s source) (ran, outcome) {
	h.Helper()
	did := h.run(h.program(r.env(s), "synchronizer", "run", "--json"))
	return did, h.outcome(did)
}

// outcome reads what a run printed.
func (h *harness) outcome(did ran) (o outcome) {
	h.Helper()
	check(h, json.Unmarshal(did.out, &o))
	if o.Outcome != "completed" {
		h.Fatalf("the run is %s", o.Outcome)
	}
	return o
}
