package api

import (
	"net/http"
	"testing"
)

func TestAcceptsJSON(t *testing.T) {
	tests := []struct {
		accept []string
		want   bool
	}{
		{nil, true},
		{[]string{"*/*"}, true},
		{[]string{"application/json"}, true},
		{[]string{"application/JSON; charset=utf-8"}, true},
		{[]string{"text/html, application/*;q=0.1"}, true},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"text/html"}, false},
		{[]string{"application/problem+json"}, false},
		{[]string{"application/json;q=0"}, false},
		{[]string{"application/json;q=0.000, */*;q=1"}, false},
		{[]string{"*/*;q=0"}, false},
		{[]string{"*/*;q=0, application/json"}, true},
		{[]string{"application/*;q=0, */*"}, false},
		{[]string{"application/json;q=NaN"}, false},
		{[]string{"application/json;q=high"}, false},
		{[]string{"nonsense/"}, false},
		{[]string{""}, false},
	}
	for _, tt := range tests {
		if got := acceptsJSON(tt.accept); got != tt.want {
			t.Errorf("acceptsJSON(%q) = %t, want %t", tt.accept, got, tt.want)
		}
	}
}

func TestIsJSON(t *testing.T) {
	tests := []struct {
		contentType, encoding string
		want                  bool
	}{
		{"application/json", "", true},
		{"Application/JSON; charset=UTF-8", "", true},
		{"application/json; charset=latin1", "", false},
		{"application/json", "gzip", false},
		{"text/json", "", false},
		{"application/json, text/plain", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set("Content-Type", tt.contentType)
		if tt.encoding != "" {
			h.Set("Content-Encoding", tt.encoding)
		}
		if got := isJSON(h); got != tt.want {
			t.Errorf("isJSON(%q, %q) = %t, want %t", tt.contentType, tt.encoding, got, tt.want)
		}
	}
}
