package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"padron"
)

// splitter cuts a JSON array into its elements without holding more than one:
// it follows strings and brackets only, and leaves it to the decoder to judge
// what is between them. An element over the limit is passed over, not held.
type splitter struct {
	r     io.Reader
	buf   []byte
	pos   int
	limit int64
	began bool
	// eof: r has ended.
	eof bool
}

const readSize = 64 << 10

func newSplitter(r io.Reader, limit int64) *splitter {
	return &splitter{r: r, buf: make([]byte, 0, readSize), limit: limit}
}

// element is the raw JSON of one element, good until the next call. size is its
// length even where it was too large to be kept.
type element struct {
	raw      []byte
	size     int64
	tooLarge bool
}

// hashed returns bytes that stand for the element in a hash.
func (e element) hashed() []byte {
	if e.tooLarge {
		return fmt.Appendf(nil, "%d bytes", e.size)
	}
	return e.raw
}

func (e element) record() padron.Record {
	if e.tooLarge {
		return padron.Record{Fault: padron.ReasonTooLarge}
	}
	return DecodeRecord(e.raw)
}

// formError is an answer that is no JSON array, and what it is instead.
type formError struct{ what string }

func (f *formError) Error() string { return f.what }

// next returns the next element, or [io.EOF] after the array's end. An array
// that ends in the middle is [io.ErrUnexpectedEOF].
func (s *splitter) next() (element, error) {
	if !s.began {
		return s.first()
	}
	c, err := s.token()
	if err != nil {
		return element{}, err
	}
	switch c {
	case ']':
		return element{}, s.end()
	case ',':
		s.pos++
		return s.value()
	}
	return element{}, &formError{"its answer is not valid JSON between two customers"}
}

// first enters the array.
func (s *splitter) first() (element, error) {
	c, err := s.token()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return element{}, &formError{"its answer is empty"}
	case err != nil:
		return element{}, err
	case c == '{':
		return element{}, &formError{"it answered with an object instead of an array: probably an error message"}
	case c == '<':
		return element{}, &formError{"it answered with HTML, not JSON: is the address the API's?"}
	case c != '[':
		return element{}, &formError{"its answer is not a JSON array"}
	}
	s.began = true
	s.pos++
	if c, err = s.token(); err != nil {
		return element{}, err
	}
	if c == ']' {
		return element{}, s.end()
	}
	return s.value()
}

// end sees to it that nothing follows the array.
func (s *splitter) end() error {
	s.pos++
	_, err := s.token()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		s.pos = 0
		s.buf = append(s.buf[:0], ']') // a further call ends the same way
		return io.EOF
	}
	if err != nil {
		return err
	}
	return &formError{"its answer goes on after the array"}
}

// token returns the next byte that is not white space, without taking it.
func (s *splitter) token() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if err := s.fill(s.pos); err != nil {
			return 0, err
		}
	}
}

// fill reads more, and keeps what is in the buffer from keep on.
func (s *splitter) fill(keep int) error {
	if s.eof {
		return io.ErrUnexpectedEOF
	}
	if keep > 0 {
		n := copy(s.buf, s.buf[keep:])
		s.buf, s.pos = s.buf[:n], s.pos-keep
	}
	if len(s.buf) == cap(s.buf) {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if errors.Is(err, io.EOF) {
		s.eof = true
		err = nil
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return err
}

// value returns the element that begins at the next token.
func (s *splitter) value() (element, error) {
	c, err := s.token()
	if err != nil {
		return element{}, err
	}
	if c == ']' || c == ',' {
		return element{}, &formError{"its answer is not valid JSON: a comma too many"}
	}
	scan := scanner{}
	start, gone := s.pos, int64(0)
	for {
		n, done := scan.advance(s.buf[s.pos:])
		s.pos += n
		size := gone + int64(s.pos-start)
		if done {
			e := element{size: size, tooLarge: size > s.limit}
			if !e.tooLarge {
				e.raw = s.buf[start:s.pos]
			}
			return e, nil
		}
		if size > s.limit { // too large already: let go of what is held
			gone, start = size, s.pos
		}
		if err := s.fill(start); err != nil {
			return element{}, err
		}
		start = 0
	}
}

// scanner finds the end of one JSON value.
type scanner struct {
	depth             int
	inString, escaped bool
	scalar            bool
}

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
		if s.scalar && (c == ',' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			return n, true
		}
		n++
		switch c {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth <= 0 {
				return n, true
			}
		default:
			s.scalar = s.scalar || s.depth == 0
		}
	}
	return n, false
}

// skipString returns how many bytes of b belong to the string it is in.
func (s *scanner) skipString(b []byte) int {
	n := 0
	for n < len(b) {
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
			return len(b)
		}
		s.inString = false
		return n + quote + 1
	}
	return n
}
