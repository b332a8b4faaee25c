// Package delivery brings a reviewed commit into an account in two phases. Plan
// makes change sets and writes down exactly what was reviewed; apply executes
// those, and nothing else. It knows also how to find what was changed by hand
// since, and how to go back to an earlier release.
package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"padron/infra/deploy"
	"padron/infra/review"
)

// Format is the version of records that this program writes and reads.
const Format = 1

// Record is what a plan found and what its review is about: apply does this and
// nothing else.
type Record struct {
	Format int `json:"format"`
	// Padron is the version of the program that planned.
	Padron string `json:"padron"`
	// Commit is the full hash of what the templates were made of, and Tree that of
	// its files: a merge that changes no file is what was reviewed. A rollback's
	// are those of the release that it goes back to, RollbackTo its revision.
	Commit     string `json:"commit"`
	Tree       string `json:"tree"`
	RollbackTo int    `json:"rollback_to,omitempty"`

	Environment string    `json:"environment"`
	Account     string    `json:"account"`
	Region      string    `json:"region"`
	Created     time.Time `json:"created"`
	// Base is the revision of the last release when this was planned, 0 where
	// there was none.
	Base int `json:"base"`
	// Images are the digests that run afterwards, by program, and Version is what
	// they were released as.
	Images  map[string]string `json:"images"`
	Version string            `json:"version,omitempty"`
	// ConfigSHA256 is of the environment's description.
	ConfigSHA256 string `json:"config_sha256"`
	// Stacks are all of the environment's, in the order of execution.
	Stacks []StackPlan `json:"stacks"`
	// Assets are the files that the stacks' resources are made of.
	Assets []Asset `json:"assets"`
	// SHA256 is of the record without it: see [Record.Seal].
	SHA256 string `json:"sha256"`
}

// State is what a plan does with a stack.
type State string

// The states.
const (
	// New is that the stack is not there: its change set creates it.
	New State = "new"
	// Changed is that the change set has something to do.
	Changed State = "changed"
	// Unchanged is that there is nothing to do, and no change set.
	Unchanged State = "unchanged"
	// Waiting is that the stack needs what this plan brings first. It has no
	// change set: the next plan of the same commit makes it, to be reviewed.
	Waiting State = "waiting"
)

// StackPlan is one stack of a record.
type StackPlan struct {
	// Name is the short name, such as network; StackName the name in the account.
	Name      string `json:"name"`
	StackName string `json:"stack_name"`
	Region    string `json:"region"`
	State     State  `json:"state"`
	// WaitsFor says what a waiting stack needs and what brings it.
	WaitsFor []string `json:"waits_for,omitempty"`
	// TemplateSHA256 is of the template's file, the object in the bootstrap
	// bucket that it was uploaded as.
	TemplateSHA256 string `json:"template_sha256"`
	// Parameters are the template's, with what they were looked up to be.
	Parameters map[string]string `json:"parameters,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// ChangeSet is the change set's ARN, and ChangesSHA256 the hash of what it
	// describes: Changes.
	ChangeSet     string          `json:"change_set,omitempty"`
	ChangesSHA256 string          `json:"changes_sha256,omitempty"`
	Changes       []review.Change `json:"changes,omitempty"`
	// Before is what was there when this was planned, nil for a new stack.
	Before *Standing `json:"before,omitempty"`
}

// Standing is a stack as it stands in the account.
type Standing struct {
	// ID is the stack's ARN.
	ID     string `json:"id"`
	Status string `json:"status"`
	// Updated is the time of its last update, or of its creation.
	Updated time.Time `json:"updated"`
	// MeaningSHA256 is of the deployed template, however it is written: see
	// [Meaning].
	MeaningSHA256 string `json:"meaning_sha256"`
}

// Asset is a file in the bootstrap bucket of a region.
type Asset struct {
	Region string `json:"region"`
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	// SHA256 is of the object's bytes.
	SHA256 string `json:"sha256"`
}

// Release is a record of what runs: the last one is the environment's present
// state, and any of them can be gone back to.
type Release struct {
	Format int `json:"format"`
	// Revision counts from 1.
	Revision int `json:"revision"`
	// Previous is the revision before, 0 for the first; RollbackTo is the one
	// that this goes back to, if it does.
	Previous   int `json:"previous"`
	RollbackTo int `json:"rollback_to,omitempty"`

	Environment string `json:"environment"`
	Account     string `json:"account"`
	Region      string `json:"region"`
	// Commit and Padron are as in the record that was applied, whose hash is
	// Record.
	Commit string `json:"commit"`
	Tree   string `json:"tree"`
	Padron string `json:"padron"`
	Record string `json:"record"`
	// Applied is when the last stack was complete.
	Applied time.Time `json:"applied"`
	// Images are the digests that run, by program: synchronizer, customers-mngr
	// and padron. Version is what they were released as, and what they call
	// themselves.
	Images  map[string]string `json:"images"`
	Version string            `json:"version,omitempty"`
	// Stacks are all of the environment's, in the order of deployment. Their
	// templates and the description are kept beside the record.
	Stacks       []Released `json:"stacks"`
	Assets       []Asset    `json:"assets"`
	ConfigSHA256 string     `json:"config_sha256"`
	// Overrides are the stateful resources that were allowed to be replaced or
	// deleted.
	Overrides []string `json:"overrides,omitempty"`
	// Migration is the task that last migrated the database, nil in a record of
	// before the pipeline did.
	Migration *deploy.Migrated `json:"migration,omitempty"`
	// SHA256 is of the release without it: see [Release.Seal].
	SHA256 string `json:"sha256"`
}

// Released is one stack of a release.
type Released struct {
	Name           string            `json:"name"`
	StackName      string            `json:"stack_name"`
	Region         string            `json:"region"`
	Needs          []string          `json:"needs,omitempty"`
	TemplateSHA256 string            `json:"template_sha256"`
	Tags           map[string]string `json:"tags,omitempty"`
}

// errTampered is a record that is not what was written.
var errTampered = errors.New("its own hash does not hold: it was changed after it was written; plan again and have that reviewed")

// Seal puts the record's own hash into it.
func (r *Record) Seal() { r.SHA256 = r.sum() }

// Check returns an error unless the record is of a format that this program
// reads and is as it was sealed.
func (r *Record) Check() error { return checked(r.Format, r.SHA256, r.sum()) }

func (r *Record) sum() string {
	bare := *r
	bare.SHA256 = ""
	return hashOf(bare)
}

// Seal puts the release's own hash into it.
func (r *Release) Seal() { r.SHA256 = r.sum() }

// Check returns an error unless the release is of a format that this program
// reads and is as it was sealed.
func (r *Release) Check() error { return checked(r.Format, r.SHA256, r.sum()) }

func (r *Release) sum() string {
	bare := *r
	bare.SHA256 = ""
	return hashOf(bare)
}

func checked(format int, says, is string) error {
	if format != Format {
		return fmt.Errorf("it is of format %d and this program reads %d: use the version of padron that wrote it", format, Format)
	}
	if says != is {
		return errTampered
	}
	return nil
}

// hashOf is the SHA-256 of v as JSON, in hexadecimal. Only types of this package
// come here, and all of them can be written.
func hashOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return sha(text)
}

// sha is the SHA-256 in hexadecimal.
func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ReadRecord reads the record of a plan and checks it.
func ReadRecord(path string) (*Record, error) {
	r := &Record{}
	if err := readJSON(path, r); err != nil {
		return nil, err
	}
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("the record %s: %w", path, err)
	}
	return r, nil
}

// ReadRelease reads a release record and checks it.
func ReadRelease(path string) (*Release, error) {
	r := &Release{}
	if err := readJSON(path, r); err != nil {
		return nil, err
	}
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("the release record %s: %w", path, err)
	}
	return r, nil
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path) //nolint:gosec // the file that the caller names
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s is no record: %w", path, err)
	}
	return nil
}

// writeJSON writes v for people and programs. Nothing secret is in it.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // for everybody
}

// Write puts the release into a file, for people and programs.
func (r *Release) Write(path string) error { return writeJSON(path, r) }
