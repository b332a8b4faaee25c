package readertest

import (
	"fmt"
	"slices"
	"time"

	"padron"
)

// People is how many customers [New] puts into a register.
const People = 50

// Person returns one made-up customer, the same one for the same i. Ids are not
// in the order of i: "c-7" comes after "c-10" bytewise.
func Person(i int) padron.Customer {
	card := fmt.Sprintf("4000-%04d-%04d-%04d", i, i*7%10000, 9000+i)
	account := fmt.Sprintf("%010d", 7_000_000+i)
	return padron.Customer{
		ID: padron.CustomerID(fmt.Sprintf("c-%d", i)),
		Profile: padron.Profile{
			RegisteredAt:  time.Date(2024, 1, 1+i, 12, 0, 0, i*int(time.Millisecond), time.UTC),
			FavoriteColor: pick(i, "example red", "example blue", "rosé"),
			Car:           pick(i, "Example Motors", "Sample & Söhne"),
			CarModel:      fmt.Sprintf("Model <%d>", i%5),
			CarType:       pick(i/2, "Sedan", "Coupe", "Van", "Wagon"),
			CarColor:      pick(i, "white", "black"),
			Purchases:     int64(i * 3 % 40),
		},
		Personal: padron.Personal{
			UserName:    padron.Sensitive(fmt.Sprintf("Persona%02d.Ñandú", i)),
			Address:     padron.Sensitive(fmt.Sprintf("%d Calle \"Ejemplo\"\\Piso", 100+i)),
			ZipCode:     padron.Sensitive(fmt.Sprintf("%05d-%04d", 10+i%10, 4321)),
			Latitude:    padron.Sensitive(fmt.Sprintf("-34.%04d", 5000+i)),
			Longitude:   padron.Sensitive(fmt.Sprintf("-58.%04d", 3000+i)),
			IPAddress:   padron.Sensitive(fmt.Sprintf("2001:db8::%x", 0xaa00+i)),
			AvatarURL:   padron.Sensitive(fmt.Sprintf("https://img.example.com/avatar/%d.png", i)),
			IDPhotoURL:  padron.Sensitive(fmt.Sprintf("https://img.example.com/photo/%d.png", i)),
			Birthday:    padron.Sensitive(fmt.Sprintf("19%02d-02-03", 40+i%50)),
			CardMask:    padron.Sensitive(padron.MaskCard(card)),
			AccountMask: padron.Sensitive(padron.MaskAccount(account)),
		},
		Financial: padron.Financial{CardNumber: padron.Sensitive(card), AccountNumber: padron.Sensitive(account)},
	}
}

func pick(i int, of ...string) string { return of[i%len(of)] }

// SortedIDs returns the ids of the people that keep selects, in id order.
func SortedIDs(keep func(*padron.Customer) bool) []padron.CustomerID {
	var out []padron.CustomerID
	for i := range People {
		if c := Person(i); keep(&c) {
			out = append(out, c.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Secrets returns the texts of a customer that no log or error may hold.
func Secrets(c *padron.Customer) []string {
	values := []padron.Sensitive{
		c.Personal.UserName, c.Personal.Address, c.Personal.ZipCode, c.Personal.Latitude, c.Personal.Longitude,
		c.Personal.IPAddress, c.Personal.AvatarURL, c.Personal.IDPhotoURL, c.Personal.Birthday,
		c.Financial.CardNumber, c.Financial.AccountNumber,
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.Expose()
	}
	return out
}
