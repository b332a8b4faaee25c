package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"padron"
	"padron/internal/reader"
)

// call is one request on its way through the API.
type call struct {
	w         http.ResponseWriter
	r         *http.Request
	pattern   string
	id        string
	action    padron.Action
	principal padron.Principal
	start     time.Time
}

// response is an answer that is complete before its first byte leaves.
type response struct {
	status      int
	contentType string
	etag        string
	body        []byte
}

// endpoint serves one pattern: the route of the method, or the problem that
// there is none.
func (a *API) endpoint(pattern string, m methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, pattern: pattern, id: requestID(r), start: a.Now()}
		resp, err := a.answer(c, m) //nolint:contextcheck // a call carries its request, and that its context
		if err != nil {
			resp = c.problem(err)
		}
		c.write(resp)
		a.span(c, resp.status, err)
		a.logAccess(c, resp.status, err) //nolint:contextcheck // as above
	})
}

// answer finds the route and runs it. A panic ends as an error; nothing was
// written before.
func (a *API) answer(c *call, m methods) (resp response, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			resp, err = response{}, panicked(cause)
		}
	}()
	rt, ok := m[c.r.Method]
	switch {
	case m == nil:
		return response{}, errNoPath
	case !ok:
		return response{}, methodNotAllowed(m.allow())
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), a.RequestTimeout)
	defer cancel()
	c.r, c.action = c.r.WithContext(ctx), rt.action
	if c.pattern != rt.pattern { // see byPattern
		c.r.SetPathValue("id", path.Base(c.pattern))
		c.pattern = rt.pattern
	}
	if rt.action == "" {
		return rt.serve(a, c)
	}
	return a.guarded(c, rt)
}

// guarded runs a route that needs a principal. Who has shown none yet has no
// place among the requests in flight: the register's own connections bound how
// many credentials are looked up at once.
func (a *API) guarded(c *call, rt route) (response, error) {
	if err := a.identify(c); err != nil {
		return response{}, err
	}
	if err := a.limits.take(c.w.Header(), c.principal.ID, a.Now()); err != nil {
		return response{}, err
	}
	if !a.shares.take(c.principal.ID) {
		return response{}, errShare
	}
	defer a.shares.giveBack(c.principal.ID)
	select {
	case a.inFlight <- struct{}{}:
		defer func() { <-a.inFlight }()
	default:
		return response{}, errBusy
	}
	if err := a.admit(c); err != nil {
		return a.refuse(c, err)
	}
	return rt.serve(a, c)
}

// identify sets the principal. Two credentials are as good as none: which one
// counts would be a guess.
func (a *API) identify(c *call) error {
	headers := c.r.Header.Values("Authorization")
	if len(headers) > 1 {
		return padron.Errorf(padron.CodeUnauthenticated, "send one Authorization header")
	}
	p, err := a.Authenticator.Authenticate(c.r.Context(), c.r.Header.Get("Authorization"))
	c.principal = p
	return err
}

// admit checks what can be known before the handler reads anything.
func (a *API) admit(c *call) error {
	if err := a.Policy.Authorize(c.principal.Role, c.action); err != nil {
		return err
	}
	if !acceptsJSON(c.r.Header.Values("Accept")) {
		return errNotAcceptable
	}
	return nil
}

// refuse puts an attempt on the record that ended before it reached any data.
func (a *API) refuse(c *call, err error) (response, error) {
	_, err = audited(a, c, func(*padron.AuditEntry) (response, error) { return response{}, err })
	return response{}, err
}

// audited runs do and answers once the entry about it is durable.
func audited[T any](a *API, c *call, do func(*padron.AuditEntry) (T, error)) (T, error) {
	e := padron.AuditEntry{
		Principal: c.principal.ID, Role: c.principal.Role, Action: c.action, RequestID: c.id,
	}
	if id, err := padron.ParseCustomerID(c.r.PathValue("id")); err == nil && c.action != padron.ActionRuns {
		e.Customers = []padron.CustomerID{id}
	}
	return reader.Audited(c.r.Context(), a.Audit, e, do)
}

func (c *call) request() reader.Request {
	return reader.Request{Principal: c.principal, RequestID: c.id}
}

// write sends the response with the headers that every answer has.
func (c *call) write(resp response) {
	h := c.w.Header()
	setSecurityHeaders(h, c.r.TLS != nil)
	h.Set("X-Request-Id", c.id)
	if strings.HasPrefix(c.pattern, "/v1") {
		h.Set("Cache-Control", "no-store")
	}
	if resp.etag != "" {
		h.Set("ETag", resp.etag)
	}
	if resp.contentType != "" {
		h.Set("Content-Type", resp.contentType)
		h.Set("Content-Length", strconv.Itoa(len(resp.body)))
	}
	c.w.WriteHeader(resp.status)
	// A client that is gone cannot be told so; net/http ends the connection.
	_, _ = c.w.Write(resp.body)
}

// setSecurityHeaders sets what keeps a browser from making more of an answer
// than it is (OWASP REST Security Cheat Sheet). A page may have set its own
// Content-Security-Policy.
func setSecurityHeaders(h http.Header, tls bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	}
	if tls {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// maxRequestID is the bytes of a caller's request id.
const maxRequestID = 64

// requestIDPattern asks for a letter: digits alone may be a card number.
var requestIDPattern = regexp.MustCompile(`^[0-9._-]{0,63}[A-Za-z][A-Za-z0-9._-]{0,63}$`)

// requestID returns the caller's id of the request if it is fit for a log, or a
// new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); len(id) <= maxRequestID && requestIDPattern.MatchString(id) {
		return id
	}
	return rand.Text()
}

// tooLate reports whether err comes from a request that ran out of time or
// whose client is gone.
func tooLate(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
