package padron_test

import (
	"testing"

	"padron"
)

// FuzzValidate puts any value into any field: validation must not panic, and
// what it lets through must be valid in every later step.
func FuzzValidate(f *testing.F) {
	for _, field := range padron.Fields() {
		f.Add(uint8(field), uint8(padron.KindText), clean[field])
		f.Add(uint8(field), uint8(padron.KindNumber), "0")
	}
	f.Fuzz(func(t *testing.T, field, kind uint8, s string) {
		value := padron.Value{Kind: padron.Kind(kind % uint8(padron.KindOther+1)), Text: padron.Sensitive(s)}
		r := with(padron.Field(field%padron.NumFields), value)
		checkValidated(t, r)
		checkMasks(t, s)
	})
}
