package storetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"padron"
)

// ID is the id of the customer that [Customer] makes; ids sort like numbers.
func ID(n padron.Number) padron.CustomerID { return padron.CustomerID(fmt.Sprintf("c%07d", n)) }

// Customer makes a row as sealing would: the same for the same number, with
// ciphertext of realistic sizes.
func Customer(n padron.Number) padron.SealedCustomer {
	rng := rand.New(rand.NewPCG(uint64(n), 42))
	c := padron.SealedCustomer{
		Number: n, ID: ID(n), PersonalKey: 11, FinancialKey: 12, UpdatedAt: epoch,
		Profile: padron.Profile{
			RegisteredAt: epoch.Add(-time.Duration(n) * time.Hour), FavoriteColor: []string{"azul", "rojo", "añil"}[n%3], Car: "Fiat",
			CarModel: "Uno", CarType: []string{"SUV", "Sedan"}[n%2], CarColor: "gris", Purchases: int64(n % 100),
		},
		Personal: bytes(rng, 420), Financial: bytes(rng, 80),
	}
	copy(c.Fingerprint[:], bytes(rng, 16))
	for i := range c.Indexes {
		copy(c.Indexes[i][:], bytes(rng, 16))
	}
	return c
}

func bytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.UintN(256))
	}
	return b
}
