package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"padron"
)

// testRevokedAtOnce has many ask for a token while it is revoked: whoever asks
// after that is told so.
func testRevokedAtOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.ok(f.store.AddToken(ctx, padron.Token{ID: "t", Name: "n", Role: padron.RoleViewer, CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour)}))
	const callers, each = 8, 40
	var revoked atomic.Bool
	var asked sync.WaitGroup // until everyone is at it
	var done sync.WaitGroup
	asked.Add(callers)
	for range callers {
		done.Go(func() {
			for i := range each {
				before := revoked.Load()
				token, err := f.store.Token(ctx, "t")
				if err != nil || before && token.RevokedAt.IsZero() {
					t.Errorf("a token that was revoked before: %v, %v", token, err)
				}
				if i == each/4 {
					asked.Done()
				}
			}
		})
	}
	asked.Wait()
	f.ok(f.store.RevokeToken(ctx, "t", epoch.Add(time.Minute)))
	revoked.Store(true)
	done.Wait()
	if token := must(f.store.Token(ctx, "t"))(f); token.RevokedAt != epoch.Add(time.Minute) {
		t.Errorf("revoked at %v", token.RevokedAt)
	}
}
