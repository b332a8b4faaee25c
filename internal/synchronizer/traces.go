package synchronizer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"padron"
	"padron/internal/provider"
)

// Spans are run, the pages of it, and below each page the batch that it filled;
// the other pages in a batch are linked. They hold counts and classes of errors,
// nothing of a customer and no address. Nothing of them reaches the provider.

func tracer() trace.Tracer { return otel.Tracer("padron/internal/synchronizer") }

// traceRun begins the span of a run, a partition or the end of a divided run.
func traceRun(ctx context.Context, what, id string) (context.Context, trace.Span) {
	return tracer().Start(ctx, what, trace.WithAttributes(attribute.String("padron.run_id", id)))
}

// endRun ends it with what the run did.
func endRun(span trace.Span, run *padron.Run, err error) {
	span.SetAttributes(attribute.String("padron.outcome", string(run.Outcome)), attribute.Int64("padron.read", run.Read),
		attribute.Int64("padron.inserted", run.Inserted), attribute.Int64("padron.updated", run.Updated),
		attribute.Int64("padron.unchanged", run.Unchanged), attribute.Int64("padron.deleted", run.Deleted),
		attribute.Int64("padron.quarantined", run.Quarantined), attribute.Int64("padron.duplicates", run.Duplicates))
	if run.Outcome == padron.OutcomeSkipped {
		err = nil // that another run is at work is no fault
	}
	endSpan(span, err)
}

// tracePage is the span of a page that has arrived.
func tracePage(ctx context.Context, page *provider.Page) trace.SpanContext {
	now := time.Now()
	_, span := tracer().Start(ctx, "page", trace.WithTimestamp(now.Add(-page.Fetch-page.Decode)),
		trace.WithAttributes(attribute.Int("padron.records", len(page.Records))))
	span.End(trace.WithTimestamp(now))
	return span.SpanContext()
}

// traceNoPage is the span of a page that did not arrive.
func traceNoPage(ctx context.Context, err error) {
	_, span := tracer().Start(ctx, "page")
	endSpan(span, err)
}

// traceBatch begins the span of a batch, below the page that filled it.
func traceBatch(ctx context.Context, b *batch) trace.Span {
	var links []trace.Link
	for i, page := range b.from {
		if i == len(b.from)-1 {
			ctx = trace.ContextWithSpanContext(ctx, page)
			break
		}
		links = append(links, trace.Link{SpanContext: page})
	}
	_, span := tracer().Start(ctx, "batch",
		trace.WithLinks(links...), trace.WithAttributes(attribute.Int("padron.records", len(b.items))))
	return span
}

// endBatch ends it with what was written.
func endBatch(pl *plan, err error) {
	pl.span.SetAttributes(attribute.Int("padron.written", len(pl.batch.Upserts)), attribute.Int("padron.rejected", len(pl.batch.Rejected)))
	endSpan(pl.span, err)
}

// endSpan ends a span; of an error it tells the class, since its text may name
// the provider's address.
func endSpan(span trace.Span, err error) {
	if err != nil {
		class := errorClass(err)
		span.SetStatus(codes.Error, class)
		span.SetAttributes(attribute.String("error.type", class))
	}
	span.End()
}

func errorClass(err error) string {
	for _, known := range []struct {
		err   error
		class string
	}{
		{errRefused, "refused"}, {padron.ErrLeaseHeld, "lease_held"}, {padron.ErrLeaseLost, "lease_lost"},
		{context.Canceled, "interrupted"}, {context.DeadlineExceeded, "timeout"},
	} {
		if errors.Is(err, known.err) {
			return known.class
		}
	}
	return string(padron.ErrorCode(err))
}
