package api

import (
	"net/http"
	"strings"
	"testing"

	"padron"
)

// TestStatuses: each way to be refused has its status, code and field, and its
// place on the audit record if the principal is known.
func TestStatuses(t *testing.T) {
	const search, reveal = "/v1/customers/search", "/v1/customers/c-1/reveal"
	const why = `"purpose":"a purpose of some length"`
	big := `{"user_name":"` + strings.Repeat("x", MaxBody) + `"}`
	tests := []struct {
		name         string
		role         padron.Role
		method, path string
		body         string
		headers      []string
		status       int
		code, field  string
		outcome      string // "" where nothing goes on the record
	}{
		{"no credential", "", "GET", "/v1/me", "", nil, 401, "unauthenticated", "", ""},
		{"not bearer", "", "GET", "/v1/me", "", []string{"Authorization", "Basic YTpi"}, 401, "unauthenticated", "", ""},
		{"bad token", "", "GET", "/v1/me", "", []string{"Authorization", "Bearer x"}, 401, "unauthenticated", "", ""},
		{"401 before 422", "", "GET", "/v1/customers?page_size=0", "", nil, 401, "unauthenticated", "", ""},
		{"may not list", "auditor", "GET", "/v1/customers", "", nil, 403, "forbidden", "", padron.AuditDenied},
		{"may not get", "operator", "GET", "/v1/customers/c-1", "", nil, 403, "forbidden", "", padron.AuditDenied},
		{"403 before 404", "privacy", "GET", "/v1/customers/none", "", nil, 403, "forbidden", "", padron.AuditDenied},
		{"403 before 422", "viewer", "POST", search, `{"`, nil, 403, "forbidden", "", padron.AuditDenied},
		{"may not see the field", "viewer", "GET", "/v1/customers/c-1?fields=card_number", "", nil, 403, "forbidden", "fields", padron.AuditDenied},
		{"may not list the field", "analyst", "GET", "/v1/customers?fields=id,birthday", "", nil, 403, "forbidden", "fields", padron.AuditDenied},
		{"may not find the field", "analyst", "POST", search + "?fields=ip_address", `{"user_name":"a"}`, nil, 403, "forbidden", "fields", padron.AuditDenied},
		{"may not filter by a count", "viewer", "GET", "/v1/customers?purchases_min=7", "", nil, 403, "forbidden", "purchases_min", padron.AuditDenied},
		{"may not filter by a count's end", "viewer", "GET", "/v1/customers?fields=id&purchases_max=7", "", nil, 403, "forbidden", "purchases_max", padron.AuditDenied},
		{"may not filter by a colour", "viewer", "GET", "/v1/customers?favorite_color=x", "", nil, 403, "forbidden", "favorite_color", padron.AuditDenied},
		{"may not filter by a car", "viewer", "GET", "/v1/customers?car_type=Van", "", nil, 403, "forbidden", "car_type", padron.AuditDenied},
		{"may not reveal", "analyst", "POST", reveal, `{"fields":["card_number"],` + why + `}`, nil, 403, "forbidden", "", padron.AuditDenied},
		{"unknown path", "admin", "GET", "/v1/nothing", "", nil, 404, "not_found", "", ""},
		{"trailing slash", "admin", "GET", "/v1/customers/", "", nil, 404, "not_found", "", ""},
		{"outside v1", "admin", "GET", "/", "", nil, 404, "not_found", "", ""},
		{"other case", "admin", "GET", "/V1/customers", "", nil, 404, "not_found", "", ""},
		{"unknown customer", "viewer", "GET", "/v1/customers/none", "", nil, 404, "not_found", "", padron.AuditNotFound},
		{"reveal of unknown", "admin", "POST", "/v1/customers/none/reveal", `{"fields":["card_number"],` + why + `}`, nil, 404, "not_found", "", padron.AuditNotFound},
		{"unknown run", "operator", "GET", "/v1/runs/none", "", nil, 404, "not_found", "", padron.AuditNotFound},
		{"method", "admin", "DELETE", "/v1/customers/c-1", "", nil, 405, "method_not_allowed", "", ""},
		{"accept", "admin", "GET", "/v1/customers", "", []string{"Accept", "text/html"}, 406, "not_acceptable", "", padron.AuditInvalid},
		{"too large", "admin", "POST", search, big, nil, 413, "too_large", "body", padron.AuditInvalid},
		{"media type", "admin", "POST", search, "a=b", []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", "", padron.AuditInvalid},
		{"no media type", "admin", "POST", search, "a=b", []string{"Content-Type", ""}, 415, "unsupported_media_type", "", padron.AuditInvalid},
		{"bad id", "viewer", "GET", "/v1/customers/a%20b", "", nil, 422, "invalid", "id", padron.AuditInvalid},
		{"long id", "viewer", "GET", "/v1/customers/" + strings.Repeat("x", 65), "", nil, 422, "invalid", "id", padron.AuditInvalid},
		{"unknown field", "viewer", "GET", "/v1/customers?fields=id,secret", "", nil, 422, "invalid", "fields", padron.AuditInvalid},
		{"page size", "viewer", "GET", "/v1/customers?page_size=1001", "", nil, 422, "invalid", "page_size", padron.AuditInvalid},
		{"page token", "viewer", "GET", "/v1/customers?page_token=abc", "", nil, 422, "invalid", "page_token", padron.AuditInvalid},
		{"unknown parameter", "viewer", "GET", "/v1/customers/c-1?verbose=1", "", nil, 422, "invalid", "verbose", padron.AuditInvalid},
		{"twice", "operator", "GET", "/v1/quarantine?page_size=1&page_size=2", "", nil, 422, "invalid", "page_size", padron.AuditInvalid},
		{"me takes none", "viewer", "GET", "/v1/me?x=1", "", nil, 422, "invalid", "x", padron.AuditInvalid},
		{"runs take none", "operator", "GET", "/v1/runs?limit=1", "", nil, 422, "invalid", "limit", padron.AuditInvalid},
		{"run takes none", "operator", "GET", "/v1/runs/r?limit=1", "", nil, 422, "invalid", "limit", padron.AuditInvalid},
		{"audit range", "auditor", "GET", "/v1/audit?from=2025-01-01T00:00:00Z&to=2024-01-01T00:00:00Z", "", nil, 422, "invalid", "from", padron.AuditInvalid},
		{"audit customer", "auditor", "GET", "/v1/audit?customer_id=a%20b", "", nil, 422, "invalid", "customer_id", padron.AuditInvalid},
		{"quarantine token", "operator", "GET", "/v1/quarantine?page_token=abc", "", nil, 422, "invalid", "page_token", padron.AuditInvalid},
		{"audit token", "auditor", "GET", "/v1/audit?page_token=abc", "", nil, 422, "invalid", "page_token", padron.AuditInvalid},
		{"malformed", "admin", "POST", search, `{"user_name":`, nil, 422, "invalid", "body", padron.AuditInvalid},
		{"two searches", "admin", "POST", search, `{"user_name":"a","zip_code":"00001"}`, nil, 422, "invalid", "body", padron.AuditInvalid},
		{"search value", "admin", "POST", search, `{"zip_code":"1"}`, nil, 422, "invalid", "zip_code", padron.AuditInvalid},
		{"no purpose", "admin", "POST", reveal, `{"fields":["card_number"]}`, nil, 422, "invalid", "purpose", padron.AuditInvalid},
		{"short purpose", "admin", "POST", reveal, `{"fields":["card_number"],"purpose":"because"}`, nil, 422, "invalid", "purpose", padron.AuditInvalid},
		{"no fields", "admin", "POST", reveal, `{"fields":[],` + why + `}`, nil, 422, "invalid", "fields", padron.AuditInvalid},
		{"never revealable", "admin", "POST", reveal, `{"fields":["user_name"],` + why + `}`, nil, 422, "invalid", "fields", padron.AuditInvalid},
		{"no such field", "admin", "POST", reveal, `{"fields":["ccv"],` + why + `}`, nil, 422, "invalid", "fields", padron.AuditInvalid},
		{"reveal takes none", "admin", "POST", reveal + "?fields=id", `{"fields":["card_number"],` + why + `}`, nil, 422, "invalid", "fields", padron.AuditInvalid},
	}
	s := newServer(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			before := len(s.reg.Entries(t))
			p := s.send(tt.role, tt.method, tt.path, tt.body, tt.headers...).problem(t)
			if p.Status != tt.status || p.Code != tt.code || p.Field != tt.field {
				t.Errorf("got %d %s about %q (%s), want %d %s about %q", p.Status, p.Code, p.Field, p.Detail, tt.status, tt.code, tt.field)
			}
			entries := s.reg.Entries(t)[before:]
			switch {
			case tt.outcome == "" && len(entries) > 0:
				t.Errorf("%d entries on the record, want none", len(entries))
			case tt.outcome != "" && (len(entries) != 1 || entries[0].Outcome != tt.outcome || entries[0].RequestID != p.RequestID):
				t.Errorf("entries %+v, want one %s", entries, tt.outcome)
			}
		})
	}
}

func TestHeadersOfRefusals(t *testing.T) {
	s := newServer(t)
	tests := []struct {
		name   string
		a      answer
		header string
		want   string
	}{
		{"401", s.get("", "/v1/me"), "WWW-Authenticate", `Bearer realm="padron"`},
		{"405 get", s.send("admin", http.MethodPut, "/v1/customers", "{}"), "Allow", "GET, HEAD"},
		{"405 post", s.get("admin", "/v1/customers/c-1/reveal"), "Allow", "POST"},
		{"405 search", s.send("admin", http.MethodPut, "/v1/customers/search", "{}"), "Allow", "GET, HEAD, POST"},
		{"405 public", s.post("", "/healthz", "{}"), "Allow", "GET, HEAD"},
		{"405 options", s.send("", http.MethodOptions, "/v1/me", ""), "Allow", "GET, HEAD"},
		{"415", s.post("admin", "/v1/customers/search", "x", "Content-Type", "text/csv"), "Accept", "application/json"},
	}
	for _, tt := range tests {
		if got := tt.a.header.Get(tt.header); got != tt.want {
			t.Errorf("%s: %s %q, want %q", tt.name, tt.header, got, tt.want)
		}
	}
}

func TestTwoCredentialsAreNone(t *testing.T) {
	s := newServer(t)
	req, err := http.NewRequest(http.MethodGet, s.http.URL+"/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Add("Authorization", "Bearer "+s.tokens["viewer"])
	req.Header.Add("Authorization", "Bearer "+s.tokens["admin"])
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.read(resp); a.status != http.StatusUnauthorized {
		t.Errorf("status %d", a.status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	s := newServer(t)
	answers := []answer{
		s.get("viewer", "/v1/customers/c-1"), s.get("", "/v1/me"), s.get("", "/healthz"),
		s.get("", "/openapi.json"), s.get("", "/docs"), s.get("", "/v1/none"),
	}
	for i, a := range answers {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if a.header.Get(name) != want {
				t.Errorf("answer %d: %s is %q", i, name, a.header.Get(name))
			}
		}
		if !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("answer %d: Content-Security-Policy is %q", i, a.header.Get("Content-Security-Policy"))
		}
	}
}

func TestRequestID(t *testing.T) {
	s := newServer(t)
	tests := []struct {
		sent string
		kept bool
	}{
		{"A-z_0.9", true}, {strings.Repeat("x", 64), true}, {strings.Repeat("x", 65), false},
		{"4539148803436467", false}, {"4539-1488-0343-6467", false}, {"550e8400-e29b-41d4-a716-446655440000", true}, {"two words", false}, {"ñ", false}, {`"`, false}, {"", false},
	}
	for _, tt := range tests {
		a := s.get("viewer", "/v1/me", "X-Request-Id", tt.sent)
		got := a.header.Get("X-Request-Id")
		if (got == tt.sent) != tt.kept || !requestIDPattern.MatchString(got) {
			t.Errorf("%q was answered with %q", tt.sent, got)
		}
		if entry := s.lastAudit(); entry.RequestID != got {
			t.Errorf("the audit entry has %q, the answer %q", entry.RequestID, got)
		}
	}
}
