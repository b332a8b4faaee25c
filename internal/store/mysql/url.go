package mysql

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"padron"
)

// TLS says how a connection is protected.
type TLS string

// The ways to protect a connection.
const (
	// TLSVerify encrypts, and checks the server's certificate and name.
	TLSVerify TLS = "true"
	// TLSRDS is the same by the authorities of Amazon RDS alone, which are in this
	// program. A host that RDS has named is checked so with TLSVerify, too.
	TLSRDS TLS = "rds"
	// TLSSkipVerify encrypts to whoever answers. For experiments only.
	TLSSkipVerify TLS = "skip-verify"
	// TLSOff does not encrypt: the default for a server on this machine alone.
	TLSOff TLS = "false"
)

// Config says where a register is and who asks.
type Config struct {
	// Addr is host and port.
	Addr string
	// User and Password are "" where credentials come from elsewhere.
	User     string
	Password padron.Sensitive
	Database string
	TLS      TLS
	// CA is the path of a PEM file with the authorities to trust in place of
	// the system's, "" for the system's.
	CA string
}

// String is the URL without the password.
func (c Config) String() string {
	u := url.URL{Scheme: scheme, Host: c.Addr, Path: "/" + c.Database, RawQuery: "tls=" + string(c.TLS)}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	return u.String()
}

const (
	scheme      = "mysql"
	defaultPort = "3306"
	// maxDatabase is the longest name of a database, in characters.
	maxDatabase = 64
)

// Verified reports whether the server must prove who it is.
func (c Config) Verified() bool { return c.TLS == TLSVerify || c.TLS == TLSRDS }

// ParseURL reads mysql://user:password@host:port/name?tls=true|rds|skip-verify|false
// with an optional ca=PATH. Without a port it is 3306; without tls it is true,
// but false for this machine. The error lists every fault, one line each, and
// quotes nothing of the URL: a password with a character that should have been
// escaped may turn up in any part of it.
func ParseURL(raw string) (Config, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Config{}, errors.New("is not a URL: want mysql://user:password@host:port/name, " +
			"with other characters than letters and digits in user and password written as %XX")
	}
	p := &urlParser{url: u}
	p.rest()
	c := Config{Database: p.database(), Addr: p.address(), TLS: p.tls(), CA: u.Query().Get("ca")}
	c.User = u.User.Username()
	password, _ := u.User.Password()
	c.Password = padron.Sensitive(password)
	if len(p.faults) > 0 {
		return Config{}, errors.Join(p.faults...)
	}
	return c, nil
}

// urlParser collects the faults of a URL.
type urlParser struct {
	url    *url.URL
	faults []error
}

func (p *urlParser) fault(text string) { p.faults = append(p.faults, errors.New(text)) }

// rest looks at the parts that no setting comes from.
func (p *urlParser) rest() {
	if p.url.Scheme != scheme {
		p.fault("begins with another word than mysql://")
	}
	if p.url.Fragment != "" {
		p.fault("has a #: write it as %23 in user and password")
	}
	query, err := url.ParseQuery(p.url.RawQuery)
	if err != nil {
		p.fault("has parameters that cannot be read: write ? as %3F in user and password")
		return
	}
	for name, values := range query {
		if !slices.Contains([]string{"tls", "ca"}, name) {
			p.fault("has an unknown parameter: there are tls and ca")
		} else if len(values) > 1 {
			p.fault("sets " + name + " twice")
		}
	}
}

func (p *urlParser) database() string {
	name := strings.TrimPrefix(p.url.Path, "/")
	switch {
	case name == "":
		p.fault("names no database: it comes after the host's slash")
	case strings.Contains(name, "/"), strings.ContainsFunc(name, unicode.IsControl), !utf8.ValidString(name),
		utf8.RuneCountInString(name) > maxDatabase:
		p.fault(fmt.Sprintf("names no possible database: want 1 to %d characters without slashes", maxDatabase))
	}
	return name
}

func (p *urlParser) address() string {
	host, port := p.url.Hostname(), p.url.Port()
	switch {
	case host == "":
		p.fault("names no host")
	case !possibleHost(host, p.url.Host):
		p.fault("names no possible host: want a name of letters, digits, dots and dashes, an IPv4 address, or an IPv6 address in []")
	}
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		p.fault("has no possible port: want 1 to 65535")
	}
	return net.JoinHostPort(host, port)
}

func (p *urlParser) tls() TLS {
	values, given := p.url.Query()["tls"]
	if !given {
		if local(p.url.Hostname()) {
			return TLSOff
		}
		return TLSVerify
	}
	mode := TLS(values[0])
	if !slices.Contains([]TLS{TLSVerify, TLSRDS, TLSSkipVerify, TLSOff}, mode) {
		p.fault("has an unknown tls: want true, rds, skip-verify or false")
	}
	if mode != TLSVerify && p.url.Query().Has("ca") {
		p.fault("names a ca that nothing is checked against: that wants tls=true")
	}
	return mode
}

// possibleHost accepts names and addresses; those of IPv6 stand in brackets in
// the URL's host part.
func possibleHost(host, part string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == "" && addr.Is4() != strings.HasPrefix(part, "[")
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", r)
	}) && !strings.HasPrefix(part, "[")
}

// local reports whether the host is this machine.
func local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
