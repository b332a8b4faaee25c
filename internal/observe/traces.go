package observe

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"padron"
)

// flushTime bounds how long a command that ends waits for its last spans to be
// taken: less than the 5 s in which a service must stop.
const flushTime = 2 * time.Second

// Traces sends this process's spans where OpenTelemetry's variables ask for it:
// OTEL_TRACES_EXPORTER (otlp, console, none), or an endpoint in
// OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT. The others
// (protocol, headers, certificates, sampler, resource, batches) work as their
// specification says. Otherwise nothing is set up, and spans cost nothing. Spans
// for a person go to console, since standard output is for a command's results.
// flush, which is never nil, sends what is left. The error is [padron.CodeInvalid]
// about a value that is none of the specification's.
func Traces(ctx context.Context, service, version string, getenv func(string) (string, bool), console io.Writer, logger *slog.Logger) (flush func(), err error) {
	if !tracesWanted(getenv) {
		return func() {}, nil
	}
	otel.SetLogger(logr.FromSlogHandler(complaints{logger}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces", "error", short(err.Error())) }))
	exporter, err := newExporter(ctx, getenv, console)
	if err != nil {
		return func() {}, padron.Invalid("OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_PROTOCOL", "%v", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return func() {}, padron.Invalid("OTEL_RESOURCE_ATTRIBUTES", "is no list of key=value")
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			logger.Warn("the last traces were not sent", "error", short(err.Error()))
		}
	}, nil
}

// newExporter is the exporter that the variables name.
func newExporter(ctx context.Context, getenv func(string) (string, bool), console io.Writer) (sdk.SpanExporter, error) {
	if name, _ := getenv("OTEL_TRACES_EXPORTER"); name == "console" {
		return stdouttrace.New(stdouttrace.WithWriter(console))
	}
	return autoexport.NewSpanExporter(ctx)
}

// short bounds a text that a collector may have had its say in.
func short(text string) string {
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// complaints is where OpenTelemetry's own log goes: what is wrong with its
// variables, without their values, which may be keys.
type complaints struct{ logger *slog.Logger }

// Enabled takes errors and warnings, which are logr's level 1.
func (complaints) Enabled(_ context.Context, level slog.Level) bool { return level >= -1 }

// Handle implements [slog.Handler].
func (c complaints) Handle(ctx context.Context, r slog.Record) error {
	c.logger.WarnContext(ctx, "traces: check the variables OTEL_*", "about", r.Message)
	return nil
}

// WithAttrs implements [slog.Handler].
func (c complaints) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements [slog.Handler].
func (c complaints) WithGroup(string) slog.Handler { return c }

// tracesWanted reports whether the environment asks for traces. By OpenTelemetry's
// specification they are on unless it says otherwise; here they are off unless it
// says how, or where to.
func tracesWanted(getenv func(string) (string, bool)) bool {
	set := func(name string) bool { v, _ := getenv(name); return v != "" }
	exporter, _ := getenv("OTEL_TRACES_EXPORTER")
	if off, _ := getenv("OTEL_SDK_DISABLED"); strings.EqualFold(off, "true") || exporter == "none" {
		return false
	}
	return exporter != "" || set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
}
