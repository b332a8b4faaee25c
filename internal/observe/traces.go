package observe

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
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
// specification says. Otherwise nothing is set up, and spans cost nothing. flush
// sends what is left. The error is [padron.CodeInvalid] about a value that is none
// of the specification's.
func Traces(ctx context.Context, service, version string, getenv func(string) (string, bool), logger *slog.Logger) (flush func(), err error) {
	if !tracesWanted(getenv) {
		return func() {}, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces", "error", err.Error()) }))
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, padron.Invalid("OTEL_TRACES_EXPORTER", "%v", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, padron.Invalid("OTEL_RESOURCE_ATTRIBUTES", "%v", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			logger.Warn("the last traces were not sent", "error", err.Error())
		}
	}, nil
}

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
