package padron_test

import (
	"testing"
	"time"

	"padron"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * padron.Day, "2w": 14 * padron.Day, "0d": 0, "4095w": 4095 * 7 * padron.Day, "1h30m": 90 * time.Minute, "-1h": -time.Hour,
	} {
		if got, err := padron.ParseSpan(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "90", "-1d", "1.5d", "4096w", "1d2h", " 1d", "soon"} {
		if got, err := padron.ParseSpan(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
