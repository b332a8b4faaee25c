package padron

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// MaxParts is the most partitions of a divided run.
const MaxParts = 1000

// PartRef names a partition as commands do: "2/4" is the second of four.
type PartRef struct{ Part, Of int }

// ParsePartRef reads "I/N", with 1 <= I <= N <= [MaxParts].
func ParsePartRef(name, s string) (PartRef, error) {
	i, n, _ := strings.Cut(s, "/")
	part, err1 := strconv.Atoi(i)
	of, err2 := strconv.Atoi(n)
	ref := PartRef{part, of}
	if err1 != nil || err2 != nil || part < 1 || part > of || of > MaxParts || ref.String() != s {
		return PartRef{}, Invalid(name, "want I/N such as 2/4, at most %d/%d", MaxParts, MaxParts)
	}
	return ref, nil
}

// String returns "I/N".
func (r PartRef) String() string { return fmt.Sprintf("%d/%d", r.Part, r.Of) }

// Plan is a run that is divided among processes, from its planning until it ends.
type Plan struct {
	RunID string
	// Token is the fencing token that every partition writes under.
	Token int64
	// Finishing: the token is that of the process that finishes the run; no
	// partition writes any more.
	Finishing bool
	// Source is the provider's, as in [Checkpoint].
	Source string
	// Full: every customer is written again, changed or not.
	Full bool
	// Parts are the partitions, numbered from 1.
	Parts []Part
}

// Part is one partition of a plan, and how far it is.
type Part struct {
	// Part is its number, from 1.
	Part int
	// First is its first page, from 1, and End the page behind its last one. A
	// partition without pages has End = First. 0 and 0 are all that the provider
	// has, End = 0 is to the end.
	First, End int
	// Attempt counts how often it was begun.
	Attempt int64
	// Cursor is where it goes on; "" at its beginning.
	Cursor string
	// Report counts what it has done so far.
	Report Run
	Done   bool
}

// Empty reports whether the partition has no pages.
func (p *Part) Empty() bool { return p.First > 0 && p.First == p.End }

// Missing returns the partitions that are not complete.
func (p *Plan) Missing() []PartRef {
	var out []PartRef
	for i := range p.Parts {
		if !p.Parts[i].Done {
			out = append(out, PartRef{p.Parts[i].Part, len(p.Parts)})
		}
	}
	return out
}

// PartState is how far a partition is, saved with its batch.
type PartState struct {
	Cursor string
	// Seen is what was seen since the last state, a serialized roaring bitmap of
	// [Number].
	Seen   []byte
	Report Run
	Done   bool
}

// MarshalJSON writes what an operator may see of a plan.
func (p Plan) MarshalJSON() ([]byte, error) {
	type part struct {
		Partition string `json:"partition"`
		FirstPage int    `json:"first_page"`
		LastPage  int    `json:"last_page"` // 0: to the end
		Empty     bool   `json:"empty,omitempty"`
		Done      bool   `json:"done"`
		Read      int64  `json:"read"`
	}
	parts := make([]part, len(p.Parts))
	for i := range p.Parts {
		q := &p.Parts[i]
		parts[i] = part{PartRef{q.Part, len(p.Parts)}.String(), q.First, max(0, q.End-1), q.Empty(), q.Done, q.Report.Read}
	}
	return json.Marshal(struct {
		RunID string `json:"run_id"`
		Full  bool   `json:"full,omitempty"`
		Parts []part `json:"partitions"`
	}{p.RunID, p.Full, parts})
}
