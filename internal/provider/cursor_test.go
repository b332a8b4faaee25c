package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"padron"
)

func TestParseCursor(t *testing.T) {
	good := map[string]cursor{
		"":                         {},
		"page:1":                   {page: 1},
		"page:2147483647":          {page: 1<<31 - 1},
		"link:/v1/c?after=1&k=%2F": {link: "/v1/c?after=1&k=%2F"},
		"link:/":                   {link: "/"},
	}
	for in, want := range good {
		if got, err := parseCursor(in); err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"page", "page:", "page:0", "page:-1", "page:01", "page:+1", "page:1:2", "page:2147483648", "page: 1",
		"link:", "link:v1", "link://evil.example/", "link:http://evil.example/", "link:/\\evil.example", "link:/a#b",
		"link:/a b\n", "link:/%zz", "link:/" + strings.Repeat("a", maxCursor), "offset:3", "x", ":",
	} {
		got, err := parseCursor(in)
		if padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
		if err != nil && len(in) > 6 && strings.Contains(err.Error(), in) {
			t.Errorf("the error repeats the cursor: %v", err)
		}
	}
}

func TestCursorOfAnotherStyle(t *testing.T) {
	for _, tt := range []struct {
		paging Paging
		cursor string
	}{
		{None, "page:2"}, {None, "link:/a"}, {ByPage, "link:/a"}, {ByLink, "page:2"}, {Auto, "nonsense"},
	} {
		c := client(t, Config{URL: "http://127.0.0.1:9/", Paging: tt.paging})
		got, err := collect(t.Context(), c, tt.cursor)
		if len(got.ids) != 0 || padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%s with %q: %v, %v", tt.paging, tt.cursor, got, err)
		}
	}
}

// FuzzCursor: what is accepted leads to the provider's own host, and is written
// as it was read.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "page:7", "link:/api?after=x%2F", "link://evil.example", "link:/@evil.example:80/", "page:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		if c.page > 0 && pageCursor(c.page) != s || c.link != "" && linkCursor(c.link) != s {
			t.Errorf("%q was read as %+v", s, c)
		}
		u, err := url.Parse("https://provider.example:8443" + c.link)
		if err != nil || u.Host != "provider.example:8443" || u.User != nil || u.Scheme != "https" || u.Fragment != "" {
			t.Errorf("%q leads to %v, %v", s, u, err)
		}
	})
}

func TestRelNext(t *testing.T) {
	tests := []struct{ header, want string }{
		{`<https://a.example/?p=2>; rel="next"`, "https://a.example/?p=2"},
		{`</x>;rel=next`, "/x"},
		{`</x> ; REL = "NEXT" ; title="y"`, "/x"},
		{`</a>; rel="prev", </b>; rel="next"`, "/b"},
		{`</a>; rel="first next last"`, "/a"},
		{`</a,b;c>; rel=next`, "/a,b;c"},
		{`</a>; title="x, </evil>; rel=next", </b>; rel=next`, "/b"},
		{`</a>; title="\"</evil>;rel=next"; rel=last`, ""},
		{`</a>; rel=prev; rel=next`, ""},
		{`</a>; relation=next; rev=next`, ""},
		{`</a>; rel=nextpage`, ""},
		{`</a>; x; rel=next`, "/a"},
		{`</a>`, ""}, {`</a`, ""}, {`rel=next`, ""}, {``, ""}, {`<>; rel=next`, ""}, {`</a>; rel="next`, "/a"}, {`</a>;`, ""},
	}
	for _, tt := range tests {
		if got, _ := relNext(tt.header); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.header, got, tt.want)
		}
	}
}

func TestNextLink(t *testing.T) {
	c := client(t, Config{URL: "https://provider.example/api/v1/c?k=1", Paging: ByLink})
	from, err := url.Parse("https://provider.example/api/v1/c?limit=5")
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{
		"?after=2": "/api/v1/c?after=2", "d?x=1": "/api/v1/d?x=1", "/e": "/e", "https://provider.example:443/f": "/f",
		"https://PROVIDER.example/g#h": "/g", "//provider.example/i": "/i", "https://u:p@provider.example/j": "/j",
	}
	for target, want := range good {
		got, err := c.nextLink(from, http.Header{"Link": {`</z>; rel=prev`, "<" + target + ">; rel=next"}})
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", target, got, err)
		}
	}
	for _, target := range []string{
		"http://provider.example/", "https://provider.example:8443/", "https://evil.example/", "//evil.example/",
		"https://provider.example.evil.example/", "javascript:alert(1)", "https:opaque", "/%zz", "https://provider.example\\@evil.example/",
		"/" + strings.Repeat("a", maxCursor),
	} {
		got, err := c.nextLink(from, http.Header{"Link": {"<" + target + ">; rel=next"}})
		if padron.ErrorCode(err) != padron.CodeUnavailable {
			t.Errorf("%.40s: %q, %v", target, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "evil") {
			t.Errorf("the error repeats the link: %v", err)
		}
	}
}
