package synchronizer

import (
	"github.com/bits-and-blooms/bloom/v3"

	"padron"
)

// A Bloom filter of writtenBits bits and writtenHashes hashes: 8 MiB. Of a
// million customers it takes one in 10 million for one it has met, of five
// million one in 200, of ten million one in 20.
const (
	writtenBits   = 64 << 20
	writtenHashes = 4
)

// written remembers whom a pass has written into a register that was empty when
// it began, so that the store is not asked about those who cannot be there. It
// may take a new customer for one that it has met, which costs a look-up, never
// the other way round. (B. H. Bloom, Space/Time Trade-offs in Hash Coding with
// Allowable Errors, CACM 13(7), 1970.)
type written struct{ filter *bloom.BloomFilter }

// watch begins to remember.
func (w *written) watch() { w.filter = bloom.New(writtenBits, writtenHashes) }

func (w *written) add(id padron.CustomerID) {
	if w.filter != nil {
		w.filter.AddString(string(id))
	}
}

// perhaps keeps those of the ids that the register may have.
func (w *written) perhaps(ids []padron.CustomerID) []padron.CustomerID {
	if w.filter == nil {
		return ids
	}
	var out []padron.CustomerID
	for _, id := range ids {
		if w.filter.TestString(string(id)) {
			out = append(out, id)
		}
	}
	return out
}
