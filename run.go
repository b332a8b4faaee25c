package padron

import (
	"encoding/json"
	"time"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes of a run. OutcomeRunning stands in the history only.
const (
	OutcomeRunning   Outcome = "running"
	OutcomeCompleted Outcome = "completed"
	// OutcomeSkipped: another run holds the lease; nothing was done.
	OutcomeSkipped Outcome = "skipped"
	// OutcomeRefused: too many customers would vanish or have changed; nothing
	// was deleted.
	OutcomeRefused Outcome = "refused"
	// OutcomeFailed: what was stored stays, and the next run resumes.
	OutcomeFailed Outcome = "failed"
)

// Run is one pass of the synchronizer and its report. The counts obey
// Read = Inserted + Updated + Unchanged + Quarantined + Duplicates.
type Run struct {
	ID          string
	Outcome     Outcome
	DryRun      bool
	Read        int64
	Inserted    int64
	Updated     int64
	Unchanged   int64
	Deleted     int64
	Quarantined int64
	Duplicates  int64
	Reasons     map[Reason]int64
	Warnings    map[Warning]int64
	// UnknownFields names the fields that padron does not know, sorted; Unknown
	// counts them by name. See [Run.NoteUnknown].
	UnknownFields []string
	Unknown       map[string]int64
	// Unusual names the fields that were not as they are usually; see
	// [Run.NoteUnusual].
	Unusual   []string
	StartedAt time.Time
	Duration  time.Duration
	// Stages says where the time went; nil in reports that do not know.
	Stages map[Stage]time.Duration
	// ResumedFrom is the id of the interrupted run this one goes on from.
	ResumedFrom string
	// Forced is the operator's reason to lift the mass-change limits, 10 to 500
	// characters; "" where they held.
	Forced string
	// Version is the program's that did it.
	Version string
	// Error says why a run failed or was refused; nothing personal.
	Error string
	// Purged are the quarantine entries that the run removed, because nobody had
	// sent them for too long.
	Purged int64
}

// Rate returns customers read a second.
func (r *Run) Rate() float64 {
	if r.Duration <= 0 {
		return 0
	}
	return float64(r.Read) / r.Duration.Seconds()
}

// runReport is the JSON form of a run, as users and outside checks know it.
type runReport struct {
	RunID              string            `json:"run_id"`
	Outcome            Outcome           `json:"outcome"`
	DryRun             bool              `json:"dry_run,omitempty"`
	Read               int64             `json:"read"`
	Inserted           int64             `json:"inserted"`
	Updated            int64             `json:"updated"`
	Unchanged          int64             `json:"unchanged"`
	Deleted            int64             `json:"deleted"`
	Quarantined        int64             `json:"quarantined"`
	Duplicates         int64             `json:"duplicates"`
	Reasons            map[Reason]int64  `json:"reasons"`
	Warnings           map[Warning]int64 `json:"warnings"`
	UnknownFields      []string          `json:"unknown_fields"`
	Drift              map[string]Drift  `json:"drift,omitempty"`
	StartedAt          string            `json:"started_at"`
	DurationMS         int64             `json:"duration_ms"`
	Stages             map[Stage]int64   `json:"stages,omitempty"`
	CustomersPerSecond float64           `json:"customers_per_second"`
	ResumedFrom        string            `json:"resumed_from"`
	Forced             string            `json:"forced,omitempty"`
	Version            string            `json:"version,omitempty"`
	Error              string            `json:"error,omitempty"`
	Purged             int64             `json:"purged,omitempty"`
}

// MarshalJSON writes the run report.
func (r Run) MarshalJSON() ([]byte, error) {
	report := runReport{
		RunID: r.ID, Outcome: r.Outcome, DryRun: r.DryRun, Read: r.Read,
		Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged, Deleted: r.Deleted,
		Quarantined: r.Quarantined, Duplicates: r.Duplicates,
		Reasons: r.Reasons, Warnings: r.Warnings, UnknownFields: r.UnknownFields, Drift: r.Drift(),
		StartedAt: FormatTime(r.StartedAt), DurationMS: r.Duration.Milliseconds(), Stages: stageMillis(r.Stages),
		CustomersPerSecond: float64(int64(r.Rate()*10)) / 10, ResumedFrom: r.ResumedFrom, Forced: r.Forced, Version: r.Version, Error: r.Error,
		Purged: r.Purged,
	}
	if report.Reasons == nil {
		report.Reasons = map[Reason]int64{}
	}
	if report.Warnings == nil {
		report.Warnings = map[Warning]int64{}
	}
	if report.UnknownFields == nil {
		report.UnknownFields = []string{}
	}
	return json.Marshal(report)
}

// UnmarshalJSON reads a run report.
func (r *Run) UnmarshalJSON(data []byte) error {
	var p runReport
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	started, err := parseTime(p.StartedAt)
	if err != nil {
		return err
	}
	*r = Run{
		ID: p.RunID, Outcome: p.Outcome, DryRun: p.DryRun, Read: p.Read,
		Inserted: p.Inserted, Updated: p.Updated, Unchanged: p.Unchanged, Deleted: p.Deleted,
		Quarantined: p.Quarantined, Duplicates: p.Duplicates,
		Reasons: p.Reasons, Warnings: p.Warnings, UnknownFields: p.UnknownFields,
		StartedAt: started, Duration: time.Duration(p.DurationMS) * time.Millisecond, Stages: stageTimes(p.Stages),
		ResumedFrom: p.ResumedFrom, Forced: p.Forced, Version: p.Version, Error: p.Error,
		Purged: p.Purged,
	}
	r.setDrift(p.Drift)
	return nil
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(TimeLayout, s)
}

// Lease is the right to write the register, held by one run at a time. Token is
// the fencing token: it grows with every holder, and every write checks it.
type Lease struct {
	Holder string
	Token  int64
	// Part is the partition that writes under the token of its plan, from 1, and
	// Attempt which of the processes that began it: a later one stops it. 0 is
	// the run as a whole.
	Part    int
	Attempt int64
}

// Checkpoint is where an unfinished pass stands. It is written in the same
// transaction as the batch that led to it.
type Checkpoint struct {
	RunID string
	// Source identifies provider, paging style and page size: a checkpoint of
	// another source is of no use.
	Source string
	// Cursor is where the provider's client goes on.
	Cursor string
	// Seen is what was seen since the previous checkpoint of the same pass, as
	// a serialized roaring bitmap of [Number]; reading a checkpoint returns one
	// part for each write.
	Seen [][]byte
	// Fresh says that this checkpoint begins a pass: earlier parts are dropped.
	Fresh   bool
	SavedAt time.Time
}

// Known is what a store knows of a customer id before a batch is written.
type Known struct {
	Number      Number
	Fingerprint Fingerprint
	// Deleted: the row is there but marked deleted.
	Deleted bool
}

// Batch is one transaction of a run.
type Batch struct {
	// Upserts are written whole, by Number: new, changed and revived customers.
	Upserts []SealedCustomer
	// Rejected go to quarantine, or count there once more.
	Rejected []Rejected
	// Cleared are customers that arrived valid: their quarantine ends.
	Cleared []CustomerID
	// Moved are quarantine entries, by id, that are among the upserts now, or
	// need not be.
	Moved []string
	// Messages adds to the data keys' message counts.
	Messages map[KeyID]int64
	// Checkpoint is saved with the batch, if not nil.
	Checkpoint *Checkpoint
	// Part is saved with the batch of a partition, if not nil.
	Part *PartState
	At   time.Time
	// Turn, where it is set, is called once the customers are on their way, or
	// earlier: it waits until the batches before this one are in the store, and sets
	// the rest of this one: messages, checkpoint, time. Its error is the batch's.
	// It may be called again.
	Turn func() error `json:"-"`
}

// Rejected is one record on its way into quarantine. ID is derived from the
// customer id and the reasons (or from the record, where it has no usable id),
// so that the same fault of the same customer is one entry.
type Rejected struct {
	ID         string
	CustomerID CustomerID
	Reasons    []Reason
	RunID      string
	Record     Sealed
	Key        KeyID
}

// QuarantineEntry is a rejected record as the operator sees it: nothing
// personal.
type QuarantineEntry struct {
	ID         string
	CustomerID CustomerID
	Reasons    []Reason
	RunID      string
	FirstSeen  time.Time
	LastSeen   time.Time
	Count      int64
	// Record is sealed; lists leave it out.
	Record Sealed
	Key    KeyID
}

// MarshalJSON writes what the operator may see.
func (q QuarantineEntry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID         string     `json:"id"`
		CustomerID CustomerID `json:"customer_id"`
		Reasons    []Reason   `json:"reasons"`
		RunID      string     `json:"run_id"`
		FirstSeen  string     `json:"first_seen"`
		LastSeen   string     `json:"last_seen"`
		Count      int64      `json:"count"`
	}{q.ID, q.CustomerID, q.Reasons, q.RunID, FormatTime(q.FirstSeen), FormatTime(q.LastSeen), q.Count})
}
