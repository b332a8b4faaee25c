package synchronizer_test

import (
	"slices"
	"testing"
)

// TestMetAgainInAFirstRun: who comes twice in a first run, however far apart, is
// there once, though the store is not asked about those who cannot be there; and
// a first run that was cut short goes on with those it has written.
func TestMetAgainInAFirstRun(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *register{"sqlite": newRegister, "mysql": newMySQLRegister} {
		t.Run(name, func(t *testing.T) {
			r, p := open(t), newPeople(95)
			p.edit(func(all []map[string]any) []map[string]any {
				return slices.Concat(all, []map[string]any{all[3], all[50], all[94]})
			})
			cfg := r.config(p)
			cfg.Store = &failing{r.store, 6}
			run, err := r.sync(cfg)
			if err == nil {
				t.Fatal("the sixth write has not failed")
			}
			cfg.Store = r.store
			rest := r.mustSync(cfg)
			if n := len(r.names()); n != 95 || run.Inserted+rest.Inserted != 95 || rest.Duplicates != 3 {
				t.Errorf("%d customers of 95; %d and then %d inserted, %d twice", n, run.Inserted, rest.Inserted, rest.Duplicates)
			}
			whole := open(t)
			want(t, whole.mustSync(whole.config(p)), counts{Read: 98, Inserted: 95, Duplicates: 3})
		})
	}
}
