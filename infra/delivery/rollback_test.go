package delivery

import (
	"strings"
	"testing"
)

// TestRollbackBeforeTheFirstRelease: a record in a file is not enough.
func TestRollbackBeforeTheFirstRelease(t *testing.T) {
	s := beginSmall(t)
	to := &Release{Format: Format, Revision: 3, Environment: s.env.Name, Account: s.env.Account}
	if _, err := s.of(through).Rollback(t.Context(), to); err == nil || !strings.Contains(err.Error(), "nothing was released to dev yet") {
		t.Errorf("back to release 3 of none: %v", err)
	}
}
