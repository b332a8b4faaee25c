package observe

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// checkTime bounds all checks of one request.
const checkTime = 5 * time.Second

// Health answers 200 while every check, by its part's name, returns nil, and
// else 503 with a problem document (RFC 9457) that names the failing parts. Why
// they fail is for the log.
func Health(logger *slog.Logger, checks map[string]func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTime)
		defer cancel()
		var failing []string
		for _, name := range slices.Sorted(maps.Keys(checks)) {
			if err := checks[name](ctx); err != nil {
				failing = append(failing, name)
				logger.ErrorContext(ctx, "not healthy", "part", name, "error", err.Error())
			}
		}
		answer(w, failing)
	})
}

func answer(w http.ResponseWriter, failing []string) {
	status, kind, body := http.StatusOK, "application/json", any(map[string]string{"status": "ok"})
	if len(failing) > 0 {
		status, kind = http.StatusServiceUnavailable, "application/problem+json"
		body = map[string]any{
			"title": http.StatusText(status), "status": status, "code": "unavailable",
			"detail": "failing: " + strings.Join(failing, ", "),
		}
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may have gone
}
