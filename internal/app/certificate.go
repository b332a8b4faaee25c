package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"

	"padron/internal/config"
)

// ephemeralLife is how long an ephemeral certificate is good for: longer than a
// process lives.
const ephemeralLife = 365 * 24 * time.Hour

// serialLimit bounds serial numbers: 20 octets at most (RFC 5280, 4.1.2.2).
var serialLimit = new(big.Int).Lsh(big.NewInt(1), 128)

// TLSConfig serves the configured certificate with TLS 1.3 (PCI DSS 4.2.1),
// read again when its file changes, or an ephemeral one; nil where none is
// configured.
func TLSConfig(cfg *config.Config) (*tls.Config, error) {
	switch cfg.TLSCert {
	case "":
		return nil, nil //nolint:nilnil // no TLS is a valid setting
	case config.TLSAuto:
		pair, err := ephemeral()
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}}, nil
	}
	r := &certReloader{cert: cfg.TLSCert, key: cfg.TLSKey}
	if _, err := r.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: r.get}, nil
}

// AdminTLS is the same for the admin address, which needs none where only this
// machine reaches it.
func AdminTLS(cfg *config.Config) (*tls.Config, error) {
	if host, _, err := net.SplitHostPort(cfg.AdminListen); err == nil && isLoopback(host) {
		return nil, nil //nolint:nilnil // no TLS is a valid setting
	}
	return TLSConfig(cfg)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ephemeral returns a P-256 certificate of its own for this machine. Its key is
// in this process alone and dies with it. Nobody can verify it: it keeps the
// way from a load balancer, which does not verify its targets, from listeners.
func ephemeral() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, serialLimit)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "padron ephemeral"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(ephemeralLife),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
