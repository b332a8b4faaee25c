package sqlite

import (
	"context"
	"database/sql"
	"time"

	"padron"
	"padron/internal/store/sqlstore"
)

// Divide stores a plan; see store.Divisions. The lease's file lock is let go of:
// it would say that the run is dead when the planning process ends.
func (s *Store) Divide(ctx context.Context, lease padron.Lease, plan *padron.Plan, ttl time.Duration) error {
	err := s.fenced(ctx, "store the plan", lease, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE lease SET expires_at = ?, locked = 0", sqlstore.Millis(s.now().Add(ttl))); err != nil {
			return err
		}
		return sqlstore.StorePlan(ctx, tx, lease, plan)
	})
	if err == nil {
		s.dropLock()
	}
	return err
}
