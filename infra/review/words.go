package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// sentences are lines about each resource, by stack/path.
type sentences map[string][]string

// add notes a line about the resource.
func (s sentences) add(r *cfn.Resource, format string, args ...any) {
	s[r.String()] = append(s[r.String()], plain(fmt.Sprintf(format, args...)))
}

// changed compares what two assemblies say: a block of lines for each resource
// of which something differs.
func changed(say func(*cfn.Assembly) sentences, before, after *cfn.Assembly) []string {
	was, is := say(before), say(after)
	var blocks []string
	for _, resource := range union(was, is) {
		taken, given := without(was[resource], is[resource]), without(is[resource], was[resource])
		if len(taken)+len(given) == 0 {
			continue
		}
		lines := []string{"@@ " + resource + " @@"}
		for _, line := range taken {
			lines = append(lines, "- "+line)
		}
		for _, line := range given {
			lines = append(lines, "+ "+line)
		}
		blocks = append(blocks, strings.Join(lines, "\n"))
	}
	return blocks
}

// without are the lines of a that are not in b, sorted.
func without(a, b []string) []string {
	left := slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
	slices.Sort(left)
	return slices.Compact(left)
}

// section writes the blocks, or that there are none.
func section(b *strings.Builder, title, what string, blocks []string) {
	fmt.Fprintf(b, "## %s\n\n", title)
	if len(blocks) == 0 {
		fmt.Fprint(b, "Nothing changes.\n\n")
		return
	}
	fmt.Fprintf(b, "%s\n\n```diff\n%s\n```\n\n", what, strings.Join(blocks, "\n"))
}

// union are the keys of both, sorted.
func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// plain keeps a text on its line and inside its block: what it says comes from
// templates and names, which may be anybody's.
func plain(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "`", "'").Replace(s)
}

// code is a text as code in a table: nothing in it is Markdown.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(plain(s), "|", "\\|") + "`"
}

func short(commit string) string {
	if len(commit) > 12 {
		return commit[:12]
	}
	return commit
}
