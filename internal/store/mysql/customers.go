package mysql

import (
	"context"

	"padron"
	"padron/internal/store/sqlstore"
)

// Customer returns one live customer; see store.Customers.
func (s *Store) Customer(ctx context.Context, id padron.CustomerID, parts padron.Parts) (padron.SealedCustomer, error) {
	c, err := s.customers[parts].get(ctx, id)
	return c, explain("read a customer", err)
}

// readCustomers returns what reads live customers by id.
func (s *Store) readCustomers(parts padron.Parts) func(context.Context, []padron.CustomerID) (map[padron.CustomerID]padron.SealedCustomer, error) {
	query := "SELECT " + sqlstore.CustomerColumns(parts) + " FROM customers WHERE id IN (%s) AND deleted_at IS NULL"
	return func(ctx context.Context, ids []padron.CustomerID) (map[padron.CustomerID]padron.SealedCustomer, error) {
		row := sqlstore.NewCustomerRow(parts)
		return byKeys(ctx, s, query, ids, func(from sqlstore.Scanner) (padron.CustomerID, padron.SealedCustomer, error) {
			c, err := row.Scan(from)
			return c.ID, c, err
		})
	}
}

// Customers returns a page of live customers; see store.Customers. The page is
// in id order, so MySQL must walk the id index whatever the filter.
func (s *Store) Customers(ctx context.Context, f padron.Filter, after padron.CustomerID, limit int, parts padron.Parts) ([]padron.SealedCustomer, error) {
	where, args := s.Conditions(&f)
	query := "SELECT " + sqlstore.CustomerColumns(parts) + " FROM customers FORCE INDEX (customers_id) WHERE id > ? AND deleted_at IS NULL" + where + " ORDER BY id LIMIT ?"
	args = append(append([]any{[]byte(after)}, args...), limit)
	return s.list(ctx, parts, limit, query, args)
}

// Search returns the live customers with a blind index; see store.Customers.
func (s *Store) Search(ctx context.Context, index padron.Index, value padron.BlindIndex, limit int, parts padron.Parts) ([]padron.SealedCustomer, error) {
	query := "SELECT " + sqlstore.CustomerColumns(parts) + " FROM customers WHERE " + sqlstore.IndexColumns[index] + " = ? AND deleted_at IS NULL ORDER BY id LIMIT ?"
	return s.list(ctx, parts, 0, query, []any{value[:], limit})
}

// pageRoom bounds how many rows room is made for before the first one is there.
const pageRoom = 128

func (s *Store) list(ctx context.Context, parts padron.Parts, expected int, query string, args []any) ([]padron.SealedCustomer, error) {
	stmt, err := s.prepared.get(ctx, query) //nolint:sqlclosecheck // Close closes it
	if err != nil {
		return nil, explain("list customers", err)
	}
	rows, err := stmt.QueryContext(ctx, args...) //nolint:rowserrcheck // ScanCustomers checks
	out, err := sqlstore.ScanCustomers(rows, err, parts, min(expected, pageRoom))
	return out, explain("list customers", err)
}
