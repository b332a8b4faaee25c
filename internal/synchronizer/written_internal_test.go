package synchronizer

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"padron"
)

// TestWrittenForgetsNobody: who was written is never taken for somebody new, and
// without watching everybody may be there.
func TestWrittenForgetsNobody(t *testing.T) {
	var watched, not written
	watched.watch()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOf(rapid.Map(rapid.String(), func(s string) padron.CustomerID { return padron.CustomerID(s) })).Draw(t, "ids")
		for _, id := range ids {
			watched.add(id)
		}
		if got := watched.perhaps(ids); !slices.Equal(got, ids) && len(ids) > 0 {
			t.Errorf("of %q it knows %q", ids, got)
		}
		if got := not.perhaps(ids); !slices.Equal(got, ids) {
			t.Errorf("without watching, %q of %q", got, ids)
		}
	})
	var empty written
	empty.watch()
	if got := empty.perhaps([]padron.CustomerID{"1", "2"}); len(got) != 0 {
		t.Errorf("nobody was written, and %q may be there", got)
	}
}
