package padron

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Token is an API token as a store keeps it: the secret only as a hash.
type Token struct {
	ID   string
	Name string
	Role Role
	// Hash is SHA-256 of the secret, which has 256 random bits.
	Hash      [32]byte
	CreatedAt time.Time
	ExpiresAt time.Time
	// RevokedAt is zero for a token that was not revoked.
	RevokedAt time.Time
}

// CheckToken is the name of the tokens that `padron check` comes with. Such a token
// reveals nothing, whatever its role: who looks whether a service is well needs
// no number in full (PCI DSS 3.4.1, 7.2.2).
const CheckToken = "check"

// Valid reports whether the token may be used at that time.
func (t *Token) Valid(at time.Time) bool {
	return t.RevokedAt.IsZero() && at.Before(t.ExpiresAt)
}

// Format implements [fmt.Formatter]: every verb prints the id alone.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "token("+t.ID+")") }

// MarshalJSON writes the token without its hash.
func (t Token) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Role      Role   `json:"role"`
		CreatedAt string `json:"created_at"`
		ExpiresAt string `json:"expires_at"`
		RevokedAt string `json:"revoked_at,omitempty"`
	}{t.ID, t.Name, t.Role, FormatTime(t.CreatedAt), FormatTime(t.ExpiresAt), FormatTime(t.RevokedAt)})
}
