package api

import (
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"padron"
)

// span is the span of a request that has been answered: its method, its route's
// pattern and how it ended, as OpenTelemetry's conventions name them. otelhttp
// would add the path, which holds ids, and the caller's address. A caller's own
// trace is not joined: it could turn sampling on for itself.
func (a *API) span(c *call, status int, err error) {
	method := knownMethod(c.r.Method)
	_, span := otel.Tracer("padron/internal/api").Start(c.r.Context(), method+" "+c.pattern,
		oteltrace.WithTimestamp(c.start), oteltrace.WithSpanKind(oteltrace.SpanKindServer),
		oteltrace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", c.pattern),
			attribute.Int("http.response.status_code", status)))
	if err != nil {
		span.SetAttributes(attribute.String("error.type", string(padron.ErrorCode(err))))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, strconv.Itoa(status))
	}
	span.End(oteltrace.WithTimestamp(a.Now()))
}
