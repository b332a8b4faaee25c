package seal

import (
	"context"
	"encoding/base64"
	"strings"

	"padron"
)

// Pager makes the API's page tokens: opaque, authenticated, bound to the query
// they belong to.
type Pager struct{ key *dataKey }

// maxPageToken is the longest page token that is looked at, in characters.
const maxPageToken = 1024

// whatPage stands for the field group in the associated data of page tokens.
const whatPage = "page"

// NewPager loads the key that all readers share.
func NewPager(ctx context.Context, w KeyWrapper, ks KeyStore) (*Pager, error) {
	id, plain, err := sharedKey(ctx, w, ks, padron.PurposePage)
	if err != nil {
		return nil, err
	}
	key, err := newAEAD(id, plain)
	if err != nil {
		return nil, err
	}
	return &Pager{key}, nil
}

// Seal returns a token that holds payload and opens only with the same bind.
func (p *Pager) Seal(payload, bind []byte) string {
	sealed, err := p.key.seal(payload, whatPage, string(bind))
	if err != nil {
		return "" // only a payload of many gigabytes cannot be sealed
	}
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns the payload of a token, or a [padron.CodeInvalid] error for one
// that was altered or belongs to another query.
func (p *Pager) Open(token string, bind []byte) ([]byte, error) {
	invalid := padron.Invalid("page_token", "was altered, or belongs to another query: begin again without it")
	if len(token) > maxPageToken || strings.ContainsAny(token, "\r\n") { // line breaks are nothing to base64
		return nil, invalid
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, invalid
	}
	payload, err := p.key.open(sealed, whatPage, string(bind))
	if err != nil {
		return nil, invalid
	}
	return payload, nil
}
