package synchronizer

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"padron"
	"padron/internal/provider"
)

// batchBytes bounds the texts of a batch: its records may be few and large.
const batchBytes = 4 << 20

// gatherer makes batches of pages and sends them on. A batch is several pages or
// a part of one, so that it ends where the provider can be resumed, or says that
// it does not.
type gatherer struct {
	pass  *pass
	out   chan<- *batch
	batch *batch
	// limit is how many records a batch may have, bytes how many are in this one.
	limit, bytes int
}

// produce fetches pages and gathers them into batches. What was gathered before a
// fault is sent on all the same.
func (p *pass) produce(ctx context.Context, cursor string, out chan<- *batch) error {
	g := &gatherer{pass: p, out: out}
	g.begin()
	for page, err := range p.cfg.Provider.Pages(ctx, cursor) {
		if err != nil {
			traceNoPage(ctx, err)
			return errors.Join(err, g.send(ctx))
		}
		p.stages.add(padron.StageFetch, page.Fetch)
		p.stages.add(padron.StageDecode, page.Decode)
		if err := g.take(ctx, &page); err != nil {
			return err
		}
	}
	return g.send(ctx)
}

func (g *gatherer) begin() {
	g.limit, g.bytes = g.pass.sizer.limit(), 0
	g.batch = g.pass.newBatch(g.limit)
}

// take gathers a page, and sends what is full.
func (g *gatherer) take(ctx context.Context, page *provider.Page) error {
	from := tracePage(ctx, page)
	rest := page.Records
	n, size := g.fitting(rest)
	if n < len(rest) {
		if err := g.send(ctx); err != nil {
			return err
		}
		n, size = g.fitting(rest)
	}
	for {
		g.add(rest[:n], size, from)
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
		if err := g.send(ctx); err != nil {
			return err
		}
		n, size = g.fitting(rest)
	}
	g.batch.end(page)
	if len(g.batch.items) < g.limit {
		return nil
	}
	return g.send(ctx)
}

// fitting returns how many of the records the batch has room for, and how many
// bytes those have; an empty batch has room for any one.
func (g *gatherer) fitting(records []padron.Record) (n, size int) {
	count := len(g.batch.items)
	for n := range records {
		next := size + weight(&records[n])
		if count+n > 0 && (count+n == g.limit || g.bytes+next > batchBytes) {
			return n, size
		}
		size = next
	}
	return len(records), size
}

// weight is how many bytes of text a record has.
func weight(r *padron.Record) (bytes int) {
	for i := range r.Values {
		bytes += len(r.Values[i].Text)
	}
	return bytes
}

// add gathers records that have so many bytes.
func (g *gatherer) add(records []padron.Record, size int, from trace.SpanContext) {
	for i := range records {
		g.batch.items = append(g.batch.items, item{record: &records[i]})
	}
	g.bytes += size
	g.batch.from = append(g.batch.from, from)
}

// send hands the batch on, as soon as the next stage takes it: until then no page
// is asked for.
func (g *gatherer) send(ctx context.Context) error {
	if len(g.batch.items) == 0 {
		return nil
	}
	defer g.pass.stages.begin(padron.StageFetchBlocked)()
	select {
	case g.out <- g.batch:
		g.begin()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
