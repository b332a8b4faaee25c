package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// maxEmptyPages is how many empty pages in a row a chain of links may have.
const maxEmptyPages = 100

// linkWalk is where style link stands.
type linkWalk struct {
	link     string
	previous signature
	// mark is a link from before, moved ever more seldom (Brent's algorithm), so
	// that a circle of any length is found without remembering every link.
	mark         string
	steps, until int
	empty        int
}

// circles moves to the next link and says whether the chain has come to a link
// again.
func (w *linkWalk) circles(next string) bool {
	if w.steps == w.until {
		w.mark, w.steps, w.until = w.link, 0, 2*w.until+1
	}
	w.steps++
	w.link = next
	return next != "" && next == w.mark
}

// byLink follows links from w on.
func (c *Client) byLink(ctx context.Context, w linkWalk, yield func(Page) bool) error {
	for w.link != "" {
		page, err := c.fetch(ctx, c.base.Scheme+"://"+c.base.Host+w.link)
		if err != nil {
			return err
		}
		if err := c.takeLink(&w, page, yield); err != nil {
			return err
		}
	}
	return nil
}

// takeLink yields a page and moves w to the next one.
func (c *Client) takeLink(w *linkWalk, page *reading, yield func(Page) bool) error {
	if w.empty++; len(page.records) > 0 {
		w.empty = 0
	}
	switch {
	case w.empty > maxEmptyPages:
		return c.linkFault("leads to nothing but empty pages")
	case w.empty == 0 && page.sign.same(w.previous):
		return c.linkFault("leads to the same page again")
	case w.circles(page.next):
		return c.linkFault("goes in a circle")
	}
	if w.empty > 0 {
		return nil
	}
	w.previous = page.sign
	if !yield(page.page(linkCursor(page.next))) {
		return errStopped
	}
	return nil
}

func (c *Client) linkFault(what string) *fault {
	return final(c.fault("link", "its Link header %s: check PADRON_PROVIDER_PAGING", what))
}

// nextLink returns path and query of the Link header's rel="next" (RFC 8288),
// "" where there is none. A link to another host is a fault.
func (c *Client) nextLink(from *url.URL, h http.Header) (string, error) {
	if c.cfg.Paging != ByLink && c.cfg.Paging != Auto {
		return "", nil // it is not followed, so it may be what it likes
	}
	for _, header := range h.Values("Link") {
		target, ok := relNext(header)
		if !ok {
			continue
		}
		u, err := from.Parse(target)
		if err != nil {
			return "", c.linkFault("cannot be read")
		}
		if !sameOrigin(u, c.base) || u.Opaque != "" {
			return "", c.linkFault("leads to another scheme, host or port, which is refused")
		}
		link := u.RequestURI()
		if _, err := parseCursor(linkCursor(link)); err != nil {
			return "", c.linkFault("is too long, or no path and query")
		}
		return link, nil
	}
	return "", nil
}

// relNext finds the target whose relation is next in one Link header.
func relNext(header string) (target string, ok bool) {
	for {
		_, rest, found := strings.Cut(header, "<")
		if !found {
			return "", false
		}
		target, rest, found = strings.Cut(rest, ">")
		if !found {
			return "", false
		}
		var rel string
		rel, header = linkParams(rest)
		for word := range strings.FieldsSeq(rel) {
			if strings.EqualFold(word, "next") {
				return strings.TrimSpace(target), true
			}
		}
	}
}

// linkParams reads a link's parameters. It returns the relation, of which only
// the first one counts (RFC 8288, section 3.3), and what follows the link.
func linkParams(s string) (rel, rest string) {
	for found := false; ; {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, ";") {
			return rel, s
		}
		var name, value string
		name, value, s = linkParam(s[1:])
		if !found && strings.EqualFold(name, "rel") {
			rel, found = value, true
		}
	}
}

// linkParam reads one parameter; its value is a token or a quoted string, which
// may hold the characters that otherwise separate.
func linkParam(s string) (name, value, rest string) {
	end := endOf(s, "=;,")
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	if !strings.HasPrefix(rest, "=") {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest = quotedString(rest[1:])
		return name, value, rest
	}
	end = endOf(rest, ";,")
	return name, strings.TrimSpace(rest[:end]), rest[end:]
}

// endOf returns where the first of the characters stands in s, or s's end.
func endOf(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}

// quotedString reads up to the closing quote (RFC 9110, section 5.6.4).
func quotedString(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
