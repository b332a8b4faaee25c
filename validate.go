package padron

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a valid customer.
const (
	maxIDLength    = 64            // characters
	maxShortText   = 256           // characters: names, colours, cars
	maxAddress     = 2048          // characters
	maxURL         = 2048          // characters
	maxPurchases   = 1_000_000_000 // purchases
	maxCoordinate  = 24            // bytes of a decimal
	minCardDigits  = 12
	maxCardDigits  = 19 // ISO/IEC 7812-1
	minAccountSize = 1  // digits
	maxAccountSize = 34 // digits, the longest of an IBAN (ISO 13616)
	minYear        = 1900
	maxYear        = 2200
)

var zipPattern = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)

// Validate turns a record into a customer, or into the reasons why it is none,
// in field order. Every field is required: a customer with a part missing goes
// to quarantine, where somebody sees it, and not into the register, where
// nobody would. Warnings do not keep a customer out.
func (r *Record) Validate() (Customer, []Warning, []Reason) {
	if r.Fault != "" {
		return Customer{}, nil, []Reason{r.Fault}
	}
	v := validation{record: r}
	c := Customer{
		ID: v.id(),
		Profile: Profile{
			RegisteredAt:  v.time(FieldRegisteredAt),
			FavoriteColor: v.text(FieldFavoriteColor, maxShortText),
			Car:           v.text(FieldCar, maxShortText),
			CarModel:      v.text(FieldCarModel, maxShortText),
			CarType:       v.text(FieldCarType, maxShortText),
			CarColor:      v.text(FieldCarColor, maxShortText),
			Purchases:     v.purchases(),
		},
		Personal: Personal{
			UserName:   v.sensitive(FieldUserName, maxShortText),
			Address:    v.sensitive(FieldAddress, maxAddress),
			ZipCode:    v.matching(FieldZipCode, maxShortText, zipPattern.MatchString),
			Latitude:   v.matching(FieldLatitude, maxCoordinate, within(90)),
			Longitude:  v.matching(FieldLongitude, maxCoordinate, within(180)),
			IPAddress:  v.matching(FieldIPAddress, maxShortText, validIP),
			AvatarURL:  v.matching(FieldAvatarURL, maxURL, validURL),
			IDPhotoURL: v.matching(FieldIDPhotoURL, maxURL, validURL),
			Birthday:   v.date(FieldBirthday),
		},
		Financial: Financial{
			CardNumber:    v.matching(FieldCardNumber, maxShortText, validCard),
			AccountNumber: v.matching(FieldAccountNumber, maxShortText, validAccount),
		},
	}
	if reasons := v.reasons(); len(reasons) > 0 {
		return Customer{}, nil, reasons
	}
	c.Personal.CardMask = Sensitive(MaskCard(c.Financial.CardNumber.Expose()))
	c.Personal.AccountMask = Sensitive(MaskAccount(c.Financial.AccountNumber.Expose()))
	return c, r.warnings(c.Financial.CardNumber), nil
}

func (r *Record) warnings(card Sensitive) []Warning {
	var out []Warning
	if !Luhn(card.Expose()) {
		out = append(out, WarningLuhn)
	}
	if len(r.Unknown) > 0 {
		out = append(out, WarningUnknownField)
	}
	return out
}

// validation collects the reasons against one record: the first one of each
// field.
type validation struct {
	record *Record
	codes  [NumFields]string
}

func (v *validation) reject(f Field, code string) {
	if v.codes[f] == "" {
		v.codes[f] = code
	}
}

// reasons returns the reasons in field order.
func (v *validation) reasons() []Reason {
	var out []Reason
	for f, code := range v.codes {
		if code != "" {
			out = append(out, reason(Field(f), code))
		}
	}
	return out
}

func (v *validation) id() CustomerID {
	s := v.text(FieldID, maxIDLength)
	if s != "" && !validID(s) {
		v.reject(FieldID, codeBadID)
	}
	return CustomerID(s)
}

// text returns a text field of 1 to limit characters without control
// characters.
func (v *validation) text(f Field, limit int) string {
	s, ok := v.ofKind(f, KindText)
	if !ok {
		return ""
	}
	switch {
	case strings.TrimSpace(s) == "":
		v.reject(f, codeEmpty)
	case len(s) > limit && utf8.RuneCountInString(s) > limit:
		v.reject(f, codeTooLong)
	case !printable(s):
		v.reject(f, codeBadText)
	default:
		return s
	}
	return ""
}

func (v *validation) sensitive(f Field, limit int) Sensitive { return Sensitive(v.text(f, limit)) }

// matching returns a text field that valid accepts.
func (v *validation) matching(f Field, limit int, valid func(string) bool) Sensitive {
	s := v.text(f, limit)
	if s != "" && !valid(s) {
		v.reject(f, codeBadFormat)
		return ""
	}
	return Sensitive(s)
}

// time returns an RFC 3339 time in UTC, cut to milliseconds.
func (v *validation) time(f Field) time.Time {
	t := v.parseTime(f).UTC().Truncate(time.Millisecond)
	v.boundYear(f, t)
	return t
}

// date returns the date part of an RFC 3339 time, as the provider wrote it: a
// birthday has no time zone.
func (v *validation) date(f Field) Sensitive {
	v.boundYear(f, v.parseTime(f))
	if v.codes[f] != "" {
		return ""
	}
	return v.record.Values[f].Text[:len(time.DateOnly)]
}

func (v *validation) parseTime(f Field) time.Time {
	s := v.text(f, maxShortText)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		v.reject(f, codeBadDate)
	}
	return t
}

func (v *validation) boundYear(f Field, t time.Time) {
	if t.Year() < minYear || t.Year() > maxYear {
		v.reject(f, codeRange)
	}
}

// purchases returns a whole number, which the provider sometimes sends as text.
func (v *validation) purchases() int64 {
	value := v.record.Values[FieldPurchases]
	if value.Kind != KindText && value.Kind != KindNumber {
		v.ofKind(FieldPurchases, KindNumber)
		return 0
	}
	n, err := strconv.ParseInt(value.Text.Expose(), 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		v.reject(FieldPurchases, codeBadFormat)
	case n < 0 || n > maxPurchases: // also what no int64 holds
		v.reject(FieldPurchases, codeRange)
	}
	return n
}

// ofKind returns the field's text if it has the kind, and rejects it otherwise.
func (v *validation) ofKind(f Field, want Kind) (string, bool) {
	value := v.record.Values[f]
	switch value.Kind {
	case want:
		return value.Text.Expose(), true
	case KindAbsent:
		v.reject(f, codeMissing)
	case KindNull:
		v.reject(f, codeNull)
	default:
		v.reject(f, codeWrongType)
	}
	return "", false
}

// printable reports whether s is valid UTF-8 without control characters and
// without U+FFFD, the trace of text that was already damaged.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == utf8.RuneError || r >= 0x7f && unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// ParseCustomerID returns the id that a caller named, or a [CodeInvalid] error.
func ParseCustomerID(s string) (CustomerID, error) {
	if !validID(s) {
		return "", Invalid("id", "want 1 to %d printable characters without spaces", maxIDLength)
	}
	return CustomerID(s), nil
}

func validID(s string) bool {
	if s == "" || len(s) > 4*maxIDLength || utf8.RuneCountInString(s) > maxIDLength || !printable(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

func validIP(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

// validURL accepts absolute http and https addresses.
func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// within accepts plain decimals between -limit and limit.
func within(limit float64) func(string) bool {
	return func(s string) bool {
		if strings.Trim(s, "+-.0123456789") != "" {
			return false
		}
		x, err := strconv.ParseFloat(s, 64)
		return err == nil && -limit <= x && x <= limit
	}
}

func validAccount(s string) bool {
	return isDigits(s) && len(s) >= minAccountSize && len(s) <= maxAccountSize
}

// validCard accepts 12 to 19 digits grouped by single dashes or spaces.
func validCard(s string) bool {
	n := len(Digits(s))
	return n >= minCardDigits && n <= maxCardDigits && separated(s)
}

// separated reports whether s is digits, with single dashes or spaces between.
func separated(s string) bool {
	digit := false
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digit = true
		case (c == '-' || c == ' ') && digit:
			digit = false
		default:
			return false
		}
	}
	return digit
}

// Luhn reports whether the digits of number pass the Luhn check
// (ISO/IEC 7812-1 annex B); other characters are skipped.
func Luhn(number string) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		c := number[i]
		if c < '0' || c > '9' {
			continue
		}
		d := int(c - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}
