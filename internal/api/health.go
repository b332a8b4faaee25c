package api

import (
	"context"
	"maps"
	"slices"

	"padron"
)

// Check asks one part how it is; nil is well. Its error goes to the log, the
// part's name to the caller.
type Check = func(context.Context) error

func (a *API) health(c *call) (response, error) { return checked(c.r.Context(), a.Health) }

func (a *API) ready(c *call) (response, error) {
	all := map[string]Check{}
	maps.Copy(all, a.Health)
	maps.Copy(all, a.Ready)
	return checked(c.r.Context(), all)
}

// checked answers 200, or 503 with the name of every part that fails.
func checked(ctx context.Context, checks map[string]Check) (response, error) {
	var list faults
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if err := checks[name](ctx); err != nil {
			list = append(list, &padron.Error{Code: padron.CodeUnavailable, Field: name, Message: "is failing", Err: err})
		}
	}
	if list != nil {
		return response{}, list
	}
	return ok([]byte(`{"status":"ok"}`)), nil
}
