package mysql

import (
	"context"
	"database/sql"
	"time"

	"padron"
	"padron/internal/store/sqlstore"
)

// Divide stores a plan; see store.Divisions. The lease's named lock is let go of:
// from now on its expiry counts alone.
func (s *Store) Divide(ctx context.Context, lease padron.Lease, plan *padron.Plan, ttl time.Duration) error {
	err := s.fenced(ctx, "store the plan", lease, func(tx *sql.Tx) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE lease SET expires_at = ? WHERE one = 1", now+ttl.Milliseconds()); err != nil {
			return err
		}
		return sqlstore.StorePlan(ctx, tx, lease, plan)
	})
	if err == nil {
		s.letGo(&lease)
	}
	return err
}
