package padron_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"padron"
)

func TestMaskCard(t *testing.T) {
	for in, want := range map[string]string{
		"4111-1111-1111-1234": "**** **** **** 1234",
		"4111 1111 1111 1234": "**** **** **** 1234",
		"123456789012":        "**** **** **** 9012",
		"1234567890123456789": "**** **** **** 6789",
		"12345678901":         "**** **** **** ****",
		"1234":                "**** **** **** ****",
		"":                    "**** **** **** ****",
	} {
		if got := padron.MaskCard(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMaskAccount(t *testing.T) {
	for in, want := range map[string]string{
		"0012345678": "****5678",
		"12345678":   "****5678",
		"1234567":    "********",
		"":           "********",
	} {
		if got := padron.MaskAccount(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

var (
	cardMask    = regexp.MustCompile(`^\*{4} \*{4} \*{4} ([0-9]{4}|\*{4})$`)
	accountMask = regexp.MustCompile(`^\*{4}([0-9]{4}|\*{4})$`)
)

// checkMasks: whatever the number, a mask has the mask's form, and the digits it
// shows are the last four of enough others.
func checkMasks(t interface {
	Errorf(format string, args ...any)
}, number string) {
	digits := padron.Digits(number)
	for _, m := range []struct {
		form    *regexp.Regexp
		mask    string
		atLeast int
	}{{cardMask, padron.MaskCard(number), 12}, {accountMask, padron.MaskAccount(number), 8}} {
		found := m.form.FindStringSubmatch(m.mask)
		switch {
		case found == nil:
			t.Errorf("%q is masked as %q", number, m.mask)
		case len(digits) < m.atLeast && found[1] != "****", len(digits) >= m.atLeast && !strings.HasSuffix(digits, found[1]):
			t.Errorf("%q is masked as %q", number, m.mask)
		}
	}
}

func TestMasks(t *testing.T) {
	numbers := rapid.OneOf(rapid.StringMatching(`[0-9 -]{0,30}`), rapid.String(), rapid.StringMatching(`[0-9٠-٩]{0,24}`))
	rapid.Check(t, func(t *rapid.T) { checkMasks(t, numbers.Draw(t, "number")) })
}

// TestMaskDependsOnTheLastFour: two numbers that end alike have one mask.
func TestMaskDependsOnTheLastFour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.StringMatching(`[0-9]{4}`).Draw(t, "end")
		a := rapid.StringMatching(`[0-9]{8,15}`).Draw(t, "a") + end
		b := rapid.StringMatching(`[0-9]{8,15}`).Draw(t, "b") + end
		if padron.MaskCard(a) != padron.MaskCard(b) || padron.MaskAccount(a) != padron.MaskAccount(b) {
			t.Errorf("the masks of %s and %s tell them apart", a, b)
		}
	})
}

func TestDigits(t *testing.T) {
	if got := padron.Digits("a1-２ 3\xff4٥"); got != "134" {
		t.Errorf("got %q", got)
	}
}
