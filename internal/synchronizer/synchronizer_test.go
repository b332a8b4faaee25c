package synchronizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/provider"
	"padron/internal/provider/providertest"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/sqlite"
	"padron/internal/synchronizer"
)

// people is a provider whose answer a test decides, page by page.
type people struct {
	mu      sync.Mutex
	records []map[string]any
	// before is called before each request is answered, one after the other, without
	// the lock held.
	before  func(page int)
	hooking sync.Mutex
}

// hook sets what is called before each request from now on is answered; nil is
// nothing.
func (p *people) hook(f func(page int)) {
	p.hooking.Lock()
	defer p.hooking.Unlock()
	p.before = f
}

func (p *people) called(page int) {
	p.hooking.Lock()
	defer p.hooking.Unlock()
	if p.before != nil {
		p.before(page)
	}
}

func person(id int) map[string]any {
	return map[string]any{
		"id": strconv.Itoa(id), "fec_alta": "2021-03-04T05:06:07.089Z", "user_name": fmt.Sprintf("Persona %d", id), "codigo_zip": "04711",
		"credit_card_num": "4532-7714-9083-2255", "credit_card_ccv": "123", "cuenta_numero": "00918273", "direccion": "Calle 1",
		"geo_latitud": "1.5", "geo_longitud": "-70.25", "color_favorito": "azul", "foto_dni": "https://photos.example/1.jpg",
		"ip": "192.0.2.17", "auto": "Fiat", "auto_modelo": "Uno", "auto_tipo": "Hatchback", "auto_color": "rojo",
		"cantidad_compras_realizadas": 3, "avatar": "https://avatars.example/1.png", "fec_birthday": "1990-01-02T00:00:00.000Z",
	}
}

func newPeople(n int) *people {
	p := &people{}
	for i := range n {
		p.records = append(p.records, person(i+1))
	}
	return p
}

// edit changes the records while nobody reads them.
func (p *people) edit(f func(records []map[string]any) []map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = f(p.records)
}

func (p *people) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	p.called(page)
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.records
	if page > 0 && limit > 0 {
		from := min((page-1)*limit, len(out))
		out = out[from:min(from+limit, len(out))]
	}
	if out == nil {
		out = []map[string]any{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// register is a real store with real keys.
type register struct {
	t       *testing.T
	store   store.Engine
	wrapper *filewrap.Wrapper
	// servers keep a handler at one address: a checkpoint is good for one only.
	servers map[*people]*httptest.Server
	// later opens it again, with a clock by which every lease has expired; cut
	// breaks a write some time after it began, until done is called.
	later func() store.Engine
	cut   func(ctx context.Context, after time.Duration) (on context.Context, done func())
}

func newRegister(t *testing.T) *register {
	t.Helper()
	path := filepath.Join(t.TempDir(), "padron.db")
	st, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := registerIn(t, st)
	r.cut = giveUp
	r.later = func() store.Engine {
		st, err := sqlite.Open(context.Background(), path, sqlite.WithClock(ahead))
		if err != nil {
			t.Error(err)
		}
		return st
	}
	return r
}

// newMySQLRegister is one on a real server.
func newMySQLRegister(t *testing.T) *register {
	t.Helper()
	server := mysqltest.Shared(t)
	cfg, err := mysql.ParseURL(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	st, err := mysql.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := registerIn(t, st)
	r.cut = cutSessions(t, server, cfg.Database)
	r.later = func() store.Engine {
		st, err := mysql.Open(context.Background(), cfg, mysql.WithClock(ahead))
		if err != nil {
			t.Error(err)
		}
		return st
	}
	return r
}

func registerIn(t *testing.T, st store.Engine) *register {
	t.Helper()
	t.Cleanup(func() { _ = st.Close() })
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := filewrap.Open(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return &register{t: t, store: st, wrapper: w, servers: map[*people]*httptest.Server{}}
}

// config is a run of the register against the handler.
func (r *register) config(h http.Handler) synchronizer.Config {
	r.t.Helper()
	p, keep := h.(*people)
	srv := r.servers[p]
	if srv == nil {
		srv = httptest.NewServer(h)
		r.t.Cleanup(srv.Close)
	}
	if keep {
		r.servers[p] = srv
	}
	client, err := provider.New(provider.Config{
		URL: srv.URL + providertest.CollectionPath, Paging: "page", PageSize: 10,
		Retries: 1, RetryBase: time.Millisecond, RetryMax: time.Millisecond,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	sealer, err := seal.NewSealer(r.t.Context(), r.wrapper, r.store)
	if err != nil {
		r.t.Fatal(err)
	}
	return synchronizer.Config{
		Store: r.store, Provider: client, Sealer: sealer, Holder: "test", MaxDelete: 0.1, MaxChange: 1, BatchSize: 10,
	}
}

// sync does one run and checks that its counts add up.
func (r *register) sync(cfg synchronizer.Config) (padron.Run, error) {
	r.t.Helper()
	run, err := synchronizer.Run(r.t.Context(), cfg)
	if sum := run.Inserted + run.Updated + run.Unchanged + run.Quarantined + run.Duplicates; run.Read != sum {
		r.t.Errorf("read %d, but the parts add up to %d", run.Read, sum)
	}
	return run, err
}

func (r *register) mustSync(cfg synchronizer.Config) padron.Run {
	r.t.Helper()
	run, err := r.sync(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

// names returns the opened names of the live customers by id.
func (r *register) names() map[padron.CustomerID]string {
	r.t.Helper()
	opener, err := seal.NewOpener(r.t.Context(), r.wrapper, r.store)
	if err != nil {
		r.t.Fatal(err)
	}
	var d padron.Disclosures
	d[padron.FieldUserName] = padron.Full
	rows, err := r.store.Customers(r.t.Context(), padron.Filter{}, "", 100_000, padron.Whole)
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[padron.CustomerID]string{}
	for i := range rows {
		c, err := opener.Open(r.t.Context(), &rows[i], d)
		if err != nil {
			r.t.Fatal(err)
		}
		out[c.ID] = c.Personal.UserName.Expose()
	}
	return out
}

func (r *register) quarantine() []padron.QuarantineEntry {
	r.t.Helper()
	entries, err := r.store.Quarantine(r.t.Context(), "", 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	return entries
}

// counts are the parts of a report that a test compares.
type counts struct{ Read, Inserted, Updated, Unchanged, Deleted, Quarantined, Duplicates int64 }

func want(t *testing.T, run padron.Run, w counts) {
	t.Helper()
	got := counts{run.Read, run.Inserted, run.Updated, run.Unchanged, run.Deleted, run.Quarantined, run.Duplicates}
	if diff := cmp.Diff(w, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", run.Outcome, diff)
	}
}

func TestInsertUpdateUnchangedDelete(t *testing.T) {
	r, p := newRegister(t), newPeople(35)
	want(t, r.mustSync(r.config(p)), counts{Read: 35, Inserted: 35})
	want(t, r.mustSync(r.config(p)), counts{Read: 35, Unchanged: 35})
	p.edit(func(rs []map[string]any) []map[string]any {
		rs[4]["user_name"] = "Otra"
		rs[5]["credit_card_ccv"] = "999" // dropped, so nothing changed
		return append(slices.Delete(rs, 20, 22), person(36))
	})
	want(t, r.mustSync(r.config(p)), counts{Read: 34, Inserted: 1, Updated: 1, Unchanged: 32, Deleted: 2})
	names := r.names()
	if names["5"] != "Otra" || names["36"] != "Persona 36" || len(names) != 34 {
		t.Errorf("register: %v", names)
	}
	if _, ok := names["21"]; ok {
		t.Error("customer 21 is still there")
	}
	// Whoever comes back is new again, under the same number.
	p.edit(func(rs []map[string]any) []map[string]any { return append(rs, person(21)) })
	want(t, r.mustSync(r.config(p)), counts{Read: 35, Inserted: 1, Unchanged: 34})
	if last, err := r.store.LastNumber(t.Context()); err != nil || last != 36 {
		t.Errorf("last number %d (%v), want 36: a number was spent twice", last, err)
	}
}

// uncounted is a store that cannot count its customers.
type uncounted struct{ store.Engine }

func (uncounted) Count(context.Context) (int64, error) { return 0, errors.New("it takes too long") }

// TestCountThatFailsEndsNoRun: that nobody is missing can be told without it.
func TestCountThatFailsEndsNoRun(t *testing.T) {
	r, p := newRegister(t), newPeople(35)
	cfg := r.config(p)
	cfg.Store = uncounted{r.store}
	want(t, r.mustSync(cfg), counts{Read: 35, Inserted: 35})
	p.edit(func(rs []map[string]any) []map[string]any { return slices.Delete(rs, 20, 22) })
	want(t, r.mustSync(cfg), counts{Read: 33, Unchanged: 33, Deleted: 2})
}

func TestUnchangedRunWritesNoCustomer(t *testing.T) {
	r, p := newRegister(t), newPeople(50)
	r.mustSync(r.config(p))
	before, err := r.store.Customer(t.Context(), "7", padron.Whole)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := r.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.mustSync(r.config(p))
	after, err := r.store.Customer(t.Context(), "7", padron.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before.Personal, after.Personal) || !before.UpdatedAt.Equal(after.UpdatedAt) {
		t.Error("an unchanged customer was written again")
	}
	if more, err := r.store.Keys(t.Context()); err != nil || len(more) != len(keys) {
		t.Errorf("a run that sealed nothing made %d keys (%v)", len(more)-len(keys), err)
	}
}

func TestFullRunSealsUnderFreshKeys(t *testing.T) {
	r, p := newRegister(t), newPeople(12)
	r.mustSync(r.config(p))
	before, err := r.store.Customer(t.Context(), "3", padron.Whole)
	if err != nil {
		t.Fatal(err)
	}
	cfg := r.config(p)
	cfg.Full = true
	want(t, r.mustSync(cfg), counts{Read: 12, Unchanged: 12})
	after, err := r.store.Customer(t.Context(), "3", padron.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if before.PersonalKey == after.PersonalKey || before.FinancialKey == after.FinancialKey {
		t.Error("a full run kept the old data keys")
	}
	if len(r.names()) != 12 {
		t.Error("customers were lost")
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	r, p := newRegister(t), newPeople(25)
	p.edit(func(rs []map[string]any) []map[string]any {
		bad := person(26)
		bad["ip"] = nil
		return append(rs, bad, person(3))
	})
	cfg := r.config(p)
	cfg.DryRun = true
	keys, err := r.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want(t, r.mustSync(cfg), counts{Read: 27, Inserted: 25, Quarantined: 1, Duplicates: 1})
	runs, err := r.store.Runs(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	after, err := r.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.names()) != 0 || len(r.quarantine()) != 0 || len(runs) != 0 || len(after) != len(keys) {
		t.Error("a dry run wrote something")
	}
}

func TestQuarantine(t *testing.T) {
	r, p := newRegister(t), newPeople(20)
	r.mustSync(r.config(p))
	p.edit(func(rs []map[string]any) []map[string]any {
		rs[2]["fec_alta"] = "0000-00-00" // customer 3 was known: it stays as it was
		rs[2]["user_name"] = "No debe verse"
		rs[3]["nuevo_campo"] = 1
		noID := person(99)
		delete(noID, "id")
		return append(rs, noID)
	})
	run := r.mustSync(r.config(p))
	want(t, run, counts{Read: 21, Unchanged: 19, Quarantined: 2})
	if diff := cmp.Diff(map[padron.Reason]int64{"registered_at:invalid_date": 1, "id:missing": 1}, run.Reasons); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"nuevo_campo"}, run.UnknownFields); diff != "" {
		t.Error(diff)
	}
	if r.names()["3"] != "Persona 3" {
		t.Error("the customer whose record was rejected did not stay as it was")
	}
	r.mustSync(r.config(p))
	for _, q := range r.quarantine() {
		if q.Count != 2 {
			t.Errorf("%s was seen %d times, want 2 and one entry", q.ID, q.Count)
		}
	}
	// The record arrives valid again: its quarantine ends.
	p.edit(func(rs []map[string]any) []map[string]any { rs[2]["fec_alta"] = "2022-01-01T00:00:00Z"; return rs })
	r.mustSync(r.config(p))
	if q := r.quarantine(); len(q) != 1 || q[0].CustomerID != "" {
		t.Errorf("quarantine after the fix: %v", q)
	}
}

func TestDuplicatesFirstCounts(t *testing.T) {
	r, p := newRegister(t), newPeople(30)
	p.edit(func(rs []map[string]any) []map[string]any {
		other := person(4)
		other["user_name"] = "Otra"
		return append(rs, person(2), other)
	})
	for range 2 {
		run := r.mustSync(r.config(p))
		if run.Duplicates != 2 || run.Warnings[padron.WarningDuplicate] != 2 || run.Warnings[padron.WarningConflict] != 1 || run.Updated != 0 {
			t.Errorf("run: %+v", run)
		}
	}
	if r.names()["4"] != "Persona 4" {
		t.Error("the second record of an id won over the first")
	}
}

func TestMassDeletionIsRefused(t *testing.T) {
	for _, gone := range []int{3, 4, 30} {
		r, p := newRegister(t), newPeople(30)
		r.mustSync(r.config(p))
		p.edit(func(rs []map[string]any) []map[string]any { return rs[gone:] })
		run, err := r.sync(r.config(p))
		if gone == 3 { // exactly the limit of 0.1
			if err != nil || run.Deleted != 3 {
				t.Errorf("%d gone: %v, deleted %d", gone, err, run.Deleted)
			}
			continue
		}
		if run.Outcome != padron.OutcomeRefused || err == nil || run.Deleted != 0 || len(r.names()) != 30 {
			t.Errorf("%d gone: %s (%v), deleted %d, %d left", gone, run.Outcome, err, run.Deleted, len(r.names()))
		}
		stored, err := r.store.Run(t.Context(), run.ID)
		if err != nil || stored.Outcome != padron.OutcomeRefused || stored.Error == "" {
			t.Errorf("history says %s %q (%v)", stored.Outcome, stored.Error, err)
		}
	}
}

func TestPagesThatShiftDeleteNobody(t *testing.T) {
	r, p := newRegister(t), newPeople(60)
	r.mustSync(r.config(p))
	var once sync.Once
	p.hook(func(page int) {
		if page == 4 {
			// Two customers of page 1 go: two of page 4 move to page 3, which
			// was read already.
			once.Do(func() { p.edit(func(rs []map[string]any) []map[string]any { return slices.Delete(rs, 0, 2) }) })
		}
	})
	run := r.mustSync(r.config(p))
	if run.Outcome != padron.OutcomeCompleted || run.Deleted != 0 {
		t.Errorf("%s, deleted %d, want 0: those who left were seen before they left", run.Outcome, run.Deleted)
	}
	names := r.names()
	for _, id := range []padron.CustomerID{"31", "32"} {
		if _, ok := names[id]; !ok {
			t.Errorf("customer %s moved to a page already read and was deleted", id)
		}
	}
	want(t, r.mustSync(r.config(p)), counts{Read: 58, Unchanged: 58, Deleted: 2})
}

func TestInterruptedRunIsResumed(t *testing.T) {
	for _, stopAt := range []int{1, 2, 5, 9} {
		t.Run(fmt.Sprint(stopAt), func(t *testing.T) {
			r, p := newRegister(t), newPeople(95)
			r.mustSync(r.config(newPeople(40)))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cfg, progress := r.config(p), make(chan struct{}, 10)
			cfg.OnProgress = func(synchronizer.Progress) { progress <- struct{}{} }
			p.hook(func(page int) {
				if page == stopAt {
					if stopAt > 2 {
						<-progress
					}
					cancel()
				}
			})
			run, err := synchronizer.Run(ctx, cfg)
			if run.Outcome != padron.OutcomeFailed || !errors.Is(err, context.Canceled) {
				t.Fatalf("%s (%v)", run.Outcome, err)
			}
			pages := []int{}
			p.hook(func(page int) { pages = append(pages, page) })
			next := r.mustSync(r.config(p))
			if stopAt > 2 && (next.ResumedFrom != run.ID || pages[0] == 1) {
				t.Errorf("resumed from %q at page %d, want from %q", next.ResumedFrom, pages[0], run.ID)
			}
			if got := slices.Collect(maps.Keys(r.names())); len(got) != 95 {
				t.Errorf("%d customers, want 95", len(got))
			}
			want(t, r.mustSync(r.config(p)), counts{Read: 95, Unchanged: 95})
		})
	}
}

func TestResumedRunDeletesOnlyWhoIsGone(t *testing.T) {
	r, p := newRegister(t), newPeople(80)
	r.mustSync(r.config(p))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.hook(func(page int) {
		if page == 5 {
			cancel()
		}
	})
	if _, err := synchronizer.Run(ctx, r.config(p)); err == nil {
		t.Fatal("the run was not interrupted")
	}
	p.hook(nil)
	p.edit(func(rs []map[string]any) []map[string]any { return slices.Delete(rs, 10, 13) })
	run := r.mustSync(r.config(p))
	if n := len(r.names()); n < 77 || run.Deleted > 3 {
		t.Errorf("%d customers left, %d deleted: somebody who is there was deleted", n, run.Deleted)
	}
	r.mustSync(r.config(p))
	if n := len(r.names()); n != 77 {
		t.Errorf("%d customers after the next run, want 77", n)
	}
}

func TestSecondRunIsSkipped(t *testing.T) {
	r, p := newRegister(t), newPeople(5)
	lease, err := r.store.Acquire(t.Context(), "somebody", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	run, err := r.sync(r.config(p))
	if run.Outcome != padron.OutcomeSkipped || err != nil || run.Read != 0 {
		t.Errorf("%s (%v), read %d", run.Outcome, err, run.Read)
	}
	if err := r.store.Release(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	want(t, r.mustSync(r.config(p)), counts{Read: 5, Inserted: 5})
}

func TestProviderThatFailsKeepsWhatWasStored(t *testing.T) {
	r, p := newRegister(t), newPeople(40)
	broken := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("page") == "3" {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		p.ServeHTTP(w, req)
	})
	run, err := r.sync(r.config(broken))
	if run.Outcome != padron.OutcomeFailed || err == nil {
		t.Fatalf("%s (%v)", run.Outcome, err)
	}
	if n := len(r.names()); n != 20 {
		t.Errorf("%d customers of the pages before the fault, want 20", n)
	}
	if left, err := r.store.Acquire(t.Context(), "next", time.Minute); err != nil {
		t.Errorf("the failed run kept the lease: %v", err)
	} else if err := r.store.Release(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	stored, err := r.store.Run(t.Context(), run.ID)
	if err != nil || stored.Outcome != padron.OutcomeFailed || stored.Error == "" {
		t.Errorf("history says %s %q (%v)", stored.Outcome, stored.Error, err)
	}
}

// garble changes a field of every stride-th record.
func garble(stride int) func([]map[string]any) []map[string]any {
	return func(records []map[string]any) []map[string]any {
		for i := 0; i < len(records); i += stride {
			records[i]["direccion"] = "Calle borrada"
		}
		return records
	}
}

// TestMassChangeIsRefused: where the provider garbles everybody, nothing is
// overwritten, by this run and by the next; with a reason it is.
func TestMassChangeIsRefused(t *testing.T) {
	r := newRegister(t)
	source := newPeople(300)
	cfg := r.config(source)
	cfg.BatchSize, cfg.MaxChange = 100, 0.5
	r.mustSync(cfg)
	source.edit(garble(1))
	for range 2 {
		run, err := r.sync(cfg)
		if err == nil || run.Outcome != padron.OutcomeRefused || !strings.Contains(err.Error(), "100 of the 100 known customers") {
			t.Fatalf("%s, %v", run.Outcome, err)
		}
		want(t, run, counts{})
	}
	cfg.Force = "the provider moved all offices"
	run := r.mustSync(cfg)
	want(t, run, counts{Read: 300, Updated: 300})
	history, err := r.store.Runs(t.Context(), 1)
	if err != nil || len(history) != 1 || history[0].Forced != cfg.Force {
		t.Errorf("history %+v, %v", history, err)
	}
}

// TestChangesBelowTheLimit: a third may change, and so may all of a few.
func TestChangesBelowTheLimit(t *testing.T) {
	for n, stride := range map[int]int{300: 3, 99: 1} {
		r := newRegister(t)
		source := newPeople(n)
		cfg := r.config(source)
		cfg.MaxChange = 0.5
		r.mustSync(cfg)
		source.edit(garble(stride))
		if run := r.mustSync(cfg); run.Updated != int64((n+stride-1)/stride) {
			t.Errorf("%d of %d updated", run.Updated, n)
		}
	}
}

func TestForceDeletes(t *testing.T) {
	r := newRegister(t)
	source := newPeople(30)
	cfg := r.config(source)
	r.mustSync(cfg)
	source.edit(func(records []map[string]any) []map[string]any { return records[:5] })
	if run, err := r.sync(cfg); run.Outcome != padron.OutcomeRefused || !strings.Contains(fmt.Sprint(err), "--force") {
		t.Fatalf("%s, %v", run.Outcome, err)
	}
	cfg.Force = "the customers moved away"
	want(t, r.mustSync(cfg), counts{Read: 5, Unchanged: 5, Deleted: 25})
}

// TestUnidentifiedRecordsHoldDeletions: a record that lost its id may be the
// missing customer's, in this run and in later ones, until a person says
// otherwise; records that never had one hold nobody.
func TestUnidentifiedRecordsHoldDeletions(t *testing.T) {
	r := newRegister(t)
	source := newPeople(30)
	source.edit(func(records []map[string]any) []map[string]any {
		return append(records, map[string]any{"user_name": "without id"})
	})
	cfg := r.config(source)
	r.mustSync(cfg)
	source.edit(func(records []map[string]any) []map[string]any { return slices.Delete(records, 28, 29) })
	want(t, r.mustSync(cfg), counts{Read: 30, Unchanged: 29, Deleted: 1, Quarantined: 1})

	source.edit(func(records []map[string]any) []map[string]any {
		records[3]["id"] = " 4"
		return records
	})
	for range 2 {
		run := r.mustSync(cfg)
		want(t, run, counts{Read: 30, Unchanged: 28, Quarantined: 2})
		if run.Warnings[padron.WarningDeletionsHeld] != 1 || run.Warnings[padron.WarningUnidentified] != 2 {
			t.Errorf("warnings %v", run.Warnings)
		}
	}
	cfg.Force = "number four has really gone"
	want(t, r.mustSync(cfg), counts{Read: 30, Unchanged: 28, Quarantined: 2, Deleted: 1})
}

// TestDeletedCustomerCountsForNobody: a rejected record of a customer who is
// deleted already does not stand in for one who vanishes.
func TestDeletedCustomerCountsForNobody(t *testing.T) {
	r, p := newRegister(t), newPeople(30)
	r.mustSync(r.config(p))
	without := func(id int) {
		p.edit(func(records []map[string]any) []map[string]any {
			return slices.DeleteFunc(records, func(r map[string]any) bool { return r["id"] == strconv.Itoa(id) })
		})
	}
	without(3)
	want(t, r.mustSync(r.config(p)), counts{Read: 29, Unchanged: 29, Deleted: 1})
	without(4)
	p.edit(func(records []map[string]any) []map[string]any {
		broken := person(3)
		broken["ip"] = nil
		return append(records, broken)
	})
	dry := r.config(p)
	dry.DryRun = true
	p.edit(func(records []map[string]any) []map[string]any { return append(records, person(31)) })
	want(t, r.mustSync(dry), counts{Read: 30, Inserted: 1, Unchanged: 28, Quarantined: 1, Deleted: 1})
	without(31)
	want(t, r.mustSync(r.config(p)), counts{Read: 29, Unchanged: 28, Quarantined: 1, Deleted: 1})
}

// TestRecordsThatAreNone: a provider whose format changed does not fill the
// quarantine with everybody.
func TestRecordsThatAreNone(t *testing.T) {
	r := newRegister(t)
	source := newPeople(2000)
	cfg := r.config(source)
	cfg.BatchSize = 500
	source.edit(func(records []map[string]any) []map[string]any {
		for _, p := range records {
			p["nombre"] = p["user_name"]
			delete(p, "user_name")
		}
		return records
	})
	run, err := r.sync(cfg)
	if err == nil || run.Outcome != padron.OutcomeRefused || !strings.Contains(err.Error(), "format has changed") {
		t.Fatalf("%s, %v", run.Outcome, err)
	}
	if n := len(r.quarantine()); n != 500 || run.Quarantined != 500 {
		t.Errorf("%d in quarantine, %d reported; want the first batch", n, run.Quarantined)
	}
}

// endless yields the same page for ever, under cursors that go on.
type endless struct{ page provider.Page }

func (endless) Source() string { return "endless" }

func (e endless) Pages(context.Context, string) iter.Seq2[provider.Page, error] {
	return func(yield func(provider.Page, error) bool) {
		for n := 2; ; n++ {
			e.page.Cursor = fmt.Sprintf("page:%d", n)
			if !yield(e.page, nil) {
				return
			}
		}
	}
}

// TestEndlessProviderFails: one that repeats itself does not keep the lease for
// ever.
func TestEndlessProviderFails(t *testing.T) {
	r := newRegister(t)
	cfg := r.config(newPeople(0))
	page := provider.Page{}
	for i := range 100 {
		page.Records = append(page.Records, provider.DecodeRecord(marshal(t, person(i+1))))
	}
	cfg.Provider, cfg.BatchSize = endless{page}, 1000
	run, err := r.sync(cfg)
	if run.Outcome != padron.OutcomeFailed || err == nil || !strings.Contains(err.Error(), "without end") || run.Read > 20_000 {
		t.Errorf("%s after %d: %v", run.Outcome, run.Read, err)
	}
}

// scripted yields one list of pages a pass.
type scripted struct {
	passes [][]provider.Page
	pass   int
}

func (*scripted) Source() string { return "scripted" }

func (s *scripted) Pages(context.Context, string) iter.Seq2[provider.Page, error] {
	pages := s.passes[s.pass]
	s.pass++
	return func(yield func(provider.Page, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// TestTwoLinkedPagesAreConfirmed: the last page of a chain of links has no
// cursor, and yet a customer may have slipped from it to the first one while we
// read.
func TestTwoLinkedPagesAreConfirmed(t *testing.T) {
	page := func(cursor string, from, to int) provider.Page {
		p := provider.Page{Cursor: cursor}
		for id := from; id <= to; id++ {
			p.Records = append(p.Records, provider.DecodeRecord(marshal(t, person(id))))
		}
		return p
	}
	r := newRegister(t)
	cfg := r.config(newPeople(0))
	cfg.Provider = &scripted{passes: [][]provider.Page{
		{page("link:/2", 1, 10), page("", 11, 20)},
		{page("link:/2", 1, 10), page("", 12, 20)}, // 1 goes after the first page, 11 slips to it
		{page("link:/2", 2, 11), page("", 12, 20)}, // as the confirming reading finds it
	}}
	r.mustSync(cfg)
	want(t, r.mustSync(cfg), counts{Read: 19, Unchanged: 19})
	if len(r.names()) != 20 {
		t.Errorf("%d customers, want all 20: 1 was seen in this run", len(r.names()))
	}
}
