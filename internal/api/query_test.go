package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"padron"
)

var listParameters = []string{"page_size", "page_token", "fields",
	"registered_from", "registered_to", "favorite_color", "car_type", "purchases_min", "purchases_max"}

func TestQueryFaults(t *testing.T) {
	tests := []struct{ raw, want string }{
		{"page_size=0", "page_size"},
		{"page_size=1001", "page_size"},
		{"page_size=-1", "page_size"},
		{"page_size=1e2", "page_size"},
		{"page_size=%201", "page_size"},
		{"page_size=007", "page_size"},
		{"page_size=", "page_size"},
		{"page_size=5&page_size=5", "page_size"},
		{"page_size=99999999999999999999", "page_size"},
		{"limit=5", "limit"},
		{"Page_Size=5", "query"},
		{"4111111111111111=1", "query"},
		{"a;b=1", "query"},
		{"favorite_color=%zz", "query"},
		{"favorite_color=%00", "favorite_color"},
		{"favorite_color=%ff", "favorite_color"},
		{"car_type=" + strings.Repeat("x", 257), "car_type"},
		{"registered_from=2024-01-01", "registered_from"},
		{"registered_from=2024-01-01T00:00:00+02:00", "registered_from"},
		{"registered_to=0001-01-01T00:00:00Z", "registered_to"},
		{"registered_from=2025-01-01T00:00:00Z&registered_to=2024-01-01T00:00:00Z", "registered_from"},
		{"purchases_min=9&purchases_max=8", "purchases_min"},
		{"purchases_max=1000000001", "purchases_max"},
		{"page_token=" + strings.Repeat("x", 1025), "page_token"},
		{"fields=" + strings.Repeat("id,", 64) + "id", "fields"},
	}
	for _, tt := range tests {
		faults := listFaults(tt.raw)
		if len(faults) != 1 || faults[0].Field != tt.want || faults[0].Code != padron.CodeInvalid {
			t.Errorf("%.60q: faults %v, want one about %s", tt.raw, faults, tt.want)
		}
	}
}

func TestQueryListsEveryFault(t *testing.T) {
	got := listFaults("page_size=0&car_type=&unknown=1&purchases_min=x").Error()
	for _, name := range []string{"page_size", "car_type", "unknown", "purchases_min"} {
		if !strings.Contains(got, name) {
			t.Errorf("%q does not name %s", got, name)
		}
	}
}

func TestQueryValues(t *testing.T) {
	q := parseQuery("page_size=1000&page_token=abc&fields=id,user_name&favorite_color=ros%C3%A9&car_type=Coupe"+
		"&registered_from=2024-01-01T02:00:00%2B02:00&registered_to=2025-01-01T00:00:00.0001Z&purchases_min=0&purchases_max=7", listParameters...)
	low, high := int64(0), int64(7)
	want := padron.Filter{
		RegisteredFrom: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		RegisteredTo:   time.Date(2025, 1, 1, 0, 0, 0, int(time.Millisecond), time.UTC),
		FavoriteColor:  "rosé", CarType: "Coupe", PurchasesMin: &low, PurchasesMax: &high,
	}
	if diff := cmp.Diff(want, q.filter()); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"id", "user_name"}, q.fields()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if q.pageSize() != 1000 || q.pageToken() != "abc" || q.err() != nil {
		t.Errorf("page_size %d, page_token %q, faults %v", q.pageSize(), q.pageToken(), q.err())
	}
	if none := parseQuery("", listParameters...); none.pageSize() != padron.DefaultPageSize || none.fields() != nil || none.err() != nil {
		t.Error("an empty query does not have the defaults")
	}
}

// listFaults reads a query as a list of customers does.
func listFaults(raw string) faults {
	q := parseQuery(raw, listParameters...)
	q.filter()
	q.pageSize()
	q.pageToken()
	q.fields()
	return q.faults
}

// FuzzQuery: whatever a query holds, reading it ends in bounded values or in
// faults that quote none of it.
func FuzzQuery(f *testing.F) {
	for _, raw := range []string{
		"", "page_size=50", "page_size=0&page_size=1", "registered_from=2024-01-01T00:00:00Z",
		"fields=id,user_name,", "favorite_color=%F0%9F%90%88", "%zz", "a;b", "purchases_min=-0", "=", "&&&", "page_token=%00",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := parseQuery(raw, listParameters...)
		filter, size, token, fields := q.filter(), q.pageSize(), q.pageToken(), q.fields()
		if err := q.err(); err != nil {
			checkFaults(t, q.faults, raw)
			return
		}
		if size < 1 || size > padron.MaxPageSize || len(token) > maxPageToken || len(fields) > maxFields {
			t.Errorf("out of bounds: size %d, token of %d, %d fields", size, len(token), len(fields))
		}
		if filter.PurchasesMin != nil && *filter.PurchasesMin < 0 {
			t.Errorf("purchases_min %d", *filter.PurchasesMin)
		}
	})
}

// checkFaults fails where a fault has no name, or a name that is more than one.
func checkFaults(t *testing.T, list faults, input string) {
	t.Helper()
	for _, e := range list {
		if e.Message == "" || e.Code != padron.CodeInvalid || !namePattern.MatchString(e.Field) {
			t.Errorf("%q: fault %q about %q", input, e.Message, e.Field)
		}
	}
}
