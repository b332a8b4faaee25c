// Package store holds what every storage engine of the register must do. Each
// engine is a package of its own below this one and passes the conformance
// suite in storetest. A store never sees plaintext: it imports neither
// internal/seal nor any key, and a test enforces that.
//
// All methods are safe for concurrent use, honour ctx, and return errors that
// hold nothing personal. Times are kept in UTC, in milliseconds.
package store

import (
	"context"
	"iter"
	"time"

	"padron"
)

// Leases hands out the right to write the register.
type Leases interface {
	// Acquire takes the lease for ttl, with a fencing token greater than every
	// one before. It returns [padron.ErrLeaseHeld] while another holder lives.
	Acquire(ctx context.Context, holder string, ttl time.Duration) (padron.Lease, error)
	// Renew extends the lease to ttl from now, or returns [padron.ErrLeaseLost].
	Renew(ctx context.Context, lease padron.Lease, ttl time.Duration) error
	// Release gives the lease back; one that was lost is left alone.
	Release(ctx context.Context, lease padron.Lease) error
}

// Register is the synchronizer's side of the customers. Apply and Delete return
// [padron.ErrLeaseLost], and write nothing, where the lease's token is not the
// current one. Apply returns [padron.ErrTaken], and writes nothing, where an id
// is there under another number.
type Register interface {
	// Lookup returns what is known of the ids; unknown ones are absent.
	Lookup(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.Known, error)
	// Apply writes a batch in one transaction, all of it or nothing. Batches that
	// only add customers may be applied at once, where they have turns.
	Apply(ctx context.Context, lease padron.Lease, b *padron.Batch) error
	// Live yields the numbers of the customers not marked deleted, ascending.
	Live(ctx context.Context) iter.Seq2[padron.Number, error]
	// Delete marks customers deleted, at most 10,000 a call.
	Delete(ctx context.Context, lease padron.Lease, numbers []padron.Number, at time.Time) error
}

// Positions says where a pass starts.
type Positions interface {
	// LastNumber returns the greatest number ever given, 0 in an empty register.
	LastNumber(ctx context.Context) (padron.Number, error)
	// Checkpoint returns the checkpoint of the last pass if it did not end, with
	// every part of Seen; nil if there is none.
	Checkpoint(ctx context.Context) (*padron.Checkpoint, error)
	// Count returns how many customers are live.
	Count(ctx context.Context) (int64, error)
}

// Divisions keeps the plan of a run that is divided among processes. A run that
// is begun by [Runs.StartRun], or ended as completed or refused, drops it.
type Divisions interface {
	// Divide stores a plan, in place of any before, and drops the checkpoint. The
	// lease is the plan's from then on: until nobody has renewed it for ttl,
	// nobody else acquires it, whether the process that took it lives or not.
	Divide(ctx context.Context, lease padron.Lease, plan *padron.Plan, ttl time.Duration) error
	// Plan returns the plan with how far its partitions are, or nil where there
	// is none.
	Plan(ctx context.Context) (*padron.Plan, error)
	// Claim makes a plan that of the lease, to finish it. It returns
	// [padron.ErrLeaseLost] where anybody else held the lease since the plan was
	// stored or claimed last.
	Claim(ctx context.Context, lease padron.Lease) error
}

// Partitions is a partition's side of a divided run. It writes by
// [Register.Apply] under the lease that BeginPart returned, and renews it like
// any other.
type Partitions interface {
	// BeginPart begins another attempt at a partition, which ends the one before:
	// whatever that one writes later returns [padron.ErrLeaseLost], as does
	// BeginPart where the lease is not the plan's. It returns the lease to write
	// under and how far the partition is.
	BeginPart(ctx context.Context, lease padron.Lease, part int) (padron.Lease, padron.Part, error)
	// PartsSeen returns what a partition has seen, in as many parts as there were
	// writes; 0 is every partition.
	PartsSeen(ctx context.Context, part int) ([][]byte, error)
	// ReserveNumbers gives n numbers that nobody else gets, and returns the first.
	ReserveNumbers(ctx context.Context, lease padron.Lease, n int) (padron.Number, error)
}

// Runs is the history of runs.
type Runs interface {
	// StartRun adds a run as [padron.OutcomeRunning]. Earlier runs that never
	// ended become [padron.OutcomeFailed], "interrupted".
	StartRun(ctx context.Context, lease padron.Lease, run *padron.Run) error
	// FinishRun writes the final report. A completed or refused run ends the
	// pass and drops its checkpoint; a failed one keeps it.
	FinishRun(ctx context.Context, lease padron.Lease, run *padron.Run) error
	// Run returns one run, or [padron.ErrNotFound].
	Run(ctx context.Context, id string) (padron.Run, error)
	// Runs returns the latest runs, newest first.
	Runs(ctx context.Context, limit int) ([]padron.Run, error)
}

// Keys keeps wrapped data keys.
type Keys interface {
	// AddKey adds a data key.
	AddKey(ctx context.Context, key padron.DataKey) error
	// EnsureKey returns the one key of a purpose that all runs share. Where there
	// is none it adds what fresh makes, which is asked for nothing else: whoever
	// may not make such keys can still use one.
	EnsureKey(ctx context.Context, p padron.Purpose, fresh func() (padron.DataKey, error)) (padron.DataKey, error)
	// Key returns one data key, or [padron.ErrNotFound].
	Key(ctx context.Context, id padron.KeyID) (padron.DataKey, error)
	// Keys returns every data key, oldest first.
	Keys(ctx context.Context) ([]padron.DataKey, error)
}

// Customers is the reader's side of the register: live customers only, and of
// each the parts that are asked for; the others stay empty.
type Customers interface {
	// Customer returns one customer, or [padron.ErrNotFound].
	Customer(ctx context.Context, id padron.CustomerID, parts padron.Parts) (padron.SealedCustomer, error)
	// Customers returns at most limit customers with an id greater than after
	// (bytewise), in id order.
	Customers(ctx context.Context, f padron.Filter, after padron.CustomerID, limit int, parts padron.Parts) ([]padron.SealedCustomer, error)
	// Search returns at most limit customers with the blind index, in id order.
	Search(ctx context.Context, index padron.Index, value padron.BlindIndex, limit int, parts padron.Parts) ([]padron.SealedCustomer, error)
	// Count returns how many customers are live.
	Count(ctx context.Context) (int64, error)
}

// Quarantine is the operator's side of the rejected records.
type Quarantine interface {
	// Quarantine returns at most limit entries with an id greater than after,
	// in id order, without their records.
	Quarantine(ctx context.Context, after string, limit int) ([]padron.QuarantineEntry, error)
	// QuarantineEntry returns one entry with its record, or
	// [padron.ErrNotFound].
	QuarantineEntry(ctx context.Context, id string) (padron.QuarantineEntry, error)
	// CountQuarantine returns how many entries there are.
	CountQuarantine(ctx context.Context) (int64, error)
	// PurgeQuarantine removes at most limit entries that were last seen before a
	// time, and returns how many it was. It returns [padron.ErrLeaseLost], and
	// removes nothing, where the lease's token is not the current one.
	PurgeQuarantine(ctx context.Context, lease padron.Lease, before time.Time, limit int) (int64, error)
}

// Tokens keeps API tokens.
type Tokens interface {
	// AddToken adds a token.
	AddToken(ctx context.Context, t padron.Token) error
	// Token returns one token, valid or not, or [padron.ErrNotFound].
	Token(ctx context.Context, id string) (padron.Token, error)
	// Tokens returns every token, oldest first.
	Tokens(ctx context.Context) ([]padron.Token, error)
	// RevokeToken revokes a token; again is no error. Unknown is
	// [padron.ErrNotFound].
	RevokeToken(ctx context.Context, id string, at time.Time) error
}

// Audit keeps the audit chain.
type Audit interface {
	// AppendAudit calls link with the chain's end and adds the entries it
	// returns, durably, in one transaction that no other append can enter. An
	// error from link adds nothing.
	AppendAudit(ctx context.Context, link func(padron.AuditHead) ([]padron.AuditEntry, error)) error
	// AuditEntries returns the entries that the filter selects, by Seq. One that
	// somebody made unreadable is a [DamagedEntry]; those before it come with
	// the error.
	AuditEntries(ctx context.Context, f padron.AuditFilter) ([]padron.AuditEntry, error)
	// AuditHead returns the chain's end, zero for an empty chain.
	AuditHead(ctx context.Context) (padron.AuditHead, error)
}

// Schema is the database's shape and health.
type Schema interface {
	// Migrate brings the schema to this version; again changes nothing.
	Migrate(ctx context.Context) error
	// Migrations returns every migration, oldest first.
	Migrations(ctx context.Context) ([]Migration, error)
	// Ping returns an error where the database cannot be reached or its schema
	// is older than this version's, or newer than it can work on.
	Ping(ctx context.Context) error
	// Close releases every connection and file.
	Close() error
}

// Migration is one step of the schema. AppliedAt is zero where it is pending.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time
}

// Engine is all of it; consumers ask for the part they use.
type Engine interface {
	Leases
	Register
	Positions
	Divisions
	Partitions
	Runs
	Keys
	Customers
	Quarantine
	Tokens
	Audit
	Schema
}
