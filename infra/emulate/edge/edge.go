// Package edge stands between a program and an emulated account, for tests: it
// answers in the account's place what the emulation cannot do, such as to run a
// command at an instance, and hands on everything else.
package edge

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"padron/infra/emulate"
)

// Answer returns the document that answers a request with this body, nil where
// the account answers for itself.
type Answer func(body []byte) any

// Answers are given in the account's place, by the name of the action, such as
// SendCommand. Actions of services that speak XML are not seen.
type Answers map[string]Answer

// Handler is the account behind the answers.
func Handler(t testing.TB, account *emulate.Account, answers Answers) http.Handler {
	t.Helper()
	behind, err := url.Parse(account.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if answer := answers[action]; answer != nil {
			body, _ := io.ReadAll(r.Body)
			if document := answer(body); document != nil {
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				_ = json.NewEncoder(w).Encode(document)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		proxy.ServeHTTP(w, r)
	})
}

// Open serves the account behind the answers until the test ends, and returns
// the address.
func Open(t testing.TB, account *emulate.Account, answers Answers) string {
	t.Helper()
	server := httptest.NewServer(Handler(t, account, answers))
	t.Cleanup(server.Close)
	return server.URL
}

// Always is the same document for every request.
func Always(document any) Answer { return func([]byte) any { return document } }
