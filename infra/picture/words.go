package picture

import (
	"fmt"
	"slices"
	"strings"
)

// words are the phrases of one language. English is what the program is
// written in; names of AWS's services are the same in both.
type words struct {
	language string
	missing  []string
}

func newWords(language string) (*words, error) {
	if language != "en" && language != "es" {
		return nil, fmt.Errorf("the picture speaks en and es, not %q", language)
	}
	return &words{language: language}, nil
}

// t translates a phrase.
func (w *words) t(phrase string) string {
	if w.language == "en" {
		return phrase
	}
	s, ok := spanish[phrase]
	if !ok && !slices.Contains(w.missing, phrase) {
		w.missing = append(w.missing, phrase)
	}
	return s
}

// f is t for a format.
func (w *words) f(format string, args ...any) string { return fmt.Sprintf(w.t(format), args...) }

// err says which phrases have no translation.
func (w *words) err() error {
	if len(w.missing) == 0 {
		return nil
	}
	return fmt.Errorf("no Spanish for %q: add it to the words of the picture", strings.Join(w.missing, `", "`))
}
