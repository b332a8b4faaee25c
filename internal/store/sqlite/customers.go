package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"padron"
	"padron/internal/store/sqlstore"
)

// Customer returns one live customer; see store.Customers.
func (s *Store) Customer(ctx context.Context, id padron.CustomerID) (padron.SealedCustomer, error) {
	row := s.read.QueryRowContext(ctx, "SELECT "+customerColumns+" FROM customers WHERE id = ? AND deleted_at IS NULL", string(id))
	var c padron.SealedCustomer
	err := scanCustomer(row, &c)
	return c, explain("read a customer", err)
}

// Customers returns a page of live customers; see store.Customers. The page is
// in id order, so SQLite must walk the id index whatever the filter.
func (s *Store) Customers(ctx context.Context, f padron.Filter, after padron.CustomerID, limit int) ([]padron.SealedCustomer, error) {
	where, args := conditions(&f)
	query := "SELECT " + customerColumns + " FROM customers INDEXED BY customers_id WHERE id > ? AND deleted_at IS NULL" + where + " ORDER BY id LIMIT ?"
	args = append(append([]any{string(after)}, args...), limit)
	return s.list(ctx, query, args)
}

// conditions are the filter in SQL.
func conditions(f *padron.Filter) (string, []any) {
	var b strings.Builder
	var args []any
	add := func(condition string, arg any) {
		b.WriteString(" AND " + condition)
		args = append(args, arg)
	}
	if !f.RegisteredFrom.IsZero() {
		add("registered_at >= ?", sqlstore.Millis(f.RegisteredFrom))
	}
	if !f.RegisteredTo.IsZero() {
		add("registered_at < ?", sqlstore.Millis(f.RegisteredTo))
	}
	if f.FavoriteColor != "" {
		add("favorite_color = ?", f.FavoriteColor)
	}
	if f.CarType != "" {
		add("car_type = ?", f.CarType)
	}
	if f.PurchasesMin != nil {
		add("purchases >= ?", *f.PurchasesMin)
	}
	if f.PurchasesMax != nil {
		add("purchases <= ?", *f.PurchasesMax)
	}
	return b.String(), args
}

var indexColumns = [padron.NumIndexes]string{
	padron.IndexUserName: "ix_user_name", padron.IndexCardNumber: "ix_card", padron.IndexAccountNumber: "ix_account",
	padron.IndexIPAddress: "ix_ip", padron.IndexZipCode: "ix_zip",
}

// Search returns the live customers with a blind index; see store.Customers.
// The plus keeps SQLite on the blind index.
func (s *Store) Search(ctx context.Context, index padron.Index, value padron.BlindIndex, limit int) ([]padron.SealedCustomer, error) {
	query := "SELECT " + customerColumns + " FROM customers WHERE " + indexColumns[index] + " = ? AND deleted_at IS NULL ORDER BY +id LIMIT ?"
	return s.list(ctx, query, []any{value[:], limit})
}

func (s *Store) list(ctx context.Context, query string, args []any) ([]padron.SealedCustomer, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain("list customers", err)
	}
	defer rows.Close() //nolint:errcheck // Err is checked
	var out []padron.SealedCustomer
	for rows.Next() {
		out = append(out, padron.SealedCustomer{})
		if err := scanCustomer(rows, &out[len(out)-1]); err != nil {
			return nil, explain("list customers", err)
		}
	}
	return out, explain("list customers", rows.Err())
}

func scanCustomer(row sqlstore.Scanner, c *padron.SealedCustomer) error {
	var registered, updated sql.NullInt64
	var fingerprint []byte
	var indexes [padron.NumIndexes][]byte
	if err := row.Scan(&c.Number, &c.ID, &registered, &c.Profile.FavoriteColor, &c.Profile.Car, &c.Profile.CarModel, &c.Profile.CarType,
		&c.Profile.CarColor, &c.Profile.Purchases, (*[]byte)(&c.Personal), (*[]byte)(&c.Financial), &c.PersonalKey, &c.FinancialKey, &fingerprint,
		&indexes[padron.IndexUserName], &indexes[padron.IndexCardNumber], &indexes[padron.IndexAccountNumber],
		&indexes[padron.IndexIPAddress], &indexes[padron.IndexZipCode], &updated); err != nil {
		return err
	}
	c.Profile.RegisteredAt, c.UpdatedAt = sqlstore.FromMillis(registered), sqlstore.FromMillis(updated)
	copy(c.Fingerprint[:], fingerprint)
	for i := range indexes {
		copy(c.Indexes[i][:], indexes[i])
	}
	return nil
}

// Count returns how many customers are live; see store.Customers.
func (s *Store) Count(ctx context.Context) (int64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM customers WHERE deleted_at IS NULL").Scan(&n)
	return n, explain("count customers", err)
}
