// Package stages says where a program's processor time went: it adds up a CPU
// profile by the stage of the work that each sample was of.
package stages

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// Stage is a part of the work, and what functions are of it.
type Stage struct {
	Name string
	// Functions are prefixes of full names, such as "padron/internal/seal.".
	Functions []string
}

// Share is a stage's part of the time, 0 to 1.
type Share struct {
	Name string
	Part float64
}

// ErrNoSamples is of a program that ran too shortly.
var ErrNoSamples = errors.New("the profile has no samples")

// Rest is the name of what is of no stage.
const Rest = "the rest"

// Sum adds up a CPU profile. A sample is of the stage to which its innermost
// function that is of any stage belongs: what the runtime, the standard library
// and the kernel do is counted for whom they do it. A function that more than one
// stage names is of the one with the longest prefix. Samples under any of the
// functions of without are left out. The shares stand in the order of the stages,
// Rest last.
func Sum(r io.Reader, all []Stage, without ...string) ([]Share, error) {
	p, err := profile.Parse(r)
	if err != nil {
		return nil, err
	}
	value := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "cpu" })
	if value < 0 {
		return nil, errors.New("this is no profile of processor time")
	}
	sums, total := make([]float64, len(all)+1), 0.0
	for _, sample := range p.Sample {
		stack := functions(sample)
		if slices.ContainsFunc(stack, func(name string) bool { return startsWith(name, without) > 0 }) {
			continue
		}
		n := float64(sample.Value[value])
		sums[stageOf(stack, all)] += n
		total += n
	}
	if total == 0 {
		return nil, ErrNoSamples
	}
	shares := make([]Share, 0, len(sums))
	for i, sum := range sums {
		name := Rest
		if i < len(all) {
			name = all[i].Name
		}
		shares = append(shares, Share{name, sum / total})
	}
	return shares, nil
}

// functions are a sample's, the innermost first.
func functions(s *profile.Sample) (names []string) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// stageOf returns the index of a stack's stage, or how many stages there are.
func stageOf(stack []string, all []Stage) int {
	for _, name := range stack {
		best, longest := -1, 0
		for i := range all {
			if n := startsWith(name, all[i].Functions); n > longest {
				best, longest = i, n
			}
		}
		if best >= 0 {
			return best
		}
	}
	return len(all)
}

// startsWith returns the length of the longest prefix that a name has; 0 is none.
func startsWith(name string, prefixes []string) (longest int) {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			longest = max(longest, len(p))
		}
	}
	return longest
}
