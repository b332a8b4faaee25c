package bench

import (
	"fmt"
	"strconv"
	"sync"

	"padron/bench/report"
)

// measureScale divides a first run among processes that share one database.
func measureScale(h *harness, r *recorder) {
	from, done := h.provide(h.scale, dirty)
	defer done()
	declareScale(r.part, h.partitions)
	for range h.rounds {
		for n := 1; n <= h.partitions; n++ {
			to := h.register()
			h.settle()
			clock := report.Tick()
			took := timed(func() { h.divided(to, from, n) })
			used, _ := report.Tick().Since(clock)
			r.add(strconv.Itoa(n), float64(h.scale)/took.Seconds())
			r.add(fmt.Sprintf("used-%d", n), 100*used)
			h.drop(to)
		}
	}
	r.note("%s customers; provider, partitions and database share this machine's processors, so that the curve ends where they are all in use.", report.Number(float64(h.scale)))
}

// declareScale names the rates first, and then how busy the machine was.
func declareScale(p *report.Part, partitions int) {
	for n := 1; n <= partitions; n++ {
		f := report.Figure{
			Name: strconv.Itoa(n), Short: fmt.Sprintf("%d partitions", n), Unit: perSecond,
			What: fmt.Sprintf("first run: `plan --partitions %d`, so many processes at once, `finish`", n),
		}
		if n == 1 {
			f.Short = "1 partition"
		} else {
			f.Goals = []report.Goal{{Of: "1"}}
		}
		p.Declare(f)
	}
	for n := 1; n <= partitions; n++ {
		p.Declare(report.Figure{
			Name: fmt.Sprintf("used-%d", n), Short: fmt.Sprintf("in use with %d", n), Unit: "%",
			What: fmt.Sprintf("processors in use with %d partitions", n),
		})
	}
}

// divided is a first run in n partitions at once.
func (h *harness) divided(to register, from source, n int) {
	h.Helper()
	env := to.env(from)
	h.run(h.program(env, "synchronizer", "plan", "--partitions", strconv.Itoa(n)))
	var group sync.WaitGroup
	outs, errs := make([][]byte, n), make([]error, n)
	for i := range n {
		group.Go(func() {
			cmd := h.program(env, "synchronizer", "run", "--partition", fmt.Sprintf("%d/%d", i+1, n))
			outs[i], errs[i] = cmd.CombinedOutput()
		})
	}
	group.Wait()
	for i := range n {
		if errs[i] != nil {
			h.Fatalf("partition %d of %d: %v\n%s", i+1, n, errs[i], outs[i])
		}
	}
	did := h.run(h.program(env, "synchronizer", "finish", "--json"))
	if o := h.outcome(did); o.Inserted < int64(h.scale)*98/100 {
		h.Fatalf("%d customers were written", o.Inserted)
	}
}
