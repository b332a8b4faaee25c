package padron

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// Drift says how far one field of the provider's records is from what padron
// knows of it, in records. It never holds a value.
type Drift struct {
	// Unknown: padron does not know the field.
	Unknown int64 `json:"unknown,omitempty"`
	// Missing: a field that it knows was not there, or null.
	Missing int64 `json:"missing,omitempty"`
	// Kind: it was of another JSON type.
	Kind int64 `json:"kind,omitempty"`
	// Unusual: that is more than in the last complete run before; see
	// [Run.NoteUnusual].
	Unusual bool `json:"unusual,omitempty"`
}

const (
	// maxUnknown bounds the unknown fields that a run names.
	maxUnknown = 100
	// MoreUnknown stands for all unknown fields beyond those that a run names.
	MoreUnknown = "(more)"

	// leastShare is the share of the records that an unknown field is in, where
	// there are more of them than a run names, or its name may be a value.
	leastShare = 0.5

	// usualShare is the share of the records in which a field may be missing or
	// of another type before that is worth a word, and usualGrowth how many times
	// the share of the last run it may be.
	usualShare, usualGrowth = 0.01, 2
)

// NoteUnknown counts a field that padron does not know, by the provider's name,
// in n more records, which are among those that were read. A run names 100 of
// them; what more there are is counted together as [MoreUnknown]. Where there are
// more, they may be values in the place of names: then those that are not in half
// of the records lose their names, too.
func (r *Run) NoteUnknown(name string, n int64) {
	if r.Unknown == nil {
		r.Unknown = map[string]int64{}
	}
	if _, ok := r.Unknown[name]; !ok && name != MoreUnknown {
		at, listed := slices.BinarySearch(r.UnknownFields, name)
		switch {
		case listed:
		case len(r.UnknownFields) < maxUnknown && r.Unknown[MoreUnknown] == 0:
			r.UnknownFields = slices.Insert(r.UnknownFields, at, name)
		default:
			name = MoreUnknown
		}
	}
	before := r.Unknown[name]
	r.Unknown[name] += n
	// A doubling is seldom enough, and late enough for most of the records.
	if name == MoreUnknown && bits.Len64(uint64(r.Unknown[name])) > bits.Len64(uint64(before)) { //nolint:gosec // never negative
		r.withholdRare()
	}
}

// withholdRare counts the unknown fields that are in few records as [MoreUnknown].
func (r *Run) withholdRare() {
	r.UnknownFields = slices.DeleteFunc(r.UnknownFields, func(name string) bool {
		n := r.Unknown[name]
		if float64(n) >= leastShare*float64(r.Read) {
			return false
		}
		delete(r.Unknown, name)
		r.Unknown[MoreUnknown] += n
		return true
	})
}

// Drift returns the fields that were not as padron knows them, by the provider's
// name. What is missing or of another type is counted among the reasons, too:
// such a record is in quarantine.
func (r *Run) Drift() map[string]Drift {
	out := map[string]Drift{}
	for name, n := range r.Unknown {
		if n > 0 {
			out[name] = Drift{Unknown: n}
		}
	}
	for reason, n := range r.Reasons {
		name, code, _ := strings.Cut(string(reason), ":")
		f, ok := ParseField(name)
		d := out[f.ProviderName()]
		switch {
		case !ok || n <= 0:
			continue
		case code == codeMissing || code == codeNull:
			d.Missing += n
		case code == codeWrongType:
			d.Kind += n
		default:
			continue
		}
		out[f.ProviderName()] = d
	}
	for _, name := range r.Unusual {
		d := out[name]
		d.Unusual = true
		out[name] = d
	}
	return out
}

// NoteUnusual sets which fields drift more than in the run before, which is nil
// where there is none: unknown ones that were not met then, and those missing or
// of another type in more than 1% of the records and more than twice the share
// of then.
func (r *Run) NoteUnusual(before *Run) {
	if before == nil {
		before = &Run{}
	}
	then := before.Drift()
	r.Unusual = nil
	for name, now := range r.Drift() {
		was := then[name]
		_, listed := slices.BinarySearch(before.UnknownFields, name) // older reports have no counts
		if now.Unknown > 0 && was.Unknown == 0 && !listed ||
			r.exceeds(now.Missing, was.Missing, before) || r.exceeds(now.Kind, was.Kind, before) {
			r.Unusual = append(r.Unusual, name)
		}
	}
	slices.Sort(r.Unusual)
}

// exceeds: n records of this run are more than was of the one before foretold.
func (r *Run) exceeds(n, was int64, before *Run) bool {
	usual := usualShare
	if before.Read > 0 {
		usual = max(usual, usualGrowth*float64(was)/float64(before.Read))
	}
	return float64(n) > usual*float64(r.Read)
}

// UnusualText names the fields that drift unusually, with their counts, the most
// frequent first and at most five; "" where there are none.
func (r *Run) UnusualText() string {
	all := r.Drift()
	names := slices.SortedFunc(slices.Values(r.Unusual), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b].total(), all[a].total()), cmp.Compare(a, b))
	})
	const most = 5
	parts := make([]string, 0, most+1)
	for _, name := range names[:min(most, len(names))] {
		parts = append(parts, name+" "+all[name].String())
	}
	if len(names) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(parts, ", ")
}

func (d Drift) total() int64 { return d.Unknown + d.Missing + d.Kind }

// String returns the counts in words, such as "missing 3, of another type 4".
func (d Drift) String() string {
	var parts []string
	for _, c := range []struct {
		what string
		n    int64
	}{{"unknown", d.Unknown}, {"missing", d.Missing}, {"of another type", d.Kind}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", c.what, c.n))
		}
	}
	return strings.Join(parts, ", ")
}

// setDrift takes from a stored report what is not among its reasons.
func (r *Run) setDrift(drift map[string]Drift) {
	for _, name := range slices.Sorted(maps.Keys(drift)) {
		d := drift[name]
		if d.Unknown > 0 {
			if r.Unknown == nil {
				r.Unknown = map[string]int64{}
			}
			r.Unknown[name] = d.Unknown
		}
		if d.Unusual {
			r.Unusual = append(r.Unusual, name)
		}
	}
}
