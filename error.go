package padron

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Code says what kind of failure an [Error] is; the edges turn it into an HTTP
// status or an exit code.
type Code string

// The codes of an [Error].
const (
	CodeInternal        Code = "internal"
	CodeUnauthenticated Code = "unauthenticated"
	CodeForbidden       Code = "forbidden"
	CodeNotFound        Code = "not_found"
	CodeInvalid         Code = "invalid"
	CodeTooLarge        Code = "too_large"
	CodeUnavailable     Code = "unavailable"
)

// Error is a failure with a message that may be shown to the caller. Message
// never holds a personal value; Err is for the log only.
type Error struct {
	Code    Code
	Message string
	// Field names the parameter or field at fault, if there is one.
	Field string
	// Err is the cause, for the log; it is never shown to a caller.
	Err error
}

// Errorf returns an [Error] with a public message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns a [CodeInvalid] error about one named parameter or field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Error returns the public message, with the cause behind it.
func (e *Error) Error() string {
	msg := e.Message
	if e.Field != "" {
		msg = e.Field + ": " + msg
	}
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// LogValue implements [slog.LogValuer]: a log holds the cause, which
// [Error.MarshalJSON] would keep from it.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON writes what a caller may see: code, message and field.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
	}{e.Code, e.Message, e.Field})
}

// ErrorCode returns the code of the first [Error] in err's chain,
// [CodeInternal] if there is none, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// The errors that stores return and callers test with [errors.Is].
var (
	// ErrNotFound: no such customer, run, token, entry or key. Deleted and
	// unknown customers are the same to a caller.
	ErrNotFound = &Error{Code: CodeNotFound, Message: "not found"}
	// ErrLeaseHeld: another run holds the lease.
	ErrLeaseHeld = &Error{Code: CodeUnavailable, Message: "another run holds the lease"}
	// ErrLeaseLost: the lease expired and another run took it; nothing may be
	// written any more.
	ErrLeaseLost = &Error{Code: CodeUnavailable, Message: "the lease was lost to another run"}
	// ErrTaken: a customer is there under another number, as where two partitions
	// met somebody new at once; nothing was written.
	ErrTaken = &Error{Code: CodeUnavailable, Message: "a customer is in the register under another number"}
)
