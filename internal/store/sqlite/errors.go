package sqlite

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"padron"
)

// explain says what was being done when err came, and what a person can do
// about the faults they will meet. SQLite's messages name tables and columns,
// never values.
func explain(doing string, err error) error {
	var mine *padron.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return padron.ErrNotFound
	case errors.As(err, &mine), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &padron.Error{Code: padron.CodeUnavailable, Message: doing + advice(err), Err: err}
}

func advice(err error) string {
	var e *driver.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code() & 0xff { // the low byte is the primary result code
	case lib.SQLITE_FULL:
		return ": the disk is full; free some space, nothing was half-written"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return ": another process kept the database locked for too long"
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return ": the file is not a register or is damaged; restore it from a backup"
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_READONLY:
		return ": the file cannot be opened for writing; check its owner and mode"
	}
	return ""
}

// taken makes [padron.ErrTaken] of the fault of an id that has another number.
func taken(err error) error {
	var e *driver.Error
	if errors.As(err, &e) && e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE {
		return padron.ErrTaken
	}
	return err
}
