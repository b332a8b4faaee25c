package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"padron"
	"padron/internal/reader"
)

func ok(body []byte) response {
	return response{status: http.StatusOK, contentType: "application/json", body: body}
}

// encoded answers with v as JSON.
func encoded(v any) (response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return response{}, err
	}
	return ok(body), nil
}

func customer(v padron.View) (response, error) {
	body, err := appendView(make([]byte, 0, room(&v)), &v)
	return ok(body), err
}

func customersPage(p reader.Page) (response, error) {
	body, err := appendViews(p.Customers)
	if err != nil {
		return response{}, err
	}
	body = append(body, `,"next_page_token":`...)
	if body, err = jsontext.AppendQuote(body, p.NextPageToken); err != nil {
		return response{}, err
	}
	return ok(append(body, '}')), nil
}

func searchResult(r reader.SearchResult) (response, error) {
	body, err := appendViews(r.Customers)
	if err != nil {
		return response{}, err
	}
	body = append(body, `,"truncated":`...)
	return ok(append(strconv.AppendBool(body, r.Truncated), '}')), nil
}

// appendViews writes an object up to the end of its customers.
func appendViews(views []padron.View) ([]byte, error) {
	size := 0
	for i := range views {
		size += room(&views[i])
	}
	b := append(make([]byte, 0, size+pageRoom), `{"customers":[`...)
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendView(b, &views[i]); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// pageRoom is the room set aside for what stands around the customers of a page,
// in bytes.
const pageRoom = 512

// room is what a view's JSON takes, in bytes, unless something in it is escaped.
func room(v *padron.View) int {
	n := 2
	for i, f := range v.Fields() {
		n += len(f.String()) + len(v.Texts()[i]) + len(`"":"",`)
	}
	return n
}

// appendView writes what [padron.View.MarshalJSON] writes, without reflection:
// it is most of the work of a page.
func appendView(b []byte, v *padron.View) ([]byte, error) {
	b = append(b, '{')
	fields := v.Fields()
	for i, text := range v.Texts() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, fields[i].String()...)
		b = append(b, `":`...)
		if fields[i] == padron.FieldPurchases {
			b = append(b, text...)
			continue
		}
		var err error
		if b, err = jsontext.AppendQuote(b, text); err != nil {
			// The cause is left out: it may quote the value.
			return nil, padron.Errorf(padron.CodeInternal, "customer %s has a %s that is not UTF-8", v.ID, fields[i])
		}
	}
	return append(b, '}'), nil
}

// etag returns a strong entity tag of a body (RFC 9110 section 8.8.3): 128 bits
// of its SHA-256. It tells nobody more than the body it came with.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// matches reports whether If-None-Match headers name the tag, by the weak
// comparison that RFC 9110 section 13.1.2 calls for.
func matches(headers []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
