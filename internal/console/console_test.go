package console_test

import (
	"fmt"
	"hash/crc32"
	"html"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/app/apptest"
)

// browser is somebody at the console.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, base, &http.Client{Jar: jar}}
}

// page is what came back, after redirects.
type page struct {
	status int
	path   string
	text   string
	header http.Header
}

func (b *browser) do(method, path string, form url.Values, header ...string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Request.URL.Path, string(body), resp.Header}
}

func (b *browser) get(path string) page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.do(http.MethodPost, path, form)
}

func (b *browser) signIn(token string) page {
	b.t.Helper()
	return b.post("/console/sign-in", url.Values{"token": {token}})
}

var (
	terms = regexp.MustCompile(`<dt>([^<]*)</dt>`)
	ids   = regexp.MustCompile(`<td><a href="/console/customers/([^"]*)">`)
	next  = regexp.MustCompile(`rel="next" href="([^"]*)"`)

	language = regexp.MustCompile(`href="(/console/language/[^"]*)"`)
)

// all returns the first group of every match.
func all(re *regexp.Regexp, text string) []string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

func TestSignIn(t *testing.T) {
	r := apptest.Start(t, 30, 1)
	b := newBrowser(t, r.URL)
	if p := b.get("/"); p.status != 200 || !strings.Contains(p.text, `name="token"`) {
		t.Fatalf("the way in: %d", p.status)
	}
	if p := b.get("/console/customers"); p.path != "/" {
		t.Errorf("a stranger was led to %s, want the way in", p.path)
	}
	for _, wrong := range []string{"", "nonsense", r.Tokens[padron.RoleAdmin][:60]} {
		if p := b.signIn(wrong); p.status != 401 || !strings.Contains(p.text, "not valid") {
			t.Errorf("token %.8s...: %d", wrong, p.status)
		}
	}
	if p := b.signIn(r.Tokens[padron.RoleViewer]); p.status != 200 || p.path != "/console/customers" || !strings.Contains(p.text, "test-viewer") {
		t.Errorf("sign-in: %d at %s", p.status, p.path)
	}
	if p := b.post("/console/sign-out", url.Values{}); p.path != "/" || !strings.Contains(p.text, `name="token"`) {
		t.Errorf("sign-out led to %s", p.path)
	}
	if p := b.get("/console/customers/1"); p.path != "/" {
		t.Errorf("after sign-out %s is still shown", p.path)
	}
}

func TestCookieAndHeaders(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	b := newBrowser(t, r.URL)
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := b.signIn(r.Tokens[padron.RoleViewer])
	cookie := p.header.Get("Set-Cookie")
	for _, want := range []string{"padron=", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie without %s: %s", want, cookie)
		}
	}
	if strings.Contains(cookie, r.TokenIDs[padron.RoleViewer]) {
		t.Error("the cookie holds the token's id")
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if csp := p.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
}

func TestEachRoleSeesItsFields(t *testing.T) {
	r := apptest.Start(t, 30, 1)
	want := map[padron.Role][]string{
		padron.RoleViewer: {"Name", "Address", "Avatar", "Id", "Registered"},
		padron.RoleAnalyst: {
			"Name", "Address", "Zip code", "Avatar", "Card number",
			"Id", "Registered", "Favourite colour", "Car", "Model", "Car type", "Car colour", "Purchases",
		},
		padron.RoleAdmin: {
			"Name", "Address", "Zip code", "Latitude", "Longitude", "IP address", "Avatar", "Identity document", "Birthday",
			"Card number", "Account number", "Id", "Registered", "Favourite colour", "Car", "Model", "Car type", "Car colour", "Purchases",
		},
	}
	for role, fields := range want {
		b := newBrowser(t, r.URL)
		b.signIn(r.Tokens[role])
		if diff := cmp.Diff(fields, all(terms, b.get("/console/customers/3").text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", role, diff)
		}
	}
	for _, role := range []padron.Role{padron.RoleOperator, padron.RoleAuditor, padron.RolePrivacy} {
		b := newBrowser(t, r.URL)
		if p := b.signIn(r.Tokens[role]); p.status != 200 || !strings.Contains(p.text, "sees no customers") {
			t.Errorf("%s: %d", role, p.status)
		}
		if p := b.get("/console/customers/3"); p.status != 403 {
			t.Errorf("%s sees a customer: %d", role, p.status)
		}
	}
}

func TestPagesHoldEverybodyOnce(t *testing.T) {
	r := apptest.Start(t, 80, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleAnalyst])
	for _, filter := range []string{"", "?purchases_min=100&purchases_max=400&registered_from=2017-01-01"} {
		seen := map[string]int{}
		for path := "/console/customers" + filter; path != ""; {
			p := b.get(path)
			if p.status != 200 {
				t.Fatalf("%s: %d", path, p.status)
			}
			for _, id := range all(ids, p.text) {
				seen[id]++
			}
			path = ""
			if n := all(next, p.text); n != nil {
				path = n[0]
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("customer %s was listed %d times", id, n)
			}
		}
		count, err := r.App.Store.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if filter == "" && int64(len(seen)) != count || filter != "" && (len(seen) == 0 || int64(len(seen)) >= count) {
			t.Errorf("filter %q lists %d of %d", filter, len(seen), count)
		}
	}
	if p := b.get("/console/customers?registered_from=yesterday"); p.status != 422 || !strings.Contains(p.text, "registered_from") {
		t.Errorf("a bad date: %d", p.status)
	}
	if p := b.get("/console/customers?page_token=nonsense"); p.status != 422 {
		t.Errorf("a bad page token: %d", p.status)
	}
}

func TestSearch(t *testing.T) {
	r := apptest.Start(t, 30, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleAdmin])
	var name string
	r.Provider.Truth(func(_ string, record map[string]any) bool { name = record["user_name"].(string); return false })
	p := b.post("/console/search", url.Values{"field": {"user_name"}, "value": {strings.ToUpper(name)}})
	if p.status != 200 || len(all(ids, p.text)) == 0 || strings.Contains(p.path, name) {
		t.Errorf("search: %d at %s", p.status, p.path)
	}
	if p := b.post("/console/search", url.Values{"field": {"user_name"}, "value": {"Nadie Ninguno"}}); !strings.Contains(p.text, "No customer found") {
		t.Errorf("search for nobody: %d", p.status)
	}
	if p := b.post("/console/search", url.Values{"field": {"address"}, "value": {"x"}}); p.status != 422 {
		t.Errorf("search in a field without index: %d", p.status)
	}
	if strings.Contains(r.Log.String(), name) {
		t.Error("the log holds what was searched")
	}
	viewer := newBrowser(t, r.URL)
	if p := viewer.signIn(r.Tokens[padron.RoleViewer]); strings.Contains(p.text, "/console/search") {
		t.Error("a viewer is offered the search")
	}
	if p := viewer.post("/console/search", url.Values{"field": {"user_name"}, "value": {name}}); p.status != 403 {
		t.Errorf("a viewer searches: %d", p.status)
	}
}

func TestReveal(t *testing.T) {
	r := apptest.Start(t, 30, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleAdmin])
	var id, number string
	r.Provider.Truth(func(i string, record map[string]any) bool {
		id, number = i, record["credit_card_num"].(string)
		return false
	})
	path := "/console/customers/" + id
	if strings.Contains(b.get(path).text, number) {
		t.Fatal("the number is shown without a reveal")
	}
	if p := b.post(path+"/reveal", url.Values{"fields": {"card_number"}, "purpose": {"short"}}); p.status != 422 {
		t.Errorf("a reveal without a real purpose: %d", p.status)
	}
	p := b.post(path+"/reveal", url.Values{"fields": {"card_number"}, "purpose": {"checking a disputed charge"}})
	if p.status != 200 || !strings.Contains(p.text, number) {
		t.Errorf("reveal: %d", p.status)
	}
	if strings.Contains(b.get(path).text, number) {
		t.Error("the number is still shown on the next visit")
	}
	entries, err := r.App.Store.AuditEntries(t.Context(), padron.AuditFilter{Action: padron.ActionReveal, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if last := entries[len(entries)-1]; last.Purpose != "checking a disputed charge" || last.Customers[0] != padron.CustomerID(id) {
		t.Errorf("audit entry: %+v", last)
	}
}

func TestForeignPostsAreRefused(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleAdmin])
	p := b.do(http.MethodPost, "/console/customers/1/reveal", url.Values{"fields": {"card_number"}, "purpose": {"a page elsewhere asks for it"}},
		"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site")
	if p.status != 403 {
		t.Errorf("a post from elsewhere: %d", p.status)
	}
	if p := b.post("/console/search", url.Values{"field": {"user_name"}, "value": {strings.Repeat("x", 1<<17)}}); p.status != 413 {
		t.Errorf("a huge form: %d", p.status)
	}
}

func TestRevokedTokenEndsTheSession(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleAnalyst])
	if err := r.App.Store.RevokeToken(t.Context(), r.TokenIDs[padron.RoleAnalyst], time.Now()); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/console/customers"); p.path != "/" {
		t.Errorf("a revoked token still shows %s", p.path)
	}
}

// forged returns a well-formed token with the id of one and the secret of
// another.
func forged(of, secret string) string {
	const id, end = len("padron_") + 16 + 1, 67
	body := of[:id] + secret[id:end]
	sum := big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))).Text(62)
	return body + strings.Repeat("0", 6-len(sum)) + sum
}

// TestBadTokensAreSlowedDown: who keeps trying with a bad token is told to wait,
// and keeps nobody else out, though all have one address.
func TestBadTokensAreSlowedDown(t *testing.T) {
	r := apptest.Start(t, 1, 1)
	b := newBrowser(t, r.URL)
	viewer, analyst, admin := r.Tokens[padron.RoleViewer], r.Tokens[padron.RoleAnalyst], r.Tokens[padron.RoleAdmin]
	for name, bad := range map[string]string{"no token": "padron_guess", "wrong secret": forged(viewer, admin)} {
		refused := strings.Count(r.Log.String(), "sign-in refused")
		last := page{}
		for range 60 {
			last = b.signIn(bad)
		}
		if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
			t.Errorf("%s: the sixtieth try is %d", name, last.status)
		}
		if n := strings.Count(r.Log.String(), "sign-in refused") - refused; n > 40 {
			t.Errorf("%s: %d lines in the log", name, n)
		}
	}
	if p := b.signIn(forged(analyst, admin)); p.status != http.StatusUnauthorized {
		t.Errorf("a slip with another token: %d, want 401", p.status)
	}
	if p := b.signIn(viewer); p.status != http.StatusOK || p.path != "/console/customers" {
		t.Errorf("the good token: %d at %s", p.status, p.path)
	}
}

// TestFiltersOfARole: a filter is offered to who sees the field, and refused to
// others.
func TestFiltersOfARole(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	inputs := regexp.MustCompile(`<input id="[a-z_]+" name="([a-z]+_[a-z_]+)"`)
	dates := []string{"registered_from", "registered_to"}
	for role, want := range map[padron.Role][]string{
		padron.RoleViewer:  dates,
		padron.RoleAnalyst: {"favorite_color", "car_type", "registered_from", "registered_to", "purchases_min", "purchases_max"},
	} {
		b := newBrowser(t, r.URL)
		if diff := cmp.Diff(want, all(inputs, b.signIn(r.Tokens[role]).text)); diff != "" {
			t.Errorf("%s is offered (-want +got):\n%s", role, diff)
		}
		for query, field := range map[string]bool{"purchases_min=1": true, "car_type=x": true, "registered_from=2001-01-01": false} {
			status := http.StatusOK
			if role == padron.RoleViewer && field {
				status = http.StatusForbidden
			}
			if p := b.get("/console/customers?" + query); p.status != status {
				t.Errorf("%s filters by %s: %d, want %d", role, query, p.status, status)
			}
		}
	}
}

// TestLinksOfOddIDs: whatever the provider takes for an id, its link leads to
// that customer and nowhere else.
func TestLinksOfOddIDs(t *testing.T) {
	r := apptest.Start(t, 1, 1)
	odd := []string{"#f", "../etc/passwd", "//evil.example", "a?b", "%2F", "search"}
	r.Provider.Truth(func(_ string, record map[string]any) bool {
		for _, id := range odd {
			twin := maps.Clone(record)
			twin["id"] = id
			r.Provider.Put(twin)
		}
		return false
	})
	r.Sync(t)
	b := newBrowser(t, r.URL)
	list := b.signIn(r.Tokens[padron.RoleAdmin])
	for _, id := range odd {
		want := url.PathEscape(id)
		if !slices.Contains(all(ids, list.text), want) {
			t.Errorf("%s: no link to %s among %q", id, want, all(ids, list.text))
		}
		p := b.get("/console/customers/" + want)
		if p.status != http.StatusOK || !strings.Contains(p.text, `action="/console/customers/`+want+`/reveal"`) {
			t.Errorf("%s: %d %s", id, p.status, p.text)
		}
		if p = b.get(all(language, p.text)[0]); p.status != http.StatusOK || p.path != "/console/customers/"+id {
			t.Errorf("%s: the change of language leads to %s, %d", id, p.path, p.status)
		}
		p = b.post("/console/customers/"+want+"/reveal", url.Values{"fields": {"card_number"}, "purpose": {"checking a disputed charge"}})
		if p.status != http.StatusOK {
			t.Errorf("reveal of %s: %d", id, p.status)
		}
	}
}

func TestWrongMethods(t *testing.T) {
	r := apptest.Start(t, 1, 1)
	b := newBrowser(t, r.URL)
	for path, allow := range map[string]string{
		"/console/customers": "GET, HEAD", "/console/customers/1": "GET, HEAD", "/console/style.css": "GET, HEAD", "/console/language/es": "GET, HEAD",
		"/console/sign-in": "POST", "/console/search": "POST", "/console/customers/1/reveal": "POST",
	} {
		if p := b.do(http.MethodDelete, path, nil); p.status != http.StatusMethodNotAllowed || p.header.Get("Allow") != allow {
			t.Errorf("DELETE %s: %d, Allow %q, want %q", path, p.status, p.header.Get("Allow"), allow)
		}
	}
}

func TestLanguages(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	b := newBrowser(t, r.URL)
	if p := b.do(http.MethodGet, "/", nil, "Accept-Language", "es-CO,es;q=0.9,en;q=0.5"); !strings.Contains(p.text, `lang="es"`) || !strings.Contains(p.text, "Iniciar sesión") {
		t.Error("a Spanish browser gets another language")
	}
	if p := b.get("/console/language/es"); !strings.Contains(p.text, "Iniciar sesión") {
		t.Error("the choice of Spanish is not kept")
	}
	if p := b.get("/console/language/xx"); p.status != 404 {
		t.Errorf("an unknown language: %d", p.status)
	}
	if p := b.get("/console/language/en?back=https://elsewhere.example/"); p.path != "/" || p.status != 200 {
		t.Errorf("the way back led to %s", p.path)
	}
	for _, path := range []string{"/console/nothing", "/console/customers/x/y/z"} {
		if p := b.get(path); p.status != 404 {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}

func TestErrorPageNamesTheRequest(t *testing.T) {
	r := apptest.Start(t, 5, 1)
	b := newBrowser(t, r.URL)
	b.signIn(r.Tokens[padron.RoleViewer])
	p := b.get("/console/customers/nobody")
	id := regexp.MustCompile(`<code>([A-Z0-9]{20,})</code>`).FindStringSubmatch(p.text)
	if p.status != 404 || id == nil {
		t.Fatalf("%d without a request id", p.status)
	}
	if !strings.Contains(r.Log.String(), fmt.Sprintf("%q", id[1])) {
		t.Error("the log does not know the request")
	}
}
