package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
)

func TestSearchBody(t *testing.T) {
	for _, index := range padron.Indexes() {
		got, err := searchOf(`{"` + index.String() + `":"v\u00e4lue"}`)
		if err != nil || got.index != index || got.value.Expose() != "välue" {
			t.Errorf("%v: got %v, %v", index, got.index, err)
		}
	}
}

func TestSearchBodyFaults(t *testing.T) {
	tests := []struct{ body, want string }{
		{``, "body"}, {`null`, "body"}, {`[]`, "body"}, {`"x"`, "body"}, {`{}`, "body"}, {`{`, "body"},
		{`{"user_name":"a"} {}`, "body"},
		{`{"user_name":"a","user_name":"b"}`, "body"},
		{`{"user_name":"a","zip_code":"b"}`, "body"},
		{"{\"user_name\":\"\xff\"}", "body"},
		{`{"user_name":1}`, "user_name"},
		{`{"user_name":null}`, "user_name"},
		{`{"User_Name":"a"}`, "body"},
		{`{"address":"a"}`, "address"},
		{`{"user_name":"a","page_size":1}`, "page_size"},
		{`{"4111 1111 1111 1111":"a"}`, "body"},
		{strings.Repeat("[", 100_000), "body"},
		{`{"user_name":` + strings.Repeat("[", 100_000), "body"},
	}
	for _, tt := range tests {
		_, err := searchOf(tt.body)
		if got := describe(err); got.Code != "invalid" || got.Field != tt.want {
			t.Errorf("%.60q: %v about %q, want %q", tt.body, err, got.Field, tt.want)
		}
	}
}

func searchOf(body string) (searchBody, error) {
	members, err := parseObject([]byte(body))
	if err != nil {
		return searchBody{}, err
	}
	return parseSearch(members)
}

func TestRevealBody(t *testing.T) {
	members, err := parseObject([]byte(` {"purpose":"because","fields":["card_number","x"]} `))
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseReveal(members)
	if err != nil || got.purpose != "because" {
		t.Errorf("got %+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"card_number", "x"}, got.fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestRevealBodyListsEveryFault(t *testing.T) {
	tests := []struct {
		body string
		want []string
	}{
		{`{}`, []string{"fields", "purpose"}},
		{`{"fields":"card_number","purpose":7,"more":1}`, []string{"more", "fields", "purpose"}},
		{`{"fields":[1],"purpose":"x"}`, []string{"fields"}},
		{`{"fields":[],"purpose":null}`, []string{"purpose"}},
		{`{"fields":["a"` + strings.Repeat(`,"a"`, maxFields) + `],"purpose":"x"}`, []string{"fields"}},
	}
	for _, tt := range tests {
		members, err := parseObject([]byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseReveal(members)
		var got []string
		for _, e := range describe(err).Errors {
			got = append(got, e.Field)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", tt.body, diff)
		}
	}
}

// FuzzSearchBody: a body is one searchable field with a text, or a fault that
// quotes none of it.
func FuzzSearchBody(f *testing.F) {
	for _, body := range []string{
		`{"user_name":"a"}`, `{"card_number":"4111 1111 1111 1111"}`, `{"zip_code":"00000-0000"}`, `{}`, `[]`, `nul`,
		`{"ip_address":"::1"}`, `{"user_name":"a","user_name":"b"}`, `{"user_name":"\ud800"}`, "\xef\xbb\xbf{}", `{"":""}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := parseObject(body)
		if err == nil {
			_, err = parseSearch(members)
		}
		if err == nil {
			if len(members) != 1 {
				t.Errorf("%d members were taken", len(members))
			}
			return
		}
		p := describe(err)
		if p.Status != 422 || !namePattern.MatchString(p.Field) || len(p.Detail) > 4096 {
			t.Errorf("%q: %+v", body, p)
		}
	})
}
