package console

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLanguagesHaveTheSameTexts(t *testing.T) {
	want := slices.Sorted(maps.Keys(catalogue["en"]))
	for language, messages := range catalogue {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(messages))); diff != "" {
			t.Errorf("%s (-en +%s):\n%s", language, language, diff)
		}
	}
}
