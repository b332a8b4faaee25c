package reach

import (
	"testing"

	"padron/infra/config"
)

// TestListsKnown keeps the prover's prefix lists those that security groups
// name.
func TestListsKnown(t *testing.T) {
	for region, id := range config.S3PrefixLists {
		if want := "com.amazonaws." + region + ".s3"; managedLists[id].service != want {
			t.Errorf("list %s is %q, want %s", id, managedLists[id].service, want)
		}
	}
}
