package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"padron"
)

// StorePlan stores a plan in the place of what went before: the checkpoint of a
// run that was not divided, and another plan. See store.Divisions.
func StorePlan(ctx context.Context, tx *sql.Tx, lease padron.Lease, plan *padron.Plan) error {
	if err := dropCheckpoint(ctx, tx); err != nil {
		return err
	}
	if err := dropDivision(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO division (one, run_id, token, finishing, source, whole, next_num)
		SELECT 1, ?, ?, 0, ?, ?, coalesce(max(num), 0) + 1 FROM customers`, plan.RunID, lease.Token, plan.Source, plan.Full); err != nil {
		return err
	}
	return insertParts(ctx, tx, plan.Parts)
}

func insertParts(ctx context.Context, tx *sql.Tx, parts []padron.Part) error {
	for i := range parts {
		p := &parts[i]
		report, err := json.Marshal(p.Report)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO division_part (part, first_page, end_page, attempt, place, done, report)
			VALUES (?, ?, ?, 0, '', ?, ?)`, p.Part, p.First, p.End, p.Done, string(report)); err != nil {
			return err
		}
	}
	return nil
}

func dropDivision(ctx context.Context, tx *sql.Tx) error {
	for _, statement := range []string{"DELETE FROM division_seen", "DELETE FROM division_part", "DELETE FROM division"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Plan returns the plan; see store.Divisions.
func (t *Tables) Plan(ctx context.Context) (*padron.Plan, error) {
	tx, err := t.db.Read.BeginTx(ctx, &t.db.Snapshot) // one moment for both tables
	if err != nil {
		return nil, t.db.Explain("read the plan", err)
	}
	defer tx.Rollback()
	plan, err := readPlan(ctx, tx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // the contract: nil is no plan
	}
	return plan, t.db.Explain("read the plan", err)
}

func readPlan(ctx context.Context, tx *sql.Tx) (*padron.Plan, error) {
	var p padron.Plan
	if err := tx.QueryRowContext(ctx, "SELECT run_id, token, finishing, source, whole FROM division").
		Scan(&p.RunID, &p.Token, &p.Finishing, &p.Source, &p.Full); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+partColumns+" FROM division_part ORDER BY part")
	p.Parts, err = list(rows, err, scanPart)
	return &p, err
}

const partColumns = "part, first_page, end_page, attempt, place, done, report"

func scanPart(row Scanner) (padron.Part, error) {
	var p padron.Part
	var report []byte
	if err := row.Scan(&p.Part, &p.First, &p.End, &p.Attempt, &p.Cursor, &p.Done, &report); err != nil {
		return p, err
	}
	err := json.Unmarshal(report, &p.Report)
	return p, err
}

// Claim makes the plan the lease's; see store.Divisions. Tokens grow by one with
// each holder, so that the one before says whether there was another.
func (t *Tables) Claim(ctx context.Context, lease padron.Lease) error {
	return t.db.Fenced(ctx, "claim the plan", lease, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE division SET token = ?, finishing = 1 WHERE one = 1 AND token IN (?, ?)",
			lease.Token, lease.Token-1, lease.Token) // its own, where the answer to a commit was lost
		return LostIfNone(r, err)
	})
}

// BeginPart begins an attempt; see store.Partitions.
func (t *Tables) BeginPart(ctx context.Context, lease padron.Lease, part int) (padron.Lease, padron.Part, error) {
	var p padron.Part
	err := t.db.Fenced(ctx, "begin a partition", lease, func(tx *sql.Tx) error {
		var open int64
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM division WHERE token = ? AND finishing = 0", lease.Token).Scan(&open); err != nil {
			return err
		}
		if open == 0 {
			return padron.ErrLeaseLost
		}
		if _, err := tx.ExecContext(ctx, "UPDATE division_part SET attempt = attempt + 1 WHERE part = ?", part); err != nil {
			return err
		}
		var err error
		p, err = scanPart(tx.QueryRowContext(ctx, "SELECT "+partColumns+" FROM division_part WHERE part = ?", part))
		return err
	})
	lease.Part, lease.Attempt = part, p.Attempt
	return lease, p, err
}

// PartsSeen returns what was seen; see store.Partitions.
func (t *Tables) PartsSeen(ctx context.Context, part int) ([][]byte, error) {
	rows, err := t.db.Read.QueryContext(ctx, "SELECT seen FROM division_seen WHERE ? = 0 OR part = ? ORDER BY entry", part, part)
	seen, err := list(rows, err, scanOne[[]byte])
	return seen, t.db.Explain("read what was seen", err)
}

// ReserveNumbers gives numbers; see store.Partitions.
func (t *Tables) ReserveNumbers(ctx context.Context, lease padron.Lease, n int) (padron.Number, error) {
	var next int64
	err := t.db.Fenced(ctx, "reserve customer numbers", lease, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT next_num FROM division WHERE one = 1"+t.db.Lock).Scan(&next); err != nil {
			return err
		}
		if next+int64(n) > math.MaxUint32 {
			return padron.Errorf(padron.CodeInternal, "the register has no customer number left")
		}
		_, err := tx.ExecContext(ctx, "UPDATE division SET next_num = ? WHERE one = 1", next+int64(n))
		return err
	})
	return padron.Number(next), err //nolint:gosec // checked
}

// CurrentAttempt returns [padron.ErrLeaseLost] where the lease is a partition's
// that was begun again since.
func (t *Tables) CurrentAttempt(ctx context.Context, tx *sql.Tx, lease padron.Lease) error {
	if lease.Part == 0 {
		return nil
	}
	var attempt int64
	err := tx.QueryRowContext(ctx, "SELECT attempt FROM division_part WHERE part = ?"+t.db.Lock, lease.Part).Scan(&attempt)
	if errors.Is(err, sql.ErrNoRows) || err == nil && attempt != lease.Attempt {
		return padron.ErrLeaseLost
	}
	return err
}

func savePart(ctx context.Context, tx *sql.Tx, lease padron.Lease, state *padron.PartState) error {
	if state == nil {
		return nil
	}
	report, err := json.Marshal(state.Report)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE division_part SET place = ?, done = ?, report = ? WHERE part = ?",
		state.Cursor, state.Done, string(report), lease.Part); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO division_seen (part, seen) VALUES (?, ?)", lease.Part, state.Seen)
	return err
}

// LostIfNone returns [padron.ErrLeaseLost] where a statement that wants the lease
// found no row.
func LostIfNone(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return padron.ErrLeaseLost
}
