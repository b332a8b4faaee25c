package sqlite

import (
	"context"

	"padron"
	"padron/internal/store/sqlstore"
)

// Customer returns one live customer; see store.Customers.
func (s *Store) Customer(ctx context.Context, id padron.CustomerID, parts padron.Parts) (padron.SealedCustomer, error) {
	row := s.read.QueryRowContext(ctx, "SELECT "+sqlstore.CustomerColumns(parts)+" FROM customers WHERE id = ? AND deleted_at IS NULL", string(id)) //nolint:gosec // names of columns
	c, err := sqlstore.NewCustomerRow(parts).Scan(row)
	return c, explain("read a customer", err)
}

// Customers returns a page of live customers; see store.Customers. The page is
// in id order, so SQLite must walk the id index whatever the filter.
func (s *Store) Customers(ctx context.Context, f padron.Filter, after padron.CustomerID, limit int, parts padron.Parts) ([]padron.SealedCustomer, error) {
	where, args := s.Conditions(&f)
	query := "SELECT " + sqlstore.CustomerColumns(parts) + " FROM customers INDEXED BY customers_id WHERE id > ? AND deleted_at IS NULL" + where + " ORDER BY id LIMIT ?"
	args = append(append([]any{string(after)}, args...), limit)
	return s.list(ctx, parts, query, args)
}

// Search returns the live customers with a blind index; see store.Customers.
// The plus keeps SQLite on the blind index.
func (s *Store) Search(ctx context.Context, index padron.Index, value padron.BlindIndex, limit int, parts padron.Parts) ([]padron.SealedCustomer, error) {
	query := "SELECT " + sqlstore.CustomerColumns(parts) + " FROM customers WHERE " + sqlstore.IndexColumns[index] + " = ? AND deleted_at IS NULL ORDER BY +id LIMIT ?"
	return s.list(ctx, parts, query, []any{value[:], limit})
}

func (s *Store) list(ctx context.Context, parts padron.Parts, query string, args []any) ([]padron.SealedCustomer, error) {
	rows, err := s.read.QueryContext(ctx, query, args...) //nolint:rowserrcheck // ScanCustomers checks
	out, err := sqlstore.ScanCustomers(rows, err, parts, 0)
	return out, explain("list customers", err)
}
