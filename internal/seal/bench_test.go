package seal_test

import "testing"

func BenchmarkSeal(b *testing.B) {
	x, c := newBench(b), maria()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.sealer.Seal(b.Context(), &c, x.sealer.Fingerprint(&c)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	x, c := newBench(b), maria()
	sc := x.seal(b, &c)
	d := everything()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.opener.Open(b.Context(), &sc, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenMasked(b *testing.B) {
	x, c := newBench(b), maria()
	sc := x.seal(b, &c)
	d := personalOnly()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.opener.Open(b.Context(), &sc, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFingerprint(b *testing.B) {
	x, c := newBench(b), maria()
	b.ReportAllocs()
	for b.Loop() {
		x.sealer.Fingerprint(&c)
	}
}

func BenchmarkIndex(b *testing.B) {
	x, c := newBench(b), maria()
	b.ReportAllocs()
	for b.Loop() {
		x.sealer.Index(0, c.Personal.UserName)
	}
}
