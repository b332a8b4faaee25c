package sqlite

import (
	"context"
	"fmt"
)

// LimitPages makes the disk full at so many pages more than now.
func (s *Store) LimitPages(ctx context.Context, more int) error {
	var count int
	if err := s.write.QueryRowContext(ctx, "PRAGMA page_count").Scan(&count); err != nil {
		return err
	}
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", count+more))
	return err
}
