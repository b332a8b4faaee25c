package cli

import (
	"log"
	"log/slog"
)

// libraries takes what libraries write to the standard logger. They may quote
// there what was sent to them: net/http, for one, quotes what a provider sends
// after the end of an answer, which may be a customer. So it is told that there
// was something, and not what.
type libraries struct{ logger *slog.Logger }

// Write implements [io.Writer].
func (l libraries) Write(p []byte) (int, error) {
	l.logger.Warn("a library's message is withheld, as it may quote what it was sent", "bytes", len(p))
	return len(p), nil
}

// quiet makes the standard logger's lines ones of the logger, without their text.
func quiet(logger *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(libraries{logger})
}
