package seal_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"padron"
	"padron/internal/seal"
	"padron/internal/seal/filewrap"
)

// keyMap is a store of data keys in memory.
type keyMap struct {
	mu   sync.Mutex
	keys map[padron.KeyID]padron.DataKey
	// fail is what every call returns, if set.
	fail error
}

func newKeyMap() *keyMap { return &keyMap{keys: map[padron.KeyID]padron.DataKey{}} }

func (m *keyMap) AddKey(_ context.Context, key padron.DataKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.keys[key.ID] = key
	return nil
}

func (m *keyMap) EnsureKey(_ context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return padron.DataKey{}, m.fail
	}
	for _, k := range m.keys {
		if k.Purpose == p {
			return k, nil
		}
	}
	key, err := fresh()
	if err == nil {
		m.keys[key.ID] = key
	}
	return key, err
}

func (m *keyMap) Key(_ context.Context, id padron.KeyID) (padron.DataKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return padron.DataKey{}, m.fail
	}
	key, ok := m.keys[id]
	if !ok {
		return key, padron.Errorf(padron.CodeNotFound, "there is no data key %d", id)
	}
	return key, nil
}

// Keys returns every key by id.
func (m *keyMap) Keys(context.Context) ([]padron.DataKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.keys), func(a, b padron.DataKey) int { return cmp.Compare(a.ID, b.ID) }), m.fail
}

// edit changes a stored key behind everybody's back.
func (m *keyMap) edit(id padron.KeyID, f func(*padron.DataKey)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := m.keys[id]
	f(&key)
	m.keys[id] = key
}

// witness is a key-encryption key that notes what is asked of it.
type witness struct {
	seal.KeyWrapper
	mu        sync.Mutex
	unwrapped []seal.Context
	// fail is what the next calls return, if set.
	fail error
	// gate holds calls of Unwrap until it is closed, if set.
	gate chan struct{}
}

func (w *witness) NewKey(ctx context.Context, c seal.Context) (plain, wrapped []byte, err error) {
	w.mu.Lock()
	err = w.fail
	w.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	return w.KeyWrapper.NewKey(ctx, c)
}

func (w *witness) Unwrap(ctx context.Context, c seal.Context, wrapped []byte) ([]byte, error) {
	w.mu.Lock()
	w.unwrapped = append(w.unwrapped, c)
	err, gate := w.fail, w.gate
	w.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if err != nil {
		return nil, err
	}
	return w.KeyWrapper.Unwrap(ctx, c, wrapped)
}

func (w *witness) setFail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *witness) seen() []seal.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.unwrapped)
}

// bench is a register's keys and what works with them.
type bench struct {
	keys    *keyMap
	wrapper *witness
	sealer  *seal.Sealer
	opener  *seal.Opener
}

func newWrapper(t testing.TB) *witness {
	t.Helper()
	w, err := filewrap.Open(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return &witness{KeyWrapper: w}
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{keys: newKeyMap(), wrapper: newWrapper(t)}
	b.sealer, b.opener = b.newSealer(t), b.newOpener(t)
	return b
}

// newSealer is the sealer of another run.
func (b *bench) newSealer(t testing.TB) *seal.Sealer {
	t.Helper()
	s, err := seal.NewSealer(t.Context(), b.wrapper, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newOpener is the opener of another process: its cache is empty.
func (b *bench) newOpener(t testing.TB) *seal.Opener {
	t.Helper()
	o, err := seal.NewOpener(t.Context(), b.wrapper, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// fataler is what testing.TB and rapid.T share.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func (b *bench) seal(t fataler, c *padron.Customer) padron.SealedCustomer {
	t.Helper()
	sc, err := b.sealer.Seal(context.Background(), c, b.sealer.Fingerprint(c))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// everything discloses every field in full.
func everything() padron.Disclosures {
	var d padron.Disclosures
	for i := range d {
		d[i] = padron.Full
	}
	return d
}

// personalOnly discloses one field of the personal group.
func personalOnly() padron.Disclosures {
	return padron.Disclosures{padron.FieldUserName: padron.Full}
}

// financialOnly discloses one field of the financial group.
func financialOnly() padron.Disclosures {
	return padron.Disclosures{padron.FieldCardNumber: padron.Full}
}

// maria is a customer with a value of her own in every field.
func maria() padron.Customer {
	return padron.Customer{
		ID: "1048576",
		Profile: padron.Profile{
			RegisteredAt: time.Date(2023, 4, 5, 6, 7, 8, 901e6, time.UTC), FavoriteColor: "azul", Car: "Toyota",
			CarModel: "Corolla", CarType: "sedan", CarColor: "rojo", Purchases: 48213,
		},
		Personal: padron.Personal{
			UserName: "María Fernández Ñuñez 👩🏽‍🚀", Address: "742 Evergreen Terrace, Springfield", ZipCode: "02139-4307",
			Latitude: "-34.6037", Longitude: "-58.3816", IPAddress: "203.0.113.77", AvatarURL: "https://avatars.example/1048576.png",
			IDPhotoURL: "https://photos.example/dni/1048576.jpg", Birthday: "1985-11-23",
			CardMask: "************6467", AccountMask: "**********8901",
		},
		Financial: padron.Financial{CardNumber: "4539-1488-0343-6467", AccountNumber: "00412345678901"},
	}
}

// jose is somebody else.
func jose() padron.Customer {
	c := maria()
	c.ID = "1048577"
	c.Personal.UserName, c.Personal.Address = "José Ángel Quispe", "Av. Arequipa 1234, Lima"
	c.Financial.CardNumber, c.Financial.AccountNumber = "5105 1051 0510 5100", "99887766554433"
	return c
}

// texts generates what could stand in a text: nothing, a word, emoji, bytes
// that are no UTF-8, something long.
func texts() *rapid.Generator[padron.Sensitive] {
	return rapid.Custom(func(t *rapid.T) padron.Sensitive {
		return padron.Sensitive(rapid.OneOf(
			rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"👩🏽‍🚀", "🇵🇪", "e\u0301", "\x00", "\xff\xfe"}),
			rapid.Map(rapid.IntRange(100, 20_000), func(n int) string { return strings.Repeat("ñ", n) }),
		).Draw(t, "text"))
	})
}

func customers() *rapid.Generator[padron.Customer] {
	return rapid.Custom(func(t *rapid.T) padron.Customer {
		text := func(name string) padron.Sensitive { return texts().Draw(t, name) }
		return padron.Customer{
			ID: padron.CustomerID(rapid.StringMatching(`[!-~]{1,64}`).Draw(t, "id")),
			Profile: padron.Profile{
				RegisteredAt:  time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "registered at")).UTC(),
				FavoriteColor: text("color").Expose(), Car: text("car").Expose(), Purchases: rapid.Int64Range(0, 1e9).Draw(t, "purchases"),
			},
			Personal: padron.Personal{
				UserName: text("user name"), Address: text("address"), ZipCode: text("zip"), Latitude: text("latitude"),
				Longitude: text("longitude"), IPAddress: text("ip"), AvatarURL: text("avatar"), IDPhotoURL: text("photo"),
				Birthday: text("birthday"), CardMask: text("card mask"), AccountMask: text("account mask"),
			},
			Financial: padron.Financial{CardNumber: text("card"), AccountNumber: text("account")},
		}
	})
}

// secrets returns the personal values of a customer that are long enough to be
// looked for.
func secrets(c *padron.Customer) []string {
	var out []string
	for _, s := range []padron.Sensitive{
		c.Personal.UserName, c.Personal.Address, c.Personal.ZipCode, c.Personal.IPAddress, c.Personal.Birthday,
		c.Personal.Latitude, c.Personal.Longitude, c.Financial.CardNumber, c.Financial.AccountNumber,
	} {
		if len(s) >= 4 {
			out = append(out, s.Expose())
		}
	}
	return out
}

// silent fails the test if what is printed of a value holds a secret.
func silent(t fataler, c *padron.Customer, values ...any) {
	t.Helper()
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			text := fmt.Sprintf(verb, v)
			for _, s := range secrets(c) {
				if strings.Contains(text, s) {
					t.Errorf("%s of %T tells a personal value", verb, v)
				}
			}
		}
	}
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func decode(t fataler, s string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
