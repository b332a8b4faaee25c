package app

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"

	"padron/internal/synchronizer"
)

// lineEvery is how often progress is logged where there is no terminal.
const lineEvery = 3 * time.Second

// Progress shows how far a run is: a bar on a terminal, else a log line every
// few seconds. done ends the bar.
func Progress(w io.Writer, terminal bool, logger *slog.Logger) (show func(synchronizer.Progress), done func()) {
	if terminal {
		return progressBar(w)
	}
	var last time.Duration
	return func(p synchronizer.Progress) {
		if p.Elapsed-last < lineEvery {
			return
		}
		last = p.Elapsed
		logger.Info("synchronizing", "customers", p.Read, "per_second", rate(p), "elapsed", p.Elapsed.Round(time.Second).String())
	}, func() {}
}

func progressBar(w io.Writer) (func(synchronizer.Progress), func()) {
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("synchronizing"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("customers"),
		progressbar.OptionClearOnFinish())
	return func(p synchronizer.Progress) {
			if p.Expected > 0 && bar.GetMax64() != max(p.Expected, p.Read) {
				bar.ChangeMax64(max(p.Expected, p.Read))
			}
			_ = bar.Set64(p.Read) // a bar that cannot be drawn stops no run
		}, func() {
			_ = bar.Finish()
			_, _ = fmt.Fprint(w, "\r")
		}
}

func rate(p synchronizer.Progress) int64 {
	if p.Elapsed <= 0 {
		return 0
	}
	return int64(float64(p.Read) / p.Elapsed.Seconds())
}
