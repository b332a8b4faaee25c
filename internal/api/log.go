package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"

	"padron"
)

// logAccess writes one line for each request. The route's pattern stands for
// the path: a raw path or query may hold what a caller should not have put
// there.
func (a *API) logAccess(c *call, status int, err error) {
	attrs := []slog.Attr{
		slog.String("method", knownMethod(c.r.Method)),
		slog.String("route", c.pattern),
		slog.Int("status", status),
		slog.Float64("duration_ms", float64(a.Now().Sub(c.start).Microseconds())/1000),
		slog.String("request_id", c.id),
		slog.String("principal", c.principal.ID),
	}
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", err.Error()))
	case err != nil:
		attrs = append(attrs, slog.String("code", string(padron.ErrorCode(err))))
		if e := (*padron.Error)(nil); status == http.StatusUnauthorized && errors.As(err, &e) && e.Err != nil {
			attrs = append(attrs, slog.String("cause", e.Err.Error())) // a token's id at most
		}
	case c.pattern == "/healthz" || c.pattern == "/readyz":
		level = slog.LevelDebug
	}
	a.Logger.LogAttrs(c.r.Context(), level, "request", attrs...)
}

// knownMethod returns the method if HTTP has it: any other text is the
// caller's.
func knownMethod(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}

// panicked turns a panic into an error for the log. The value is named by its
// type alone, unless it is the runtime's own: it may hold anything. The trace
// names functions and lines but no arguments.
func panicked(cause any) error {
	what := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Errorf("panic: %s at %s", what, strings.Join(trace(), " < "))
}

// trace returns the functions that led to a panic, the innermost first.
func trace() []string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var out []string
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			out = append(out, fmt.Sprintf("%s:%d", f.Function, f.Line))
		}
		if !more {
			return out
		}
	}
}
