package padron_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"padron"
)

func TestErrorCode(t *testing.T) {
	inner := padron.Errorf(padron.CodeForbidden, "no")
	tests := []struct {
		err  error
		want padron.Code
	}{
		{nil, ""},
		{io.EOF, padron.CodeInternal},
		{inner, padron.CodeForbidden},
		{fmt.Errorf("reading: %w", inner), padron.CodeForbidden},
		{errors.Join(io.EOF, inner), padron.CodeForbidden},
		{&padron.Error{Code: padron.CodeTooLarge, Err: inner}, padron.CodeTooLarge},
		{padron.Invalid("id", "is empty"), padron.CodeInvalid},
		{padron.ErrNotFound, padron.CodeNotFound},
		{fmt.Errorf("run: %w", padron.ErrLeaseHeld), padron.CodeUnavailable},
		{padron.ErrLeaseLost, padron.CodeUnavailable},
	}
	for _, tt := range tests {
		if got := padron.ErrorCode(tt.err); got != tt.want {
			t.Errorf("%v: code %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("table customers is locked")
	tests := []struct {
		err        *padron.Error
		text, json string
	}{
		{padron.Errorf(padron.CodeInternal, "run %d failed", 7), "run 7 failed", `{"code":"internal","message":"run 7 failed"}`},
		{padron.Invalid("page_size", "want 1 to %d", 9), "page_size: want 1 to 9", `{"code":"invalid","message":"want 1 to 9","field":"page_size"}`},
		{
			&padron.Error{Code: padron.CodeUnavailable, Message: "try again", Err: cause},
			"try again: table customers is locked", `{"code":"unavailable","message":"try again"}`,
		},
	}
	for _, tt := range tests {
		data, err := json.Marshal(tt.err)
		if tt.err.Error() != tt.text || err != nil || string(data) != tt.json {
			t.Errorf("got %q and %s %v, want %q and %s", tt.err.Error(), data, err, tt.text, tt.json)
		}
	}
	if wrapped := (&padron.Error{Err: cause}); !errors.Is(wrapped, cause) || errors.Is(padron.ErrLeaseHeld, padron.ErrLeaseLost) {
		t.Error("errors.Is is wrong about causes")
	}
}

// TestErrorInLogs: a log holds the cause, in either format; what a caller gets
// does not.
func TestErrorInLogs(t *testing.T) {
	err := &padron.Error{Code: padron.CodeInternal, Message: "the store failed", Err: errors.New("disk full")}
	for name, handler := range map[string]func(io.Writer, *slog.HandlerOptions) slog.Handler{
		"text": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		"json": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		var log bytes.Buffer
		slog.New(handler(&log, nil)).Error("m", "err", err)
		if !strings.Contains(log.String(), "the store failed: disk full") {
			t.Errorf("%s: %s", name, log.String())
		}
	}
	if data, _ := json.Marshal(map[string]any{"error": err}); strings.Contains(string(data), "disk") {
		t.Errorf("a caller gets %s", data)
	}
}

// TestPublicMessagesHoldNothingPersonal: not even of somebody who formats a
// customer into one, and not of the cause.
func TestPublicMessagesHoldNothingPersonal(t *testing.T) {
	const canary = "Canary Peña 4111"
	r := with(padron.FieldUserName, text(canary))
	c, _, reasons := r.Validate()
	if len(reasons) > 0 {
		t.Fatal(reasons)
	}
	for _, v := range []any{c, &c, c.Personal, r, *r, c.Personal.UserName, []padron.Customer{c}, map[string]any{"c": r}} {
		for _, err := range []*padron.Error{
			padron.Errorf(padron.CodeInvalid, "cannot use %v %+v %#v", v, v, v),
			padron.Invalid("user_name", "%s %q", v, v),
			{Code: padron.CodeInternal, Message: "failed", Err: fmt.Errorf("customer %v: %w", v, io.EOF)},
			{Code: padron.CodeInternal, Message: "failed", Err: errors.New(canary)},
		} {
			data, jsonErr := json.Marshal(err)
			if jsonErr != nil || bytes.Contains(data, []byte("Canary")) {
				t.Errorf("%T: %s %v", v, data, jsonErr)
			}
			if err.Err == nil && strings.Contains(err.Error(), "Canary") {
				t.Errorf("%T: %s", v, err)
			}
		}
	}
}

// TestReasonsHoldNoValue: whatever is wrong with a value, the reason does not
// repeat it.
func TestReasonsHoldNoValue(t *testing.T) {
	for _, f := range padron.Fields() {
		for _, kind := range []padron.Kind{padron.KindText, padron.KindNumber, padron.KindBool, padron.KindOther} {
			_, warnings, reasons := with(f, padron.Value{Kind: kind, Text: padron.Sensitive("canary\x00" + strings.Repeat("x", 3000))}).Validate()
			if said := fmt.Sprint(reasons, warnings); len(reasons) == 0 || strings.Contains(said, "canary") {
				t.Errorf("%s as %s: %s", f, kind, said)
			}
		}
	}
}
