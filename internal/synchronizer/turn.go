package synchronizer

import (
	"context"
	"sync"
	"time"

	"padron"
)

// turn is a batch's place in the order in which batches get into the store.
type turn struct {
	done chan struct{}
	// Good once done is closed: when it was over, and why it failed.
	at  time.Time
	err error
}

// wait waits until its batch is in the store, or is known not to get there.
func (t *turn) wait() error {
	<-t.done
	return t.err
}

// noTurn is before the first batch.
func noTurn() *turn {
	t := &turn{done: make(chan struct{})}
	close(t.done)
	return t
}

// carryOutAll writes plans until the last one, even in a run that is told to
// stop, at most two at once. After an error it calls stop and writes no more.
func (p *pass) carryOutAll(ctx context.Context, plans <-chan *plan, stop func()) error {
	before := noTurn()
	last, adds := before, false
	for {
		_ = before.wait()
		pl, ok := receive(plans, p.stages.begin(padron.StageWriteIdle))
		if !ok {
			return last.wait()
		}
		if !adds || !pl.adds {
			_ = last.wait()
		}
		before, last, adds = last, &turn{done: make(chan struct{})}, pl.adds
		go p.takeTurn(ctx, pl, before, last, stop)
	}
}

// takeTurn carries a plan out, in its turn.
func (p *pass) takeTurn(ctx context.Context, pl *plan, before, mine *turn, stop func()) {
	defer close(mine.done)
	on, done := afterStop(ctx, batchTime)
	defer done()
	mine.err = p.carryOut(on, pl, before)
	mine.at = p.cfg.Now()
	endBatch(pl, mine.err)
	if mine.err != nil {
		stop()
		return
	}
	p.cfg.OnProgress(Progress{Read: p.done.Read, Elapsed: p.cfg.Now().Sub(p.run.StartedAt), Expected: p.expected})
}

// carryOut writes a plan, with the checkpoint, after those before it. It may do so
// while the next plan is made and, where both only add customers, while the next
// one is carried out.
func (p *pass) carryOut(ctx context.Context, pl *plan, before *turn) (err error) {
	if pl.writes() && !p.cfg.DryRun && p.lease.Part == 0 {
		err = p.applyAhead(ctx, pl, before)
	} else if err = before.wait(); err == nil {
		p.marks.move(pl)
		err = p.applyIfDue(ctx, pl, before)
	}
	if err != nil {
		return err
	}
	p.done = pl.run
	p.paged = p.paged || pl.paged
	return nil
}

// applyAhead writes a plan, of which the store may begin with the customers
// before its turn has come.
func (p *pass) applyAhead(ctx context.Context, pl *plan, before *turn) error {
	pl.batch.Turn = sync.OnceValue(func() error {
		if err := before.wait(); err != nil {
			return err
		}
		p.marks.move(pl)
		return p.complete(&pl.batch)
	})
	return p.store(ctx, &pl.batch, before)
}

func (pl *plan) writes() bool {
	b := &pl.batch
	return len(b.Upserts)+len(b.Rejected)+len(b.Cleared)+len(b.Moved) > 0
}

// applyIfDue writes a plan of a partition, or a checkpoint that is due: unchanged
// customers cost no write.
func (p *pass) applyIfDue(ctx context.Context, pl *plan, before *turn) error {
	switch {
	case p.cfg.DryRun:
		return nil
	case pl.writes():
		return p.apply(ctx, &pl.batch, before)
	case p.marks.behind(): // nothing to write, nor a place to go on from
		return nil
	case p.cfg.Now().Sub(p.marks.savedAt) < checkpointEvery:
		return nil
	}
	return p.apply(ctx, &pl.batch, before)
}

func (p *pass) apply(ctx context.Context, b *padron.Batch, before *turn) error {
	if p.lease.Part > 0 {
		return p.applyPart(ctx, b, false, before)
	}
	if err := p.complete(b); err != nil {
		return err
	}
	return p.store(ctx, b, before)
}

// complete sets what a batch has besides its records.
func (p *pass) complete(b *padron.Batch) (err error) {
	b.Messages, b.At = p.cfg.Sealer.TakeMessages(), p.cfg.Now().UTC()
	b.Checkpoint, err = p.checkpoint()
	return err
}

// store writes a batch, and learns from it how large the next ones should be: by
// the time since the one before it was in the store.
func (p *pass) store(ctx context.Context, b *padron.Batch, before *turn) error {
	since := p.cfg.Now()
	err := p.cfg.Store.Apply(ctx, p.lease, b)
	if err == nil && b.Checkpoint != nil {
		p.saved()
	}
	if _ = before.wait(); before.at.After(since) {
		since = before.at
	}
	took := p.cfg.Now().Sub(since)
	p.stages.add(padron.StageWrite, took)
	p.sizer.wrote(len(b.Upserts)+len(b.Rejected)+len(b.Cleared), took)
	return err
}
