package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"padron"
)

// WrittenColumns are those of a customer as it is written, in this order.
const WrittenColumns = `num, id, registered_at, favorite_color, car, car_model, car_type, car_color, purchases,
	personal, financial, personal_key, financial_key, fingerprint, ix_user_name, ix_card, ix_account, ix_ip, ix_zip, updated_at`

// The columns of each part of a customer; those of every part come first.
const (
	commonColumns    = "id, registered_at"
	profileColumns   = ", favorite_color, car, car_model, car_type, car_color, purchases"
	personalColumns  = ", personal"
	financialColumns = ", financial"
	upkeepColumns    = ", num, personal_key, financial_key, fingerprint, ix_user_name, ix_card, ix_account, ix_ip, ix_zip, updated_at"
)

// CustomerColumns are the columns that a [CustomerRow] of these parts reads, for
// a SELECT.
func CustomerColumns(parts padron.Parts) string {
	columns := commonColumns
	for _, p := range []struct {
		part    padron.Parts
		columns string
	}{
		{padron.PartProfile, profileColumns}, {padron.PartPersonal, personalColumns},
		{padron.PartFinancial, financialColumns}, {padron.PartUpkeep, upkeepColumns},
	} {
		if parts&p.part != 0 {
			columns += p.columns
		}
	}
	return columns
}

// CustomerRow reads customers out of rows, one after the other.
type CustomerRow struct {
	c                   padron.SealedCustomer
	registered, updated int64
	fingerprint         []byte
	indexes             [padron.NumIndexes][]byte
	parts               padron.Parts
	targets             []any
}

// NewCustomerRow returns a reader of rows with the columns of these parts.
func NewCustomerRow(parts padron.Parts) *CustomerRow {
	r := &CustomerRow{parts: parts}
	r.targets = append(make([]any, 0, 20), (*string)(&r.c.ID), &r.registered)
	if parts&padron.PartProfile != 0 {
		p := &r.c.Profile
		r.targets = append(r.targets, &p.FavoriteColor, &p.Car, &p.CarModel, &p.CarType, &p.CarColor, &p.Purchases)
	}
	if parts&padron.PartPersonal != 0 {
		r.targets = append(r.targets, (*[]byte)(&r.c.Personal))
	}
	if parts&padron.PartFinancial != 0 {
		r.targets = append(r.targets, (*[]byte)(&r.c.Financial))
	}
	if parts&padron.PartUpkeep != 0 {
		r.targets = append(r.targets, &r.c.Number, &r.c.PersonalKey, &r.c.FinancialKey, &r.fingerprint,
			&r.indexes[padron.IndexUserName], &r.indexes[padron.IndexCardNumber], &r.indexes[padron.IndexAccountNumber],
			&r.indexes[padron.IndexIPAddress], &r.indexes[padron.IndexZipCode], &r.updated)
	}
	return r
}

// Scan reads the next row by its Scan method.
func (r *CustomerRow) Scan(row Scanner) (padron.SealedCustomer, error) {
	if err := row.Scan(r.targets...); err != nil {
		return padron.SealedCustomer{}, err
	}
	r.c.Profile.RegisteredAt = time.UnixMilli(r.registered).UTC()
	if r.parts&padron.PartUpkeep != 0 {
		r.c.UpdatedAt = time.UnixMilli(r.updated).UTC()
		copy(r.c.Fingerprint[:], r.fingerprint)
		for i := range r.indexes {
			copy(r.c.Indexes[i][:], r.indexes[i])
		}
	}
	return r.c, nil
}

// ScanCustomers reads the customers of rows to their end, into room for so many.
func ScanCustomers(rows *sql.Rows, err error, parts padron.Parts, room int) ([]padron.SealedCustomer, error) {
	return appendRows(make([]padron.SealedCustomer, 0, room), rows, err, NewCustomerRow(parts).Scan)
}

// Conditions are the filter in SQL, to follow another condition, and their
// arguments.
func (t *Tables) Conditions(f *padron.Filter) (string, []any) {
	var c conditions
	if !f.RegisteredFrom.IsZero() {
		c.add("registered_at >= ?", Millis(f.RegisteredFrom))
	}
	if !f.RegisteredTo.IsZero() {
		c.add("registered_at < ?", Millis(f.RegisteredTo))
	}
	if f.FavoriteColor != "" {
		c.add("favorite_color = ?", t.db.Text(f.FavoriteColor))
	}
	if f.CarType != "" {
		c.add("car_type = ?", t.db.Text(f.CarType))
	}
	if f.PurchasesMin != nil {
		c.add("purchases >= ?", *f.PurchasesMin)
	}
	if f.PurchasesMax != nil {
		c.add("purchases <= ?", *f.PurchasesMax)
	}
	return c.sql.String(), c.args
}

// IndexColumns are the columns of the blind indexes.
var IndexColumns = [padron.NumIndexes]string{
	padron.IndexUserName: "ix_user_name", padron.IndexCardNumber: "ix_card", padron.IndexAccountNumber: "ix_account",
	padron.IndexIPAddress: "ix_ip", padron.IndexZipCode: "ix_zip",
}

// Count returns how many customers are live; see store.Customers.
func (t *Tables) Count(ctx context.Context) (int64, error) {
	var n int64
	err := t.db.Read.QueryRowContext(ctx, "SELECT count(*) FROM customers WHERE deleted_at IS NULL").Scan(&n)
	return n, t.db.Explain("count customers", err)
}
