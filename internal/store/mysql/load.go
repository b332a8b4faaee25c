package mysql

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/sqlstore"
)

// loads numbers the readers that are registered with the driver.
var loads atomic.Int64

// lines are customers as LOAD DATA reads them: fields end with a tab, rows with a
// newline, and what would end one is escaped. They are made while the transaction
// begins, since the server has nothing to do until it gets them.
type lines struct {
	made sync.WaitGroup
	text []byte
}

// encode begins to make the lines of customers, in room that was used before.
func (s *Store) encode(rows []padron.SealedCustomer) *lines {
	l, _ := s.lines.Get().(*lines)
	if l == nil {
		l = new(lines)
	}
	l.made.Go(func() {
		l.text = l.text[:0]
		for i := range rows {
			l.text = appendRow(l.text, &rows[i])
		}
	})
	return l
}

// reuse takes the room back.
func (s *Store) reuse(l *lines) {
	l.made.Wait()
	s.lines.Put(l)
}

// reader waits for the lines, and reads them.
func (l *lines) reader() io.Reader {
	l.made.Wait()
	return bytes.NewReader(l.text)
}

// insert adds customers, of whom lines are made, by LOAD DATA LOCAL, or by
// statements where the server has turned that off.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, rows []padron.SealedCustomer, of *lines) error {
	if !s.load {
		return insertRows(ctx, tx, rows)
	}
	name := "padron-" + strconv.FormatInt(loads.Add(1), 10)
	driver.RegisterReaderHandler(name, of.reader)
	defer driver.DeregisterReaderHandler(name)
	r, err := tx.ExecContext(ctx, loadSQL(name))
	if err != nil {
		return err
	}
	return allLoaded(ctx, tx, r, len(rows))
}

// loadSQL loads what a registered reader yields.
func loadSQL(reader string) string {
	return "LOAD DATA LOCAL INFILE 'Reader::" + reader + "' INTO TABLE customers CHARACTER SET binary " +
		`FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + sqlstore.WrittenColumns + ")"
}

// allLoaded makes errors of the warnings that LOAD DATA LOCAL makes of errors,
// strict mode or not: it leaves rows out that break a key, and cuts what is too
// long.
func allLoaded(ctx context.Context, tx *sql.Tx, r sql.Result, want int) error {
	rows, err := tx.QueryContext(ctx, "SHOW WARNINGS LIMIT 1")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	if rows.Next() {
		var level, words string
		e := new(driver.MySQLError)
		if err := rows.Scan(&level, &e.Number, &words); err != nil {
			return err
		}
		return e
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != int64(want) {
		return padron.Errorf(padron.CodeInternal, "the database took %d of %d customers", n, want)
	}
	return nil
}

func appendRow(b []byte, c *padron.SealedCustomer) []byte {
	b = append(strconv.AppendUint(b, uint64(c.Number), 10), '\t')
	b = appendField(b, c.ID)
	b = appendInt(b, sqlstore.Millis(c.Profile.RegisteredAt))
	b = appendField(b, c.Profile.FavoriteColor)
	b = appendField(b, c.Profile.Car)
	b = appendField(b, c.Profile.CarModel)
	b = appendField(b, c.Profile.CarType)
	b = appendField(b, c.Profile.CarColor)
	b = appendInt(b, c.Profile.Purchases)
	b = appendField(b, c.Personal)
	b = appendField(b, c.Financial)
	b = appendInt(b, int64(c.PersonalKey))
	b = appendInt(b, int64(c.FinancialKey))
	b = appendField(b, c.Fingerprint[:])
	for _, i := range []padron.Index{
		padron.IndexUserName, padron.IndexCardNumber, padron.IndexAccountNumber, padron.IndexIPAddress, padron.IndexZipCode,
	} {
		b = appendField(b, c.Indexes[i][:])
	}
	return append(strconv.AppendInt(b, sqlstore.Millis(c.UpdatedAt), 10), '\n')
}

func appendInt(b []byte, n int64) []byte { return append(strconv.AppendInt(b, n, 10), '\t') }

// escapes are the bytes that LOAD DATA takes for something else, and the letter
// that stands for each behind a backslash.
var escapes = [256]byte{'\\': '\\', '\t': 't', '\n': 'n', 0: '0'}

// appendField adds the bytes of a text and a tab.
func appendField[T ~string | ~[]byte](b []byte, field T) []byte {
	from := 0
	for i := range len(field) {
		if letter := escapes[field[i]]; letter != 0 {
			b = append(append(b, field[from:i]...), '\\', letter)
			from = i + 1
		}
	}
	return append(append(b, field[from:]...), '\t')
}

// insertPart is how many customers one INSERT adds.
const insertPart = 200

// insertRows adds customers by INSERT statements of many rows each.
func insertRows(ctx context.Context, tx *sql.Tx, rows []padron.SealedCustomer) error {
	for len(rows) > 0 {
		n := min(insertPart, len(rows))
		if err := insertSome(ctx, tx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func insertSome(ctx context.Context, tx *sql.Tx, rows []padron.SealedCustomer) error {
	const columns = 20
	query := make([]byte, 0, len(rows)*(2*columns+2)+512)
	query = append(query, "INSERT INTO customers ("+sqlstore.WrittenColumns+") VALUES "...)
	args := make([]any, 0, len(rows)*columns)
	for i := range rows {
		if i > 0 {
			query = append(query, ',')
		}
		query = append(query, "("+sqlstore.Marks(columns)+")"...)
		args = appendArgs(args, &rows[i])
	}
	_, err := tx.ExecContext(ctx, string(query), args...)
	return err
}

func appendArgs(args []any, r *padron.SealedCustomer) []any {
	return append(args, r.Number, []byte(r.ID), sqlstore.Millis(r.Profile.RegisteredAt), []byte(r.Profile.FavoriteColor),
		[]byte(r.Profile.Car), []byte(r.Profile.CarModel), []byte(r.Profile.CarType), []byte(r.Profile.CarColor), r.Profile.Purchases,
		[]byte(r.Personal), []byte(r.Financial), int64(r.PersonalKey), int64(r.FinancialKey), r.Fingerprint[:],
		r.Indexes[padron.IndexUserName][:], r.Indexes[padron.IndexCardNumber][:], r.Indexes[padron.IndexAccountNumber][:],
		r.Indexes[padron.IndexIPAddress][:], r.Indexes[padron.IndexZipCode][:], sqlstore.Millis(r.UpdatedAt))
}
