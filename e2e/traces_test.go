package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"padron/internal/provider/providertest"
)

// receiver takes traces as a collector does: OTLP over HTTP.
type receiver struct {
	url string

	mu       sync.Mutex
	resource []string // "service.name=synchronizer"
	spans    []*otlp.Span
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || req.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
			t.Errorf("not traces: %s %s", req.Method, req.URL.Path)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.take(&sent)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *receiver) take(sent *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, from := range sent.GetResourceSpans() {
		r.resource = append(r.resource, pairs(from.GetResource().GetAttributes())...)
		for _, scope := range from.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
}

// named returns the spans with a name.
func (r *receiver) named(name string) []*otlp.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.spans), func(s *otlp.Span) bool { return s.GetName() != name })
}

func pairs(attributes []*common.KeyValue) []string {
	var out []string
	for _, a := range attributes {
		out = append(out, a.GetKey()+"="+a.GetValue().GetStringValue())
	}
	return out
}

// TestTraces: a run is the root, its pages are below it, and each batch below the
// page that filled it. Nobody's data are in it, nor the provider's address, and
// the provider hears nothing of it.
func TestTraces(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 9000, Seed: 5, Dirty: -1}, func(_ int64, _ http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
			if r.Header.Get(name) != "" {
				t.Errorf("the provider was sent %s", name)
			}
		}
	})
	r, dir := newReceiver(t), t.TempDir()
	env := []string{"PADRON_PROVIDER_URL=" + url, "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.url, "OTEL_RESOURCE_ATTRIBUTES=deployment.environment=test"}
	mustRun(t, dir, env, "synchronizer", "run", "--paging", "page", "--page-size", "1000")

	runs, pages, batches := r.named("run"), r.named("page"), r.named("batch")
	if len(runs) != 1 || len(pages) < 9 || len(batches) == 0 || len(r.spans) != 1+len(pages)+len(batches) {
		t.Fatalf("%d runs, %d pages, %d batches of %d spans", len(runs), len(pages), len(batches), len(r.spans))
	}
	if len(runs[0].GetParentSpanId()) != 0 {
		t.Error("the run is not the root")
	}
	wantBelow(t, pages, runs)
	wantBelow(t, batches, pages)
	wantInBatches(t, pages, batches)
	if n := records(pages); n != 9000 || records(batches) != n {
		t.Errorf("%d records in pages, %d in batches", n, records(batches))
	}
	for _, want := range []string{"service.name=synchronizer", "deployment.environment=test"} {
		if !slices.Contains(r.resource, want) {
			t.Errorf("resource %v lacks %s", r.resource, want)
		}
	}
	wantNothingElse(t, r, strings.TrimPrefix(url, "http://"))
}

// wantBelow checks that each span's parent is one of the parents.
func wantBelow(t *testing.T, spans, parents []*otlp.Span) {
	t.Helper()
	for _, s := range spans {
		if !slices.ContainsFunc(parents, func(p *otlp.Span) bool {
			return string(p.GetSpanId()) == string(s.GetParentSpanId()) && string(p.GetTraceId()) == string(s.GetTraceId())
		}) {
			t.Errorf("a %s is below none of the %d", s.GetName(), len(parents))
		}
	}
}

// wantInBatches checks that each page with records has a batch below it, or one
// that is linked to it.
func wantInBatches(t *testing.T, pages, batches []*otlp.Span) {
	t.Helper()
	from := map[string]bool{}
	for _, b := range batches {
		from[string(b.GetParentSpanId())] = true
		for _, link := range b.GetLinks() {
			from[string(link.GetSpanId())] = true
		}
	}
	for _, p := range pages {
		if records([]*otlp.Span{p}) > 0 && !from[string(p.GetSpanId())] {
			t.Error("a page is in no batch")
		}
	}
}

// records adds up what the spans say of records.
func records(spans []*otlp.Span) (n int64) {
	for _, s := range spans {
		for _, a := range s.GetAttributes() {
			if a.GetKey() == "padron.records" {
				n += a.GetValue().GetIntValue()
			}
		}
	}
	return n
}

// wantNothingElse checks that the spans hold counts and words that are known, and
// not the address.
func wantNothingElse(t *testing.T, r *receiver, address string) {
	t.Helper()
	known := []string{"padron.run_id", "padron.outcome", "error.type", "http.request.method", "http.route"}
	host, _, _ := strings.Cut(address, "/")
	for _, s := range r.spans {
		for _, a := range s.GetAttributes() {
			if _, text := a.GetValue().GetValue().(*common.AnyValue_StringValue); text && !slices.Contains(known, a.GetKey()) {
				t.Errorf("%s has the text %s", s.GetName(), a.GetKey())
			}
		}
		if strings.Contains(s.String(), host) {
			t.Errorf("%s tells the address: %s", s.GetName(), s)
		}
	}
}

// TestTracesOfFailure: what went wrong is told by its class.
func TestTracesOfFailure(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer srv.Close()
	r := newReceiver(t)
	env := []string{"PADRON_PROVIDER_URL=" + srv.URL, "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + r.url + "/v1/traces"}
	if got := run(t, t.TempDir(), env, "synchronizer", "run"); got.code != 1 {
		t.Fatalf("exit %d: %s", got.code, got.stderr)
	}
	for _, name := range []string{"run", "page"} {
		spans := r.named(name)
		if len(spans) != 1 || spans[0].GetStatus().GetMessage() != "unavailable" || !slices.Contains(pairs(spans[0].GetAttributes()), "error.type=unavailable") {
			t.Errorf("%s: %v", name, spans)
		}
	}
	wantNothingElse(t, r, strings.TrimPrefix(srv.URL, "http://"))
}

// TestTracesOfRequests: a request's span has the route's pattern, not the path.
func TestTracesOfRequests(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 20, Seed: 6, Dirty: -1}, nil)
	r, dir := newReceiver(t), t.TempDir()
	syncOnce(t, dir, url)
	token := strings.TrimSpace(mustRun(t, dir, nil, "padron", "token", "create", "--role", "viewer", "--name", "traces").stdout)
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.url, "OTEL_BSP_SCHEDULE_DELAY=60000"}
	p := start(t, dir, env, "customers-mngr", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	base := servedAt(t, p)
	call(t, http.MethodGet, base+"/v1/customers/17?fields=user_name", token, "")
	call(t, http.MethodGet, base+"/v1/customers/no-such-customer", token, "")
	p.stop(t) // and sends what is left
	spans := r.named("GET /v1/customers/{id}")
	if len(spans) != 2 || spans[0].GetKind() != otlp.Span_SPAN_KIND_SERVER || !slices.Contains(pairs(spans[1].GetAttributes()), "error.type=not_found") {
		t.Fatalf("spans: %v", r.spans)
	}
	for _, s := range r.spans {
		if text := s.String(); strings.Contains(text, "no-such-customer") || strings.Contains(text, "user_name") {
			t.Errorf("a span tells too much: %s", text)
		}
	}
}

// TestNoTraces: without a word about traces, and with one against them, none are
// sent; a word that means nothing is refused.
func TestNoTraces(t *testing.T) {
	_, url := provide(t, providertest.Options{Customers: 5, Seed: 7, Dirty: -1}, nil)
	r := newReceiver(t)
	for _, off := range []string{"OTEL_TRACES_EXPORTER=none", "OTEL_SDK_DISABLED=true"} {
		env := []string{"PADRON_PROVIDER_URL=" + url, "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.url, off}
		mustRun(t, t.TempDir(), env, "synchronizer", "run")
	}
	if len(r.spans) > 0 {
		t.Errorf("%d spans", len(r.spans))
	}
	if got := run(t, t.TempDir(), []string{"OTEL_TRACES_EXPORTER=smoke"}, "padron", "runs"); got.code != 2 || !strings.Contains(got.stderr, "OTEL_TRACES_EXPORTER") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}
