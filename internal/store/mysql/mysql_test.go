package mysql_test

import (
	"testing"
	"time"

	"padron/internal/store"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/storetest"
)

// open opens and migrates the register of a URL until the test ends.
func open(t testing.TB, url string, opts ...mysql.Option) *mysql.Store {
	t.Helper()
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	st, err := mysql.Open(t.Context(), cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) (store.Engine, func() store.Engine) {
		url := mysqltest.Shared(t).Database(t)
		return open(t, url, mysql.WithClock(now)), func() store.Engine { return open(t, url, mysql.WithClock(now)) }
	})
}
