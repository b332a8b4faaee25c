// Package config reads padron's settings. A flag beats the environment, the
// environment beats the default; every fault is reported at once, each in one
// line that says what to do.
package config

import (
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"padron"
	"padron/internal/seal/kmswrap"
	"padron/internal/store/mysql"
)

// Config is every setting. All variables that are set are checked, whichever
// command runs, so that a fault shows before it matters.
type Config struct {
	DB       DB
	Provider Provider
	// MaxDelete is the share of customers, 0 to 1, that may vanish in one run.
	MaxDelete float64
	// MaxChange is the share of known customers, 0 to 1, that may change in one
	// run.
	MaxChange float64
	// QuarantineKeep is how long a rejected record stays that no run met again.
	QuarantineKeep time.Duration

	Keys        Keys
	Listen      string
	AdminListen string
	// TLSCert and TLSKey are both set or both empty, or TLSCert is [TLSAuto].
	TLSCert, TLSKey string
	// RateLimit is requests a second for one principal; 0 is unlimited.
	RateLimit float64
	LogLevel  slog.Level
	// LogFormat is "text" or "json".
	LogFormat string
}

// DB says where the register is, in one of two engines.
type DB struct {
	// Path is the SQLite database's file, "" where it is MySQL.
	Path string
	// MySQL is nil where it is SQLite.
	MySQL *mysql.Config
	// Secret is the ARN of the secret that holds user and password, "" where
	// they are in MySQL already.
	Secret string
	// IAM: MySQL's user logs in with tokens.
	IAM bool
}

// String names the place as messages may show it, without a password.
func (d DB) String() string {
	if d.MySQL != nil {
		return d.MySQL.String()
	}
	return "sqlite:" + d.Path
}

// Keys says which key-encryption key wraps data keys: one of two.
type Keys struct {
	// File is the path of the local key file, "" where the key is in KMS.
	File string
	// KMS is the ARN or alias of a key in AWS KMS, "" where it is a file.
	KMS string
}

// String is the key as PADRON_KEYS names it.
func (k Keys) String() string {
	if k.KMS != "" {
		return "aws-kms:" + k.KMS
	}
	return "file:" + k.File
}

// Provider says where the customers come from.
type Provider struct {
	// URL is the collection's address; "" where none is set.
	URL      string
	APIKey   padron.Sensitive
	Paging   string
	PageSize int
	// Concurrency is how many pages are asked for at once.
	Concurrency int
	// Rate is the most requests a second; 0 is no limit.
	Rate float64
	// Retries is how often one page is asked for again.
	Retries int
	// RetryBudget is how long failures may hold one run up in all.
	RetryBudget time.Duration
}

// Load reads the settings. getenv is [os.LookupEnv] in production; overrides
// are flags, by variable name. required names the variables that the command
// cannot do without. The error is [Faults].
func Load(getenv func(string) (string, bool), overrides map[string]string, required ...string) (*Config, error) {
	p := &parser{getenv: getenv, overrides: overrides, required: required}
	c := &Config{
		DB: p.database(),
		Provider: Provider{
			URL:         parse(p, "PADRON_PROVIDER_URL", parseURL),
			APIKey:      padron.Sensitive(parse(p, "PADRON_PROVIDER_API_KEY", parseHeaderValue)),
			Paging:      parse(p, "PADRON_PROVIDER_PAGING", oneOf("auto", "none", "page", "link")),
			PageSize:    int(parse(p, "PADRON_PROVIDER_PAGE_SIZE", wholeNumber(1, 10_000))),
			Concurrency: int(parse(p, "PADRON_PROVIDER_CONCURRENCY", wholeNumber(1, 16))),
			Rate:        parse(p, "PADRON_PROVIDER_RATE", parseRate),
			Retries:     int(parse(p, "PADRON_PROVIDER_RETRIES", wholeNumber(0, 100))),
			RetryBudget: parse(p, "PADRON_PROVIDER_RETRY_BUDGET", parseBudget),
		},
		MaxDelete:      parse(p, "PADRON_SYNC_MAX_DELETE", parseShare),
		MaxChange:      parse(p, "PADRON_SYNC_MAX_CHANGE", parseShare),
		QuarantineKeep: parse(p, "PADRON_QUARANTINE_KEEP", parseKeep),

		Keys:        parse(p, "PADRON_KEYS", parseKeys),
		Listen:      parse(p, "PADRON_LISTEN", parseAddress),
		AdminListen: parse(p, "PADRON_ADMIN_LISTEN", parseAddress),
		TLSCert:     parse(p, "PADRON_TLS_CERT", parseCert),
		TLSKey:      parse(p, "PADRON_TLS_KEY", parseFile),
		RateLimit:   parse(p, "PADRON_RATE_LIMIT", parseRate),
		LogLevel:    parse(p, "PADRON_LOG_LEVEL", parseLevel),
		LogFormat:   parse(p, "PADRON_LOG_FORMAT", oneOf("", "text", "json")),
	}
	switch {
	case c.TLSCert == TLSAuto && c.TLSKey != "":
		p.fault("PADRON_TLS_KEY", "is for a certificate file, and PADRON_TLS_CERT is auto: unset it")
	case c.TLSCert != TLSAuto && (c.TLSCert == "") != (c.TLSKey == ""):
		p.fault("PADRON_TLS_CERT", "and PADRON_TLS_KEY belong together: set both or neither")
	}
	p.refuseUnsupported()
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return c, nil
}

// parser collects faults while the settings are read.
type parser struct {
	getenv    func(string) (string, bool)
	overrides map[string]string
	required  []string
	faults    Faults
}

func (p *parser) fault(name, why string) { p.faults = append(p.faults, Fault{name, why}) }

// given reports whether a flag or the environment sets the variable.
func (p *parser) given(name string) bool {
	_, flag := p.overrides[name]
	v, _ := p.getenv(name)
	return flag || v != ""
}

// lookup returns the variable's value: flag, environment, default.
func (p *parser) lookup(name string) string {
	if v, ok := p.overrides[name]; ok {
		return v
	}
	if v, ok := p.getenv(name); ok && v != "" {
		return v
	}
	return defaultOf(name)
}

// parse reads one variable; a fault leaves the zero value.
func parse[T any](p *parser, name string, convert func(string) (T, error)) T {
	var zero T
	text := p.lookup(name)
	if text == "" {
		if slices.Contains(p.required, name) {
			p.fault(name, "is not set: "+meaningOf(name))
		}
		return zero
	}
	value, err := convert(text)
	if err != nil {
		p.fault(name, err.Error())
		return zero
	}
	return value
}

// refuseUnsupported reports variables that promise what this version cannot do:
// to ignore them would be worse.
func (p *parser) refuseUnsupported() {
	for _, name := range unsupported() {
		if v, ok := p.getenv(name); ok && v != "" && v != "false" {
			p.fault(name, "is not supported by this version: unset it")
		}
	}
}

func parseKeys(s string) (Keys, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	switch {
	case scheme == "file" && rest != "":
		return Keys{File: rest}, nil
	case scheme == "aws-kms" && kmswrap.ValidKey(rest):
		return Keys{KMS: rest}, nil
	}
	return Keys{}, errorf("want file:PATH, such as file:var/keys.json, or aws-kms: and a key's ARN or alias, such as aws-kms:alias/padron-customers")
}

// parseURL accepts http and https addresses without user and password: a key
// belongs into PADRON_PROVIDER_API_KEY. The value is not repeated in the fault,
// since an address may hold a secret.
func parseURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", errorf("want an address such as https://provider.example/api/v1/usuarios")
	}
	if u.User != nil {
		return "", errorf("holds a user or password: put the key into PADRON_PROVIDER_API_KEY")
	}
	return s, nil
}

func parseHeaderValue(s string) (string, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errorf("has characters that no HTTP header can carry: printable ASCII without spaces only")
	}
	return s, nil
}

func parseShare(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, errorf("%q is not a share from 0 to 1, such as 0.1", s)
	}
	return x, nil
}

// Bounds of how long a rejected record is kept: a day, so that somebody can look
// at it, to a year, so that it is not forgotten.
const (
	minKeep = padron.Day
	maxKeep = 366 * padron.Day
)

func parseKeep(s string) (time.Duration, error) {
	d, err := padron.ParseSpan(s)
	if err != nil || d < minKeep || d > maxKeep {
		return 0, errorf("%q is not a time from 1d to 366d, such as 90d, 4w or 36h", s)
	}
	return d, nil
}

func parseRate(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x <= 1e6) {
		return 0, errorf("%q is not requests a second from 0 (unlimited) to 1000000", s)
	}
	return x, nil
}

func parseBudget(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return 0, errorf("%q is not a duration from 1s to 24h, such as 15m", s)
	}
	return d, nil
}

func parseAddress(s string) (string, error) {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", errorf("%q is not HOST:PORT, such as 127.0.0.1:8080", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errorf("%q has a port that is not 0 (any free one) to 65535", s)
	}
	return s, nil
}

// TLSAuto in a certificate's place makes one at start.
const TLSAuto = "auto"

func parseCert(s string) (string, error) {
	if s == TLSAuto {
		return s, nil
	}
	return parseFile(s)
}

func parseFile(s string) (string, error) {
	info, err := os.Stat(s)
	if err != nil || info.IsDir() {
		return "", errorf("%q is not a file that can be read", s)
	}
	return s, nil
}

func parseLevel(s string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s)); err != nil {
		return 0, errorf("%q is not debug, info, warn or error", s)
	}
	return level, nil
}

func oneOf(allowed ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(allowed, s) {
			return "", errorf("%q is not one of %s", s, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
		}
		return s, nil
	}
}

func wholeNumber(least, most int64) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < least || n > most {
			return 0, errorf("%q is not a whole number from %d to %d", s, least, most)
		}
		return n, nil
	}
}
