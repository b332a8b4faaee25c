package padron_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
)

// providerNames are the provider's names, by ours, as its API has them.
var providerNames = map[string]string{
	"id": "id", "registered_at": "fec_alta", "user_name": "user_name", "zip_code": "codigo_zip", "card_number": "credit_card_num",
	"account_number": "cuenta_numero", "address": "direccion", "latitude": "geo_latitud", "longitude": "geo_longitud",
	"favorite_color": "color_favorito", "id_photo_url": "foto_dni", "ip_address": "ip", "car": "auto", "car_model": "auto_modelo",
	"car_type": "auto_tipo", "car_color": "auto_color", "purchases": "cantidad_compras_realizadas", "avatar_url": "avatar",
	"birthday": "fec_birthday",
}

func TestFieldNames(t *testing.T) {
	got := map[string]string{}
	for _, f := range padron.Fields() {
		got[f.String()] = f.ProviderName()
		if g, ok := padron.ParseField(f.String()); g != f || !ok {
			t.Errorf("%s is parsed as %s, %v", f, g, ok)
		}
		if g, ok := padron.ProviderField(f.ProviderName()); g != f || !ok {
			t.Errorf("the provider's %s is %s, %v", f.ProviderName(), g, ok)
		}
	}
	if diff := cmp.Diff(providerNames, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoField(t *testing.T) {
	for _, name := range []string{"", "ID", " id", "direccion", "record", padron.SecurityCodeName} {
		if f, ok := padron.ParseField(name); ok {
			t.Errorf("%q is %s", name, f)
		}
	}
	for _, name := range []string{"", "address", padron.SecurityCodeName, "CREDIT_CARD_NUM"} {
		if f, ok := padron.ProviderField(name); ok {
			t.Errorf("the provider's %q is %s", name, f)
		}
	}
	if f := padron.FieldNone; f.String() != "record" || f.ProviderName() != "" || f.Group() != padron.GroupProfile {
		t.Errorf("no field is %s, %q, %s", f, f.ProviderName(), f.Group())
	}
}

// TestNoSecurityCode: no type has a place for it.
func TestNoSecurityCode(t *testing.T) {
	for _, f := range padron.Fields() {
		if name := f.String() + f.ProviderName(); strings.Contains(name, "ccv") || strings.Contains(name, "cvv") {
			t.Errorf("field %s", name)
		}
	}
}

func TestGroups(t *testing.T) {
	got := map[string][]string{}
	for _, f := range padron.Fields() {
		got[f.Group().String()] = append(got[f.Group().String()], f.String())
	}
	want := map[string][]string{
		"profile":   {"id", "registered_at", "favorite_color", "car", "car_model", "car_type", "car_color", "purchases"},
		"personal":  {"user_name", "address", "zip_code", "latitude", "longitude", "ip_address", "avatar_url", "id_photo_url", "birthday"},
		"financial": {"card_number", "account_number"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := padron.Group(9).String(); got != "group(9)" {
		t.Errorf("an unknown group is %q", got)
	}
}

func TestFieldsInJSON(t *testing.T) {
	data, err := json.Marshal(map[padron.Field]padron.Field{padron.FieldID: padron.FieldCarType})
	if err != nil || string(data) != `{"id":"car_type"}` {
		t.Errorf("%s %v", data, err)
	}
}

func TestRoles(t *testing.T) {
	want := []padron.Role{"viewer", "analyst", "admin", "operator", "auditor", "privacy"}
	if !slices.Equal(padron.Roles(), want) {
		t.Errorf("got %v", padron.Roles())
	}
	for _, role := range padron.Roles() {
		if got, err := padron.ParseRole(string(role)); got != role || err != nil {
			t.Errorf("%s: %s, %v", role, got, err)
		}
	}
	for _, name := range []string{"", "Admin", "admin ", "root", "viewer,admin"} {
		got, err := padron.ParseRole(name)
		if got != "" || padron.ErrorCode(err) != padron.CodeInvalid || !strings.Contains(err.Error(), "auditor privacy") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestIndexes(t *testing.T) {
	var got []string
	for _, i := range padron.Indexes() {
		got = append(got, i.String())
		if parsed, ok := padron.ParseIndex(i.String()); parsed != i || !ok {
			t.Errorf("%s is parsed as %s, %v", i, parsed, ok)
		}
	}
	if diff := cmp.Diff([]string{"user_name", "card_number", "account_number", "ip_address", "zip_code"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"", "id", "address", "credit_card_num"} {
		if i, ok := padron.ParseIndex(name); ok {
			t.Errorf("%q is index %s", name, i)
		}
	}
}

func TestKindNames(t *testing.T) {
	want := []string{"absent", "null", "text", "number", "bool", "other", "other"}
	for i, name := range want {
		if got := padron.Kind(i).String(); got != name {
			t.Errorf("kind %d is %q, want %q", i, got, name)
		}
	}
}
