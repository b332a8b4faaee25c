package app

import "testing"

// TestRetries: a setting of none is not taken for one that is not set.
func TestRetries(t *testing.T) {
	for setting, want := range map[int]int{0: -1, 1: 1, 6: 6} {
		if got := retries(setting); got != want {
			t.Errorf("%d: %d, want %d", setting, got, want)
		}
	}
}
