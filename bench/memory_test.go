package bench

import (
	"fmt"

	"padron/bench/report"
)

// measureMemory watches the synchronizer's resident memory in a first run and in
// one where nothing changed, for each number of customers.
func measureMemory(h *harness, r *recorder) {
	for i, customers := range h.memory {
		from, done := h.provide(customers, dirty)
		to := h.register()
		for _, what := range []string{"first", "unchanged"} {
			h.settle()
			did, o := h.synchronize(to, from)
			if want := int64(customers) * 98 / 100; o.Inserted+o.Unchanged < want {
				h.Fatalf("%+v, want at least %d", o, want)
			}
			f := report.Figure{
				Name: fmt.Sprintf("%s-%d", what, i), Unit: "MiB",
				Short: fmt.Sprintf("%s, %s", what, report.Number(float64(customers))),
				What:  fmt.Sprintf("most resident memory (`VmHWM`) of `synchronizer run`, %s, %s customers", what, report.Number(float64(customers))),
				Goals: []report.Goal{{Most: 128}},
			}
			if i > 0 {
				f.Goals = append(f.Goals, report.Goal{Of: what + "-0", Most: 1.1})
			}
			r.part.Declare(f)
			r.add(f.Name, float64(did.peak)/(1<<20))
		}
		h.drop(to)
		done()
	}
}
