package estate_test

import (
	"strings"
	"testing"
)

// TestBuckets holds that names are ones that S3 takes and nobody else has, and
// that nothing is kept for ever.
func TestBuckets(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		for _, b := range e.Resources("AWS::S3::Bucket") {
			name := b.Text("BucketName")
			if name != strings.ToLower(name) || !strings.HasPrefix(name, e.env.Prefix()+"-") || !strings.HasSuffix(name, "-"+e.env.Account) {
				t.Errorf("%s: the name %q is not lower-case, the environment's and the account's", b, name)
			}
			if b.Get("LifecycleConfiguration", "Rules", "0", "ExpirationInDays") == nil {
				t.Errorf("%s keeps what is in it for ever", b)
			}
		}
	})
}
