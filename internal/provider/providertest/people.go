package providertest

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// people makes persons from a seed and their index.
type people struct {
	seed uint64
	// period is how far dirty records are apart; 0 is never.
	period uint32
	source *rand.PCG
	rng    *rand.Rand
}

func newPeople(seed uint64, dirty float64) *people {
	p := &people{seed: seed, source: rand.NewPCG(0, 0)}
	p.rng = rand.New(p.source)
	if dirty > 0 {
		p.period = max(2, uint32(1/dirty+0.5))
	}
	return p
}

// way returns in which way the record at an index is dirty; nil is clean.
func (p *people) way(i uint32) *way {
	if p.period == 0 || i%p.period != p.period/2 {
		return nil
	}
	n := i / p.period
	w := &ways[n%uint32(len(ways))]
	if w.rare && n/uint32(len(ways))%4 != 0 {
		w = &ways[0]
	}
	return w
}

// alone reports whether an index is a clean person that no other record repeats.
func (p *people) alone(i uint32) bool {
	next := p.way(i + 1)
	return p.way(i) == nil && (next == nil || !next.repeats)
}

// appendRecord appends the record at an index; version says how often a person
// has changed.
func (p *people) appendRecord(b []byte, i uint32, version func(uint32) uint32) []byte {
	w := p.way(i)
	if w == nil {
		return appendPerson(b, p.person(i, version(i)), nil)
	}
	of := i
	if w.repeats {
		of = i - 1
	}
	person := p.person(of, version(of))
	return w.write(b, person)
}

// person is one customer of the provider.
type person struct {
	id, name, zip, card, code, account, address, latitude, longitude string
	color, ip, car, model, kind, carColor                            string
	purchases                                                        int
	purchasesText                                                    bool
	registered, birthday                                             time.Time
}

// epoch is the latest date of anything generated.
var epoch = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// person makes the person at an index. Who changed moves house, gets another
// card and buys more; name and dates stay.
func (p *people) person(i, version uint32) *person {
	p.source.Seed(p.seed, uint64(i))
	r := p.rng
	car := cars[r.IntN(len(cars))]
	out := &person{
		id: strconv.FormatUint(uint64(i)+1, 10), name: name(r), car: car.maker, model: car.model, kind: car.kind,
		color: pick(r, colors), carColor: pick(r, colors), purchases: r.IntN(500), purchasesText: r.IntN(10) == 0,
		registered: epoch.Add(-time.Duration(r.Int64N(int64(10 * 365 * 24 * time.Hour)))).Truncate(time.Millisecond),
		birthday:   epoch.AddDate(-18-r.IntN(70), -r.IntN(12), -r.IntN(28)).Truncate(24 * time.Hour),
	}
	if version > 0 {
		p.source.Seed(p.seed^uint64(version)<<32, uint64(i))
		out.purchases += int(version)
	}
	out.zip, out.card, out.code = zip(r), card(r), digits(r, 3)
	out.account, out.address, out.ip = digits(r, 8+r.IntN(5)), address(r), ip(r)
	out.latitude, out.longitude = decimal(r, 90), decimal(r, 180)
	return out
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func name(r *rand.Rand) string {
	s := pick(r, givenNames) + " " + pick(r, surnames) + " " + pick(r, surnames)
	switch r.IntN(200) {
	case 0:
		return s + " 🌻"
	case 1:
		return "Jose\u0301 " + pick(r, surnames) // a combining accent
	}
	return s
}

func digits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}

func zip(r *rand.Rand) string {
	if r.IntN(3) == 0 {
		return digits(r, 5) + "-" + digits(r, 4)
	}
	return digits(r, 5)
}

// card makes 13 to 19 digits, some grouped; the check digit is right for most.
func card(r *rand.Rand) string {
	n := []int{16, 16, 16, 16, 15, 13, 19}[r.IntN(7)]
	d := []byte(pick(r, []string{"4", "51", "55", "34", "6011", "3529"}))
	for len(d) < n {
		d = append(d, byte('0'+r.IntN(10)))
	}
	if r.IntN(20) > 0 {
		d[n-1] = checkDigit(d[:n-1])
	}
	separator := []string{"-", "-", " ", ""}[r.IntN(4)]
	out := make([]byte, 0, n+5)
	for i, c := range d {
		if i > 0 && i%4 == 0 {
			out = append(out, separator...)
		}
		out = append(out, c)
	}
	return string(out)
}

// checkDigit is the Luhn digit that belongs behind d (ISO/IEC 7812-1 annex B).
func checkDigit(d []byte) byte {
	sum := 0
	for i := range d {
		x := int(d[len(d)-1-i] - '0')
		if i%2 == 0 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return byte('0' + (10-sum%10)%10)
}

func address(r *rand.Rand) string {
	s := pick(r, streetKinds) + " " + pick(r, streets) + " " + strconv.Itoa(1+r.IntN(9999))
	if r.IntN(4) == 0 {
		s += ", Piso " + strconv.Itoa(1+r.IntN(30)) + ", Depto. " + string(rune('A'+r.IntN(8)))
	}
	s += ", " + pick(r, cities)
	if r.IntN(50) == 0 {
		s += ", entre " + pick(r, streets) + " y " + pick(r, streets) +
			", frente a la plaza, portón verde, timbre 3, dejar en recepción si no hay nadie"
	}
	return s
}

func ip(r *rand.Rand) string {
	if r.IntN(5) == 0 {
		s := "2001:db8"
		for range 6 {
			s += ":" + strconv.FormatUint(uint64(r.Uint32()&0xffff|1), 16)
		}
		return s
	}
	// The blocks for documentation of RFC 5737.
	return pick(r, []string{"192.0.2.", "198.51.100.", "203.0.113."}) + strconv.Itoa(r.IntN(256))
}

// decimal makes a decimal between -limit and limit with four places.
func decimal(r *rand.Rand, limit int) string {
	return strconv.FormatFloat(r.Float64()*2*float64(limit)-float64(limit), 'f', 4, 64)
}
