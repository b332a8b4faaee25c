package providertest

import (
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"

	"padron"
)

// Mutation is what happens to the customers between two runs; each share is of
// the live ones, 0 to 1.
type Mutation struct {
	Change float64 `json:"change"`
	Add    float64 `json:"add"`
	Remove float64 `json:"remove"`
	Seed   uint64  `json:"seed"`
}

// MutationResult says what happened.
type MutationResult struct {
	Changed int `json:"changed"`
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Total is how many elements there are now.
	Total int `json:"total"`
}

// Mutate changes, adds and removes customers. Requests under way go on with
// those they began with. Only clean people who are in one record change or go,
// so that the result says exactly what a run must find.
func (s *Server) Mutate(m Mutation) MutationResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := &snapshot{state: s.state, people: newPeople(s.opts.Seed, s.opts.Dirty)}
	next := s.state
	next.removed, next.versions = s.state.removed.Clone(), maps.Clone(s.state.versions)
	rng, live := rand.New(rand.NewPCG(m.Seed, s.opts.Seed)), old.live()
	taken := map[uint32]bool{}
	pick := func(share float64, do func(uint32)) (done int) {
		want := int(share * float64(live))
		for tries := 0; done < want && tries < 20*want; tries++ {
			i := old.index(rng.IntN(live))
			if taken[i] || !old.people.alone(i) {
				continue
			}
			taken[i] = true
			do(i)
			done++
		}
		return done
	}
	r := MutationResult{
		Removed: pick(m.Remove, func(i uint32) { next.removed.Add(i) }),
		Changed: pick(m.Change, func(i uint32) { next.versions[i]++ }),
	}
	for want := int(m.Add * float64(live)); r.Added < want; next.total++ {
		if old.people.way(next.total) == nil {
			r.Added++
		} else {
			next.removed.Add(next.total) // a dirty one would not count as added
		}
	}
	s.state = next
	r.Total = (&snapshot{state: next}).len()
	return r
}

// maxBody bounds a mutation's JSON in bytes.
const maxBody = 4 << 10

func (s *Server) serveMutate(w http.ResponseWriter, r *http.Request) {
	m, err := readMutation(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Mutate(m)) // a client that left reads no error
}

func readMutation(body io.Reader) (Mutation, error) {
	var m Mutation
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, padron.Invalid("body", `want JSON such as {"change":0.01,"add":0.001,"remove":0.001,"seed":7}`)
	}
	for name, share := range map[string]float64{"change": m.Change, "add": m.Add, "remove": m.Remove} {
		if share < 0 || share > 1 {
			return m, padron.Invalid(name, "%v is not a share from 0 to 1", share)
		}
	}
	return m, nil
}
