package delivery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTamperedRecord changes each kind of record after it was sealed: it is
// refused with what to do.
func TestTamperedRecord(t *testing.T) {
	dir := t.TempDir()
	record := &Record{Format: Format, Commit: "c0ffee", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Stacks: []StackPlan{{Name: "network", ChangeSet: "arn:a"}}}
	record.Seal()
	release := &Release{Format: Format, Revision: 7, Commit: "c0ffee"}
	release.Seal()
	for name, test := range map[string]struct {
		sealed   any
		from, to string
		read     func(string) error
	}{
		"record":  {record, "arn:a", "arn:b", func(p string) error { _, err := ReadRecord(p); return err }},
		"release": {release, "c0ffee", "c0ffed", func(p string) error { _, err := ReadRelease(p); return err }},
	} {
		path := filepath.Join(dir, name+".json")
		if err := writeJSON(path, test.sealed); err != nil {
			t.Fatal(err)
		}
		if err := test.read(path); err != nil {
			t.Errorf("as written, the %s is refused: %v", name, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), test.from, test.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := test.read(path); err == nil || !strings.Contains(err.Error(), "plan again") {
			t.Errorf("a tampered %s: %v", name, err)
		}
	}
}

// TestOtherFormat refuses a record of a program that writes otherwise.
func TestOtherFormat(t *testing.T) {
	r := &Record{Format: Format + 1}
	r.Seal()
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), "of format 2 and this program reads 1") {
		t.Errorf("another format: %v", err)
	}
}

// TestSealSurvivesWriting wants the same hash of what was read back.
func TestSealSurvivesWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	want := &Record{Format: Format, Created: time.Now().UTC(), Images: map[string]string{"padron": "sha256:0"}, Stacks: []StackPlan{{Tags: map[string]string{}}}}
	want.Seal()
	if err := writeJSON(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.SHA256, got.SHA256); diff != "" {
		t.Error(diff)
	}
}
