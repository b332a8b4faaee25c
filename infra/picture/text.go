package picture

import (
	"fmt"
	"strings"
)

// Sizes of letters, in pixels, and where a card's text begins, right of its
// glyph.
const (
	labelSize  = 13.5
	detailSize = 11.5
	textX      = 42.0
)

// measure estimates the width of the text in the widest of the common
// sans-serif faces, so that it fits in the others too.
func measure(s string, size float64, bold bool) float64 {
	w := 0.0
	for _, c := range s {
		switch {
		case strings.ContainsRune("iljI.,:;|'!()[] /", c):
			w += 0.36
		case strings.ContainsRune("ftr-", c):
			w += 0.41
		case strings.ContainsRune("mwMW@", c):
			w += 0.92
		case c >= 'A' && c <= 'Z':
			w += 0.70
		default:
			w += 0.61
		}
	}
	if bold {
		w *= 1.1
	}
	return w * size
}

// wrap breaks the text at spaces into lines of at most the width. A word that
// is longer than a line stands alone in it.
func wrap(s string, width, size float64, bold bool) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && measure(longer, size, bold) > width {
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// shorten cuts a name that an operator chose, and that is too long for its box.
func shorten(s string, width float64) string {
	letters := []rune(s)
	for n := len(letters); n > 0 && measure(s, detailSize, false) > width; n-- {
		s = string(letters[:n-1]) + "…"
	}
	return s
}

// text is where a card's glyph and lines stand.
type text struct {
	iconX, iconY float64
	lines        []line
	centred      bool
}

type line struct {
	text    string
	x, y    float64
	size    float64
	bold    bool
	allowed float64
}

// text sets the card: the glyph at the left and the lines beside it, or, in a
// narrow box, the glyph above and the lines centred.
func (b *Box) text() text {
	t := text{iconX: b.X + 8, iconY: b.midY() - 14}
	x, width := b.X+textX, b.W-textX-4
	if b.W < 120 {
		t.centred, t.iconX, t.iconY = true, b.midX()-14, b.Y+8
		x, width = b.midX(), b.W-8
	}
	for _, s := range wrap(b.Label, width, labelSize, true) {
		t.lines = append(t.lines, line{text: s, x: x, size: labelSize, bold: true, allowed: width})
	}
	for _, s := range b.Lines {
		for _, s := range wrap(s, width, detailSize, false) {
			t.lines = append(t.lines, line{text: s, x: x, size: detailSize, allowed: width})
		}
	}
	height := 0.0
	for _, l := range t.lines {
		height += l.size + 3
	}
	y := b.midY() - height/2
	if t.centred {
		y = b.Y + 40
	}
	for i := range t.lines {
		y += t.lines[i].size + 3
		t.lines[i].y = y - 4
	}
	return t
}

// Misfits returns a line for every text that, by the estimate, is wider or
// higher than its box allows.
func (d *Drawing) Misfits() []string {
	var wrong []string
	d.Walk(func(_, b *Box) {
		if looks[b.Look].group {
			if measure(b.Label, labelSize, true) > b.W-16 {
				wrong = append(wrong, fmt.Sprintf("%s: %q is wider than its frame", b.ID, b.Label))
			}
			return
		}
		for _, l := range b.text().lines {
			if measure(l.text, l.size, l.bold) > l.allowed {
				wrong = append(wrong, fmt.Sprintf("%s: %q is wider than its box", b.ID, l.text))
			}
			if l.y > b.bottom()-3 || l.y-l.size < b.Y-1 {
				wrong = append(wrong, fmt.Sprintf("%s: %q does not fit in its height", b.ID, l.text))
			}
		}
	})
	return wrong
}
