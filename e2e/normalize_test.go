package e2e

import "regexp"

// volatile matches what differs from start to start in an answer.
var volatile = regexp.MustCompile(`("(?:request_id|id|next_page_token)":\s*")(token:[a-z0-9]+|[A-Za-z0-9._-]{16,})"`)

// normalize replaces what differs from start to start.
func normalize(body string) string { return volatile.ReplaceAllString(body, `${1}(varies)"`) }
