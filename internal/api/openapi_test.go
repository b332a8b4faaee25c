package api

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"padron"
)

// specDocument is the OpenAPI document as a judge of answers.
type specDocument struct{ doc *openapi3.T }

func loadDocument(t testing.TB) specDocument {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return specDocument{doc}
}

// check returns an error where the answer is not what the document says of the
// operation: status, headers, media type and body.
func (d specDocument) check(method, pattern string, resp *http.Response, body []byte) error {
	item := d.doc.Paths.Value(pattern)
	if item == nil || item.GetOperation(method) == nil {
		return d.checkProblem(body)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: resp.Request,
			Route:   &routers.Route{Spec: d.doc, Path: pattern, PathItem: item, Method: method, Operation: item.GetOperation(method)},
		},
		Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: pattern == "/docs"},
	}
	return openapi3filter.ValidateResponse(context.Background(), input)
}

// checkProblem judges answers that belong to no operation: 404 and 405.
func (d specDocument) checkProblem(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	return d.doc.Components.Schemas["Problem"].Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
}

func TestDocumentIsValid(t *testing.T) {
	d := loadDocument(t)
	if err := d.doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	if d.doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", d.doc.OpenAPI)
	}
}

func TestDocumentAndRoutesAgree(t *testing.T) {
	var documented, served []string
	for path, item := range loadDocument(t).doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	for _, rt := range routes() {
		served = append(served, rt.method+" "+rt.pattern)
	}
	slices.Sort(documented)
	slices.Sort(served)
	if diff := cmp.Diff(served, documented); diff != "" {
		t.Errorf("routes and document (-served +documented):\n%s", diff)
	}
}

func TestDocumentNamesTheCodes(t *testing.T) {
	var documented, known []string
	for _, code := range loadDocument(t).doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		documented = append(documented, code.(string))
	}
	for _, p := range problemKinds() {
		known = append(known, p.Code)
	}
	slices.Sort(documented)
	slices.Sort(known)
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("codes (-known +documented):\n%s", diff)
	}
}

// TestDocumentExamples: every example in a schema is valid by that schema.
func TestDocumentExamples(t *testing.T) {
	examples := 0
	for name, schema := range loadDocument(t).doc.Components.Schemas {
		for _, example := range schema.Value.Examples {
			examples++
			if err := schema.Value.VisitJSON(example, openapi3.EnableJSONSchema2020()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if examples < 10 {
		t.Errorf("%d examples, want at least 10", examples)
	}
}

// TestEveryPartOfARunIsDocumented: a run with everything in it has what the
// schema names, and nothing else.
func TestEveryPartOfARunIsDocumented(t *testing.T) {
	run := padron.Run{Reasons: map[padron.Reason]int64{"id:missing": 1}, StartedAt: time.Unix(1, 0)}
	fill(reflect.ValueOf(&run).Elem())
	run.Outcome = padron.OutcomeCompleted
	data, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	schema := loadDocument(t).doc.Components.Schemas["Run"].Value
	if diff := cmp.Diff(slices.Sorted(maps.Keys(schema.Properties)), slices.Sorted(maps.Keys(report))); diff != "" {
		t.Errorf("parts of a run (-documented +sent):\n%s", diff)
	}
	if err := schema.VisitJSON(report, openapi3.EnableJSONSchema2020()); err != nil {
		t.Error(err)
	}
}

// fill sets what is empty in a struct, so that nothing is left out of its JSON.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case !f.IsZero():
		case f.Kind() == reflect.String:
			f.SetString("x")
		case f.Kind() == reflect.Int64:
			f.SetInt(int64(time.Second))
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case f.Kind() == reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
			value := reflect.New(f.Type().Elem()).Elem()
			value.SetInt(int64(time.Second))
			f.SetMapIndex(reflect.ValueOf("x").Convert(f.Type().Key()), value)
		}
	}
}

// TestCheckCanFail: the judge refuses answers that are not as documented.
func TestCheckCanFail(t *testing.T) {
	good := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"a"}, "Cache-Control": {"no-store"}, "Etag": {`"abc"`}}
	without := func(name string) http.Header {
		h := maps.Clone(good)
		delete(h, name)
		return h
	}
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		ok     bool
	}{
		{"as documented", 200, good, `{"id":"1"}`, true},
		{"status", 418, good, `{"id":"1"}`, false},
		{"missing id", 200, good, `{}`, false},
		{"unknown field", 200, good, `{"id":"1","credit_card_ccv":"000"}`, false},
		{"card number in full", 200, good, `{"id":"1","card_number":"4111 1111 1111 1111"}`, false},
		{"null field", 200, good, `{"id":"1","user_name":null}`, false},
		{"no ETag", 200, without("Etag"), `{"id":"1"}`, false},
		{"no Cache-Control", 200, without("Cache-Control"), `{"id":"1"}`, false},
		{"media type", 200, http.Header{"Content-Type": {"text/plain"}}, `{"id":"1"}`, false},
	}
	d := loadDocument(t)
	for _, tt := range tests {
		resp := &http.Response{StatusCode: tt.status, Header: tt.header, Request: &http.Request{Method: http.MethodGet}}
		if err := d.check(http.MethodGet, "/v1/customers/{id}", resp, []byte(tt.body)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if d.checkProblem([]byte(`{"title":"x"}`)) == nil {
		t.Error("half a problem passes")
	}
}

func TestDocs(t *testing.T) {
	page, err := renderDocs("v9.8.7")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, rt := range routes() {
		if !strings.Contains(text, rt.pattern) {
			t.Errorf("the page lacks %s", rt.pattern)
		}
	}
	for _, want := range []string{"v9.8.7", `id="rate_limited"`, "from 1, to 1000, default 50", `--json &#39;{`, "Roles: admin."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{"<script", "<link", "http://", "src=", "@import", "url("} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q", not)
		}
	}
	_, rest, _ := strings.Cut(text, "<style>")
	if style, _, _ := strings.Cut(rest, "</style>"); style != docsCSS {
		t.Error("the style sheet is not the one that the Content-Security-Policy names")
	}
}

// TestDocsLinks: every link of the page leads to somewhere on it or to the
// document, and the types of problems do.
func TestDocsLinks(t *testing.T) {
	page, err := renderDocs("")
	if err != nil {
		t.Fatal(err)
	}
	links := strings.Split(string(page), `href="`)[1:]
	for _, link := range links {
		target, _, _ := strings.Cut(link, `"`)
		if id, inside := strings.CutPrefix(target, "#"); inside && !bytes.Contains(page, []byte(`id="`+id+`"`)) {
			t.Errorf("%s leads nowhere", target)
		} else if !inside && target != "/openapi.json" {
			t.Errorf("%s leads away", target)
		}
	}
	if len(links) < 40 {
		t.Errorf("%d links, want an index and schemas", len(links))
	}
}
