package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"padron"
)

// problem is an error as callers see it (RFC 9457). Nothing in it is a value
// that the request held.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail"`
	Code      string  `json:"code"`
	RequestID string  `json:"request_id"`
	Field     string  `json:"field,omitempty"`
	Errors    []fault `json:"errors,omitempty"`
}

// fault is one thing that is wrong with a request, or one part that fails.
type fault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// refusal is an error that HTTP has a status for and the vocabulary has not.
type refusal struct {
	status int
	code   string
	detail string
	// header is one header the status calls for, with its value.
	header, value string
}

// Error returns the detail.
func (r *refusal) Error() string { return r.detail }

// Unwrap says what kind of error it is for the audit record.
func (r *refusal) Unwrap() error {
	if r.status == http.StatusServiceUnavailable {
		return padron.Errorf(padron.CodeUnavailable, "%s", r.detail)
	}
	return padron.Errorf(padron.CodeInvalid, "%s", r.detail)
}

var (
	errNoPath        = padron.Errorf(padron.CodeNotFound, "there is no such path; see /docs")
	errNotAcceptable = &refusal{
		status: http.StatusNotAcceptable, code: "not_acceptable",
		detail: "answers are application/json, which the Accept header excludes",
	}
	errMediaType = &refusal{
		status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
		detail: "the body must be application/json in UTF-8, without Content-Encoding",
		header: "Accept", value: "application/json",
	}
	errBusy = &refusal{
		status: http.StatusServiceUnavailable, code: string(padron.CodeUnavailable),
		detail: "too many requests are being served; try again",
		header: "Retry-After", value: "1",
	}
)

func methodNotAllowed(allow string) *refusal {
	return &refusal{
		status: http.StatusMethodNotAllowed, code: "method_not_allowed",
		detail: "the path knows " + allow, header: "Allow", value: allow,
	}
}

// codeRateLimited is the code of every 429.
const codeRateLimited = "rate_limited"

// rateLimited says when to come back, in seconds.
func rateLimited(wait int) *refusal {
	return &refusal{
		status: http.StatusTooManyRequests, code: codeRateLimited,
		detail: "more requests than this credential may send; wait as Retry-After says",
		header: "Retry-After", value: strconv.Itoa(max(1, wait)),
	}
}

// faults are all that is wrong with one request.
type faults []*padron.Error

// Error lists the faults.
func (f faults) Error() string {
	parts := make([]string, len(f))
	for i, e := range f {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap returns the faults one by one.
func (f faults) Unwrap() []error {
	out := make([]error, len(f))
	for i, e := range f {
		out[i] = e
	}
	return out
}

// err returns nil where there is no fault.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// problem turns an error into the answer about it. It is the one place where
// errors become HTTP.
func (c *call) problem(err error) response {
	p := describe(err)
	p.RequestID = c.id
	p.Title = http.StatusText(p.Status)
	p.Type = "/docs#" + p.Code
	var r *refusal
	if errors.As(err, &r) && r.header != "" {
		c.w.Header().Set(r.header, r.value)
	}
	if p.Status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="padron"`)
	}
	body, encodeErr := json.Marshal(p)
	if encodeErr != nil {
		// No text of ours fails to encode; an empty body tells the status.
		body = nil
	}
	return response{status: p.Status, contentType: "application/problem+json", body: body}
}

// describe says what a caller may know of err.
func describe(err error) problem {
	var r *refusal
	var list faults
	var e *padron.Error
	switch {
	case errors.As(err, &r):
		return problem{Status: r.status, Code: r.code, Detail: r.detail}
	case errors.As(err, &list):
		return describeFaults(list)
	case tooLate(err):
		return problem{Status: http.StatusServiceUnavailable, Code: string(padron.CodeUnavailable), Detail: "the request took too long; try again, or ask for less"}
	case errors.As(err, &e) && e.Code != padron.CodeInternal:
		return describeFaults(faults{e})
	}
	return problem{Status: http.StatusInternalServerError, Code: string(padron.CodeInternal), Detail: "something failed on our side; the log has it under this request id"}
}

func describeFaults(list faults) problem {
	p := problem{Status: status(list[0].Code), Code: string(list[0].Code), Field: list[0].Field}
	details := make([]string, len(list))
	for i, e := range list {
		details[i] = e.Message
		if e.Field == "" {
			continue
		}
		details[i] = e.Field + ": " + e.Message
		p.Errors = append(p.Errors, fault{e.Field, e.Message})
	}
	p.Detail = strings.Join(details, "; ")
	return p
}

func status(code padron.Code) int {
	switch code {
	case padron.CodeUnauthenticated:
		return http.StatusUnauthorized
	case padron.CodeForbidden:
		return http.StatusForbidden
	case padron.CodeNotFound:
		return http.StatusNotFound
	case padron.CodeInvalid:
		return http.StatusUnprocessableEntity
	case padron.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case padron.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
