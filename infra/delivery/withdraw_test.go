package delivery

import (
	"context"
	"net/http"
	"testing"
)

// TestPlanThatFailsLeavesNothing: of a plan that comes to nothing no change set is
// left, neither where the account refuses something nor where somebody stops it.
func TestPlanThatFailsLeavesNothing(t *testing.T) {
	s := beginSmall(t)
	refuse := func(func(), *http.Request) (*http.Response, error) { return refused("AccessDenied"), nil }
	interrupt := func(stop func(), r *http.Request) (*http.Response, error) { stop(); return through(r) }
	for name, c := range map[string]struct {
		// fail answers to the action the time that it is asked for.
		action string
		time   int
		fail   func(stop func(), r *http.Request) (*http.Response, error)
	}{
		"refused":           {"DescribeChangeSet", 2, refuse},
		"stopped":           {"DescribeChangeSet", 2, interrupt},
		"cannot be written": {"ListStacks", 1, refuse},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			asked := 0
			d := s.of(func(r *http.Request) (*http.Response, error) {
				if asks(r) == c.action {
					if asked++; asked == c.time {
						return c.fail(stop, r)
					}
				}
				return through(r)
			})
			if plan, err := d.Plan(ctx); err == nil {
				t.Fatalf("planned all the same: %+v", plan)
			}
			if left := s.changeSets(); asked < c.time || len(left) > 0 {
				t.Errorf("after %d times %s, these are left: %q", asked, c.action, left)
			}
		})
	}
}
