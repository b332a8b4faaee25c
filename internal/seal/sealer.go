package seal

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"padron"
)

// maxMessages is how many messages a data key seals before it is replaced: half
// of the 2^32 that NIST SP 800-38D, section 8.3, allows random nonces.
const maxMessages = 1 << 31

// whatQuarantine stands for the field group in the associated data of rejected
// records.
const whatQuarantine = "quarantine"

// Sealer seals customers and rejected records for one run. It cannot open a
// customer. It is safe for concurrent use.
type Sealer struct {
	*Indexer
	wrapper      KeyWrapper
	keys         KeyStore
	fingerprints *macPool
	quarantine   *countedKey
	personal     groupKey
	financial    groupKey
	maxMessages  int64
}

// countedKey is a data key and what it sealed since the count was taken.
type countedKey struct {
	*dataKey
	total, fresh atomic.Int64
}

// groupKey is the current data key of a field group, made at the first use.
type groupKey struct {
	mu      sync.Mutex
	current *countedKey
	retired []*countedKey
}

// NewSealer loads the keys that runs share; those of field groups are made when
// the first customer is sealed.
func NewSealer(ctx context.Context, w KeyWrapper, ks KeyStore) (*Sealer, error) {
	index, err := NewIndexer(ctx, w, ks)
	if err != nil {
		return nil, err
	}
	_, fingerprints, err := sharedKey(ctx, w, ks, padron.PurposeFingerprint)
	if err != nil {
		return nil, err
	}
	id, plain, err := sharedKey(ctx, w, ks, padron.PurposeQuarantine)
	if err != nil {
		return nil, err
	}
	quarantine, err := newAEAD(id, plain)
	if err != nil {
		return nil, err
	}
	return &Sealer{
		Indexer: index, wrapper: w, keys: ks, fingerprints: newMACPool(fingerprints),
		quarantine: &countedKey{dataKey: quarantine}, maxMessages: maxMessages,
	}, nil
}

// Fingerprint returns the keyed hash of everything that is stored of c.
func (s *Sealer) Fingerprint(c *padron.Customer) padron.Fingerprint {
	return s.fingerprints.sum(func(b []byte) []byte { return appendCanonical(b, c) })
}

// Seal returns c as a store may keep it, all but Number and UpdatedAt, under its
// fingerprint, which whoever decided to write it knows already.
func (s *Sealer) Seal(ctx context.Context, c *padron.Customer, f padron.Fingerprint) (padron.SealedCustomer, error) {
	out := padron.SealedCustomer{ID: c.ID, Profile: c.Profile, Fingerprint: f}
	personal := personalSlots(&c.Personal)
	financial := financialSlots(&c.Financial)
	var err error
	if out.Personal, out.PersonalKey, err = s.sealGroup(ctx, &s.personal, padron.GroupPersonal, c.ID, personal[:]); err != nil {
		return padron.SealedCustomer{}, err
	}
	if out.Financial, out.FinancialKey, err = s.sealGroup(ctx, &s.financial, padron.GroupFinancial, c.ID, financial[:]); err != nil {
		return padron.SealedCustomer{}, err
	}
	for _, i := range padron.Indexes() {
		out.Indexes[i] = s.Index(i, indexed(c, i))
	}
	return out, nil
}

func indexed(c *padron.Customer, i padron.Index) padron.Sensitive {
	switch i {
	case padron.IndexUserName:
		return c.Personal.UserName
	case padron.IndexCardNumber:
		return c.Financial.CardNumber
	case padron.IndexAccountNumber:
		return c.Financial.AccountNumber
	case padron.IndexIPAddress:
		return c.Personal.IPAddress
	}
	return c.Personal.ZipCode
}

func (s *Sealer) sealGroup(ctx context.Context, g *groupKey, group padron.Group, id padron.CustomerID, slots []slot) (padron.Sealed, padron.KeyID, error) {
	key, err := s.groupKey(ctx, g, group)
	if err != nil {
		return nil, 0, err
	}
	plain := appendSlots(make([]byte, 0, 512), slots)
	sealed, err := key.seal(plain, group.String(), string(id))
	clear(plain)
	return sealed, key.id, err
}

// groupKey returns the key to seal one more message with, and counts it.
func (s *Sealer) groupKey(ctx context.Context, g *groupKey, group padron.Group) (*countedKey, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == nil || g.current.total.Load() >= s.maxMessages {
		if err := s.freshKey(ctx, g, group); err != nil {
			return nil, err
		}
	}
	g.current.total.Add(1)
	g.current.fresh.Add(1)
	return g.current, nil
}

// freshKey makes and stores a new data key before anything is sealed with it.
func (s *Sealer) freshKey(ctx context.Context, g *groupKey, group padron.Group) error {
	stored, plain, err := newDataKey(ctx, s.wrapper, Context{padron.PurposeSeal, group.String()})
	if err != nil {
		return err
	}
	if err := s.keys.AddKey(ctx, stored); err != nil {
		return fmt.Errorf("store the data key for %s: %w", group, err)
	}
	key, err := newAEAD(stored.ID, plain)
	if err != nil {
		return err
	}
	if g.current != nil {
		g.retired = append(g.retired, g.current)
	}
	g.current = &countedKey{dataKey: key}
	return nil
}

// RejectedID names the quarantine entry of a record and its reasons: "q_" and
// 32 hexadecimal digits, the same for the same fault of the same customer.
func (s *Sealer) RejectedID(r *padron.Record, reasons []padron.Reason) string {
	return rejectedID(s.fingerprints, r, reasons)
}

// SealRecord seals a rejected record, bound to its quarantine entry.
func (s *Sealer) SealRecord(_ context.Context, r *padron.Record, id string) (padron.Sealed, padron.KeyID, error) {
	s.quarantine.fresh.Add(1)
	plain := encodeRecord(r)
	sealed, err := s.quarantine.seal(plain, whatQuarantine, id)
	clear(plain)
	return sealed, s.quarantine.id, err
}

// TakeMessages returns how many messages each key sealed since the last call.
func (s *Sealer) TakeMessages() map[padron.KeyID]int64 {
	out := map[padron.KeyID]int64{}
	take := func(k *countedKey) {
		if n := k.fresh.Swap(0); n > 0 {
			out[k.id] += n
		}
	}
	take(s.quarantine)
	for _, g := range []*groupKey{&s.personal, &s.financial} {
		g.mu.Lock()
		for _, k := range g.retired {
			take(k)
		}
		g.retired = nil
		if g.current != nil {
			take(g.current)
		}
		g.mu.Unlock()
	}
	return out
}
