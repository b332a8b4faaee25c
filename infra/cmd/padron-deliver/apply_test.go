package main

import (
	"testing"

	"padron/infra/cli"
	"padron/infra/delivery"
)

// TestApplyOfARollback: the record that a pull request left cannot bring an
// earlier release back.
func TestApplyOfARollback(t *testing.T) {
	for _, to := range []int{0, 3} {
		for _, back := range []bool{false, true} {
			err := expects(&delivery.Record{RollbackTo: to}, back)
			if want := back != (to > 0); (err != nil) != want {
				t.Errorf("--rollback=%v with a record to release %d: %v", back, to, err)
			}
		}
	}
}

// TestWaitingFails: where stacks wait for another plan, what was merged does not
// run, and nobody may take the deployment for done.
func TestWaitingFails(t *testing.T) {
	if code := cli.Code(delivery.StillWaiting{"observability"}); code != 1 {
		t.Errorf("apply with stacks that wait exits with %d, want 1", code)
	}
}
