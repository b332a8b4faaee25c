package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"hash/crc32"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"padron"
)

// The text form of a token: the prefix, the id, an underscore, the secret and
// the checksum. All of it is letters, digits and underscores, so that a double
// click selects it whole and secret scanners find it by its prefix.
const (
	tokenPrefix    = "padron_"
	idBytes        = 10
	idLength       = 16 // base32 of 80 bits
	secretBytes    = 32
	secretLength   = 43 // base62 of 256 bits
	checksumLength = 6  // base62 of 32 bits
	tokenLength    = len(tokenPrefix) + idLength + 1 + secretLength + checksumLength

	idAlphabet     = "abcdefghijklmnopqrstuvwxyz234567"
	base62Alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// maxNameLength bounds a token's name, in characters.
const maxNameLength = 64

// NewToken makes a token that is valid from created for lifetime. The secret is
// the token's text, 73 characters, which is shown once and stored nowhere; t
// keeps a hash of it. The name has 1 to 64 printable characters,
// without a space at either end, and the lifetime is of 1 minute to 366 days; times are kept in UTC, in milliseconds.
// Errors are [padron.CodeInvalid] about "role", "name" or "expires".
func NewToken(role padron.Role, name string, created time.Time, lifetime time.Duration) (secret string, t padron.Token, err error) {
	if err := checkHolder(role, name); err != nil {
		return "", padron.Token{}, err
	}
	if err := checkLifetime(lifetime); err != nil {
		return "", padron.Token{}, err
	}
	random := make([]byte, idBytes+secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", padron.Token{}, &padron.Error{Code: padron.CodeInternal, Message: "no random bytes for a token", Err: err}
	}
	id, key := encodeID(random[:idBytes]), encodeSecret(random[idBytes:])
	created = created.UTC().Truncate(time.Millisecond)
	return assemble(id, key), padron.Token{
		ID: id, Name: name, Role: role, Hash: sha256.Sum256([]byte(key)),
		CreatedAt: created, ExpiresAt: created.Add(lifetime).Truncate(time.Millisecond),
	}, nil
}

// ParseToken reads a token's text form and returns the token's id and the
// SHA-256 hash of its secret, as [padron.Token] keeps it. It asks nobody whether
// the token is valid. The error is [padron.CodeUnauthenticated] and quotes
// nothing of the text.
func ParseToken(s string) (id string, hash [32]byte, err error) {
	if len(s) != tokenLength || !strings.HasPrefix(s, tokenPrefix) {
		return "", hash, malformed("a token has 73 characters and begins with padron_")
	}
	id, key, found := strings.Cut(s[len(tokenPrefix):tokenLength-checksumLength], "_")
	if !found || !consistsOf(id, idLength, idAlphabet) || !consistsOf(key, secretLength, base62Alphabet) {
		return "", hash, malformed("the token has characters out of place")
	}
	if assemble(id, key) != s {
		return "", hash, malformed("the token's checksum does not match; was it copied whole?")
	}
	return id, sha256.Sum256([]byte(key)), nil
}

func malformed(why string) error {
	return &padron.Error{Code: padron.CodeUnauthenticated, Message: why}
}

// assemble joins a token's parts and adds the checksum: CRC-32 (IEEE) of all
// that stands before it. It catches typos, not forgers.
func assemble(id, key string) string {
	body := tokenPrefix + id + "_" + key
	sum := big.NewInt(int64(crc32.ChecksumIEEE([]byte(body))))
	return body + leftPad(sum.Text(62), checksumLength)
}

func encodeID(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

func encodeSecret(b []byte) string {
	return leftPad(new(big.Int).SetBytes(b).Text(62), secretLength)
}

func leftPad(digits string, width int) string {
	return strings.Repeat("0", width-len(digits)) + digits
}

func consistsOf(s string, length int, alphabet string) bool {
	return len(s) == length && strings.Trim(s, alphabet) == ""
}

// validName refuses what a list of tokens would not show: names that are blank,
// end in spaces, or hold format characters, which are not printable. The
// replacement character stands for bytes that were no text.
func validName(name string) bool {
	n := utf8.RuneCountInString(name)
	return n >= 1 && n <= maxNameLength && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
}

// RegisteredToken returns a token that was made elsewhere, of its id and the
// hash of its secret, with the bounds of [NewToken]. Errors are
// [padron.CodeInvalid] about the part that is out of them.
func RegisteredToken(id string, role padron.Role, name string, hash []byte, created, expires time.Time) (padron.Token, error) {
	if err := checkHolder(role, name); err != nil {
		return padron.Token{}, err
	}
	if !consistsOf(id, idLength, idAlphabet) {
		return padron.Token{}, padron.Invalid("id", "want %d characters of a token's alphabet", idLength)
	}
	if len(hash) != sha256.Size {
		return padron.Token{}, padron.Invalid("hash", "want the %d bytes of a SHA-256", sha256.Size)
	}
	if err := checkLifetime(expires.Sub(created)); err != nil {
		return padron.Token{}, err
	}
	return padron.Token{
		ID: id, Name: name, Role: role, Hash: [sha256.Size]byte(hash),
		CreatedAt: created.UTC().Truncate(time.Millisecond), ExpiresAt: expires.UTC().Truncate(time.Millisecond),
	}, nil
}

// checkHolder holds a token's role and name to their bounds.
func checkHolder(role padron.Role, name string) error {
	if _, err := padron.ParseRole(string(role)); err != nil {
		return err
	}
	if !validName(name) {
		return padron.Invalid("name", "want 1 to %d printable characters, without a space at either end", maxNameLength)
	}
	return nil
}
