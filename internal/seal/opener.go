package seal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"padron"
)

// maxCachedKeys bounds the unwrapped data keys an [Opener] holds.
const maxCachedKeys = 1024

// Opener opens sealed customers and rejected records. It is safe for concurrent
// use, and unwraps a data key once however many rows wait for it.
type Opener struct {
	wrapper KeyWrapper
	keys    KeyStore
	mu      sync.Mutex
	cache   map[place]*cachedKey
}

// place is a data key and the context it is needed for: a row that asks for a
// key in the wrong place must not spoil it for the right one.
type place struct {
	id   padron.KeyID
	want Context
}

// cachedKey is a data key that is unwrapped, or being unwrapped.
type cachedKey struct {
	ready chan struct{}
	key   *dataKey
	err   error
}

// NewOpener returns an opener; it unwraps no key before it needs one.
func NewOpener(_ context.Context, w KeyWrapper, ks KeyStore) (*Opener, error) {
	return &Opener{wrapper: w, keys: ks, cache: map[place]*cachedKey{}}, nil
}

// Open returns the customer with the groups opened that a view with these
// disclosures needs; the other groups stay empty.
func (o *Opener) Open(ctx context.Context, sc *padron.SealedCustomer, d padron.Disclosures) (padron.Customer, error) {
	c := padron.Customer{ID: sc.ID, Profile: sc.Profile}
	if d.Needs(padron.GroupPersonal) {
		slots := personalSlots(&c.Personal)
		if err := o.openGroup(ctx, sc, padron.GroupPersonal, sc.Personal, slots[:]); err != nil {
			return padron.Customer{}, err
		}
	}
	if d.Needs(padron.GroupFinancial) {
		slots := financialSlots(&c.Financial)
		if err := o.openGroup(ctx, sc, padron.GroupFinancial, sc.Financial, slots[:]); err != nil {
			return padron.Customer{}, err
		}
	}
	return c, nil
}

func (o *Opener) openGroup(ctx context.Context, sc *padron.SealedCustomer, g padron.Group, sealed padron.Sealed, slots []slot) error {
	plain, err := o.open(ctx, sealed, g.String(), string(sc.ID), Context{padron.PurposeSeal, g.String()})
	if err == nil {
		err = readSlots(plain, slots)
		clear(plain)
	}
	if err != nil {
		return &padron.Error{Code: padron.CodeInternal, Err: err,
			Message: fmt.Sprintf("the %s group of customer %s cannot be opened", g, sc.ID)}
	}
	return nil
}

// OpenRecord returns a rejected record.
func (o *Opener) OpenRecord(ctx context.Context, q *padron.QuarantineEntry) (padron.Record, error) {
	plain, err := o.open(ctx, q.Record, whatQuarantine, q.ID, Context{Purpose: padron.PurposeQuarantine})
	if err != nil {
		return padron.Record{}, &padron.Error{Code: padron.CodeInternal, Err: err,
			Message: fmt.Sprintf("quarantine entry %s cannot be opened", q.ID)}
	}
	defer clear(plain)
	return decodeRecord(plain)
}

func (o *Opener) open(ctx context.Context, sealed padron.Sealed, what, owner string, want Context) ([]byte, error) {
	id, err := keyOf(sealed)
	if err != nil {
		return nil, err
	}
	key, err := o.key(ctx, id, want)
	if err != nil {
		return nil, err
	}
	return key.open(sealed, what, owner)
}

// key returns a data key from the cache, or has it unwrapped. The first caller
// starts the work and all wait for it, none longer than its context lasts; a
// failure is not kept.
func (o *Opener) key(ctx context.Context, id padron.KeyID, want Context) (*dataKey, error) {
	at := place{id, want}
	o.mu.Lock()
	entry, ok := o.cache[at]
	if !ok {
		entry = &cachedKey{ready: make(chan struct{})}
		o.evict()
		o.cache[at] = entry
		go o.fill(context.WithoutCancel(ctx), at, entry)
	}
	o.mu.Unlock()
	select {
	case <-entry.ready:
		return entry.key, entry.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unwrapTime bounds one unwrapping: whoever waits for it would wait for ever.
const unwrapTime = 15 * time.Second

func (o *Opener) fill(ctx context.Context, at place, entry *cachedKey) {
	ctx, cancel := context.WithTimeout(ctx, unwrapTime)
	defer cancel()
	entry.key, entry.err = o.load(ctx, at.id, at.want)
	if entry.err != nil {
		o.forget(at)
	}
	close(entry.ready)
}

// evict makes room for one more key; which one goes does not matter much, since
// few runs seal most customers.
func (o *Opener) evict() {
	for at := range o.cache {
		if len(o.cache) < maxCachedKeys {
			return
		}
		delete(o.cache, at)
	}
}

func (o *Opener) forget(at place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.cache, at)
}

// load unwraps a data key, if it is of the context that the place needs.
func (o *Opener) load(ctx context.Context, id padron.KeyID, want Context) (*dataKey, error) {
	stored, err := o.keys.Key(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("data key %d: %w", id, err)
	}
	if (Context{stored.Purpose, stored.Group}) != want {
		return nil, errAltered
	}
	plain, err := unwrap(ctx, o.wrapper, &stored)
	if err != nil {
		return nil, err
	}
	return newAEAD(id, plain)
}
