package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"padron"
)

// Checkpoint returns the checkpoint of a pass that did not end; see
// store.Positions.
func (s *Store) Checkpoint(ctx context.Context) (*padron.Checkpoint, error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, explain("read the checkpoint", err)
	}
	defer tx.Rollback()
	cp, err := readCheckpoint(ctx, tx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // the contract: nil is no checkpoint
	}
	if err != nil {
		return nil, explain("read the checkpoint", err)
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
	cp.SavedAt = fromMillis(saved)
	rows, err := tx.QueryContext(ctx, "SELECT seen FROM checkpoint_seen ORDER BY part")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	for rows.Next() {
		var part []byte
		if err := rows.Scan(&part); err != nil {
			return nil, err
		}
		cp.Seen = append(cp.Seen, part)
	}
	return &cp, rows.Err()
}

func saveCheckpoint(ctx context.Context, tx *sql.Tx, cp *padron.Checkpoint) error {
	if cp == nil {
		return nil
	}
	if cp.Fresh {
		if _, err := tx.ExecContext(ctx, "DELETE FROM checkpoint_seen"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO checkpoint (one, run_id, source, place, saved_at) VALUES (1, ?, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET run_id = excluded.run_id, source = excluded.source, place = excluded.place,
		saved_at = excluded.saved_at`, cp.RunID, cp.Source, cp.Cursor, millis(cp.SavedAt)); err != nil {
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
func (s *Store) StartRun(ctx context.Context, lease padron.Lease, run *padron.Run) error {
	return s.fenced(ctx, "begin a run", lease, func(tx *sql.Tx) error {
		if err := endInterrupted(ctx, tx); err != nil {
			return err
		}
		if err := dropDivision(ctx, tx); err != nil {
			return err
		}
		started := *run
		started.Outcome = padron.OutcomeRunning
		return putRun(ctx, tx, &started)
	})
}

// endInterrupted writes the end of runs that were killed before they could.
func endInterrupted(ctx context.Context, tx *sql.Tx) error {
	runs, err := scanRuns(tx.QueryContext(ctx, "SELECT report FROM runs WHERE outcome = ?", string(padron.OutcomeRunning)))
	if err != nil {
		return err
	}
	for i := range runs {
		runs[i].Outcome, runs[i].Error = padron.OutcomeFailed, "interrupted"
		if err := putRun(ctx, tx, &runs[i]); err != nil {
			return err
		}
	}
	return nil
}

func putRun(ctx context.Context, tx *sql.Tx, run *padron.Run) error {
	report, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO runs (id, outcome, started_at, report) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, report = excluded.report`,
		run.ID, string(run.Outcome), millis(run.StartedAt), string(report))
	return err
}

// FinishRun writes a run's report; see store.Runs.
func (s *Store) FinishRun(ctx context.Context, lease padron.Lease, run *padron.Run) error {
	return s.fenced(ctx, "end a run", lease, func(tx *sql.Tx) error {
		if run.Outcome == padron.OutcomeCompleted || run.Outcome == padron.OutcomeRefused {
			if err := dropCheckpoint(ctx, tx); err != nil {
				return err
			}
			if err := dropDivision(ctx, tx); err != nil {
				return err
			}
		}
		return putRun(ctx, tx, run)
	})
}

// Run returns one run; see store.Runs.
func (s *Store) Run(ctx context.Context, id string) (padron.Run, error) {
	runs, err := scanRuns(s.read.QueryContext(ctx, "SELECT report FROM runs WHERE id = ?", id))
	if err != nil {
		return padron.Run{}, explain("read a run", err)
	}
	if len(runs) == 0 {
		return padron.Run{}, padron.ErrNotFound
	}
	return runs[0], nil
}

// Runs returns the latest runs; see store.Runs.
func (s *Store) Runs(ctx context.Context, limit int) ([]padron.Run, error) {
	runs, err := scanRuns(s.read.QueryContext(ctx, "SELECT report FROM runs ORDER BY started_at DESC, id DESC LIMIT ?", limit))
	return runs, explain("read the runs", err)
}

func scanRuns(rows *sql.Rows, err error) ([]padron.Run, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.Run
	for rows.Next() {
		var report []byte
		if err := rows.Scan(&report); err != nil {
			return nil, err
		}
		var run padron.Run
		if err := json.Unmarshal(report, &run); err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, rows.Err()
}
