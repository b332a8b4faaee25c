// Package check looks at a running padron as its consumers do, on the inside of
// the network: whether its name leads to private addresses, who it answers, how
// it encrypts, which fields each role gets, and what the synchronizer's runs
// tell of the provider. It changes nothing; what it asks with a
// token stands in the audit log like any request.
package check

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"time"

	"padron"
	"padron/internal/access"
)

// Options say what to check.
type Options struct {
	// URL is the service's address, such as https://padron.corp.example.
	URL string
	// Tokens are one for each role that is to be checked.
	Tokens map[padron.Role]padron.Sensitive
	// Database is a host and port that must not be reachable from here; "" is
	// not checked.
	Database string
	// Release is the version that must be running; "" is any one.
	Release string
	// Released is when that version was released: the synchronizer, which is seen
	// in its runs alone, need not have had it before.
	Released time.Time
	// MaxAge is how old the last completed run may be.
	MaxAge time.Duration
	// Resolve looks a name up; nil asks this machine's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Outcome says how a check ended.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// Skipped: for the result's reason.
	Skipped Outcome = "skipped"
)

// Reason says why a check was skipped; "" for one that was not.
type Reason string

// The reasons.
const (
	// NotGiven: whoever called gave no token or address for it.
	NotGiven Reason = "not_given"
	// TooEarly: what would show it has not happened yet.
	TooEarly Reason = "too_early"
)

// Result is one check, and what was seen.
type Result struct {
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
	Reason  Reason  `json:"reason,omitempty"`
}

// askTime bounds one question: a connection, a lookup, a request.
const askTime = 10 * time.Second

// checker is one pass over a service.
type checker struct {
	Options
	policy *access.Policy
	base   *url.URL
	port   string
	addrs  []netip.Addr
	// versions are those that answered.
	versions map[string]bool
	// names are the names of the tokens, as the service knows them.
	names map[padron.Role]string
	// empty is that the last list of customers had none.
	empty   bool
	results []Result
}

// Run does every check and returns them in order. Its own error is about the
// options.
func Run(ctx context.Context, o Options) ([]Result, error) {
	c, err := newChecker(o)
	if err != nil {
		return nil, err
	}
	// Tokens go to no stranger, and in clear to this machine alone: where a
	// question shows that they would, none follows.
	if c.name(ctx) && c.reachable(ctx) && c.encryption(ctx) {
		for _, step := range []func(context.Context){c.health, c.closed, c.roles, c.runs, c.release} {
			step(ctx)
		}
	}
	c.database(ctx)
	return c.results, nil
}

func newChecker(o Options) (*checker, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil || base.RawQuery != "" {
		return nil, padron.Invalid("URL", "want the service's address, such as https://padron.corp.example")
	}
	if o.Database != "" {
		if _, _, err := net.SplitHostPort(o.Database); err != nil {
			return nil, padron.Invalid("--database", "%q is not HOST:PORT", o.Database)
		}
	}
	policy, err := access.NewPolicy()
	if err != nil {
		return nil, err
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	c := &checker{Options: o, policy: policy, base: base, port: base.Port(), versions: map[string]bool{}, names: map[padron.Role]string{}}
	if c.port == "" {
		c.port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	return c, nil
}

func (c *checker) add(check string, outcome Outcome, detail string) {
	c.results = append(c.results, Result{Check: check, Outcome: outcome, Detail: detail})
}

// skip adds a check that was not made.
func (c *checker) skip(check string, why Reason, detail string) {
	c.results = append(c.results, Result{check, Skipped, detail, why})
}

// judge adds a check that fails with what is wrong, or passes with what was seen.
func (c *checker) judge(check string, wrong error, seen string) {
	if wrong != nil {
		c.add(check, Failed, wrong.Error())
		return
	}
	c.add(check, Passed, seen)
}
