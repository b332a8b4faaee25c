package awstest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Allow says which calls of KMS a role may make: the call's name and the
// purposes of its encryption context.
type Allow map[string][]string

// Guard is a way to the services that enforces a role's key policy, as KMS does
// and moto does not.
type Guard struct {
	URL     string
	mu      sync.Mutex
	refused []string
}

// NewGuard serves until the test ends.
func NewGuard(t testing.TB, allow Allow) *Guard {
	t.Helper()
	upstream, err := url.Parse(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	g := &Guard{}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call, isKMS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService."); isKMS && !g.allows(t, allow, call, r) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","message":"not allowed by the test's policy"}`))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	g.URL = srv.URL
	return g
}

func (g *Guard) allows(t testing.TB, allow Allow, call string, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct {
		KeyID             string `json:"KeyId"`
		EncryptionContext map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil || in.KeyID == "" {
		t.Errorf("%s without a key's id: %v", call, err)
	}
	purpose := in.EncryptionContext["purpose"]
	if slices.Contains(allow[call], purpose) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = append(g.refused, call+" "+purpose)
	return false
}

// Refused are the calls that were refused, each as its name and purpose.
func (g *Guard) Refused() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}
