package padron_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
	"padron/internal/access"
)

// TestViews: what each role sees of a customer, byte for byte, by the policy
// that padron is shipped with.
func TestViews(t *testing.T) {
	policy, err := access.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	c := customer(t)
	var got bytes.Buffer
	for _, role := range padron.Roles() {
		view, err := json.Marshal(padron.NewView(&c, policy.Disclosures(role)))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "# %s\n", role)
		if err := json.Indent(&got, view, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
	}
	const golden = "testdata/views.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("views by role; -update writes the file (-want +got):\n%s", diff)
	}
}

// promised is what users were told that each role sees.
var promised = map[padron.Role]string{
	padron.RoleViewer:   "id registered_at user_name address avatar_url",
	padron.RoleAnalyst:  "id registered_at user_name address zip_code avatar_url card_number favorite_color car car_model car_type car_color purchases",
	padron.RoleAdmin:    names(padron.Fields()),
	padron.RoleOperator: "",
	padron.RoleAuditor:  "",
	padron.RolePrivacy:  "",
}

func names(fields []padron.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.String())
	}
	return strings.Join(out, " ")
}

// TestRolesSeeWhatWasPromised: those fields and no other, the numbers masked.
func TestRolesSeeWhatWasPromised(t *testing.T) {
	policy, err := access.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	c := customer(t)
	for _, role := range padron.Roles() {
		v := padron.NewView(&c, policy.Disclosures(role))
		if got := names(v.Fields()); got != promised[role] {
			t.Errorf("%s sees %q, want %q", role, got, promised[role])
		}
		if card := v.Text(padron.FieldCardNumber); card != "" && card != "**** **** **** 1111" {
			t.Errorf("%s sees card %q", role, card)
		}
		if account := v.Text(padron.FieldAccountNumber); account != "" && account != "****5678" {
			t.Errorf("%s sees account %q", role, account)
		}
	}
}

// disclosures draws any policy's answer.
func disclosures() *rapid.Generator[padron.Disclosures] {
	return rapid.Custom(func(t *rapid.T) (d padron.Disclosures) {
		for f := range d {
			d[f] = rapid.SampledFrom([]padron.Disclosure{padron.Hidden, padron.Masked, padron.Full}).Draw(t, padron.Field(f).String())
		}
		return d
	})
}

// TestViewShowsWhatIsDisclosed: the fields that are not hidden, in order, and
// nothing of the others.
func TestViewShowsWhatIsDisclosed(t *testing.T) {
	c := customer(t)
	rapid.Check(t, func(t *rapid.T) {
		d := disclosures().Draw(t, "disclosures")
		v := padron.NewView(&c, d)
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var shown map[string]any
		if err := json.Unmarshal(data, &shown); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if len(shown) != len(d.Visible()) || !slices.Equal(v.Fields(), d.Visible()) {
			t.Fatalf("%s shows %v, want %v", data, v.Fields(), d.Visible())
		}
		for _, f := range padron.Fields() {
			value, ok := shown[f.String()]
			if ok != (d[f] != padron.Hidden) || ok && fmt.Sprint(value) != v.Text(f) || !ok && v.Text(f) != "" {
				t.Errorf("%s is %v in JSON and %q as text", f, value, v.Text(f))
			}
		}
		if d[padron.FieldCardNumber] != padron.Full && strings.Contains(string(data), "4111") {
			t.Errorf("%s holds the card", data)
		}
	})
}

// TestNeedsIsEnough: a view made of the groups that it needs is the view made
// of all, so that a group that is not needed can stay sealed.
func TestNeedsIsEnough(t *testing.T) {
	c := customer(t)
	rapid.Check(t, func(t *rapid.T) {
		d := disclosures().Draw(t, "disclosures")
		part := c
		if !d.Needs(padron.GroupPersonal) {
			part.Personal = padron.Personal{}
		}
		if !d.Needs(padron.GroupFinancial) {
			part.Financial = padron.Financial{}
		}
		want, _ := json.Marshal(padron.NewView(&c, d))
		got, _ := json.Marshal(padron.NewView(&part, d))
		if !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestPartsAreEnough: a view made of the parts that it is made of is the view made
// of all, and of no part too many.
func TestPartsAreEnough(t *testing.T) {
	c := customer(t)
	rapid.Check(t, func(t *rapid.T) {
		d := disclosures().Draw(t, "disclosures")
		without := func(parts padron.Parts) []byte {
			part := c
			if parts&padron.PartProfile == 0 {
				part.Profile = padron.Profile{RegisteredAt: c.Profile.RegisteredAt}
			}
			if parts&padron.PartPersonal == 0 {
				part.Personal = padron.Personal{}
			}
			if parts&padron.PartFinancial == 0 {
				part.Financial = padron.Financial{}
			}
			view, _ := json.Marshal(padron.NewView(&part, d))
			return view
		}
		whole, parts := without(padron.Whole), d.Parts()
		if got := without(parts); !bytes.Equal(got, whole) {
			t.Errorf("got %s, want %s", got, whole)
		}
		for _, one := range []padron.Parts{padron.PartProfile, padron.PartPersonal, padron.PartFinancial} {
			if parts&one != 0 && bytes.Equal(without(parts&^one), whole) {
				t.Errorf("part %b is read for %s, which has nothing of it", one, whole)
			}
		}
		if parts&padron.PartUpkeep != 0 {
			t.Error("a view wants what only the synchronizer needs")
		}
	})
}

func TestNeeds(t *testing.T) {
	var profile, masked, full padron.Disclosures
	profile[padron.FieldPurchases] = padron.Full
	masked[padron.FieldCardNumber] = padron.Masked
	full[padron.FieldAccountNumber] = padron.Full
	tests := []struct {
		name                string
		d                   padron.Disclosures
		personal, financial bool
	}{
		{"nothing", padron.Disclosures{}, false, false},
		{"profile", profile, false, false},
		{"masked card", masked, true, false},
		{"account in full", full, false, true},
	}
	for _, tt := range tests {
		if p, f := tt.d.Needs(padron.GroupPersonal), tt.d.Needs(padron.GroupFinancial); p != tt.personal || f != tt.financial {
			t.Errorf("%s: personal %v, financial %v", tt.name, p, f)
		}
	}
	if !profile.Needs(padron.GroupProfile) || masked.Needs(padron.GroupProfile) {
		t.Error("the profile is needed where it is shown")
	}
}

// TestOnly: narrowing never discloses more.
func TestOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := disclosures().Draw(t, "disclosures")
		fields := rapid.SliceOf(rapid.SampledFrom(padron.Fields())).Draw(t, "fields")
		only := d.Only(fields)
		for _, f := range padron.Fields() {
			want := padron.Hidden
			if slices.Contains(fields, f) {
				want = d[f]
			}
			if only[f] != want {
				t.Errorf("%s: %v, want %v", f, only[f], want)
			}
		}
	})
}

// TestViewEscapes: what a person is called breaks neither JSON nor a page.
func TestViewEscapes(t *testing.T) {
	c := customer(t)
	c.Personal.UserName = "\"</script>\u2028\\ 🌻"
	var d padron.Disclosures
	d[padron.FieldUserName] = padron.Full
	data, err := json.Marshal(padron.NewView(&c, d))
	var back map[string]string
	if err != nil || json.Unmarshal(data, &back) != nil || back["user_name"] != c.Personal.UserName.Expose() {
		t.Errorf("%s %v", data, err)
	}
	if bytes.Contains(data, []byte("<")) {
		t.Errorf("%s holds a tag", data)
	}
}

// TestViewIsRedacted: a view discloses in JSON and Text, not in a log line.
func TestViewIsRedacted(t *testing.T) {
	c := customer(t)
	var d padron.Disclosures
	for f := range d {
		d[f] = padron.Full
	}
	v := padron.NewView(&c, d)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "view", v, "pointer", &v)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "view", v, "pointer", &v)
	for _, format := range formats() {
		fmt.Fprintf(&log, format+"\n", v)
		fmt.Fprintf(&log, format+"\n", struct{ Views []*padron.View }{[]*padron.View{&v}})
	}
	for _, f := range padron.Fields() {
		if f != padron.FieldID && f != padron.FieldPurchases && strings.Contains(log.String(), v.Text(f)) {
			t.Errorf("%s is printed", f)
		}
	}
	if n := strings.Count(log.String(), "view(7)"); n < 10 {
		t.Errorf("the id is printed %d times", n)
	}
}

func TestFormatTime(t *testing.T) {
	c, _, _ := with(padron.FieldRegisteredAt, text("2021-03-04T05:06:07+02:00")).Validate()
	if got := padron.FormatTime(c.Profile.RegisteredAt); got != "2021-03-04T03:06:07.000Z" {
		t.Errorf("got %q", got)
	}
	if got := padron.FormatTime((padron.Customer{}).Profile.RegisteredAt); got != "" {
		t.Errorf("the zero time is %q", got)
	}
}

// TestFormatTimeFollowsTheLayout: any time is written as the layout says.
func TestFormatTimeFollowsTheLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "offset"))
		at := time.Unix(rapid.Int64Range(-100_000_000_000, 400_000_000_000).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).In(zone)
		if got, want := padron.FormatTime(at), at.UTC().Format(padron.TimeLayout); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
