package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// minValidity is how long a certificate must still be good for: long enough for
// somebody to renew it.
const minValidity = 14 * 24 * time.Hour

// lookup returns the addresses of a host, which may be one itself. None is an
// error.
func (c *checker) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	addrs, err := c.Resolve(ctx, host)
	if err != nil || len(addrs) == 0 {
		return nil, fmt.Errorf("%s does not resolve", host)
	}
	return addrs, nil
}

// name checks that the service's name leads to private addresses only (RFC 1918,
// RFC 4193), or to this machine. It returns whether it does.
func (c *checker) name(ctx context.Context) bool {
	host := c.base.Hostname()
	addrs, err := c.lookup(ctx, host)
	if err != nil {
		c.add("name", Failed, err.Error()+": is this machine in the network, and the private zone attached to it?")
		return false
	}
	var seen []string
	var wrong error
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
		seen = append(seen, addrs[i].String())
		if !addrs[i].IsPrivate() && !addrs[i].IsLoopback() {
			wrong = fmt.Errorf("%s leads to %s, which is no private address", host, addrs[i])
		}
	}
	c.addrs = addrs
	c.judge("name", wrong, strings.Join(seen, ", "))
	return wrong == nil
}

// reachable checks that every address takes connections. Where one does not,
// nothing else is asked: each question would wait for its limit.
func (c *checker) reachable(ctx context.Context) bool {
	for _, addr := range c.addrs {
		conn, err := connect(ctx, net.JoinHostPort(addr.String(), c.port))
		if err != nil {
			c.add("reachable", Failed, fmt.Sprintf("%s takes no connection at port %s: is this network among the load balancer's consumers?", addr, c.port))
			return false
		}
		_ = conn.Close()
	}
	c.add("reachable", Passed, "every address takes connections at port "+c.port)
	return true
}

// dial connects to the first address of the service that answers.
func (c *checker) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var err error
	for _, addr := range c.addrs {
		var conn net.Conn
		if conn, err = connect(ctx, net.JoinHostPort(addr.String(), c.port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func connect(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: askTime / 2}
	return d.DialContext(ctx, "tcp", address)
}

// encryption checks each address: TLS 1.3, a chain that this machine trusts, the
// right name, days to come; and nothing older than TLS 1.3 (PCI DSS 4.2.1). It
// returns whether a token may be sent: whether there is TLS, which the client
// verifies itself, or nobody on the way.
func (c *checker) encryption(ctx context.Context) bool {
	if c.base.Scheme != "https" {
		c.add("tls", Failed, "the address is not https")
		return !slices.ContainsFunc(c.addrs, func(a netip.Addr) bool { return !a.IsLoopback() })
	}
	var seen string
	var wrong error
	for _, addr := range c.addrs {
		var err error
		if seen, err = c.handshake(ctx, net.JoinHostPort(addr.String(), c.port)); err != nil {
			wrong = fmt.Errorf("%s: %w", addr, err)
		}
	}
	c.judge("tls", wrong, seen)
	return true
}

func (c *checker) handshake(ctx context.Context, address string) (string, error) {
	state, err := negotiate(ctx, address, &tls.Config{ServerName: c.base.Hostname(), MinVersion: tls.VersionTLS13})
	var untrusted *tls.CertificateVerificationError
	var hostname x509.HostnameError
	switch {
	case errors.As(err, &hostname):
		return "", errors.New("the certificate is for another name")
	case errors.As(err, &untrusted):
		return "", fmt.Errorf("the certificate is not trusted: %w", untrusted.Err)
	case err != nil:
		return "", fmt.Errorf("no TLS 1.3: %w", err)
	}
	leaf := state.PeerCertificates[0]
	left := time.Until(leaf.NotAfter)
	if left < minValidity {
		return "", fmt.Errorf("the certificate expires on %s: renew it", leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	older := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // it must fail
	if old, err := negotiate(ctx, address, older); err == nil {
		return "", fmt.Errorf("%s is accepted as well: allow TLS 1.3 alone", tls.VersionName(old.Version))
	}
	return fmt.Sprintf("TLS 1.3 alone; certificate by %q, good for %d days", leaf.Issuer.CommonName, int(left.Hours()/24)), nil
}

func negotiate(ctx context.Context, address string, conf *tls.Config) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	raw, err := connect(ctx, address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer raw.Close() //nolint:errcheck // nothing was sent
	conn := tls.Client(raw, conf)
	err = conn.HandshakeContext(ctx)
	return conn.ConnectionState(), err
}

// database checks that nothing answers at any of the database's addresses: whoever
// is here must come through the API. A name that does not resolve shows nothing,
// and so does a check that was cut short.
func (c *checker) database(ctx context.Context) {
	if c.Database == "" {
		c.skip("database", NotGiven, "name it with --database HOST:PORT to see that it cannot be reached from here")
		return
	}
	host, port, _ := net.SplitHostPort(c.Database) // checked before
	addrs, err := c.lookup(ctx, host)
	if err != nil {
		c.add("database", Failed, err.Error()+", which shows nothing: check the name")
		return
	}
	for _, addr := range addrs {
		if conn, err := connect(ctx, net.JoinHostPort(addr.String(), port)); err == nil {
			_ = conn.Close()
			c.add("database", Failed, c.Database+" can be reached from here: its security group must admit the services alone")
			return
		}
	}
	c.judge("database", ctx.Err(), c.Database+" cannot be reached from here")
}
