package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPanicIsAnError: a handler that panics fails like any other, and what it
// panicked with is not repeated.
func TestPanicIsAnError(t *testing.T) {
	h := func(http.ResponseWriter, *http.Request, *visit) error { panic("name of a customer") }
	err := unpanicked(h, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), &visit{})
	if err == nil || !strings.Contains(err.Error(), "panic: string") || strings.Contains(err.Error(), "customer") {
		t.Errorf("error %v", err)
	}
}
