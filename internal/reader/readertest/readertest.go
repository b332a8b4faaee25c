// Package readertest is a small register, with real keys, store, policy and
// audit log, for the tests of what reads through internal/reader.
package readertest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"padron"
	"padron/internal/access"
	"padron/internal/audit"
	"padron/internal/reader"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
	"padron/internal/store/sqlite"
)

// Register is a register with [People] customers in it.
type Register struct {
	Store         *sqlite.Store
	Reader        *reader.Reader
	Authenticator *access.Authenticator
	Policy        *access.Policy
	Audit         *audit.Log
	// Config is what Reader was made with, to make others from.
	Config reader.Config
	// Sealer seals further customers for [Register.Apply].
	Sealer *seal.Sealer
}

// New returns a register in a folder of the test's own. It is closed when the
// test ends.
func New(t testing.TB) *Register {
	t.Helper()
	dir := t.TempDir()
	st := must(sqlite.Open(t.Context(), filepath.Join(dir, "padron.db")))(t)
	t.Cleanup(func() { check(t, st.Close()) })
	check(t, st.Migrate(t.Context()))
	r := &Register{
		Store: st, Authenticator: access.NewAuthenticator(st, time.Now),
		Policy: must(access.NewPolicy())(t), Audit: audit.New(st, time.Now),
	}
	t.Cleanup(func() { check(t, r.Audit.Close()) })
	wrapper := must(filewrap.Open(filepath.Join(dir, "keys.json")))(t)
	r.Sealer = must(seal.NewSealer(t.Context(), wrapper, st))(t)
	r.Config = reader.Config{
		Customers: st, Policy: r.Policy, Audit: r.Audit,
		Opener:  must(seal.NewOpener(t.Context(), wrapper, st))(t),
		Indexer: must(seal.NewIndexer(t.Context(), wrapper, st))(t),
		Pager:   must(seal.NewPager(t.Context(), wrapper, st))(t),
	}
	r.Reader = reader.New(r.Config)
	var batch padron.Batch
	for i := range People {
		person := Person(i)
		batch.Upserts = append(batch.Upserts, r.Seal(t, &person, padron.Number(i+1)))
	}
	r.Apply(t, &batch)
	return r
}

// Seal seals a customer under a number.
func (r *Register) Seal(t testing.TB, c *padron.Customer, n padron.Number) padron.SealedCustomer {
	t.Helper()
	sealed := must(r.Sealer.Seal(t.Context(), c, r.Sealer.Fingerprint(c)))(t)
	sealed.Number, sealed.UpdatedAt = n, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return sealed
}

// Apply writes a batch as a run of its own, under a lease.
func (r *Register) Apply(t testing.TB, b *padron.Batch) {
	t.Helper()
	lease := must(r.Store.Acquire(t.Context(), "readertest", time.Minute))(t)
	b.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	check(t, r.Store.Apply(t.Context(), lease, b))
	check(t, r.Store.Release(t.Context(), lease))
}

// Token returns a new token of the role, good for an hour.
func (r *Register) Token(t testing.TB, role padron.Role) string {
	t.Helper()
	secret, token, err := access.NewToken(role, fmt.Sprintf("test-%s", role), time.Now(), time.Hour)
	check(t, err)
	check(t, r.Store.AddToken(t.Context(), token))
	return secret
}

// Entries returns everything on the audit record.
func (r *Register) Entries(t testing.TB) []padron.AuditEntry {
	t.Helper()
	return must(r.Store.AuditEntries(t.Context(), padron.AuditFilter{Limit: 100_000}))(t)
}

// must returns a value, or ends the test with the error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
