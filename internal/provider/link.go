package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"padron"
)

// byLink follows links from path and query on.
func (c *Client) byLink(ctx context.Context, link string, yield func(Page) bool) error {
	var previous uint64
	seen := map[string]struct{}{}
	for link != "" {
		if _, ok := seen[link]; ok {
			return c.linkFault("goes in a circle")
		}
		if len(seen) < maxSeenLinks {
			seen[link] = struct{}{}
		}
		page, err := c.fetchPage(ctx, c.base.Scheme+"://"+c.base.Host+link, 0)
		if err != nil {
			return err
		}
		if len(page.records) > 0 && page.hash == previous {
			return c.linkFault("leads to the same page again and again")
		}
		previous, link = page.hash, page.next
		next := ""
		if link != "" {
			next = "link:" + link
		}
		if len(page.records) > 0 && !yield(Page{page.records, next}) {
			return errStopped
		}
	}
	return nil
}

// maxSeenLinks bounds what is remembered to find circles.
const maxSeenLinks = 1 << 20

func (c *Client) linkFault(what string) error {
	return padron.Errorf(padron.CodeUnavailable, "the provider's Link header at %s %s", c.where(), what)
}

// nextLink returns path and query of the Link header's rel="next" (RFC 8288),
// "" where there is none. A link to another host is an error.
func (c *Client) nextLink(from *url.URL, h http.Header) (string, error) {
	for _, header := range h.Values("Link") {
		target, ok := relNext(header)
		if !ok {
			continue
		}
		u, err := from.Parse(target)
		if err != nil {
			return "", permanent(c.linkFault("cannot be read"))
		}
		if !sameOrigin(u, c.base) {
			return "", permanent(c.linkFault("leads to another host, which is refused"))
		}
		return u.RequestURI(), nil
	}
	return "", nil
}

// relNext finds the target whose relation is next in one Link header.
func relNext(header string) (target string, ok bool) {
	for rest := header; ; {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			return "", false
		}
		rest = rest[open+1:]
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return "", false
		}
		target, rest = rest[:end], rest[end+1:]
		params, after, more := strings.Cut(rest, "<")
		if hasRelNext(params) {
			return target, true
		}
		if !more {
			return "", false
		}
		rest = "<" + after
	}
}

func hasRelNext(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		value = strings.Trim(strings.TrimSpace(strings.TrimRight(strings.TrimSpace(value), ",")), `"`)
		for rel := range strings.FieldsSeq(value) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
	}
	return false
}
