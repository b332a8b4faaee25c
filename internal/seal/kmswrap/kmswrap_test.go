package kmswrap_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"padron"
	"padron/internal/awstest"
	"padron/internal/seal"
	"padron/internal/seal/kmswrap"
	"padron/internal/seal/wraptest"
)

var personal = seal.Context{Purpose: padron.PurposeSeal, Group: "personal"}

// aliases numbers the aliases of this process.
var aliases atomic.Int64

func newAlias() string { return fmt.Sprintf("alias/kmswrap-%d", aliases.Add(1)) }

func open(t *testing.T, url, key string) *kmswrap.Wrapper {
	t.Helper()
	w, err := kmswrap.New(awstest.Config(url), key)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConformance(t *testing.T) {
	wraptest.Run(t, func(t *testing.T) seal.KeyWrapper { return open(t, awstest.URL(t), awstest.Key(t, newAlias())) })
}

// TestIDIsTheARN: what the register keeps of a key is not a name that may point
// elsewhere tomorrow.
func TestIDIsTheARN(t *testing.T) {
	alias := newAlias()
	arn := awstest.Key(t, alias)
	if id := open(t, awstest.URL(t), arn).ID(); id != arn {
		t.Errorf("named by ARN: %q", id)
	}
	w := open(t, awstest.URL(t), alias)
	_, wrapped, err := w.NewKey(t.Context(), personal)
	if err != nil || w.ID() != arn {
		t.Errorf("named by alias: %q (%v), want %q", w.ID(), err, arn)
	}
	reader := open(t, awstest.URL(t), alias)
	if _, err := reader.Unwrap(t.Context(), personal, wrapped); err != nil || reader.ID() != arn {
		t.Errorf("a reader: %q (%v), want %q", reader.ID(), err, arn)
	}
}

// TestEncryptionContext locks the names that key policies condition on.
func TestEncryptionContext(t *testing.T) {
	var seen []map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_, body["call"], _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		seen = append(seen, body)
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer srv.Close()
	const key = "arn:aws:kms:us-east-1:123456789012:key/k"
	w := open(t, srv.URL, key)
	_, _, _ = w.NewKey(t.Context(), personal)
	_, _, _ = w.NewKey(t.Context(), seal.Context{Purpose: padron.PurposeIndex})
	_, _ = w.Unwrap(t.Context(), seal.Context{Purpose: padron.PurposeQuarantine}, []byte{1})
	want := []map[string]any{
		{"call": "GenerateDataKey", "EncryptionContext": map[string]any{"group": "personal", "purpose": "seal"}, "KeyId": key, "KeySpec": "AES_256"},
		{"call": "GenerateDataKey", "EncryptionContext": map[string]any{"purpose": "index"}, "KeyId": key, "KeySpec": "AES_256"},
		{"call": "Decrypt", "CiphertextBlob": "AQ==", "EncryptionContext": map[string]any{"purpose": "quarantine"}, "KeyId": key},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	arn := awstest.Key(t, newAlias())
	refusing := awstest.NewGuard(t, nil)
	for name, c := range map[string]struct{ url, key, want string }{
		"no right":  {refusing.URL, arn, "is refused; the role and the key's policy must both allow it"},
		"no key":    {awstest.URL(t), "alias/none", "no such key; check PADRON_KEYS"},
		"not there": {"http://127.0.0.1:1", arn, "did not get through"},
	} {
		cfg := awstest.Config(c.url)
		cfg.RetryMaxAttempts = 1
		w, err := kmswrap.New(cfg, c.key)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = w.NewKey(t.Context(), personal)
		var told *padron.Error
		if !errors.As(err, &told) || told.Code != padron.CodeUnavailable || !strings.Contains(told.Message, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRegion(t *testing.T) {
	if _, err := kmswrap.New(aws.Config{}, "alias/x"); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("an alias without a region: %v", err)
	}
	if _, err := kmswrap.New(aws.Config{}, "arn:aws:kms:eu-west-1:123456789012:key/k"); err != nil {
		t.Errorf("an ARN has its region: %v", err)
	}
}

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{
		"arn:aws:kms:us-east-1:123456789012:key/1234":     true,
		"arn:aws-us-gov:kms:us-gov-west-1:1:alias/padron": true,
		"alias/padron-customers":                          true,
		"alias/":                                          false,
		"arn:aws:s3:::bucket":                             false,
		"arn:aws:kms:us-east-1:1:grant/x":                 false,
		"1234abcd-12ab-34cd-56ef-1234567890ab":            false,
		"":                                                false,
	} {
		if got := kmswrap.ValidKey(key); got != want {
			t.Errorf("%q: %t", key, got)
		}
	}
}

// nothing is a register without data keys.
type nothing struct{}

func (nothing) Key(context.Context, padron.KeyID) (padron.DataKey, error) {
	return padron.DataKey{}, padron.ErrNotFound
}
func (nothing) Keys(context.Context) ([]padron.DataKey, error) { return nil, nil }

// TestSynchronizersRole: a role that may make the field groups' keys and open
// only what runs share seals, and cannot open what it sealed.
func TestSynchronizersRole(t *testing.T) {
	arn := awstest.Key(t, newAlias())
	keys := seal.NewMemoryKeys(nothing{})
	if err := seal.MakeShared(t.Context(), open(t, awstest.URL(t), arn), keys); err != nil {
		t.Fatal(err)
	}
	guard := awstest.NewGuard(t, awstest.Allow{"GenerateDataKey": {"seal"}, "Decrypt": {"index", "fingerprint", "quarantine"}})
	w := open(t, guard.URL, arn)
	sealer, err := seal.NewSealer(t.Context(), w, keys)
	if err != nil {
		t.Fatal(err)
	}
	c := padron.Customer{ID: "1", Personal: padron.Personal{UserName: "Nobody"}, Financial: padron.Financial{CardNumber: "4111111111111111"}}
	sealed, err := sealer.Seal(t.Context(), &c, sealer.Fingerprint(&c))
	if err != nil {
		t.Fatal(err)
	}
	if refused := guard.Refused(); len(refused) > 0 {
		t.Errorf("the synchronizer asked for %v", refused)
	}
	everything := padron.Disclosures{padron.FieldUserName: padron.Full, padron.FieldCardNumber: padron.Full}
	thief, err := seal.NewOpener(t.Context(), w, keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := thief.Open(t.Context(), &sealed, everything); err == nil {
		t.Error("the synchronizer's role opens a customer")
	}
	if refused := guard.Refused(); !slices.Contains(refused, "Decrypt seal") {
		t.Errorf("refused: %v", refused)
	}
	readers := awstest.NewGuard(t, awstest.Allow{"Decrypt": {"seal", "index", "page"}})
	reader, err := seal.NewOpener(t.Context(), open(t, readers.URL, arn), keys)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reader.Open(t.Context(), &sealed, everything); err != nil || got.Financial.CardNumber != c.Financial.CardNumber {
		t.Errorf("the reader's role does not open it: %v", err)
	}
}
