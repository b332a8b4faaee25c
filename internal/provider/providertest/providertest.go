// Package providertest is the provider's API as a server: realistic generated
// people under the provider's Spanish field names, every paging style, and the
// faults of a bad day, all from a seed. It feeds `padron up`, `padron provider`
// and tests.
//
// People are made from seed and index when they are asked for, so that a
// provider of ten million holds nobody in memory.
package providertest

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"padron"
)

// CollectionPath is where the customers are.
const CollectionPath = "/api/v1/usuarios"

// DefaultDirty is the share of dirty records that a negative Options.Dirty asks
// for.
const DefaultDirty = 0.01

// maxCustomers bounds a provider.
const maxCustomers = 1 << 30

// Options are what to serve.
type Options struct {
	// Customers is how many, 0 to 2^30.
	Customers int
	Seed      uint64
	// Dirty is the share of records that are not as they should be, 0 to 0.5;
	// negative is [DefaultDirty].
	Dirty float64
	// Paging is "all" (page and limit are honoured, everybody without them, a
	// Link header on pages), "none" (they are ignored), "page" (no Link header)
	// or "link" (an opaque cursor in a Link header); "" is "all".
	Paging string
	// APIKey is the bearer token to ask for; "" asks for none.
	APIKey string
	Faults Faults
	Logger *slog.Logger
}

// Server is the provider. It is safe for concurrent use.
type Server struct {
	opts   Options
	faults *injector

	mu    sync.RWMutex
	state state
}

// state is which people there are; handlers work on a copy.
type state struct {
	// total counts indexes ever given, the removed ones included.
	total   uint32
	removed *roaring.Bitmap
	// versions counts how often people changed, for those who did.
	versions map[uint32]uint32
	extra    []json.RawMessage
}

// New checks the options.
func New(o Options) (*Server, error) {
	if o.Dirty < 0 {
		o.Dirty = DefaultDirty
	}
	if o.Paging == "" {
		o.Paging = "all"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if o.Customers < 0 || o.Customers > maxCustomers {
		faults = append(faults, padron.Invalid("customers", "%d is not 0 to %d", o.Customers, maxCustomers))
	}
	if !slices.Contains([]string{"all", "none", "page", "link"}, o.Paging) {
		faults = append(faults, padron.Invalid("style", "%q is not one of all, none, page, link", o.Paging))
	}
	if !(o.Dirty <= 0.5) { // nor what is no number
		faults = append(faults, padron.Invalid("dirty", "%v is not a share from 0 to 0.5", o.Dirty))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Server{
		opts: o, faults: newInjector(o.Faults, o.Seed),
		state: state{total: uint32(o.Customers), removed: roaring.New(), versions: map[uint32]uint32{}},
	}, nil
}

// Put adds records after the generated ones, for tests: canaries and oddities.
func (s *Server) Put(records ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		raw, err := json.Marshal(r)
		if err != nil {
			panic("providertest: a record that is no JSON: " + err.Error())
		}
		s.state.extra = append(s.state.extra, raw)
	}
}

// Len returns how many elements a full answer has, dirty ones included.
func (s *Server) Len() int {
	snap := s.snapshot()
	return snap.len()
}

// snapshot is the state as one request sees it.
type snapshot struct {
	state
	people *people
}

func (s *Server) snapshot() *snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return &snapshot{state: s.state, people: newPeople(s.opts.Seed, s.opts.Dirty)}
}

func (s *snapshot) live() int { return int(s.total) - int(s.removed.GetCardinality()) }

func (s *snapshot) len() int { return s.live() + len(s.extra) }

// index returns the index of the n-th live person, from 0.
func (s *snapshot) index(n int) uint32 {
	i := uint32(n)
	if s.removed.IsEmpty() {
		return i
	}
	for { // each round skips those removed up to i; it ends when none are new
		next := uint32(n) + uint32(s.removed.Rank(i))
		if next == i {
			return i
		}
		i = next
	}
}

// has reports whether a valid customer is at an index.
func (s *snapshot) has(i uint32) bool {
	way := s.people.way(i)
	return !s.removed.Contains(i) && (way == nil || way.valid)
}

// appendElement appends the n-th element of the array.
func (s *snapshot) appendElement(b []byte, n int) []byte {
	if live := s.live(); n >= live {
		return append(b, s.extra[n-live]...)
	}
	return s.appendIndex(b, s.index(n))
}

func (s *snapshot) appendIndex(b []byte, i uint32) []byte {
	return s.people.appendRecord(b, i, func(j uint32) uint32 { return s.versions[j] })
}

// Truth calls f with each valid customer's JSON, as a register should hold it:
// no dirty record, the first one of each id, and nothing that [Server.Put] added.
// It ends when f returns false.
func (s *Server) Truth(f func(id string, record map[string]any) bool) {
	snap := s.snapshot()
	var b []byte
	for n := range snap.live() {
		i := snap.index(n)
		if !snap.has(i) {
			continue
		}
		b = snap.appendIndex(b[:0], i)
		var record map[string]any
		if err := json.Unmarshal(b, &record); err != nil {
			panic("providertest: a clean record that is no JSON: " + err.Error())
		}
		if !f(record["id"].(string), record) {
			return
		}
	}
}

// Expect returns how many live elements are dirty, by the name of the way.
func (s *Server) Expect() map[string]int {
	snap := s.snapshot()
	out := map[string]int{}
	for n := range snap.live() {
		if way := snap.people.way(snap.index(n)); way != nil {
			out[way.name]++
		}
	}
	return out
}

// Ways returns the name of every way in which a record can be dirty.
func Ways() []string {
	out := make([]string, len(ways))
	for i := range ways {
		out[i] = ways[i].name
	}
	return out
}

// problem is an error as the sample answers it.
func problem(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message}) // a client that left reads no error
}
