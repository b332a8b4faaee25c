package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/access"
	"padron/internal/audit"
	"padron/internal/reader"
	"padron/internal/reader/readertest"
	"padron/internal/store"
)

// list reads every page of a list and returns its ids.
func (s *server) list(role padron.Role, query string, size int) []padron.CustomerID {
	s.t.Helper()
	var out []padron.CustomerID
	token := ""
	for pages := 0; ; pages++ {
		path := fmt.Sprintf("/v1/customers?page_size=%d&%s", size, query)
		if token != "" {
			path += "&page_token=" + url.QueryEscape(token)
		}
		a := s.get(role, path)
		if a.status != http.StatusOK || pages > readertest.People {
			s.t.Fatalf("%s: page %d is %d %s", path, pages, a.status, a.body)
		}
		ids, next := a.ids(s.t)
		if out = append(out, ids...); next == "" {
			return out
		}
		if len(ids) != size {
			s.t.Errorf("%s: %d customers before a next page, want %d", path, len(ids), size)
		}
		token = next
	}
}

// TestList: every filter, and two together, at every page size, in id order.
func TestList(t *testing.T) {
	s := newServer(t)
	from, to := readertest.Person(10).Profile.RegisteredAt, readertest.Person(20).Profile.RegisteredAt
	tests := []struct {
		query string
		keep  func(*padron.Customer) bool
	}{
		{"", func(*padron.Customer) bool { return true }},
		{"favorite_color=ros%C3%A9", func(c *padron.Customer) bool { return c.Profile.FavoriteColor == "rosé" }},
		{"favorite_color=none", func(*padron.Customer) bool { return false }},
		{"car_type=Van", func(c *padron.Customer) bool { return c.Profile.CarType == "Van" }},
		{"purchases_min=30", func(c *padron.Customer) bool { return c.Profile.Purchases >= 30 }},
		{"purchases_max=0", func(c *padron.Customer) bool { return c.Profile.Purchases == 0 }},
		{"purchases_min=6&purchases_max=9", func(c *padron.Customer) bool { return c.Profile.Purchases >= 6 && c.Profile.Purchases <= 9 }},
		{"registered_from=" + padron.FormatTime(from), func(c *padron.Customer) bool { return !c.Profile.RegisteredAt.Before(from) }},
		{"registered_to=" + padron.FormatTime(to), func(c *padron.Customer) bool { return c.Profile.RegisteredAt.Before(to) }},
		{"car_type=Van&favorite_color=rosé", func(c *padron.Customer) bool {
			return c.Profile.CarType == "Van" && c.Profile.FavoriteColor == "rosé"
		}},
	}
	for _, tt := range tests {
		want := readertest.SortedIDs(tt.keep)
		for _, size := range []int{1, 7, readertest.People, 1000} {
			if d := cmp.Diff(want, s.list("analyst", tt.query, size)); d != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", tt.query, size, d)
			}
		}
	}
}

// TestPageTokensAreBound: a token is good for its own filter, and only unaltered.
func TestPageTokensAreBound(t *testing.T) {
	s := newServer(t)
	_, token := s.get("analyst", "/v1/customers?page_size=5&car_type=Van").ids(t)
	last := "A"
	if strings.HasSuffix(token, last) {
		last = "B"
	}
	for _, path := range []string{
		"/v1/customers?page_size=5&page_token=" + token,
		"/v1/customers?page_size=5&car_type=Coupe&page_token=" + token,
		"/v1/customers?page_size=5&car_type=Van&page_token=" + token[:len(token)-1] + last,
		"/v1/customers?page_size=5&car_type=Van&page_token=" + token + "A",
		"/v1/quarantine?page_token=" + token, "/v1/audit?page_token=" + token,
	} {
		role := padron.Role("analyst")
		switch {
		case strings.Contains(path, "quarantine"):
			role = "operator"
		case strings.Contains(path, "audit"):
			role = "auditor"
		}
		if p := s.get(role, path).problem(t); p.Status != http.StatusUnprocessableEntity || p.Field != "page_token" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	a := s.get("analyst", "/v1/customers?page_size=9&car_type=Van&page_token="+token) // another size is fine
	if ids, _ := a.ids(t); a.status != http.StatusOK || len(ids) == 0 {
		t.Errorf("another page size: %d %s", a.status, a.body)
	}
}

// TestSearch: each blind index finds its customers, written otherwise too.
func TestSearch(t *testing.T) {
	s := newServer(t)
	c := readertest.Person(7)
	card := c.Financial.CardNumber.Expose()
	zip := c.Personal.ZipCode
	same := readertest.SortedIDs(func(p *padron.Customer) bool { return p.Personal.ZipCode == zip })
	tests := []struct {
		name, value string
		want        []padron.CustomerID
	}{
		{"user_name", c.Personal.UserName.Expose(), []padron.CustomerID{c.ID}},
		{"user_name", strings.ToUpper(c.Personal.UserName.Expose()), []padron.CustomerID{c.ID}},
		{"card_number", card, []padron.CustomerID{c.ID}},
		{"card_number", strings.ReplaceAll(card, "-", " "), []padron.CustomerID{c.ID}},
		{"account_number", c.Financial.AccountNumber.Expose(), []padron.CustomerID{c.ID}},
		{"ip_address", c.Personal.IPAddress.Expose(), []padron.CustomerID{c.ID}},
		{"ip_address", strings.ToUpper(c.Personal.IPAddress.Expose()), []padron.CustomerID{c.ID}},
		{"zip_code", zip.Expose(), same},
		{"user_name", "nobody", nil},
		{"card_number", "4000-0000-0000-0000", nil},
	}
	for _, tt := range tests {
		a := s.post("admin", "/v1/customers/search", fmt.Sprintf(`{%q:%q}`, tt.name, tt.value))
		ids, _ := a.ids(t)
		if a.status != http.StatusOK || !slices.Equal(ids, tt.want) {
			t.Errorf("%s %q: %d %v, want %v", tt.name, tt.value, a.status, ids, tt.want)
		}
	}
	if len(same) < 2 {
		t.Error("nobody shares a zip code: the test shows less than it should")
	}
}

// TestIDsThatLookLikePaths: whatever stands in the path of the API or of a web
// page, a customer may have it as the id.
func TestIDsThatLookLikePaths(t *testing.T) {
	s := newServer(t)
	ids := []padron.CustomerID{"search", "#f", "../etc/passwd", "//evil.example", "a?b", "%2F"}
	var batch padron.Batch
	for i, id := range ids {
		c := readertest.Person(1)
		c.ID = id
		batch.Upserts = append(batch.Upserts, s.reg.Seal(t, &c, padron.Number(readertest.People+1+i)))
	}
	s.reg.Apply(t, &batch)
	for _, id := range ids {
		var got struct {
			ID padron.CustomerID `json:"id"`
		}
		a := s.get("viewer", "/v1/customers/"+url.PathEscape(string(id)))
		if a.decode(t, &got); a.status != http.StatusOK || got.ID != id {
			t.Errorf("%s: %d %s", id, a.status, a.body)
		}
		if e := s.lastAudit(); e.Action != padron.ActionGet || !slices.Equal(e.Customers, []padron.CustomerID{id}) {
			t.Errorf("%s: entry %+v", id, e)
		}
	}
}

func TestETag(t *testing.T) {
	s := newServer(t)
	first := s.get("viewer", "/v1/customers/c-1")
	tag := first.header.Get("Etag")
	if len(tag) < 20 || !strings.HasPrefix(tag, `"`) || tag != s.get("viewer", "/v1/customers/c-1").header.Get("Etag") {
		t.Fatalf("ETag %q is not strong and stable", tag)
	}
	if a := s.get("admin", "/v1/customers/c-1"); a.header.Get("Etag") == tag {
		t.Error("another view has the same ETag")
	}
	for match, want := range map[string]int{tag: 304, `"x", ` + tag: 304, "*": 304, "W/" + tag: 304, `"x"`: 200} {
		a := s.get("viewer", "/v1/customers/c-1", "If-None-Match", match)
		if a.status != want || want == 304 && a.body != "" {
			t.Errorf("If-None-Match %s: %d, want %d", match, a.status, want)
		}
	}
}

// TestReveal: the fields in full, and the purpose on the record.
func TestReveal(t *testing.T) {
	s := newServer(t)
	c := readertest.Person(3)
	a := s.post("admin", "/v1/customers/c-3/reveal", `{"fields":["card_number","account_number"],"purpose":" refund of an order "}`)
	want := fmt.Sprintf(`{"id":"c-3","card_number":%q,"account_number":%q}`, c.Financial.CardNumber.Expose(), c.Financial.AccountNumber.Expose())
	if a.status != http.StatusOK || strings.TrimSpace(a.body) != want {
		t.Errorf("%d %s, want %s", a.status, a.body, want)
	}
	e := s.lastAudit()
	if e.Action != padron.ActionReveal || e.Purpose != "refund of an order" || !slices.Equal(e.Customers, []padron.CustomerID{"c-3"}) ||
		!slices.Equal(e.Fields, []string{"id", "card_number", "account_number"}) || e.Outcome != padron.AuditAllowed {
		t.Errorf("entry %+v", e)
	}
}

// TestCheckTokenRevealsNothing: what a check comes with is an admin in all but
// that, and the refusal is on the record.
func TestCheckTokenRevealsNothing(t *testing.T) {
	s := newServer(t)
	secret, token, err := access.NewToken(padron.RoleAdmin, padron.CheckToken, time.Now(), time.Minute)
	if err == nil {
		err = s.reg.Store.AddToken(t.Context(), token)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.tokens[padron.RoleAdmin] = secret
	a := s.post("admin", "/v1/customers/c-3/reveal", `{"fields":["card_number"],"purpose":"refund of an order"}`)
	if p := a.problem(t); a.status != http.StatusForbidden || !strings.Contains(p.Detail, "reveals nothing") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if e := s.lastAudit(); e.Action != padron.ActionReveal || e.Outcome != padron.AuditDenied || e.Principal != "token:"+token.ID {
		t.Errorf("entry %+v", e)
	}
	if a := s.get("admin", "/v1/customers/c-3"); a.status != http.StatusOK {
		t.Errorf("another request of the role: %d %s", a.status, a.body)
	}
}

// TestEverySuccessIsOnTheRecord: one entry for each access, in the answer's name.
func TestEverySuccessIsOnTheRecord(t *testing.T) {
	s := newServer(t)
	for _, tt := range []struct {
		role   padron.Role
		path   string
		action padron.Action
		shown  int
	}{
		{"viewer", "/v1/customers?page_size=3", padron.ActionList, 3},
		{"viewer", "/v1/customers/c-1", padron.ActionGet, 1},
		{"viewer", "/v1/me", padron.ActionMe, 0},
		{"operator", "/v1/runs", padron.ActionRuns, 0},
		{"operator", "/v1/quarantine", padron.ActionQuarantine, 0},
		{"auditor", "/v1/audit", padron.ActionAudit, 0},
	} {
		before := len(s.reg.Entries(t))
		a := s.get(tt.role, tt.path)
		entries := s.reg.Entries(t)[before:]
		if a.status != http.StatusOK || len(entries) != 1 {
			t.Fatalf("%s: %d, %d entries", tt.path, a.status, len(entries))
		}
		e := entries[0]
		if e.Action != tt.action || e.Role != tt.role || e.Outcome != padron.AuditAllowed || len(e.Customers) != tt.shown || e.RequestID != a.header.Get("X-Request-Id") {
			t.Errorf("%s: entry %+v", tt.path, e)
		}
	}
}

// broken is an audit store that cannot be written.
type broken struct{ store.Audit }

func (broken) AppendAudit(context.Context, func(padron.AuditHead) ([]padron.AuditEntry, error)) error {
	return errors.New("disk full of c-1")
}

// TestNothingOffTheRecord: where the entry cannot be written nothing is shown,
// refusals included, and the cause stays in the log.
func TestNothingOffTheRecord(t *testing.T) {
	s := newServer(t, func(reg *readertest.Register, cfg *Config) {
		log := audit.New(broken{cfg.AuditLog}, time.Now)
		t.Cleanup(func() { _ = log.Close() })
		reads := reg.Config
		reads.Audit = log
		cfg.Audit, cfg.Reader = log, reader.New(reads)
	})
	answers := []answer{
		s.get("viewer", "/v1/customers"), s.get("viewer", "/v1/customers/c-1"), s.get("viewer", "/v1/customers/none"),
		s.get("viewer", "/v1/customers?page_size=0"), s.get("viewer", "/v1/me"), s.get("auditor", "/v1/customers"),
		s.get("operator", "/v1/runs"), s.get("operator", "/v1/quarantine"), s.get("auditor", "/v1/audit"),
		s.post("admin", "/v1/customers/search", `{"user_name":"Persona01.Ñandú"}`),
		s.post("admin", "/v1/customers/c-1/reveal", `{"fields":["card_number"],"purpose":"refund of an order"}`),
	}
	for i, a := range answers {
		p := a.problem(t)
		if a.status != http.StatusServiceUnavailable || p.Code != "unavailable" || strings.Contains(a.body, "c-1") || strings.Contains(a.body, "disk") {
			t.Errorf("answer %d: %d %s", i, a.status, a.body)
		}
	}
}

// TestNothingPersonalInLogsAndProblems: whatever was asked, the log and every
// refusal hold nothing of any customer.
func TestNothingPersonalInLogsAndProblems(t *testing.T) {
	s := newServer(t)
	c := readertest.Person(5)
	name, card := url.QueryEscape(c.Personal.UserName.Expose()), c.Financial.CardNumber.Expose()
	for _, a := range []answer{
		s.get("viewer", "/v1/customers/"+name), s.get("viewer", "/v1/customers?fields="+name), s.get("viewer", "/v1/customers?"+name+"=1"),
		s.get("viewer", "/v1/customers?page_token="+card), s.get("viewer", "/v1/"+name), s.get("viewer", "/v1/runs/"+card),
		s.post("admin", "/v1/customers/search", `{"zip_code":"`+card+`"}`), s.post("admin", "/v1/customers/search", `{"`+card+`":"1"}`),
		s.post("admin", "/v1/customers/c-5/reveal", `{"fields":["`+card+`"],"purpose":"refund of an order"}`),
		s.post("admin", "/v1/customers/c-5/reveal", `{"fields":["card_number"],"purpose":"card `+card+` is wrong"}`),
	} {
		if a.status < 400 {
			t.Errorf("%d %s", a.status, a.body)
		}
		for _, secret := range append(readertest.Secrets(&c), url.QueryEscape(c.Personal.UserName.Expose())) {
			if strings.Contains(a.body, secret) {
				t.Errorf("a problem holds %q: %s", secret, a.body)
			}
		}
	}
	s.post("admin", "/v1/customers/search", `{"card_number":"`+card+`"}`)
	s.post("admin", "/v1/customers/c-5/reveal", `{"fields":["card_number"],"purpose":"refund of an order"}`)
	for _, secret := range readertest.Secrets(&c) {
		if log := s.log.String(); strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
