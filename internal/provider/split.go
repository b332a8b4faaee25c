package provider

import (
	"errors"
	"hash/maphash"
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
	// began and ended: the array's brackets were met.
	began, ended bool
	// err is the error that r has ended with; [io.EOF] is a good end.
	err error
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

// sum returns a hash of the element; one that was not kept has that of its size.
func (e element) sum(seed maphash.Seed) uint64 {
	if e.tooLarge {
		return maphash.Comparable(seed, e.size)
	}
	return maphash.Bytes(seed, e.raw)
}

func (e element) record() padron.Record {
	if e.tooLarge {
		return padron.Record{Fault: padron.ReasonTooLarge}
	}
	return DecodeRecord(e.raw)
}

// formError is an answer that is no JSON array: what it is instead, and a word
// to count it by.
type formError struct{ reason, what string }

// Error implements error.
func (f formError) Error() string { return f.what }

// What an answer can be instead of a JSON array of customers.
var (
	formEmpty   = formError{"empty", "its answer is empty"}
	formObject  = formError{"object", "it answered with an object instead of an array: probably an error answer"}
	formHTML    = formError{"html", "it answered with HTML, not JSON: check that PADRON_PROVIDER_URL is the API's"}
	formOther   = formError{"not_an_array", "its answer is not a JSON array"}
	formBetween = formError{"malformed", "its answer is not valid JSON between two customers"}
	formBehind  = formError{"malformed", "its answer goes on after the end of the array"}
)

// next returns the next element, or [io.EOF] after the array's end. An array
// that ends in the middle is [io.ErrUnexpectedEOF].
func (s *splitter) next() (element, error) {
	if s.ended {
		return element{}, io.EOF
	}
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
	return element{}, formBetween
}

// more says whether the element just returned is followed by another. It ends
// that element's life.
func (s *splitter) more() bool {
	c, err := s.token()
	return err == nil && c == ','
}

// first enters the array.
func (s *splitter) first() (element, error) {
	c, err := s.token()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && errors.Is(s.err, io.EOF):
		return element{}, formEmpty
	case err != nil:
		return element{}, err
	case c == '{':
		return element{}, formObject
	case c == '<':
		return element{}, formHTML
	case c != '[':
		return element{}, formOther
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
	switch {
	case err == nil:
		return formBehind
	case errors.Is(s.err, io.EOF):
		s.ended = true
		return io.EOF
	}
	return err
}

// token returns the next byte that is not white space, without taking it.
func (s *splitter) token() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			if c := s.buf[s.pos]; !isSpace(c) {
				return c, nil
			}
		}
		if err := s.fill(s.pos); err != nil {
			return 0, err
		}
	}
}

// value returns the element that begins at the next token.
func (s *splitter) value() (element, error) {
	c, err := s.token()
	if err != nil {
		return element{}, err
	}
	if c == ']' || c == ',' {
		return element{}, formBetween
	}
	scan := scanner{}
	start, gone := s.pos, int64(0)
	for {
		n, done := scan.advance(s.buf[s.pos:])
		s.pos += n
		size := gone + int64(s.pos-start)
		if done {
			return s.element(start, size), nil
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

func (s *splitter) element(start int, size int64) element {
	if size > s.limit {
		return element{size: size, tooLarge: true}
	}
	return element{raw: s.buf[start:s.pos], size: size}
}

// fill reads more, and keeps what is in the buffer from keep on. Once r has
// ended it returns why, where [io.ErrUnexpectedEOF] stands for a good end.
func (s *splitter) fill(keep int) error {
	if keep > 0 {
		n := copy(s.buf, s.buf[keep:])
		s.buf, s.pos = s.buf[:n], s.pos-keep
	}
	if len(s.buf) == cap(s.buf) {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for tries := 0; s.err == nil; tries++ {
		var n int
		n, s.err = s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if n > 0 {
			return nil // an error with it comes up with the next call
		}
		if tries == maxEmptyReads && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	if errors.Is(s.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return s.err
}

// maxEmptyReads is how often in a row a reader may bring nothing and no error.
const maxEmptyReads = 100
