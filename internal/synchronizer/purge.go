package synchronizer

import (
	"context"
	"fmt"

	"padron"
)

// purgeSize is how many quarantine entries one transaction removes.
const purgeSize = 1000

// purge removes the quarantine entries that nobody has sent for too long before
// the run began. A rejected record is personal data like any other, and what is
// of no use any more is not kept (GDPR, article 5(1)(e)). Only a run that read
// everything does it: what another run would have met again stays.
func purge(ctx context.Context, cfg *Config, lease padron.Lease, run *padron.Run) error {
	if cfg.KeepRejected <= 0 {
		return nil
	}
	before := run.StartedAt.Add(-cfg.KeepRejected)
	for {
		n, err := cfg.Store.PurgeQuarantine(ctx, lease, before, purgeSize)
		if err != nil {
			return fmt.Errorf("remove old quarantine entries: %w", err)
		}
		run.Purged += n
		if n < purgeSize {
			break
		}
	}
	if run.Purged > 0 {
		cfg.Logger.InfoContext(ctx, "old quarantine entries were removed", "run_id", run.ID, "entries", run.Purged, "last_seen_before", padron.FormatTime(before))
	}
	return nil
}
