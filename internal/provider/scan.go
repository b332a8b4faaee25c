package provider

import "bytes"

// scanner finds the end of one JSON value.
type scanner struct {
	depth             int
	inString, escaped bool
	scalar            bool
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// advance returns how many bytes of b belong to the value, and whether it ends
// there.
func (s *scanner) advance(b []byte) (n int, done bool) {
	for n < len(b) {
		if s.inString {
			n += s.skipString(b[n:])
			if !s.inString && s.depth == 0 {
				return n, true
			}
			continue
		}
		c := b[n]
		if s.scalar && s.depth == 0 && (c == ',' || c == ']' || isSpace(c)) {
			return n, true
		}
		n++
		if s.step(c) {
			return n, true
		}
	}
	return n, false
}

// step takes one byte outside of strings, and says whether it ends the value.
func (s *scanner) step(c byte) bool {
	switch c {
	case '"':
		s.inString = true
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
		return s.depth <= 0
	default:
		s.scalar = s.scalar || s.depth == 0
	}
	return false
}

// skipString returns how many bytes of b belong to the string it is in.
func (s *scanner) skipString(b []byte) int {
	for n := 0; n < len(b); {
		if s.escaped {
			s.escaped = false
			n++
			continue
		}
		quote := bytes.IndexByte(b[n:], '"')
		part := b[n:]
		if quote >= 0 {
			part = part[:quote]
		}
		if slash := bytes.IndexByte(part, '\\'); slash >= 0 {
			s.escaped = true
			n += slash + 1
			continue
		}
		if quote < 0 {
			break
		}
		s.inString = false
		return n + quote + 1
	}
	return len(b)
}
