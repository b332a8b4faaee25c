package github

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// differ returns a line for each place below at where got, as JSON, is not what
// is wanted.
func differ(at string, want, got any) []string {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return []string{wrong(at, want, got)}
		}
		return differFields(at, want, fields)
	case []any:
		elements, ok := got.([]any)
		if !ok {
			return []string{wrong(at, want, got)}
		}
		return differLists(at, want, elements)
	}
	if want != got {
		return []string{wrong(at, want, got)}
	}
	return nil
}

func differFields(at string, want, got map[string]any) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		below := name
		if at != "" {
			below = at + "." + name
		}
		lines = append(lines, differ(below, want[name], got[name])...)
	}
	return lines
}

// differLists pairs the elements that are alike, and then by what names them.
func differLists(at string, want, got []any) (lines []string) {
	rest := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(g any) bool { return len(differ("", w, g)) == 0 })
		if i < 0 {
			i = slices.IndexFunc(rest, func(g any) bool { return named(w) == named(narrow(w, g)) })
		}
		if i < 0 {
			lines = append(lines, fmt.Sprintf("%s lacks %s", label(at), text(w)))
			continue
		}
		lines = append(lines, differ(at+"["+named(w)+"]", w, rest[i])...)
		rest = slices.Delete(rest, i, i+1)
	}
	for _, g := range rest {
		lines = append(lines, fmt.Sprintf("%s has %s, which is not in the file", label(at), text(g)))
	}
	return lines
}

// names are the fields that tell one element of a list from another.
var names = []string{"name", "context", "slug", "type"}

// named returns what names an element: a field of it, or the whole.
func named(element any) string {
	fields, _ := element.(map[string]any)
	for _, name := range names {
		if s, ok := fields[name].(string); ok {
			return s
		}
	}
	return text(element)
}

// narrow leaves of got the fields that want has, so that both are named by the
// same one.
func narrow(want, got any) any {
	wanted, ok := want.(map[string]any)
	fields, is := got.(map[string]any)
	if !ok || !is {
		return got
	}
	fields = maps.Clone(fields)
	maps.DeleteFunc(fields, func(name string, _ any) bool { _, in := wanted[name]; return !in })
	return fields
}

func wrong(at string, want, got any) string {
	return fmt.Sprintf("%s is %s and must be %s", label(at), text(got), text(want))
}

func label(at string) string {
	if at == "" {
		return "the answer"
	}
	return at
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
