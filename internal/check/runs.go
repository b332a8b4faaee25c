package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"padron"
)

// history is the newest runs of the synchronizer that ended by themselves, the
// newest first. What cannot be asked for is an error, in every check alike.
func (c *checker) history(ctx context.Context) ([]padron.Run, error) {
	var answer struct {
		Runs []padron.Run `json:"runs"`
	}
	if err := c.want(ctx, http.StatusOK, c.Tokens[padron.RoleOperator], http.MethodGet, "/v1/runs", "", &answer); err != nil {
		return nil, err
	}
	ended := slices.DeleteFunc(answer.Runs, func(r padron.Run) bool {
		return r.Outcome == padron.OutcomeRunning || r.Outcome == padron.OutcomeSkipped
	})
	if len(ended) == 0 {
		return nil, errors.New("there is none")
	}
	return ended, nil
}

// runs checks what the history of runs shows: that the register is fresh, that
// the provider answers the synchronizer, which alone can reach it, and which
// version the synchronizer is.
func (c *checker) runs(ctx context.Context) {
	checks := []struct {
		name  string
		check func([]padron.Run) (string, error)
	}{{"last run", c.lastRun}, {"provider", provider}, {synchronizerVersion, c.synchronizer}}
	if c.Tokens[padron.RoleOperator] == "" {
		for _, one := range checks {
			c.skip(one.name, NotGiven, "wants a token of the role operator")
		}
		return
	}
	runs, err := c.history(ctx)
	for _, one := range checks {
		if err != nil {
			c.add(one.name, Failed, err.Error())
			continue
		}
		seen, wrong := one.check(runs)
		if errors.Is(wrong, errTooEarly) {
			c.skip(one.name, TooEarly, seen)
			continue
		}
		c.judge(one.name, wrong, seen)
	}
}

// lastRun checks that the newest run completed, not long ago.
func (c *checker) lastRun(runs []padron.Run) (string, error) {
	last := runs[0]
	age := time.Since(last.StartedAt).Round(time.Second)
	seen := fmt.Sprintf("%s %s, began %v ago", last.ID, last.Outcome, age)
	if last.Outcome != padron.OutcomeCompleted || age > c.MaxAge {
		return "", fmt.Errorf("%s; want one that completed in the last %v", seen, c.MaxAge)
	}
	return seen, nil
}

// provider checks that the newest run got customers from the provider. One that
// failed on the way had them; one that read none says why, and how often it
// went that way.
func provider(runs []padron.Run) (string, error) {
	unanswered := 0
	for unanswered < len(runs) && runs[unanswered].Outcome != padron.OutcomeCompleted && runs[unanswered].Read == 0 {
		unanswered++
	}
	last := runs[0]
	if unanswered > 0 {
		return "", fmt.Errorf("the last %d of %d runs read nothing: %s", unanswered, len(runs), cmp.Or(last.Error, "no reason was kept"))
	}
	failed := 0
	for _, r := range runs {
		if r.Outcome == padron.OutcomeFailed {
			failed++
		}
	}
	return fmt.Sprintf("gave the synchronizer %d customers in %v; %d of the last %d runs failed",
		last.Read, last.Duration.Round(time.Millisecond), failed, len(runs)), nil
}

// synchronizerVersion is the check of the version that the synchronizer had in
// its last run: between runs it is not there to be asked.
const synchronizerVersion = "version of the synchronizer"

// errTooEarly: what would show it has not happened yet.
var errTooEarly = errors.New("too early")

// synchronizer checks that the last run since the release was done by it.
func (c *checker) synchronizer(runs []padron.Run) (string, error) {
	last := runs[0]
	seen := cmp.Or(last.Version, "unknown")
	switch {
	case c.Release == "" || last.Version == c.Release:
		return seen, nil
	case last.StartedAt.Before(c.Released):
		return fmt.Sprintf("no run since the release of %s; the last one was by %s", c.Release, seen), errTooEarly
	}
	return "", fmt.Errorf("the last run was by %s, want %s", seen, c.Release)
}
