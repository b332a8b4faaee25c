package stages_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/pprof/profile"

	"padron/bench/stages"
)

// recorded is a profile of samples: each is a time and its functions, the
// innermost first.
func recorded(t *testing.T, samples map[int64][]string) *bytes.Buffer {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	known := map[string]*profile.Location{}
	for value, names := range samples {
		sample := &profile.Sample{Value: []int64{1, value}}
		for _, name := range names {
			if known[name] == nil {
				f := &profile.Function{ID: uint64(len(known) + 1), Name: name}
				p.Function = append(p.Function, f)
				known[name] = &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
				p.Location = append(p.Location, known[name])
			}
			sample.Location = append(sample.Location, known[name])
		}
		p.Sample = append(p.Sample, sample)
	}
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return &out
}

var all = []stages.Stage{
	{Name: "decode", Functions: []string{"padron/provider."}},
	{Name: "check", Functions: []string{"padron/provider.check"}},
	{Name: "store", Functions: []string{"driver.", "padron/store."}},
}

func TestSum(t *testing.T) {
	got, err := stages.Sum(recorded(t, map[int64][]string{
		100: {"runtime.mallocgc", "json.Decode", "padron/provider.(*Client).next", "padron/store.odd"},
		50:  {"padron/provider.checkAll", "padron/provider.next"},
		150: {"syscall.write", "driver.send", "padron/store.Write"},
		200: {"runtime.gcBgMarkWorker"},
		999: {"runtime.mallocgc", "sample.Serve"},
	}), all, "sample.")
	if err != nil {
		t.Fatal(err)
	}
	want := []stages.Share{{Name: "decode", Part: 0.2}, {Name: "check", Part: 0.1}, {Name: "store", Part: 0.3}, {Name: stages.Rest, Part: 0.4}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error(diff)
	}
	sum := 0.0
	for _, s := range got {
		sum += s.Part
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the shares add up to %v", sum)
	}
}

func TestSumRefuses(t *testing.T) {
	heap := &profile.Profile{SampleType: []*profile.ValueType{{Type: "inuse_space", Unit: "bytes"}}}
	var text bytes.Buffer
	if err := heap.Write(&text); err != nil {
		t.Fatal(err)
	}
	for name, given := range map[string]*bytes.Buffer{
		"no profile": bytes.NewBufferString("?"), "a profile of memory": &text, "no samples": recorded(t, nil),
	} {
		if shares, err := stages.Sum(given, all); err == nil {
			t.Errorf("%s gives %v", name, shares)
		}
	}
}
