package padron_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"padron"
)

func TestValidateClean(t *testing.T) {
	want := padron.Customer{
		ID: "7",
		Profile: padron.Profile{
			RegisteredAt: time.Date(2021, 3, 4, 5, 6, 7, 891_000_000, time.UTC), FavoriteColor: "añil",
			Car: "SEAT", CarModel: "León", CarType: "Hatchback", CarColor: "rojo", Purchases: 42,
		},
		Personal: padron.Personal{
			UserName: "Íñigo Peña 🌻", Address: "Calle de los Álamos 12, Piso 3, Bogotá", ZipCode: "01234",
			Latitude: "-12.0464", Longitude: "-77.0428", IPAddress: "192.0.2.7", AvatarURL: "https://avatars.example/7.png",
			IDPhotoURL: "https://photos.example/dni/7.jpg", Birthday: "1990-02-28", CardMask: "**** **** **** 1111", AccountMask: "****5678",
		},
		Financial: padron.Financial{CardNumber: "4111-1111-1111-1111", AccountNumber: "0012345678"},
	}
	if got := customer(t); got != want {
		t.Errorf("got another customer:\n%q\n%q", plain(got), plain(want))
	}
}

// plain is everything a customer holds, for a test's message.
func plain(c padron.Customer) []string {
	var d padron.Disclosures
	for f := range d {
		d[f] = padron.Full
	}
	v := padron.NewView(&c, d)
	var out []string
	for _, f := range v.Fields() {
		out = append(out, v.Text(f))
	}
	return append(out, c.Personal.CardMask.Expose(), c.Personal.AccountMask.Expose())
}

// TestBounds tries each rule at both sides of its bound. "" is no reason.
func TestBounds(t *testing.T) {
	const (
		none   = ""
		long   = "too_long"
		format = "invalid_format"
		bad    = "invalid_text"
		date   = "invalid_date"
		limits = "out_of_range"
	)
	n := func(count int, s string) string { return strings.Repeat(s, count) }
	tests := []struct {
		field padron.Field
		value string
		code  string
	}{
		{padron.FieldID, n(64, "9"), none},
		{padron.FieldID, n(65, "9"), long},
		{padron.FieldID, n(64, "ñ"), none},
		{padron.FieldID, n(65, "ñ"), long},
		{padron.FieldID, "a/b?c=%20", none},
		{padron.FieldID, "12 34", "invalid_id"},
		{padron.FieldID, "12\u00a034", "invalid_id"},
		{padron.FieldID, "12\u200b34", "invalid_id"},
		{padron.FieldID, " ", "empty"},
		{padron.FieldID, "a\nb", bad},

		{padron.FieldRegisteredAt, "2021-03-04T05:06:07Z", none},
		{padron.FieldRegisteredAt, "2021-03-04T05:06:07.891234567+05:30", none},
		{padron.FieldRegisteredAt, "2021-03-04", date},
		{padron.FieldRegisteredAt, "0000-00-00", date},
		{padron.FieldRegisteredAt, "2021-02-29T00:00:00Z", date},
		{padron.FieldRegisteredAt, "2020-02-29T00:00:00Z", none},
		{padron.FieldRegisteredAt, "2021-03-04T05:06:07", date},
		{padron.FieldRegisteredAt, "1899-12-31T23:59:59.999Z", limits},
		{padron.FieldRegisteredAt, "1900-01-01T00:00:00Z", none},
		{padron.FieldRegisteredAt, "2200-12-31T23:59:59.999Z", none},
		{padron.FieldRegisteredAt, "2201-01-01T00:00:00Z", limits},
		{padron.FieldRegisteredAt, "0001-01-01T00:00:00Z", limits},
		{padron.FieldRegisteredAt, "1900-01-01T00:00:00+01:00", limits},
		{padron.FieldRegisteredAt, "1899-12-31T23:59:59-01:00", none},

		{padron.FieldUserName, n(256, "ñ"), none},
		{padron.FieldUserName, n(257, "ñ"), long},
		{padron.FieldUserName, "Jose\u0301 👩‍👩‍👧", none},
		{padron.FieldUserName, "Ana\x00Pérez", bad},
		{padron.FieldUserName, "Ana\tPérez", bad},
		{padron.FieldUserName, "Ana\x7fPérez", bad},
		{padron.FieldUserName, "Ana\u0085Pérez", bad},
		{padron.FieldUserName, "Ana\ufffdPérez", bad},
		{padron.FieldUserName, "Ana\xff", bad},
		{padron.FieldUserName, "\u00a0\u2003", "empty"},

		{padron.FieldAddress, n(2048, "a"), none},
		{padron.FieldAddress, n(2049, "a"), long},
		{padron.FieldAddress, n(1<<20, "a"), long},

		{padron.FieldZipCode, "00000", none},
		{padron.FieldZipCode, "1234", format},
		{padron.FieldZipCode, "123456", format},
		{padron.FieldZipCode, "12345-6789", none},
		{padron.FieldZipCode, "12345-678", format},
		{padron.FieldZipCode, "12345-67890", format},
		{padron.FieldZipCode, "123456789", format},
		{padron.FieldZipCode, "１２３４５", format},
		{padron.FieldZipCode, "12345\n", bad},

		{padron.FieldLatitude, "90", none},
		{padron.FieldLatitude, "-90.0000", none},
		{padron.FieldLatitude, "90.0001", format},
		{padron.FieldLatitude, "-90.0001", format},
		{padron.FieldLatitude, "NaN", format},
		{padron.FieldLatitude, "Inf", format},
		{padron.FieldLatitude, "1e1", format},
		{padron.FieldLatitude, "0x1p1", format},
		{padron.FieldLatitude, "1_0", format},
		{padron.FieldLatitude, "12,5", format},
		{padron.FieldLatitude, "--1", format},
		{padron.FieldLatitude, n(24, "1"), format},
		{padron.FieldLatitude, "1." + n(22, "0"), none},
		{padron.FieldLatitude, "1." + n(23, "0"), long},
		{padron.FieldLongitude, "180", none},
		{padron.FieldLongitude, "-180", none},
		{padron.FieldLongitude, "180.0001", format},
		{padron.FieldLongitude, "-180.0001", format},

		{padron.FieldIPAddress, "255.255.255.255", none},
		{padron.FieldIPAddress, "255.255.255.256", format},
		{padron.FieldIPAddress, "192.0.2", format},
		{padron.FieldIPAddress, "192.0.2.07", format},
		{padron.FieldIPAddress, "2001:db8::1", none},
		{padron.FieldIPAddress, "2001:db8::1::", format},
		{padron.FieldIPAddress, "fe80::1%eth0", format},

		{padron.FieldAvatarURL, "http://a", none},
		{padron.FieldAvatarURL, "http://", format},
		{padron.FieldAvatarURL, "https://:80/a.png", format},
		{padron.FieldAvatarURL, "//avatars.example/7.png", format},
		{padron.FieldAvatarURL, "ftp://avatars.example/7.png", format},
		{padron.FieldAvatarURL, "javascript:alert(1)", format},
		{padron.FieldAvatarURL, "data:image/png;base64,AA==", format},
		{padron.FieldIDPhotoURL, "https://photos.example/" + n(2048-23, "a"), none},
		{padron.FieldIDPhotoURL, "https://photos.example/" + n(2049-23, "a"), long},

		{padron.FieldBirthday, "1900-01-01T00:00:00Z", none},
		{padron.FieldBirthday, "1899-12-31T00:00:00Z", limits},
		{padron.FieldBirthday, "1900-01-01T00:00:00+14:00", none},
		{padron.FieldBirthday, "1899-12-31T23:59:59-01:00", limits},
		{padron.FieldBirthday, "2200-12-31T23:59:59-01:00", none},
		{padron.FieldBirthday, "1990-02-30T00:00:00Z", date},
		{padron.FieldBirthday, "631152000", date},

		{padron.FieldCardNumber, n(11, "1"), format},
		{padron.FieldCardNumber, n(12, "1"), none},
		{padron.FieldCardNumber, n(19, "1"), none},
		{padron.FieldCardNumber, n(20, "1"), format},
		{padron.FieldCardNumber, "3782 822463 10005", none},
		{padron.FieldCardNumber, "4111--1111-1111-1111", format},
		{padron.FieldCardNumber, "4111-1111-1111-1111-", format},
		{padron.FieldCardNumber, "-4111-1111-1111-1111", format},
		{padron.FieldCardNumber, "4111.1111.1111.1111", format},

		{padron.FieldAccountNumber, "0", none},
		{padron.FieldAccountNumber, n(34, "0"), none},
		{padron.FieldAccountNumber, n(35, "0"), format},
		{padron.FieldAccountNumber, "12-34", format},
		{padron.FieldAccountNumber, "ES12", format},

		{padron.FieldFavoriteColor, n(256, "a"), none},
		{padron.FieldFavoriteColor, n(257, "a"), long},
		{padron.FieldCar, n(257, "a"), long},
		{padron.FieldCarModel, n(257, "a"), long},
		{padron.FieldCarType, n(257, "a"), long},
		{padron.FieldCarColor, "", "empty"},

		{padron.FieldPurchases, "0", none},
		{padron.FieldPurchases, "-1", limits},
		{padron.FieldPurchases, "1000000000", none},
		{padron.FieldPurchases, "1000000001", limits},
		{padron.FieldPurchases, "99999999999999999999", limits},
		{padron.FieldPurchases, "-99999999999999999999", limits},
		{padron.FieldPurchases, "1.5", format},
		{padron.FieldPurchases, "1e3", format},
		{padron.FieldPurchases, "many", format},
		{padron.FieldPurchases, "", format},
	}
	for _, tt := range tests {
		var want []padron.Reason
		if tt.code != none {
			want = []padron.Reason{padron.Reason(tt.field.String() + ":" + tt.code)}
		}
		got, _, reasons := with(tt.field, text(tt.value)).Validate()
		if diff := cmp.Diff(want, reasons); diff != "" {
			t.Errorf("%s of %.80q (-want +got):\n%s", tt.field, tt.value, diff)
		}
		if len(reasons) > 0 && got != (padron.Customer{}) {
			t.Errorf("%s of %.80q: a customer came with the reasons", tt.field, tt.value)
		}
	}
}

// TestKinds: every field is required, and of its type.
func TestKinds(t *testing.T) {
	for _, f := range padron.Fields() {
		for kind, code := range map[padron.Kind]string{
			padron.KindAbsent: "missing", padron.KindNull: "null", padron.KindNumber: "wrong_type",
			padron.KindBool: "wrong_type", padron.KindOther: "wrong_type", padron.KindText: "",
		} {
			if kind == padron.KindNumber && f == padron.FieldPurchases {
				code = ""
			}
			value := padron.Value{Kind: kind, Text: padron.Sensitive(clean[f])}
			_, _, reasons := with(f, value).Validate()
			want := []padron.Reason{padron.Reason(f.String() + ":" + code)}
			if code == "" {
				want = nil
			}
			if diff := cmp.Diff(want, reasons); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", f, kind, diff)
			}
		}
	}
}

// TestAllReasons: every fault is named at once, in field order, the id's
// included.
func TestAllReasons(t *testing.T) {
	_, _, reasons := (&padron.Record{}).Validate()
	var want []padron.Reason
	for _, f := range padron.Fields() {
		want = append(want, padron.Reason(f.String()+":missing"))
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("an empty record (-want +got):\n%s", diff)
	}
	r := with(padron.FieldFavoriteColor, padron.Value{Kind: padron.KindNull})
	r.Values[padron.FieldID] = text("12 34")
	r.Values[padron.FieldUserName] = text("")
	_, _, reasons = r.Validate()
	if diff := cmp.Diff([]padron.Reason{"id:invalid_id", "user_name:empty", "favorite_color:null"}, reasons); diff != "" {
		t.Errorf("three faults (-want +got):\n%s", diff)
	}
}

func TestFaultIsTheOnlyReason(t *testing.T) {
	for _, fault := range []padron.Reason{padron.ReasonMalformed, padron.ReasonNotObject, padron.ReasonTooLarge} {
		r := record()
		r.Fault = fault
		if c, _, reasons := r.Validate(); c != (padron.Customer{}) || !slices.Equal(reasons, []padron.Reason{fault}) {
			t.Errorf("%s: got %v and reasons %v", fault, c, reasons)
		}
	}
}

func TestWarnings(t *testing.T) {
	r := with(padron.FieldCardNumber, text("4111-1111-1111-1112"))
	r.Unknown = []string{"nivel_fidelidad"}
	_, warnings, reasons := r.Validate()
	if diff := cmp.Diff([]padron.Warning{padron.WarningLuhn, padron.WarningUnknownField}, warnings); diff != "" || len(reasons) > 0 {
		t.Errorf("reasons %v, warnings (-want +got):\n%s", reasons, diff)
	}
}

func TestLuhn(t *testing.T) {
	// Test numbers that card networks publish.
	for _, number := range []string{"4111111111111111", "5555 5555 5555 4444", "3782-822463-10005", "6011111111111117", "79927398713"} {
		if !padron.Luhn(number) {
			t.Errorf("%s is refused", number)
		}
		wrong := number[:len(number)-1] + string('0'+(number[len(number)-1]-'0'+1)%10)
		if padron.Luhn(wrong) {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

// TestLuhnFindsOneWrongDigit is what the check is for.
func TestLuhnFindsOneWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := []byte(rapid.StringMatching(`[0-9]{12,19}`).Draw(t, "digits"))
		at, by := rapid.IntRange(0, len(digits)-1).Draw(t, "at"), rapid.IntRange(1, 9).Draw(t, "by")
		before := padron.Luhn(string(digits))
		digits[at] = '0' + (digits[at]-'0'+byte(by))%10
		if before && padron.Luhn(string(digits)) {
			t.Errorf("%s passes too", digits)
		}
	})
}

// TestValidateTwice: validation changes nothing, and finds the same again.
func TestValidateTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := records().Draw(t, "record")
		before := *r
		c, warnings, reasons := r.Validate()
		if r.Values != before.Values {
			t.Fatal("the record is another now")
		}
		c2, warnings2, reasons2 := r.Validate()
		if c2 != c || !slices.Equal(warnings2, warnings) || !slices.Equal(reasons2, reasons) {
			t.Errorf("%v %v %v, then %v %v %v", plain(c), warnings, reasons, plain(c2), warnings2, reasons2)
		}
	})
}

// TestValidateInvariants: a customer or reasons, and what comes out is valid
// when it goes in again.
func TestValidateInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkValidated(t, records().Draw(t, "record")) })
}

// checkValidated is what holds for every record whatever.
func checkValidated(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, r *padron.Record) {
	t.Helper()
	c, warnings, reasons := r.Validate()
	if (len(reasons) == 0) == (c == padron.Customer{}) {
		t.Fatalf("a customer or reasons, not %v and %v", c, reasons)
	}
	if len(reasons) > 0 {
		checkReasons(t, r, reasons, warnings)
		return
	}
	if id, ok := r.Identity(); !ok || id != c.ID {
		t.Fatalf("the record of customer %q is identified as %q", c.ID, id)
	}
	if id, err := padron.ParseCustomerID(string(c.ID)); err != nil || id != c.ID {
		t.Fatalf("a caller cannot name %q: %v", c.ID, err)
	}
	again, _, reasons := back(c).Validate()
	if again != c || len(reasons) > 0 {
		t.Fatalf("%q comes back as %q %v", plain(c), plain(again), reasons)
	}
}

func checkReasons(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, r *padron.Record, reasons []padron.Reason, warnings []padron.Warning) {
	t.Helper()
	if len(warnings) > 0 {
		t.Fatalf("warnings %v with reasons %v", warnings, reasons)
	}
	last := -1
	for _, reason := range reasons {
		name, code, _ := strings.Cut(string(reason), ":")
		f, ok := padron.ParseField(name)
		if !ok && reason != r.Fault || code == "" {
			t.Fatalf("reason %q names no field and code", reason)
		}
		if ok && int(f) <= last {
			t.Fatalf("reasons %v are not in field order, one a field", reasons)
		}
		last = int(f)
	}
}

// back is the record that a customer may have come from.
func back(c padron.Customer) *padron.Record {
	r := &padron.Record{}
	var d padron.Disclosures
	for f := range d {
		d[f] = padron.Full
	}
	v := padron.NewView(&c, d)
	for _, f := range v.Fields() {
		r.Values[f] = text(v.Text(f))
	}
	r.Values[padron.FieldBirthday].Text += "T00:00:00Z"
	r.Values[padron.FieldPurchases] = number(strconv.FormatInt(c.Profile.Purchases, 10))
	return r
}

func TestTimesAreUTCMilliseconds(t *testing.T) {
	c, _, reasons := with(padron.FieldRegisteredAt, text("2021-03-04T05:06:07.8919+05:30")).Validate()
	want := time.Date(2021, 3, 3, 23, 36, 7, 891_000_000, time.UTC)
	if c.Profile.RegisteredAt != want {
		t.Errorf("got %v %v, want %v", c.Profile.RegisteredAt, reasons, want)
	}
}

// TestBirthdayIsADate: the date part counts, whatever the zone.
func TestBirthdayIsADate(t *testing.T) {
	for _, zone := range []string{"Z", "+14:00", "-12:00"} {
		c, _, reasons := with(padron.FieldBirthday, text("1990-02-28T00:00:00"+zone)).Validate()
		if got := c.Personal.Birthday.Expose(); got != "1990-02-28" {
			t.Errorf("%s: %q %v", zone, got, reasons)
		}
	}
}

func TestIdentity(t *testing.T) {
	tests := []struct {
		value padron.Value
		want  padron.CustomerID
		ok    bool
	}{
		{text("7"), "7", true},
		{text("usr_ñ"), "usr_ñ", true},
		{text("12 34"), "", false},
		{text(""), "", false},
		{text(strings.Repeat("9", 65)), "", false},
		{number("7"), "7", true},
		{number(strings.Repeat("9", 64)), padron.CustomerID(strings.Repeat("9", 64)), true},
		{number(strings.Repeat("9", 65)), "", false},
		{number("-7"), "", false},
		{number("7.0"), "", false},
		{padron.Value{Kind: padron.KindNull}, "", false},
		{padron.Value{Kind: padron.KindBool, Text: "true"}, "", false},
		{padron.Value{}, "", false},
	}
	for _, tt := range tests {
		if got, ok := with(padron.FieldID, tt.value).Identity(); got != tt.want || ok != tt.ok {
			t.Errorf("%s %q: got %q, %v", tt.value.Kind, tt.value.Text.Expose(), got, ok)
		}
	}
}

func TestParseCustomerID(t *testing.T) {
	for _, s := range []string{"7", "a/b", strings.Repeat("ñ", 64), "%2e"} {
		if id, err := padron.ParseCustomerID(s); err != nil || string(id) != s {
			t.Errorf("%q: got %q, %v", s, id, err)
		}
	}
	for _, s := range []string{"", " ", "a b", "a\tb", "a\x00", "\xff", "\ufffd", "\u200b", strings.Repeat("ñ", 65), strings.Repeat("a", 1<<20)} {
		id, err := padron.ParseCustomerID(s)
		if id != "" || padron.ErrorCode(err) != padron.CodeInvalid {
			t.Errorf("%.20q: got %q, %v", s, id, err)
		}
		if err != nil && len(s) > 3 && strings.Contains(err.Error(), s[:3]) {
			t.Errorf("the error repeats %.20q", s)
		}
	}
}

// TestEveryReasonIsReachable: no reason stands in the code that no record gets.
func TestEveryReasonIsReachable(t *testing.T) {
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\tcode\w+ += "(\w+)"$`).FindAllSubmatch(source, -1) {
		want[string(m[1])] = true
	}
	tries := []padron.Value{
		{}, {Kind: padron.KindNull}, {Kind: padron.KindOther}, text(" "), text(strings.Repeat("9", 4000)), text("a\x00"), text("1 1"),
		text("2999-01-01T00:00:00Z"),
	}
	got := map[string]bool{}
	for _, f := range padron.Fields() {
		for _, value := range tries {
			_, _, reasons := with(f, value).Validate()
			for _, r := range reasons {
				_, code, _ := strings.Cut(string(r), ":")
				got[code] = true
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes in reason.go and those reached (-want +got):\n%s", diff)
	}
}
