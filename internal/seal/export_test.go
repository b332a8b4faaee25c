package seal

import (
	"slices"

	"padron"
)

// What tests need of the format's inside.
var (
	AssociatedData = associatedData
	EncodeRecord   = encodeRecord
	DecodeRecord   = decodeRecord
)

// The sizes of the stored format.
const (
	HeaderSize    = headerSize
	MaxCachedKeys = maxCachedKeys
	MaxPageToken  = maxPageToken
)

// SetMaxMessages makes keys of field groups retire after n messages.
func (s *Sealer) SetMaxMessages(n int64) { s.maxMessages = n }

// RetiredKeys returns how many retired keys wait for their count to be taken.
func (s *Sealer) RetiredKeys() int { return len(s.personal.retired) + len(s.financial.retired) }

// CachedKeys returns how many data keys are unwrapped.
func (o *Opener) CachedKeys() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.cache)
}

// EncodePersonal returns what is sealed of the personal group.
func EncodePersonal(p *padron.Personal) []byte {
	slots := personalSlots(p)
	return appendSlots(nil, slots[:])
}

// EncodeFinancial returns what is sealed of the financial group.
func EncodeFinancial(f *padron.Financial) []byte {
	slots := financialSlots(f)
	return appendSlots(nil, slots[:])
}

// DecodePersonal reads what EncodePersonal wrote.
func DecodePersonal(data []byte) (p padron.Personal, err error) {
	slots := personalSlots(&p)
	return p, readSlots(data, slots[:])
}

// DecodeFinancial reads what EncodeFinancial wrote.
func DecodeFinancial(data []byte) (f padron.Financial, err error) {
	slots := financialSlots(&f)
	return f, readSlots(data, slots[:])
}

// UseKey makes the sealer seal a group with this data key.
func (s *Sealer) UseKey(group padron.Group, id padron.KeyID, plain []byte) error {
	key, err := newAEAD(id, slices.Clone(plain))
	if err != nil {
		return err
	}
	g := map[padron.Group]*groupKey{padron.GroupPersonal: &s.personal, padron.GroupFinancial: &s.financial}[group]
	g.current = &countedKey{dataKey: key}
	return nil
}
