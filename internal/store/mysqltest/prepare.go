package mysqltest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// arguments are the server's: as durable as production, no configuration files,
// and nothing that costs start-up time.
func (s *Server) arguments() []string {
	args := append(s.basic(),
		"--port="+strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--socket="+s.file("socket"), "--pid-file="+s.file("pid"),
		"--init-file="+s.file("init.sql"), "--ssl-ca="+s.CAFile(), "--ssl-cert="+s.file("cert.pem"), "--ssl-key="+s.file("key.pem"),
		"--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=512M", "--skip-log-bin",
		"--skip-name-resolve", "--local-infile=ON", "--performance-schema=OFF", "--loose-mysqlx=OFF", "--max-connections=200",
	)
	return append(args, s.args...)
}

// basic are the arguments that making the files and serving share.
func (s *Server) basic() []string {
	args := []string{"--no-defaults", "--datadir=" + s.file("data"), "--loose-innodb-log-file-size=256M"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // the server refuses to be root unless told
	}
	return args
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

// prepare makes the server's files: its system tables, a user and certificates.
func (s *Server) prepare() error {
	if err := s.certificates(); err != nil {
		return err
	}
	if err := os.WriteFile(s.file("init.sql"), fmt.Appendf(nil, "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\n"+
		"GRANT ALL PRIVILEGES ON *.* TO '%s'@'%%' WITH GRANT OPTION;\n", User, Password, User), 0o600); err != nil {
		return err
	}
	if !s.maria {
		return s.make(nil, "--initialize-insecure")
	}
	script, err := systemTables()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.file("data/mysql"), 0o700); err != nil {
		return err
	}
	return s.make(script, "--bootstrap")
}

// systemTables is what mariadb-install-db feeds the server. That script needs a
// program of another package, and takes longer.
func systemTables() ([]byte, error) {
	script := []byte("USE mysql;\nSET @auth_root_socket=NULL;\n")
	for _, name := range []string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"} {
		text, err := os.ReadFile(filepath.Join("/usr/share/mysql", name))
		if os.IsNotExist(err) {
			text, err = os.ReadFile(filepath.Join("/usr/share/mariadb", name))
		}
		if err != nil {
			return nil, fmt.Errorf("mysqltest: %w", err)
		}
		script = append(script, text...)
	}
	return script, nil
}

// make runs the server once to make its files.
func (s *Server) make(input []byte, mode string) error {
	cmd := exec.Command(s.path, append(s.basic(), mode)...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mysqltest: make the files of %s: %w\n%s", s.path, err, out)
	}
	return nil
}

// certificates writes a fresh authority and a server certificate of its.
func (s *Server) certificates() error {
	ca, caKey, err := certify(&x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "mysqltest"},
	}, nil, nil)
	if err != nil {
		return err
	}
	server, key, err := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: ca.Raw}, "cert.pem": {Type: "CERTIFICATE", Bytes: server.Raw},
		"key.pem": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(s.file(name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// certify signs a certificate for a fresh key; without a parent, by itself.
func certify(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, signer = template, key
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}
