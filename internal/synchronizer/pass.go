package synchronizer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"padron"
)

// pass is one reading of all the provider's customers.
type pass struct {
	cfg   *Config
	lease padron.Lease
	// run counts what was planned, done what was written: they differ by the
	// batches under way.
	run  *padron.Run
	done padron.Run
	// last is the greatest customer number given so far.
	last padron.Number
	// seen are the customers that arrived valid; held are those whose record
	// was rejected, which must not count as vanished.
	seen, held *roaring.Bitmap
	// quarantined are hashes of the customer ids in quarantine, to clear only
	// what is there. A collision costs one needless delete, nothing else.
	quarantined map[uint64]struct{}
	// written are the customers of a pass into an empty register.
	written written
	// fresh are hashes of the ids a dry run would have inserted.
	fresh    map[uint64]struct{}
	hashSeed maphash.Seed
	expected int64
	// usual is the last complete run, which tells what is usual; nil is none.
	usual *padron.Run
	// paged: the provider pages.
	paged bool
	marks marks
	// stages says where the time goes.
	stages *stages
	// spare is room for items, to be used again.
	spare chan []item
	// sizer says how large batches are.
	sizer *sizer
	// crossed counts customers that a partition took for new ones while another
	// partition wrote them.
	crossed int64
	// pending and writes are of the plan being made: the customers it met, and
	// those it writes; ahead are the writes of the two plans before it.
	pending *roaring.Bitmap
	writes  map[padron.CustomerID]padron.Known
	ahead   [2]map[padron.CustomerID]padron.Known
}

func newPass(cfg *Config, lease padron.Lease, run *padron.Run) *pass {
	run.Reasons, run.Warnings = map[padron.Reason]int64{}, map[padron.Warning]int64{}
	return &pass{
		cfg: cfg, lease: lease, run: run,
		seen: roaring.New(), held: roaring.New(),
		quarantined: map[uint64]struct{}{}, fresh: map[uint64]struct{}{},
		hashSeed: maphash.MakeSeed(), marks: newMarks(), stages: newStages(cfg.Now), sizer: newSizer(cfg.BatchSize), spare: make(chan []item, 2),
	}
}

// runPass reads everything and then decides the deletions.
func runPass(ctx context.Context, cfg *Config, lease padron.Lease, run *padron.Run) error {
	p := newPass(cfg, lease, run)
	defer func() { run.Stages = p.stages.report() }()
	cursor, err := p.begin(ctx)
	if err != nil {
		return err
	}
	err = p.read(ctx, cursor)
	p.noteDrift(ctx)
	if err != nil {
		return err
	}
	return p.deleteMissing(ctx)
}

// begin loads where the pass starts.
func (p *pass) begin(ctx context.Context) (cursor string, err error) {
	if p.last, err = p.cfg.Store.LastNumber(ctx); err != nil {
		return "", err
	}
	if p.last == 0 {
		p.written.watch()
	}
	if err := p.loadQuarantined(ctx); err != nil {
		return "", err
	}
	if p.usual, err = lastComplete(ctx, p.cfg.Store); err != nil {
		return "", err
	}
	if p.usual != nil {
		p.expected = p.usual.Read
	}
	p.marks.source, p.marks.run, p.marks.fresh, p.marks.savedAt = p.cfg.Provider.Source(), p.run.ID, true, p.cfg.Now()
	if p.cfg.DryRun || p.cfg.Full {
		return "", nil
	}
	return p.resume(ctx)
}

// resume takes up the checkpoint of a pass that did not end, if it is of the
// same source and recent.
func (p *pass) resume(ctx context.Context) (string, error) {
	cp, err := p.cfg.Store.Checkpoint(ctx)
	if err != nil || cp == nil {
		return "", err
	}
	if cp.Source != p.marks.source || p.cfg.Now().Sub(cp.SavedAt) > checkpointAge {
		return "", nil
	}
	if err := addSeen(p.seen, cp.Seen); err != nil {
		return "", err
	}
	p.marks.fresh = false
	p.run.ResumedFrom = cp.RunID
	return cp.Cursor, nil
}

// addSeen adds serialized bitmaps to one.
func addSeen(to *roaring.Bitmap, parts [][]byte) error {
	for _, part := range parts {
		seen := roaring.New()
		if _, err := seen.FromBuffer(slices.Clone(part)); err != nil {
			return fmt.Errorf("read the checkpoint: %w", err)
		}
		to.Or(seen)
	}
	return nil
}

func (p *pass) loadQuarantined(ctx context.Context) error {
	return p.eachQuarantined(ctx, func(e *padron.QuarantineEntry) { p.quarantined[p.hash(e.CustomerID)] = struct{}{} })
}

func (p *pass) eachQuarantined(ctx context.Context, f func(*padron.QuarantineEntry)) error {
	const chunk = 1000
	for after := ""; ; {
		entries, err := p.cfg.Store.Quarantine(ctx, after, chunk)
		if err != nil {
			return err
		}
		for i := range entries {
			f(&entries[i])
		}
		if len(entries) < chunk {
			return nil
		}
		after = entries[len(entries)-1].ID
	}
}

func (p *pass) hash(id padron.CustomerID) uint64 { return maphash.String(p.hashSeed, string(id)) }

// lastComplete returns the last run that read everything by itself; nil where
// there is none.
func lastComplete(ctx context.Context, runs history) (*padron.Run, error) {
	recent, err := runs.Runs(ctx, 20)
	for i := range recent {
		if recent[i].Outcome == padron.OutcomeCompleted && recent[i].ResumedFrom == "" {
			return &recent[i], nil
		}
	}
	return nil, err
}

// history is where earlier runs stand.
type history interface {
	Runs(ctx context.Context, limit int) ([]padron.Run, error)
}

// read reads from the cursor to the end, in four stages that work at the same
// time: one batch is fetched and decoded, one is validated and fingerprinted, one
// is looked up, decided and sealed, and one is written. Each stage waits for the
// next, so that memory is bounded and a slow store is felt by the provider.
func (p *pass) read(ctx context.Context, cursor string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.done = snapshot(p.run)
	gathered, batches, plans := make(chan *batch), make(chan *batch), make(chan *plan)
	var failed error // of the producer; good once batches is closed
	go func() {
		defer close(gathered)
		failed = p.produce(ctx, cursor, gathered)
	}()
	go func() {
		defer close(batches)
		p.prepareAll(gathered, batches)
	}()
	written := make(chan error, 1)
	go func() { written <- p.carryOutAll(ctx, plans, cancel) }()
	err := p.planAll(ctx, batches, plans)
	if err != nil {
		cancel()
	}
	close(plans)
	drain(batches)
	err = errors.Join(err, <-written)
	*p.run = p.corrected(p.done)
	if err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		failed = cause
	}
	if failed != nil {
		return errors.Join(failed, p.saveMark(ctx))
	}
	return nil
}

// prepareAll prepares batches until the last one. Its own end is that of whoever
// takes them, who drains them in any case.
func (p *pass) prepareAll(gathered <-chan *batch, batches chan<- *batch) {
	for {
		b, ok := receive(gathered, p.stages.begin(padron.StageValidateIdle))
		if !ok {
			return
		}
		p.prepare(b)
		blocked := p.stages.begin(padron.StageValidateBlocked)
		batches <- b
		blocked()
	}
}

// receive takes the next of what the stage before sends, and ends the wait for it.
func receive[T any](from <-chan T, waited func()) (T, bool) {
	defer waited()
	v, ok := <-from
	return v, ok
}

// planAll plans batches until the last one or an error. Once told to stop it
// lets go of what was prepared, which is read again.
func (p *pass) planAll(ctx context.Context, batches <-chan *batch, plans chan<- *plan) error {
	for {
		b, ok := receive(batches, p.stages.begin(padron.StageSealIdle))
		if !ok {
			return nil
		}
		if ctx.Err() != nil {
			continue
		}
		span := traceBatch(ctx, b)
		on, done := afterStop(ctx, batchTime)
		pl, err := p.plan(on, b)
		done()
		if err != nil {
			endSpan(span, err)
			return err
		}
		pl.span = span
		p.reuse(b)
		blocked := p.stages.begin(padron.StageSealBlocked)
		plans <- pl
		blocked()
	}
}

// drain takes what is left, so that the sender can end.
func drain(batches <-chan *batch) {
	for range batches {
		continue
	}
}

// marks is what the next checkpoint will say.
type marks struct {
	source, run string
	cursor      string
	// fresh: no checkpoint of this pass was saved yet.
	fresh   bool
	savedAt time.Time
	// pending are the numbers seen since the last checkpoint, up to the cursor;
	// within are those of the page behind it that is written in parts.
	pending, within *roaring.Bitmap
	// kept is the cursor of the last checkpoint.
	kept string
	// report is that of the run up to the cursor; partitions save it.
	report *padron.Run
}

func newMarks() marks { return marks{pending: roaring.New(), within: roaring.New()} }

// move notes that a plan was written: customers count as seen with the cursor
// behind their page, so that a page of which a part was written is read again.
func (m *marks) move(pl *plan) {
	m.within.Or(pl.seen)
	if !pl.whole {
		return
	}
	m.cursor, m.report = pl.cursor, &pl.run
	m.pending.Or(m.within)
	m.within.Clear()
}

// behind: there is no place to go on from that the last checkpoint does not say.
func (m *marks) behind() bool { return m.cursor == "" || m.cursor == m.kept }

// checkpoint returns what to save now; nil where the provider cannot be resumed
// in the middle, or the run is no further than the last one.
func (p *pass) checkpoint() (*padron.Checkpoint, error) {
	if p.marks.behind() {
		return nil, nil //nolint:nilnil // nothing to save is not a fault
	}
	part, err := p.seenSince()
	if err != nil {
		return nil, err
	}
	return &padron.Checkpoint{
		RunID: p.marks.run, Source: p.marks.source, Cursor: p.marks.cursor,
		Seen: [][]byte{part}, Fresh: p.marks.fresh, SavedAt: p.cfg.Now().UTC(),
	}, nil
}

// seenSince returns what was seen since the last checkpoint, serialized.
func (p *pass) seenSince() ([]byte, error) {
	p.marks.pending.RunOptimize()
	part, err := p.marks.pending.ToBytes()
	if err != nil {
		return nil, fmt.Errorf("write the checkpoint: %w", err)
	}
	return part, nil
}

// saved notes that the checkpoint is in the store.
func (p *pass) saved() {
	p.marks.fresh, p.marks.kept = false, p.marks.cursor
	p.marks.savedAt = p.cfg.Now()
	p.marks.pending.Clear()
}

// saveMark writes a checkpoint by itself, for a run that was told to stop.
func (p *pass) saveMark(ctx context.Context) error {
	if p.cfg.DryRun || p.marks.pending.IsEmpty() {
		return nil
	}
	ctx, cancel := afterStop(ctx, batchTime)
	defer cancel()
	return p.apply(ctx, &padron.Batch{}, noTurn())
}
