package provider

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"math"
	"net/http"
	"time"

	"padron"
)

// maxPageRecords is the most records of one page in styles page and link: a
// record takes more memory than the few bytes that a provider can make it of.
const maxPageRecords = 10 * maxPageSize

// signature tells one page from another by whom it holds, in whatever order and
// with whatever data: a provider that ignores the page's number may sort or stamp
// each answer anew. The zero signature is that of no page.
type signature struct {
	count int
	// ids is the sum of the hashes of the ids.
	ids uint64
	// first is the first record's hash.
	first uint64
}

// same: both pages hold the same people.
func (s signature) same(as signature) bool { return s.count == as.count && s.ids == as.ids }

// reading is an answer of the provider's that is being read.
type reading struct {
	client *Client
	body   *stallReader
	limit  *limitReader
	cancel context.CancelFunc
	split  *splitter
	// next is path and query of the next page by the Link header, or "".
	next string

	// records are those held, not yet yielded.
	records []padron.Record
	sign    signature
	// count and hash are of the ids of all records read, skipped ones included.
	count int64
	hash  maphash.Hash
	// ended: the array is complete.
	ended bool
	// fetched and decoded are the times of what was read since the last page.
	fetched, decoded time.Duration
}

func (c *Client) newReading(resp *http.Response, limit int64, cancel context.CancelFunc) *reading {
	body := newStallReader(resp.Body, c.cfg.StallTimeout, cancel)
	limited := &limitReader{body, limit}
	r := &reading{
		client: c, body: body, limit: limited, cancel: cancel,
		split: newSplitter(limited, c.cfg.MaxRecord),
	}
	r.hash.SetSeed(c.seed)
	return r
}

// close lets go of the connection; what is left of the body is not read.
func (r *reading) close() {
	_ = r.body.Close() // nothing more is read
	r.cancel()
}

// unbounded leaves it to the answer's own limit how many bytes are taken.
const unbounded = math.MaxInt64

// take reads on until n records are held, so many bytes were read for them, or the
// array ends.
func (r *reading) take(n int, bytes int64) error {
	defer r.clock()()
	enough := r.limit.left - bytes
	if r.records == nil {
		r.records = make([]padron.Record, 0, min(n, 1000))
	}
	for !r.ended && len(r.records) < n && r.limit.left > enough {
		record, err := r.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r.records = append(r.records, record)
	}
	if r.ended || r.split.more() {
		return nil
	}
	// Nothing follows but the end, so reading on tells whether it is a good one.
	if _, err := r.read(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// clock returns what tells the time that the provider took from the time that
// decoding did, when reading ends.
func (r *reading) clock() (stop func()) {
	started, before := time.Now(), r.body.total
	return func() {
		waited := r.body.total - before
		r.fetched += waited
		r.decoded += time.Since(started) - waited
	}
}

// page is what was read, as whoever takes it gets it.
func (r *reading) page(cursor string) Page {
	p := Page{Records: r.records, Cursor: cursor, Fetch: r.fetched, Decode: r.decoded}
	r.fetched, r.decoded = 0, 0
	return p
}

// whole reads a page of at most n records to its end and lets go of the
// connection.
func (r *reading) whole(n int) error {
	defer r.close()
	if err := r.take(n, unbounded); err != nil {
		return err
	}
	if !r.ended {
		return final(r.client.fault("too_large", "one page of it has more than %d records", n))
	}
	return nil
}

// skip passes over n records if they are those with the hash, and returns
// errChanged if not.
func (r *reading) skip(n int64, prefix uint64) error {
	for range n {
		_, err := r.read()
		if errors.Is(err, io.EOF) {
			return errChanged
		}
		if err != nil {
			return err
		}
	}
	if n > 0 && r.hash.Sum64() != prefix {
		return errChanged
	}
	return nil
}

// read returns the next record, [io.EOF] after the last one, or a fault.
func (r *reading) read() (padron.Record, error) {
	e, err := r.split.next()
	if errors.Is(err, io.EOF) {
		r.ended = true
		return padron.Record{}, io.EOF
	}
	if err != nil {
		return padron.Record{}, r.bodyFault(err)
	}
	record := e.record()
	sum := whose(&record, e, r.client.seed)
	if r.count == 0 {
		r.sign.first = sum
	}
	r.count++
	r.sign.count++
	r.sign.ids += sum
	maphash.WriteComparable(&r.hash, sum)
	return record, nil
}

// whose returns the hash of a record's id, or of the record where it has none.
func whose(record *padron.Record, e element, seed maphash.Seed) uint64 {
	if id, ok := record.Identity(); ok {
		return maphash.Comparable(seed, id)
	}
	return e.sum(seed)
}
