package api

import (
	"net/http"
	"sync"
)

// The share of one principal in the places of [Config.MaxInFlight]: an eighth,
// and at least minShare.
const (
	shareOf  = 8
	minShare = 8
)

var errShare = &refusal{
	status: http.StatusTooManyRequests, code: codeRateLimited,
	detail: "as many requests of this credential are being served as may be at the same time; try again when one has ended",
	header: "Retry-After", value: "1",
}

// shares counts the requests of each principal that are being served, and
// bounds them: however slowly one sends its bodies, the others have places. It
// knows no more principals than there are such requests.
type shares struct {
	most int

	mu     sync.Mutex
	served map[string]int
}

func newShares(maxInFlight int) *shares {
	return &shares{most: max(minShare, maxInFlight/shareOf), served: map[string]int{}}
}

// take takes a place of the principal's, if one is left.
func (s *shares) take(principal string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served[principal] >= s.most {
		return false
	}
	s.served[principal]++
	return true
}

func (s *shares) giveBack(principal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served[principal]--; s.served[principal] == 0 {
		delete(s.served, principal)
	}
}
