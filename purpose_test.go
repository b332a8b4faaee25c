package padron_test

import (
	"strings"
	"testing"

	"padron"
)

func TestPurpose(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{"ten chars.", true},
		{"  ten chars.\n", true},
		{"nine char", false},
		{"         a         ", false},
		{strings.Repeat("ñ", 500), true},
		{strings.Repeat("ñ", 501), false},
		{"two\nlines of it", false},
		{"a bell \a rings", false},
		{"not UTF-8: \xff\xfe", false},
		{"right to left \u202e!", false},
		{"separated \u2028 lines", false},
		{"refund agreed on 2026-11-23 for order 4711", true},
		{"from 2026-11-20 2026-11-21 on", true},
		{"ticket 20261123001 of support", true},
		{"card 4111111111111111 is wrong", false},
		{"card 4111 1111 1111 1111 is wrong", false},
		{"card 3782-822463-10005 is wrong", false},
		{"call 555-123-4567 about it", false},
		{"card 4532.7714.9083.2255 dispute", false},
		{"card 4532/7714/9083/2255 dispute", false},
		{"card 4532  -  7714 - 9083", true}, // four characters: two numbers
		{"card 4532 - 7714 - 9083 dispute", false},
		{"card ４５３２７７１４９０８３２２５５ dispute", false},
		{"account 12 34 56 78 90 12", false},
		{"orders 4711 and 4712 and 4713", true},
		{strings.Repeat("\u200b", 12), false},
		{"invisible \u200b space", false},
	}
	for _, tt := range tests {
		got, err := padron.ParsePurpose("purpose", tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.in, err)
		}
		if tt.ok && got != strings.TrimSpace(tt.in) {
			t.Errorf("%q became %q", tt.in, got)
		}
		if !tt.ok && padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%q: code %s", tt.in, padron.ErrorCode(err))
		}
	}
}
