package seal

import (
	"context"
	"sync"

	"padron"
)

// MemoryKeys keeps new data keys in memory over another store that is only
// read: a dry run leaves no key behind.
type MemoryKeys struct {
	under interface {
		Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error)
		Keys(ctx context.Context) ([]padron.DataKey, error)
	}
	mu    sync.Mutex
	added map[padron.KeyID]padron.DataKey
}

// NewMemoryKeys returns a store of keys over under, which is never written.
func NewMemoryKeys(under interface {
	Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error)
	Keys(ctx context.Context) ([]padron.DataKey, error)
}) *MemoryKeys {
	return &MemoryKeys{under: under, added: map[padron.KeyID]padron.DataKey{}}
}

// AddKey keeps the key in memory.
func (m *MemoryKeys) AddKey(_ context.Context, key padron.DataKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.added[key.ID] = key
	return nil
}

// EnsureKey returns the purpose's key where there is one, and else keeps a fresh
// one in memory.
func (m *MemoryKeys) EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	stored, err := m.under.Keys(ctx)
	if err != nil {
		return padron.DataKey{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.added {
		stored = append(stored, k)
	}
	for _, k := range stored {
		if k.Purpose == p && k.Group == "" {
			return k, nil
		}
	}
	key, err := fresh()
	if err == nil {
		m.added[key.ID] = key
	}
	return key, err
}

// Key returns a key from memory or from the store under it.
func (m *MemoryKeys) Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error) {
	m.mu.Lock()
	key, ok := m.added[id]
	m.mu.Unlock()
	if ok {
		return key, nil
	}
	return m.under.Key(ctx, id)
}

var _ KeyStore = (*MemoryKeys)(nil)
