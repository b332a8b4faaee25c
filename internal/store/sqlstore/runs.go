package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"padron"
)

// Checkpoint returns the checkpoint of a pass that did not end; see
// store.Positions.
func (t *Tables) Checkpoint(ctx context.Context) (*padron.Checkpoint, error) {
	tx, err := t.db.Read.BeginTx(ctx, &t.db.Snapshot) // one moment for both tables
	if err != nil {
		return nil, t.db.Explain("read the checkpoint", err)
	}
	defer tx.Rollback()
	cp, err := readCheckpoint(ctx, tx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // the contract: nil is no checkpoint
	}
	if err != nil {
		return nil, t.db.Explain("read the checkpoint", err)
	}
	return cp, nil
}

func readCheckpoint(ctx context.Context, tx *sql.Tx) (*padron.Checkpoint, error) {
	var cp padron.Checkpoint
	var saved sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT run_id, source, place, saved_at FROM checkpoint").
		Scan(&cp.RunID, &cp.Source, &cp.Cursor, &saved); err != nil {
		return nil, err
	}
	cp.SavedAt = FromMillis(saved)
	rows, err := tx.QueryContext(ctx, "SELECT seen FROM checkpoint_seen ORDER BY part")
	cp.Seen, err = list(rows, err, scanOne[[]byte])
	return &cp, err
}

func (t *Tables) saveCheckpoint(ctx context.Context, tx *sql.Tx, cp *padron.Checkpoint) error {
	if cp == nil {
		return nil
	}
	if cp.Fresh {
		if _, err := tx.ExecContext(ctx, "DELETE FROM checkpoint_seen"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO checkpoint (one, run_id, source, place, saved_at) VALUES (1, ?, ?, ?, ?)"+ //nolint:gosec // names of columns
		t.db.Upsert("one", "run_id", "source", "place", "saved_at"), cp.RunID, cp.Source, cp.Cursor, Millis(cp.SavedAt)); err != nil {
		return err
	}
	for _, part := range cp.Seen {
		if _, err := tx.ExecContext(ctx, "INSERT INTO checkpoint_seen (seen) VALUES (?)", part); err != nil {
			return err
		}
	}
	return nil
}

func dropCheckpoint(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM checkpoint"); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM checkpoint_seen")
	return err
}

// StartRun adds a run; see store.Runs.
func (t *Tables) StartRun(ctx context.Context, lease padron.Lease, run *padron.Run) error {
	return t.db.Fenced(ctx, "begin a run", lease, func(tx *sql.Tx) error {
		if err := t.endInterrupted(ctx, tx); err != nil {
			return err
		}
		if err := dropDivision(ctx, tx); err != nil {
			return err
		}
		started := *run
		started.Outcome = padron.OutcomeRunning
		return t.putRun(ctx, tx, &started)
	})
}

// endInterrupted writes the end of runs that were killed before they could.
func (t *Tables) endInterrupted(ctx context.Context, tx *sql.Tx) error {
	runs, err := scanRuns(tx.QueryContext(ctx, "SELECT report FROM runs WHERE outcome = ?", string(padron.OutcomeRunning)))
	if err != nil {
		return err
	}
	for i := range runs {
		runs[i].Outcome, runs[i].Error = padron.OutcomeFailed, "interrupted"
		if err := t.putRun(ctx, tx, &runs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tables) putRun(ctx context.Context, tx *sql.Tx, run *padron.Run) error {
	report, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO runs (id, outcome, started_at, report) VALUES (?, ?, ?, ?)"+t.db.Upsert("id", "outcome", "report"), //nolint:gosec // names of columns
		run.ID, string(run.Outcome), Millis(run.StartedAt), string(report))
	return err
}

// FinishRun writes a run's report; see store.Runs.
func (t *Tables) FinishRun(ctx context.Context, lease padron.Lease, run *padron.Run) error {
	return t.db.Fenced(ctx, "end a run", lease, func(tx *sql.Tx) error {
		if run.Outcome == padron.OutcomeCompleted || run.Outcome == padron.OutcomeRefused {
			if err := dropCheckpoint(ctx, tx); err != nil {
				return err
			}
			if err := dropDivision(ctx, tx); err != nil {
				return err
			}
		}
		return t.putRun(ctx, tx, run)
	})
}

// Run returns one run; see store.Runs.
func (t *Tables) Run(ctx context.Context, id string) (padron.Run, error) {
	runs, err := scanRuns(t.db.Read.QueryContext(ctx, "SELECT report FROM runs WHERE id = ?", id))
	if err != nil {
		return padron.Run{}, t.db.Explain("read a run", err)
	}
	if len(runs) == 0 {
		return padron.Run{}, padron.ErrNotFound
	}
	return runs[0], nil
}

// Runs returns the latest runs; see store.Runs.
func (t *Tables) Runs(ctx context.Context, limit int) ([]padron.Run, error) {
	runs, err := scanRuns(t.db.Read.QueryContext(ctx, "SELECT report FROM runs ORDER BY started_at DESC, id DESC LIMIT ?", limit))
	return runs, t.db.Explain("read the runs", err)
}

func scanRuns(rows *sql.Rows, err error) ([]padron.Run, error) { return list(rows, err, scanRun) }

func scanRun(row Scanner) (padron.Run, error) {
	var run padron.Run
	report, err := scanOne[[]byte](row)
	if err == nil {
		err = json.Unmarshal(report, &run)
	}
	return run, err
}
