package e2e

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"padron"
	"padron/internal/provider/providertest"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/store/mysqltest"
)

// interrupted is a register of some batches and a provider, each behind a line of
// its own, for runs that something happens to.
type interrupted struct {
	*dividedRun
	// database and provider are the ways to them; SQLite has no database's.
	database, provider *line
	// enter changes where a run's process is, if not nil.
	enter func(*exec.Cmd)
}

// someBatches are enough customers that a run is in the middle of them for long.
var someBatches = providertest.Options{Customers: 9_000, Seed: 13, Dirty: -1}

// middle is a page in the middle of someBatches.
const middle = 10

// newInterrupted makes one on SQLite, or on a server by its database's URL.
func newInterrupted(t *testing.T, db string) *interrupted {
	t.Helper()
	d := &interrupted{dividedRun: newDividedRun(t, someBatches, db)}
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	d.provider = newLine(t, u.Host)
	d.env = append(d.env, "PADRON_PROVIDER_URL="+strings.Replace(d.url, u.Host, d.provider.addr(), 1), "PADRON_LOG_FORMAT=json")
	if db != "" {
		u, err := url.Parse(db)
		if err != nil {
			t.Fatal(err)
		}
		d.database = newLine(t, u.Host)
		d.env = append(d.env, "PADRON_DB="+strings.Replace(db, u.Host, d.database.addr(), 1))
	}
	return d
}

// onEngines runs a test on both engines.
func onEngines(t *testing.T, test func(t *testing.T, d *interrupted)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newInterrupted(t, "")) })
	t.Run("MySQL", func(t *testing.T) { test(t, newInterrupted(t, mysqltest.Shared(t).Database(t))) })
}

// midway has f called once, before a page in the middle is answered and with some
// batches written.
func (d *interrupted) midway(f func()) {
	var once sync.Once
	on := func(page int) {
		if page < middle {
			return
		}
		once.Do(func() {
			for n := int64(0); n == 0; {
				var err error
				if n, err = d.store.Count(context.Background()); err != nil {
					return
				}
			}
			f()
		})
	}
	d.onPage.Store(&on)
}

// running is a run in a process of its own.
type running struct {
	*process
	d   *interrupted
	out *syncBuffer
}

func (d *interrupted) begin(args ...string) *running {
	d.Helper()
	r := &running{process: &process{cmd: command(d.T, d.dir, d.env, "synchronizer", append([]string{"run", "--json"}, args...)...), stderr: &syncBuffer{}},
		d: d, out: &syncBuffer{}}
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.stderr
	if d.enter != nil {
		d.enter(r.cmd)
	}
	if err := r.cmd.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = r.cmd.Process.Kill() }) // it may have ended
	return r
}

// end waits for the run's end and returns its report and exit code.
func (r *running) end() (report, int) {
	r.d.Helper()
	var exit *exec.ExitError
	if err := r.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		r.d.Fatal(err)
	}
	rep := report{}
	if text := r.out.String(); text != "" {
		rep = decode[report](r.d.T, text)
	}
	return rep, r.cmd.ProcessState.ExitCode()
}

// survives wants a run to have completed in spite of all, with everybody.
func (r *running) survives() report {
	r.d.Helper()
	rep, code := r.end()
	if rep["outcome"] != "completed" || code != 0 {
		r.d.Fatalf("exit %d, %v\n%s", code, rep, r.stderr)
	}
	r.d.checkTruth()
	return rep
}

// resumes wants the next run to go on from where the last one stopped, and to end
// with everybody.
func (d *interrupted) resumes() {
	d.Helper()
	d.onPage.Store(nil)
	rep := d.must("run")
	if rep["outcome"] != "completed" || rep["resumed_from"] == "" || rep["resumed_from"] == nil {
		d.Errorf("the next run: %v, want it to go on from the last one", rep)
	}
	d.checkTruth()
}

// checkTruth compares the register with the provider, person by person.
func (d *interrupted) checkTruth() {
	d.Helper()
	have, want := d.names(), map[padron.CustomerID]string{}
	d.sample.Truth(func(id string, record map[string]any) bool {
		want[padron.CustomerID(id)], _ = record["user_name"].(string)
		return true
	})
	if !maps.Equal(have, want) {
		d.Errorf("%d customers in the register, %d at the provider, or other ones", len(have), len(want))
	}
}

// names are the names of the live customers, opened.
func (d *interrupted) names() map[padron.CustomerID]string {
	d.Helper()
	wrapper, err := filewrap.Open(filepath.Join(d.dir, "var", "keys.json"))
	if err != nil {
		d.Fatal(err)
	}
	opener, err := seal.NewOpener(context.Background(), wrapper, d.store)
	if err != nil {
		d.Fatal(err)
	}
	var name padron.Disclosures
	name[padron.FieldUserName] = padron.Full
	out := map[padron.CustomerID]string{}
	for after := padron.CustomerID(""); ; {
		rows, err := d.store.Customers(context.Background(), padron.Filter{}, after, 1000, padron.Whole)
		if err != nil {
			d.Fatal(err)
		}
		for i := range rows {
			c, err := opener.Open(context.Background(), &rows[i], name)
			if err != nil {
				d.Fatal(err)
			}
			out[c.ID], after = c.Personal.UserName.Expose(), c.ID
		}
		if len(rows) == 0 {
			return out
		}
	}
}

// stopsInTime tells a run to stop, and wants it gone after the 5 s that whoever
// stops tasks may give it, and what a busy machine takes besides.
func (r *running) stopsInTime() {
	r.d.Helper()
	began := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.d.Fatal(err)
	}
	rep, code := r.end()
	if took := time.Since(began); took > 7*time.Second {
		r.d.Errorf("gone %v after the signal, want 5 s at most", took)
	}
	if code != 1 || rep["outcome"] != "failed" || !bytes.Contains([]byte(r.stderr.String()), []byte("interrupted")) {
		r.d.Errorf("exit %d, %v\n%s", code, rep, r.stderr)
	}
}

// TestStopEndsTheBatch: a run that is told to stop writes the batch it is in with
// its checkpoint, and the next one goes on behind it.
func TestStopEndsTheBatch(t *testing.T) {
	onEngines(t, func(_ *testing.T, d *interrupted) {
		reached, held := make(chan struct{}), make(chan struct{})
		d.midway(func() { close(reached); <-held })
		r := d.begin()
		<-reached
		r.stopsInTime()
		close(held)
		if n := d.count(); n == 0 || n >= someBatches.Customers {
			d.Errorf("%d customers after the stop, want some batches", n)
		}
		d.resumes()
	})
}

// TestStopWhileTheDatabaseIsSilent: nor does a database that answers nothing any
// more keep a run that is told to stop.
func TestStopWhileTheDatabaseIsSilent(t *testing.T) {
	d := newInterrupted(t, mysqltest.Shared(t).Database(t))
	reached := make(chan struct{})
	d.midway(func() {
		d.database.add(trouble{"timeout", map[string]any{"timeout": 0}})
		close(reached)
	})
	r := d.begin()
	<-reached
	r.stopsInTime()
	d.database.heal()
	d.database.lead(d.database.proxy.Upstream)
	d.resumes()
}
