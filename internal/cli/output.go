package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// WriteJSON writes one indented JSON document.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// WriteTable writes rows under a header, in columns.
func WriteTable(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// List writes a list as the contract wants it: with asJSON an object with one
// plural name, else a table.
func List[T any](w io.Writer, asJSON bool, name string, items []T, header []string, row func(T) []string) error {
	if asJSON {
		if items == nil {
			items = []T{}
		}
		return WriteJSON(w, map[string][]T{name: items})
	}
	rows := make([][]string, len(items))
	for i := range items {
		rows[i] = row(items[i])
	}
	return WriteTable(w, header, rows)
}

// Widest returns how many characters the longest line has.
func Widest(s string) int {
	widest := 0
	for line := range strings.Lines(s) {
		widest = max(widest, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
	}
	return widest
}
