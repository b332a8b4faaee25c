package api

import (
	"container/list"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets bounds how many principals are counted at the same time. The one
// unseen for longest makes room; its bucket is full again when it returns.
const maxBuckets = 10_000

// limits gives each principal a token bucket.
type limits struct {
	perSecond rate.Limit
	burst     int
	capacity  int

	mu      sync.Mutex
	buckets map[string]*list.Element
	recent  *list.List // of bucket, the latest first
}

type bucket struct {
	principal string
	limiter   *rate.Limiter
}

// newLimits returns limits of perSecond requests a second, with bursts of one
// second's worth, at least one request; 0 is no limit.
func newLimits(perSecond float64) *limits {
	return &limits{
		perSecond: rate.Limit(perSecond),
		burst:     int(math.Max(1, math.Ceil(perSecond))),
		capacity:  maxBuckets,
		buckets:   map[string]*list.Element{},
		recent:    list.New(),
	}
}

// take takes one request out of the principal's bucket and tells in the
// headers what is left (draft-ietf-httpapi-ratelimit-headers). An empty bucket
// is a problem 429.
func (l *limits) take(h http.Header, principal string, now time.Time) error {
	if l.perSecond == 0 {
		return nil
	}
	limiter := l.bucket(principal)
	allowed := limiter.AllowN(now, 1)
	tokens := math.Max(0, limiter.TokensAt(now))
	h.Set("RateLimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, l.burst, l.seconds(float64(l.burst))))
	h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, int(tokens), l.seconds(float64(l.burst)-tokens)))
	if allowed {
		return nil
	}
	return rateLimited(l.seconds(1 - tokens))
}

// seconds returns how long it takes to earn so many requests, rounded up.
func (l *limits) seconds(requests float64) int {
	return int(math.Ceil(requests / float64(l.perSecond)))
}

func (l *limits) bucket(principal string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.buckets[principal]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket).limiter //nolint:forcetypeassert // the list holds nothing else
	}
	if l.recent.Len() >= l.capacity {
		oldest := l.recent.Remove(l.recent.Back()).(*bucket) //nolint:forcetypeassert // as above
		delete(l.buckets, oldest.principal)
	}
	b := &bucket{principal, rate.NewLimiter(l.perSecond, l.burst)}
	l.buckets[principal] = l.recent.PushFront(b)
	return b.limiter
}
