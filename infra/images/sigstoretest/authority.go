package sigstoretest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The extensions of a certificate: who vouches for the identity, and what the log
// of certificates says of it (RFC 6962).
var (
	issuerExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	loggedExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

// authority is the certificate of the authority itself.
func (s *Sigstore) authority() *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	return s.issue(template, template, s.ca.Public())
}

func (s *Sigstore) issue(template, parent *x509.Certificate, public any) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, s.ca)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return certificate
}

// certify gives a job a certificate for its key: Fulcio's signingCert.
func (s *Sigstore) certify(w http.ResponseWriter, r *http.Request) {
	who, err := s.believed(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var asked struct {
		PublicKeyRequest struct{ PublicKey struct{ Content string } }
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	block, _ := pem.Decode([]byte(asked.PublicKeyRequest.PublicKey.Content))
	if block == nil {
		http.Error(w, "there is no key", http.StatusBadRequest)
		return
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var chain []string
	for _, c := range []*x509.Certificate{s.certificate(who, public), s.root} {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	s.answer(w, http.StatusOK, map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}})
}

// certificate is one for the job, logged.
func (s *Sigstore) certificate(who *claims, public any) *x509.Certificate {
	workflow, err := url.Parse("https://github.com/" + who.Workflow)
	if err != nil {
		s.t.Error(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		URIs: []*url.URL{workflow}, ExtraExtensions: []pkix.Extension{{Id: issuerExtension, Value: []byte(who.Issuer)}},
	}
	before := s.issue(template, s.root, public)
	list, err := asn1.Marshal(s.logged(before.RawTBSCertificate))
	if err != nil {
		s.t.Error(err)
	}
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: loggedExtension, Value: list})
	return s.issue(template, s.root, public)
}

// logged is the list of the one promise that the log of certificates gives: it
// signs the certificate as it is without the list.
func (s *Sigstore) logged(certificate []byte) []byte {
	now := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMilli()))
	issuer, id := sha256.Sum256(s.root.RawSubjectPublicKeyInfo), sha256.Sum256(s.public(s.sct))
	signed := append([]byte{0, 0}, now...)                                   // the first version, of a promise
	signed = append(append(signed, 0, 1), issuer[:]...)                      // of a certificate before it is issued
	size := binary.BigEndian.AppendUint32(nil, uint32(len(certificate)))[1:] //nolint:gosec // short
	signed = append(append(signed, size...), certificate...)
	signed = append(signed, 0, 0) // no extensions
	promise := append(append([]byte{0}, id[:]...), now...)
	promise = append(promise, 0, 0, 4, 3) // no extensions; SHA-256 and ECDSA
	promise = sized(promise, s.sign(s.sct, signed))
	return sized(nil, sized(nil, promise))
}

// sized appends the bytes behind how many they are.
func sized(to, bytes []byte) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(bytes))), bytes...) //nolint:gosec // short
}
