package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// acceptsJSON reports whether Accept headers let application/json through: the
// most specific range that covers it decides (RFC 9110 section 12.5.1). No
// header accepts everything; a range that cannot be read covers nothing.
func acceptsJSON(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	best, accepted := -1, false
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		rank, ok := coversJSON(part)
		if rank > best || rank == best && ok {
			best, accepted = rank, ok
		}
	}
	return accepted
}

// coversJSON returns how specific a media range is about application/json, -1
// if it does not cover it, and whether it lets it through.
func coversJSON(part string) (rank int, accepted bool) {
	mediaRange, params, err := mime.ParseMediaType(part)
	if err != nil {
		return -1, false
	}
	ranks := map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}
	rank, covers := ranks[mediaRange]
	if !covers {
		return -1, false
	}
	quality, weighted := params["q"]
	if !weighted {
		return rank, true
	}
	q, err := strconv.ParseFloat(quality, 64)
	return rank, err == nil && q > 0
}

// isJSON reports whether a request says that its body is plain JSON in UTF-8.
func isJSON(h http.Header) bool {
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || h.Get("Content-Encoding") != "" {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}
