package elements

import (
	"errors"
	"fmt"
	"strings"
)

// The section of the document that [Insert] writes stands between these.
const (
	begin = "<!-- elements: padron-infra elements --write -->\n"
	end   = "<!-- /elements -->\n"
)

// Insert returns the document with the section of today in it.
func Insert(document, root string) (string, error) {
	before, rest, found := strings.Cut(document, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", errors.New("the document has no section between " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	section, err := table(root)
	return before + begin + section + end + after, err
}

// table is a row for each element. Links go from docs.
func table(root string) (string, error) {
	var b strings.Builder
	b.WriteString("| element | made in | types | proven by |\n| --- | --- | --- | --- |\n")
	for _, e := range All() {
		line, err := e.Line(root)
		if err != nil {
			return "", err
		}
		var types []string
		for _, t := range e.Types {
			types = append(types, strings.TrimPrefix(t, "AWS::"))
		}
		fmt.Fprintf(&b, "| %s | [%s:%d](../infra/%s#L%d) | %s | %s |\n", e.Name, e.File, line, e.File, line,
			strings.Join(types, ", "), strings.Join(e.Proofs, ", "))
	}
	return b.String(), nil
}
