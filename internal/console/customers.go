package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"padron"
	"padron/internal/reader"
)

// pageSize is how many customers a page lists.
const pageSize = 25

// row is a customer in a list.
type row struct {
	ID    padron.CustomerID
	Cells []string
}

// listFields are the columns of a list, as far as the role sees them.
var listFields = []padron.Field{
	padron.FieldUserName, padron.FieldAddress, padron.FieldCardNumber, padron.FieldFavoriteColor,
	padron.FieldCarType, padron.FieldPurchases, padron.FieldRegisteredAt,
}

// columns returns the columns that the role sees.
func (c *Console) columns(role padron.Role) []padron.Field {
	d := c.Policy.Disclosures(role)
	var out []padron.Field
	for _, f := range listFields {
		if d[f] != padron.Hidden {
			out = append(out, f)
		}
	}
	return out
}

func fieldNames(fields []padron.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.String()
	}
	return out
}

func rows(views []padron.View, columns []padron.Field) []row {
	out := make([]row, len(views))
	for i, v := range views {
		out[i].ID = v.ID
		for _, f := range columns {
			out[i].Cells = append(out[i].Cells, short(f, v.Text(f)))
		}
	}
	return out
}

// short is a value as a list shows it.
func short(f padron.Field, text string) string {
	if f == padron.FieldRegisteredAt && len(text) >= len(time.DateOnly) {
		return text[:len(time.DateOnly)]
	}
	return text
}

// filterNames are the query parameters of the list.
var filterNames = []string{"favorite_color", "car_type", "registered_from", "registered_to", "purchases_min", "purchases_max"}

func (c *Console) list(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !c.Policy.Allows(v.Principal.Role, padron.ActionList) {
		c.render(w, v, http.StatusOK, "no-customers", nil)
		return nil
	}
	q := r.URL.Query()
	filter, err := parseFilter(q)
	if err != nil {
		return err
	}
	columns := c.columns(v.Principal.Role)
	page, err := c.Reader.List(r.Context(), v.request(), reader.Query{
		Filter: filter, PageSize: pageSize, PageToken: q.Get("page_token"), Fields: fieldNames(columns),
	})
	if err != nil {
		return err
	}
	c.renderList(w, v, listPage{Rows: rows(page.Customers, columns), Columns: columns, Filter: q, Next: nextPage(q, page.NextPageToken)})
	return nil
}

// listPage is what the list of customers shows.
type listPage struct {
	Rows    []row
	Columns []padron.Field
	Filter  url.Values
	Next    string
	// Found says that the rows are what a search found.
	Found, Truncated bool
	SearchField      string
}

func (c *Console) renderList(w http.ResponseWriter, v *visit, p listPage) {
	filters := map[string]bool{}
	for _, name := range c.Reader.Filters(v.Principal.Role) {
		filters[name] = true
	}
	c.render(w, v, http.StatusOK, "list", map[string]any{
		"Page": p, "Filters": filters, "MaySearch": c.Policy.Allows(v.Principal.Role, padron.ActionSearch), "Indexes": padron.Indexes(),
		"FieldCount": len(c.Policy.Disclosures(v.Principal.Role).Visible()),
	})
}

func nextPage(q url.Values, token string) string {
	if token == "" {
		return ""
	}
	next := url.Values{"page_token": {token}}
	for _, name := range filterNames {
		if s := q.Get(name); s != "" {
			next.Set(name, s)
		}
	}
	return "/console/customers?" + next.Encode()
}

func parseFilter(q url.Values) (f padron.Filter, err error) {
	f.FavoriteColor, f.CarType = q.Get("favorite_color"), q.Get("car_type")
	if f.RegisteredFrom, err = parseDate(q, "registered_from"); err != nil {
		return f, err
	}
	if f.RegisteredTo, err = parseDate(q, "registered_to"); err != nil {
		return f, err
	}
	if f.PurchasesMin, err = parseCount(q, "purchases_min"); err != nil {
		return f, err
	}
	f.PurchasesMax, err = parseCount(q, "purchases_max")
	return f, err
}

func parseDate(q url.Values, name string) (time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, padron.Invalid(name, "%s is a date such as 2024-12-31", name)
	}
	return t, nil
}

func parseCount(q url.Values, name string) (*int64, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil //nolint:nilnil // nil is no bound
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, padron.Invalid(name, "%s is a whole number, at least 0", name)
	}
	return &n, nil
}

func (c *Console) search(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := r.ParseForm(); err != nil {
		return padron.Errorf(padron.CodeTooLarge, "the form is too large")
	}
	index, ok := padron.ParseIndex(r.PostForm.Get("field"))
	if !ok {
		return padron.Invalid("field", "choose one of the fields that can be searched")
	}
	columns := c.columns(v.Principal.Role)
	found, err := c.Reader.Search(r.Context(), v.request(), index, padron.Sensitive(r.PostForm.Get("value")), fieldNames(columns))
	if err != nil {
		return err
	}
	c.renderList(w, v, listPage{
		Rows: rows(found.Customers, columns), Columns: columns, Found: true, Truncated: found.Truncated, SearchField: index.String(),
	})
	return nil
}

// item is one field on a customer's page.
type item struct {
	Field  padron.Field
	Text   string
	Masked bool
}

// group is the fields of one field group on a customer's page.
type group struct {
	Group padron.Group
	Items []item
}

func (c *Console) customer(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := c.Reader.Get(r.Context(), v.request(), r.PathValue("id"), nil)
	if err != nil {
		return err
	}
	c.renderCustomer(w, v, view, nil)
	return nil
}

func (c *Console) renderCustomer(w http.ResponseWriter, v *visit, view padron.View, revealed []item) {
	c.render(w, v, http.StatusOK, "customer", map[string]any{
		"ID": view.ID, "Name": view.Text(padron.FieldUserName), "Groups": c.groups(v.Principal.Role, view),
		"Revealable": c.Policy.Revealable(v.Principal.Role), "Revealed": revealed, "FieldCount": len(view.Fields()),
	})
}

func (c *Console) groups(role padron.Role, view padron.View) []group {
	d := c.Policy.Disclosures(role)
	out := []group{{Group: padron.GroupPersonal}, {Group: padron.GroupFinancial}, {Group: padron.GroupProfile}}
	for i := range out {
		for _, f := range view.Fields() {
			if f.Group() == out[i].Group {
				out[i].Items = append(out[i].Items, item{f, view.Text(f), d[f] == padron.Masked})
			}
		}
	}
	return out
}

// reveal shows fields in full, once, on the page that answers the form.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := r.ParseForm(); err != nil {
		return padron.Errorf(padron.CodeTooLarge, "the form is too large")
	}
	id := r.PathValue("id")
	shown, err := c.Reader.Reveal(r.Context(), v.request(), id, r.PostForm["fields"], r.PostForm.Get("purpose"))
	if err != nil {
		return err
	}
	view, err := c.Reader.Get(r.Context(), v.request(), id, nil)
	if err != nil {
		return err
	}
	var revealed []item
	for _, f := range shown.Fields() {
		if f != padron.FieldID {
			revealed = append(revealed, item{f, shown.Text(f), false})
		}
	}
	c.renderCustomer(w, v, view, revealed)
	return nil
}
