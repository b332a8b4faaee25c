package providertest

import (
	"compress/gzip"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ServeHTTP serves the collection, one customer by id, and the sample's own
// POST /_sample/mutate and GET /_sample/stats.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/_sample/mutate" && r.Method == http.MethodPost:
		s.serveMutate(w, r)
	case r.URL.Path == "/_sample/stats" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"customers": s.Len(), "requests": s.injector().counts()})
	case r.URL.Path != CollectionPath && !strings.HasPrefix(r.URL.Path, CollectionPath+"/"):
		problem(w, http.StatusNotFound, "there is only "+CollectionPath)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, http.StatusMethodNotAllowed, "only GET")
	case !s.allowed(r):
		problem(w, http.StatusUnauthorized, "wrong API key")
	case r.URL.Path != CollectionPath:
		s.serveOne(w, strings.TrimPrefix(r.URL.Path, CollectionPath+"/"))
	default:
		s.serveCollection(w, r)
	}
}

func (s *Server) allowed(r *http.Request) bool {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return s.opts.APIKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(s.opts.APIKey)) == 1
}

// serveOne answers with the person of a decimal id.
func (s *Server) serveOne(w http.ResponseWriter, id string) {
	snap := s.snapshot()
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil || n == 0 || n > uint64(snap.total) || !snap.has(uint32(n-1)) {
		problem(w, http.StatusNotFound, "Not found")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(snap.appendIndex(nil, uint32(n-1))) // a client that left reads no error
}

// serveCollection answers with a part of the array, or with a fault.
func (s *Server) serveCollection(w http.ResponseWriter, r *http.Request) {
	fault := s.injector().next()
	if fault.answer(w, r) {
		return
	}
	snap := s.snapshot()
	total := snap.len()
	switch fault.kind {
	case "empty":
		total = 0
	case "half":
		total /= 2
	}
	from, to, err := s.part(w, r, total)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	body, done := fault.body(w, r)
	defer done()
	if s.opts.Faults.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(body)
		defer zip.Close() //nolint:errcheck // a client that left reads no error
		body = zip
	}
	writeArray(body, snap, from, to)
}

// flushSize is how many bytes are gathered before they are written.
const flushSize = 64 << 10

// writeArray writes elements from up to to, until the client goes away.
func writeArray(w io.Writer, snap *snapshot, from, to int) {
	b := append(make([]byte, 0, flushSize+4<<10), '[')
	for n := from; n < to; n++ {
		if n > from {
			b = append(b, ',')
		}
		b = snap.appendElement(b, n)
		if len(b) >= flushSize {
			if _, err := w.Write(b); err != nil {
				return
			}
			b = b[:0]
		}
	}
	_, _ = w.Write(append(b, ']')) // a client that left reads no error
}

// part says which elements a request asks for, and sets the Link header.
func (s *Server) part(w http.ResponseWriter, r *http.Request, total int) (from, to int, err error) {
	q := r.URL.Query()
	limit, err := number(q, "limit")
	if err != nil {
		return 0, 0, err
	}
	page, err := number(q, "page")
	if err != nil {
		return 0, 0, err
	}
	cursor, err := number(q, "cursor")
	if err != nil {
		return 0, 0, err
	}
	switch {
	case s.opts.Paging == "none", s.opts.Paging != "link" && (limit == 0 || page == 0):
		return 0, total, nil
	case s.opts.Paging == "link":
		limit = max(limit, 1)
		from, to = bounds(cursor, limit, total)
		if to < total {
			link(w, r, url.Values{"cursor": {strconv.Itoa(to)}, "limit": {strconv.Itoa(limit)}})
		}
		return from, to, nil
	}
	from, to = bounds((page-1)*limit, limit, total)
	if s.opts.Paging == "all" && to < total {
		link(w, r, url.Values{"page": {strconv.Itoa(page + 1)}, "limit": {strconv.Itoa(limit)}})
	}
	return from, to, nil
}

func bounds(from, limit, total int) (int, int) {
	from = min(from, total)
	return from, min(from+limit, total)
}

func link(w http.ResponseWriter, r *http.Request, q url.Values) {
	w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", r.URL.Path, q.Encode()))
}

// number reads a whole number from a query; 0 where it is not there.
func number(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number", name)
	}
	return int(n), nil
}
