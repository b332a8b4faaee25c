package mysql_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"padron/internal/store/mysql"
)

// TestRDSAuthorities: the embedded authorities are those of the list, which a
// person can compare with Amazon's bundle; each is a root of RDS's, signed by
// itself, and good for years.
func TestRDSAuthorities(t *testing.T) {
	list, err := os.ReadFile("rds/authorities.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^Amazon RDS ([a-z]+(?:-[a-z]+)+-\d) Root CA (RSA2048|RSA4096|ECC384) G1$`)
	algorithms := map[string]map[string]bool{}
	var b strings.Builder
	for rest := mysql.RDSAuthorities; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		parts := name.FindStringSubmatch(c.Subject.CommonName)
		if parts == nil || !c.IsCA || c.CheckSignatureFrom(c) != nil || !strings.Contains(c.Subject.String(), "Amazon Web Services") {
			t.Errorf("%q is no root of RDS", c.Subject)
			continue
		}
		if years := time.Until(c.NotAfter).Hours() / 24 / 365; years < 5 || time.Now().Before(c.NotBefore) {
			t.Errorf("%s is good from %v to %v: take Amazon's bundle over anew", c.Subject.CommonName, c.NotBefore, c.NotAfter)
		}
		if algorithms[parts[1]] == nil {
			algorithms[parts[1]] = map[string]bool{}
		}
		algorithms[parts[1]][parts[2]] = true
		fmt.Fprintf(&b, "%x %s %s\n", sha256.Sum256(c.Raw), c.NotAfter.UTC().Format(time.DateOnly), c.Subject.CommonName)
	}
	if b.String() != string(list) {
		t.Error("rds/authorities.txt lists other certificates than rds/authorities.pem holds")
	}
	for region, have := range algorithms {
		if len(have) != 3 {
			t.Errorf("%s has the authorities %v, want three", region, have)
		}
	}
	if algorithms["us-east-1"] == nil || len(algorithms) < 27 {
		t.Errorf("%d regions", len(algorithms))
	}
}

func TestWhomRDSVouchesFor(t *testing.T) {
	for url, want := range map[string]bool{
		"mysql://u@padron.cluster-c1.us-east-1.rds.amazonaws.com/x":         true,
		"mysql://u@PADRON.C1.US-EAST-1.RDS.AMAZONAWS.COM./x":                true,
		"mysql://u@padron.c1.rds.cn-north-1.amazonaws.com.cn/x?tls=rds":     true,
		"mysql://u@db.example/x?tls=rds":                                    true,
		"mysql://u@db.example/x":                                            false,
		"mysql://u@rds.amazonaws.com.example/x":                             false,
		"mysql://u@evilrds.amazonaws.com/x":                                 false,
		"mysql://u@padron.c1.us-east-1.rds.amazonaws.com/x?tls=skip-verify": false,
	} {
		if got := mysql.TrustsOnlyRDS(t, url); got != want {
			t.Errorf("%s: %t", url, got)
		}
	}
}
