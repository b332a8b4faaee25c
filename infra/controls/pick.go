package controls

import (
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// one checks the only resource of the type whose path ends with suffix: wrong
// returns what is wrong with it, "" where nothing is.
func one(typ, suffix string, wrong func(*cfn.Resource) string) func(*Estate) []string {
	return func(e *Estate) []string {
		r := e.Find(typ, suffix)
		if r == nil {
			return []string{"there is no " + typ + " " + suffix}
		}
		if w := wrong(r); w != "" {
			return []string{r.String() + ": " + w}
		}
		return nil
	}
}

// put returns a Remove that sets a property of one resource; nil deletes it.
// The names are objects and the last one the property.
func put(typ, suffix string, value any, path ...string) func(*Estate) int {
	return func(e *Estate) int {
		r := e.Find(typ, suffix)
		if r == nil {
			return 0
		}
		at := r.Properties
		for _, name := range path[:len(path)-1] {
			at, _ = at[name].(map[string]any)
		}
		last := path[len(path)-1]
		if _, ok := at[last]; !ok {
			return 0
		}
		if at[last] = value; value == nil {
			delete(at, last)
		}
		return 1
	}
}

// without returns a Remove that deletes one resource.
func without(typ, suffix string) func(*Estate) int {
	return func(e *Estate) int {
		r := e.Find(typ, suffix)
		if r == nil {
			return 0
		}
		r.Remove()
		return 1
	}
}

// are returns a wrong: every text at the paths must be as wanted.
func are(want map[string]string) func(*cfn.Resource) string {
	return func(r *cfn.Resource) string {
		var wrong []string
		for _, path := range slices.Sorted(maps.Keys(want)) {
			if bad := is(want[path], strings.Split(path, ".")...)(r); bad != "" {
				wrong = append(wrong, bad)
			}
		}
		return strings.Join(wrong, "; ")
	}
}

// names returns the texts of a resolved list.
func names(r *cfn.Resource, path ...string) []string {
	var found []string
	for _, v := range r.List(path...) {
		if s, ok := v.(string); ok {
			found = append(found, s)
		}
	}
	return found
}

// objects returns the objects of a list as they are in the template.
func objects(v any) []map[string]any {
	l, _ := v.([]any)
	var found []map[string]any
	for _, x := range l {
		if m, ok := x.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}
