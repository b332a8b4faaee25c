// Package kmswrap is a key-encryption key in AWS KMS. It never leaves KMS: data
// keys are made there (GenerateDataKey, AES_256) and unwrapped there (Decrypt).
//
// Each call carries an encryption context, which KMS binds to the wrapped key
// and writes into CloudTrail. Its entries are exactly these:
//
//	purpose   what the data key is for: seal, index, fingerprint, quarantine, page
//	group     personal or financial; for purpose=seal alone, else no such entry
//
// Key policies and roles condition on kms:EncryptionContext:purpose, and may on
// kms:EncryptionContext:group, so that the names and values are locked: to
// change one locks every register out of its keys.
package kmswrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"padron"
	"padron/internal/seal"
)

// The entries of the encryption context.
const (
	contextPurpose = "purpose"
	contextGroup   = "group"
)

// aliasPrefix begins the name of an alias.
const aliasPrefix = "alias/"

// ValidKey reports whether KMS can know a key by that name: the ARN of a key or
// of an alias, or "alias/" and a name.
func ValidKey(key string) bool {
	if a, err := arn.Parse(key); err == nil {
		return a.Service == "kms" && a.Region != "" &&
			(strings.HasPrefix(a.Resource, "key/") || strings.HasPrefix(a.Resource, aliasPrefix))
	}
	return strings.HasPrefix(key, aliasPrefix) && len(key) > len(aliasPrefix)
}

// Wrapper wraps data keys under one KMS key. It is safe for concurrent use.
type Wrapper struct {
	client *kms.Client
	key    string
	// arn is the key's own, which KMS tells with each answer.
	arn atomic.Value
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New returns a wrapper of the key, an ARN or an alias; see [ValidKey]. An ARN's
// region beats that of cfg. KMS is not asked before the first data key.
func New(cfg aws.Config, key string) (*Wrapper, error) {
	if a, err := arn.Parse(key); err == nil {
		cfg.Region = a.Region
	}
	if cfg.Region == "" {
		return nil, padron.Errorf(padron.CodeInvalid, "PADRON_KEYS names an alias, and no region is set: set AWS_REGION or name the key's ARN")
	}
	w := &Wrapper{client: kms.NewFromConfig(cfg), key: key}
	w.arn.Store(key)
	return w, nil
}

// ID is the key's ARN; an alias stands for it until KMS has answered once.
func (w *Wrapper) ID() string {
	id, _ := w.arn.Load().(string)
	return id
}

// NewKey has KMS make a data key.
func (w *Wrapper) NewKey(ctx context.Context, c seal.Context) (plain, wrapped []byte, err error) {
	out, err := w.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &w.key, KeySpec: types.DataKeySpecAes256, EncryptionContext: encryptionContext(c),
	})
	if err != nil {
		return nil, nil, w.explain("GenerateDataKey", c, err)
	}
	w.arn.Store(aws.ToString(out.KeyId))
	return out.Plaintext, out.CiphertextBlob, nil
}

// Unwrap has KMS open a data key that this key wrapped under this context.
func (w *Wrapper) Unwrap(ctx context.Context, c seal.Context, wrapped []byte) ([]byte, error) {
	out, err := w.client.Decrypt(ctx, &kms.DecryptInput{KeyId: &w.key, CiphertextBlob: wrapped, EncryptionContext: encryptionContext(c)})
	if err != nil {
		return nil, w.explain("Decrypt", c, err)
	}
	w.arn.Store(aws.ToString(out.KeyId))
	return out.Plaintext, nil
}

func encryptionContext(c seal.Context) map[string]string {
	out := map[string]string{contextPurpose: string(c.Purpose)}
	if c.Group != "" {
		out[contextGroup] = c.Group
	}
	return out
}

// explain says which call failed and what a person can do about it. KMS's own
// words name roles and keys, and no secret: they stay as the cause.
func (w *Wrapper) explain(call string, c seal.Context, err error) error {
	message := fmt.Sprintf("AWS KMS: %s with purpose=%q group=%q", call, c.Purpose, c.Group)
	var api smithy.APIError
	if errors.As(err, &api) {
		message += advice(api.ErrorCode())
	} else if !errors.Is(err, context.Canceled) {
		message += " did not get through; check AWS_REGION, the role's credentials and the way to KMS"
	}
	return &padron.Error{Code: padron.CodeUnavailable, Message: message, Err: err}
}

func advice(code string) string {
	switch code {
	case "AccessDeniedException":
		return " is refused; the role and the key's policy must both allow it under this encryption context"
	case "NotFoundException":
		return " finds no such key; check PADRON_KEYS and AWS_REGION"
	case "DisabledException", "KMSInvalidStateException":
		return " is refused: the key is disabled or is to be deleted; enable it"
	case "IncorrectKeyException":
		return ": another key wrapped this data key; check PADRON_KEYS"
	case "InvalidCiphertextException":
		return ": the wrapped data key or its context was altered"
	}
	return " failed"
}
