package main

import (
	"strings"
	"testing"
)

// TestSame names the first line that differs.
func TestSame(t *testing.T) {
	for shown, want := range map[string]string{
		"a\nb\nc\n":     "",
		"a\nquiet\nc\n": `line 2 was "quiet" and is "b"`,
		"a\nb\n":        `line 3 was "" and is "c"`,
		"a\nb\nc\n\nd":  `line 5 was "d" and is nothing more`,
		"":              `line 1 was "" and is "a"`,
	} {
		err := same(shown, "a\nb\nc\n")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q was shown: %v, want %q", shown, err, want)
		}
	}
}
