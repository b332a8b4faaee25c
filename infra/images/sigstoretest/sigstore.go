// Package sigstoretest is what stands behind a signature without a key, on this
// machine and for tests: GitHub, which says of a job what it is, and Sigstore: the
// authority that gives the job a certificate for that, the log that keeps what was
// signed, and the repository that says whom to trust. A real cosign speaks to it
// as to the public ones, and verifies all that it says.
package sigstoretest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Issuer is who vouches for jobs: GitHub's own name, though its tokens are made
// here.
const Issuer = "https://token.actions.githubusercontent.com"

// Sigstore is one that trusts nobody else's tokens, and that nobody else trusts.
type Sigstore struct {
	t   testing.TB
	url string
	// secret signs the tokens of jobs, ca the certificates, and sct and log what
	// the two logs say.
	secret       []byte
	ca, sct, log *ecdsa.PrivateKey
	root         *x509.Certificate
}

// Start starts one that ends with the test, and has each cosign trust it that the
// test starts.
func Start(t testing.TB) *Sigstore {
	t.Helper()
	s := &Sigstore{t: t, secret: []byte(rand.Text())}
	for _, key := range []**ecdsa.PrivateKey{&s.ca, &s.sct, &s.log} {
		var err error
		if *key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	s.root = s.authority()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	mux.HandleFunc("GET /token", s.token)
	mux.HandleFunc("POST /api/v2/signingCert", s.certify)
	mux.HandleFunc("POST /api/v1/log/entries", s.enter)
	files := s.repository()
	for name, text := range files {
		mux.HandleFunc("GET /tuf/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) })
	}
	root := filepath.Join(t.TempDir(), "root.json")
	if err := os.WriteFile(root, files["root.json"], 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TUF_MIRROR", s.url+"/tuf")
	t.Setenv("TUF_ROOT_JSON", root)
	t.Setenv("TUF_ROOT", t.TempDir())
	return s
}

// Job are the variables by which a job asks GitHub for its tokens. The subject is
// what it may sign in as, and workflow is where it is written:
// OWNER/NAME/.github/workflows/FILE@REF.
func (s *Sigstore) Job(subject, workflow string) map[string]string {
	who := url.Values{"sub": {subject}, "job_workflow_ref": {workflow}}
	return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": s.url + "/token?" + who.Encode(), "ACTIONS_ID_TOKEN_REQUEST_TOKEN": string(s.secret)}
}

// claims are what a token says of a job.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Workflow string `json:"job_workflow_ref"`
	Expires  int64  `json:"exp"`
}

// token is GitHub's answer to a job.
func (s *Sigstore) token(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "bearer "+string(s.secret) {
		http.Error(w, "this is no job's", http.StatusUnauthorized)
		return
	}
	text := s.json(claims{Issuer, r.FormValue("audience"), r.FormValue("sub"), r.FormValue("job_workflow_ref"), time.Now().Add(time.Minute).Unix()})
	body := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(text)
	s.answer(w, http.StatusOK, map[string]string{"value": body + "." + s.mac(body)})
}

func (s *Sigstore) mac(text string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// believed are the claims of a token that was made here for Sigstore.
func (s *Sigstore) believed(token string) (*claims, error) {
	i := strings.LastIndex(token, ".")
	if i < 0 || !hmac.Equal([]byte(token[i+1:]), []byte(s.mac(token[:i]))) {
		return nil, fmt.Errorf("the token %q was not made here", token)
	}
	_, body, _ := strings.Cut(token[:i], ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, err
	}
	c := &claims{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, err
	}
	if c.Audience != "sigstore" || time.Now().Unix() > c.Expires {
		return nil, fmt.Errorf("the token is for %q until %d", c.Audience, c.Expires)
	}
	return c, nil
}

func (s *Sigstore) json(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		s.t.Error(err)
	}
	return text
}

func (s *Sigstore) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(s.json(v))
}

// sign signs the hash of the text.
func (s *Sigstore) sign(key *ecdsa.PrivateKey, text []byte) []byte {
	hash := sha256.Sum256(text)
	signature, err := ecdsa.SignASN1(rand.Reader, key, hash[:])
	if err != nil {
		s.t.Error(err)
	}
	return signature
}

// public is the key's public half, as DER.
func (s *Sigstore) public(key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		s.t.Error(err)
	}
	return der
}
