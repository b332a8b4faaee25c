package delivery

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// again makes the review of the plan anew, as is done before it is approved: it is
// the one that was shown.
func (s *story) again(c commit, plan *Plan) {
	s.Helper()
	made, err := s.of(c).Review(s.Context(), plan.Record, "The proofs found nothing.")
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(plan.Review, made); diff != "" {
		s.Errorf("the review made anew (-shown +anew):\n%s", diff)
	}
}

// unapproved forges what apply would find out only when it is too late to say no:
// a stack that is said to wait is left out, and one that cannot be applied is not
// worth an approval.
func (s *story) unapproved(c commit, record *Record) {
	at := planOf(record, "services")
	for words, forge := range map[string]func(*StackPlan){
		`waits for ["the export x"], and it lacks []`: func(p *StackPlan) {
			p.State, p.ChangeSet, p.Changes, p.WaitsFor = Waiting, "", nil, []string{"the export x"}
		},
		"waits for [], and it lacks []": func(p *StackPlan) { p.State, p.ChangeSet, p.Changes = Waiting, "", nil },
		"nothing to approve":            func(p *StackPlan) { p.ChangeSet = strings.Replace(p.ChangeSet, "padron-", "other-", 1) },
	} {
		forged := *record
		forged.Stacks = slices.Clone(record.Stacks)
		forge(&forged.Stacks[at])
		forged.Seal()
		if text, err := s.of(c).Review(s.Context(), &forged); err == nil || !strings.Contains(err.Error(), words) {
			s.Errorf("a forged record is reviewed: %v, want %q\n%s", err, words, text)
		}
	}
}
