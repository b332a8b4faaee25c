package provider

import (
	"fmt"
	"strings"
	"testing"

	"padron"
)

// inRange reads a range from the cursor on, and returns whom it met and where it
// could go on.
func inRange(t *testing.T, r *Range, cursor string) (met, cursors []string) {
	t.Helper()
	for page, err := range r.Pages(t.Context(), cursor) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Records {
			id, _ := page.Records[i].Identity()
			met = append(met, string(id))
		}
		cursors = append(cursors, page.Cursor)
	}
	return met, cursors
}

// TestRanges: the pages of a provider that has numbers are shared out so that
// everybody is met once, and each range can be gone on with from each cursor.
func TestRanges(t *testing.T) {
	shapes := map[string]source{
		"page": {style: ByPage}, "404 behind the last": {style: ByPage, gone: true},
		"smaller than asked": {style: ByPage, most: 3}, "larger than asked": {style: ByPage, fixed: 6},
	}
	for name, provider := range shapes {
		for _, paging := range []Paging{Auto, ByPage} {
			for _, total := range []int{1, 7, 13, 60} {
				c := client(t, Config{URL: provider.of(total).start(t), Paging: paging, PageSize: 4, Concurrency: 4})
				extent, err := c.Extent(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s, %s, %d in %d pages", name, paging, total, extent.Pages)
				if extent.Paging != ByPage {
					t.Fatalf("%s: paging %s", what, extent.Paging)
				}
				cut := 1 + extent.Pages/2
				first, second := c.Range(1, cut), c.Range(cut, 0)
				var all []string
				for _, r := range []*Range{first, second} {
					met, cursors := inRange(t, r, "")
					all = append(all, met...)
					if cut == 1 {
						continue // everybody is in the second
					}
					if rest, _ := inRange(t, r, cursors[len(cursors)-1]); len(rest) != 0 {
						t.Errorf("%s: %v behind the last page", what, rest)
					}
				}
				wantIDs(t, all, ids(1, total))
			}
		}
	}
}

// of is the source with so many people.
func (s source) of(total int) *source {
	s.total = total
	return &s
}

// TestExtentOfOthers: what has no page numbers cannot be divided, however it is
// found out.
func TestExtentOfOthers(t *testing.T) {
	for _, style := range []Paging{None, ByLink} {
		for _, paging := range []Paging{Auto, style} {
			for _, total := range []int{3, 20} {
				p := source{style: style, total: total}
				got, err := client(t, Config{URL: p.start(t), Paging: paging, PageSize: 4}).Extent(t.Context())
				want := Extent{Paging: style}
				if style == ByLink && total == 3 && paging == Auto {
					want.Paging = None // one page, without a link
				}
				if err != nil || got != want {
					t.Errorf("%s with %d, asked as %s: %+v, %v, want %+v", style, total, paging, got, err, want)
				}
			}
		}
	}
}

// TestExtentAsksLittle: about two requests for each doubling.
func TestExtentAsksLittle(t *testing.T) {
	p := source{style: ByPage, total: 4000}
	got, err := client(t, Config{URL: p.start(t), Paging: ByPage, PageSize: 4}).Extent(t.Context())
	if err != nil || got.Pages != 1000 || len(p.requests.made()) > 21 {
		t.Errorf("%+v, %v after %d requests, want 1000 pages after 21 at most", got, err, len(p.requests.made()))
	}
}

// TestExtentOfOneThatRepeats: a provider that gives its last page for every later
// number has no end.
func TestExtentOfOneThatRepeats(t *testing.T) {
	p := source{style: ByLink, total: 3} // ignores the number
	_, err := client(t, Config{URL: p.start(t), Paging: ByPage, PageSize: 4}).Extent(t.Context())
	if padron.ErrorCode(err) != padron.CodeUnavailable || !strings.Contains(err.Error(), "repeats") {
		t.Errorf("error %v, want one that says it repeats", err)
	}
}

// TestRangeBehindTheEnd: a list that has shrunk by more than the range is read to
// its end, which is before it, and one that is not there at all is a fault.
func TestRangeBehindTheEnd(t *testing.T) {
	for _, gone := range []bool{false, true} {
		p := source{style: ByPage, total: 8, gone: gone}
		c := client(t, Config{URL: p.start(t), Paging: ByPage, PageSize: 4})
		for _, r := range []*Range{c.Range(3, 5), c.Range(9, 12), c.Range(9, 0)} {
			if met, _ := inRange(t, r, ""); len(met) != 0 {
				t.Errorf("behind the end: %v", met)
			}
		}
	}
	nowhere := source{style: ByPage, gone: true}
	c := client(t, Config{URL: nowhere.start(t), Paging: ByPage, PageSize: 4})
	for _, err := range c.Range(9, 12).Pages(t.Context(), "") {
		if padron.ErrorCode(err) != padron.CodeUnavailable {
			t.Errorf("a list that is gone: %v", err)
		}
		return
	}
	t.Error("a list that is gone is empty")
}
