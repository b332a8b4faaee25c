package provider

import (
	"net/url"
	"strconv"
	"strings"

	"padron"
)

const (
	// maxCursor is the bytes of a cursor; stores keep it in a row.
	maxCursor = 8 << 10
	// maxPageNumber bounds page numbers.
	maxPageNumber = 1 << 31
)

// cursor is where a pass goes on: at a page, at a link, or at the start.
type cursor struct {
	page int
	// link is path and query, on the provider's own host.
	link string
}

func pageCursor(number int) string { return "page:" + strconv.Itoa(number) }

func linkCursor(link string) string {
	if link == "" {
		return ""
	}
	return "link:" + link
}

// belongs: the cursor is of that paging style.
func (c cursor) belongs(p Paging) bool {
	switch {
	case c.page > 0:
		return p == ByPage || p == Auto
	case c.link != "":
		return p == ByLink || p == Auto
	}
	return true
}

// parseCursor reads what [Page.Cursor] holds; "" is the start. Errors do not
// repeat it: a link may hold a key.
func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{}, nil
	}
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "page":
		n, err := strconv.ParseUint(rest, 10, 31)
		if err == nil && n > 0 && pageCursor(int(n)) == s {
			return cursor{page: int(n)}, nil
		}
	case "link":
		if len(s) <= maxCursor && isLocal(rest) {
			return cursor{link: rest}, nil
		}
	}
	return cursor{}, padron.Invalid("cursor", "is not one of this client's: start from the beginning")
}

// isLocal: the text is path and query alone, and cannot lead to another host.
func isLocal(link string) bool {
	if !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "//") || strings.ContainsAny(link, "\\#") {
		return false
	}
	u, err := url.ParseRequestURI(link)
	return err == nil && u.Host == "" && u.Scheme == "" && u.User == nil
}
