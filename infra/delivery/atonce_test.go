package delivery

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// beside is an edge that, before the first request that it is told to wait for,
// has something else happen in the account.
func beside(is func(*http.Request) bool, happens func()) edgeFunc {
	done := false
	return func(r *http.Request) (*http.Response, error) {
		if !done && is(r) {
			done = true
			happens()
		}
		return through(r)
	}
}

func executes(r *http.Request) bool { return asks(r) == "ExecuteChangeSet" }

func keeps(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/"+recordName)
}

// TestTwoAppliesAtOnce: of two people who apply the same record one does, and the
// other is told so, wherever the first overtakes.
func TestTwoAppliesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		overtaken func(*http.Request) bool
		// applied is whether all was done before, and nothing but the record is left.
		applied bool
		want    string
	}{
		"before a stack":    {executes, false, "stack one: execute its change set: "},
		"before the record": {keeps, true, "release 1 has no record: its number was taken by another delivery meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			s := beginSmall(t)
			if c.applied {
				for _, stack := range s.templates.Stacks {
					if err := s.account.Create(t.Context(), stack); err != nil {
						t.Fatal(err)
					}
				}
			}
			record := s.planned()
			late := s.of(beside(c.overtaken, func() {
				if release, err := s.of(through).Apply(t.Context(), record, nil); err != nil || release.Revision != 1 {
					t.Errorf("the first: %+v, %v", release, err)
				}
			}))
			if _, err := late.Apply(t.Context(), record, nil); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "plan again") {
				t.Errorf("the second: %v, want %q and what to do", err, c.want)
			}
		})
	}
}

// TestRecordThatIsNotKept: where everything is deployed and the record is lost,
// that is said, and another plan and apply keep one.
func TestRecordThatIsNotKept(t *testing.T) {
	s := beginSmall(t)
	_, err := s.of(func(r *http.Request) (*http.Response, error) {
		if keeps(r) {
			return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(""))}, nil
		}
		return through(r)
	}).Apply(t.Context(), s.planned(), nil)
	for _, want := range []string{"every stack is deployed, and release 1 has no record", "plan again"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	release, err := s.of(through).Apply(t.Context(), s.planned(), nil)
	if err != nil || release.Revision != 1 {
		t.Errorf("planned and applied again: %+v, %v", release, err)
	}
}
