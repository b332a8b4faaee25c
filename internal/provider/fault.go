package provider

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"padron"
)

// fault is a try that failed. Its texts are this package's own: errors of the
// HTTP client and of the decoder may quote what the provider sent, and what it
// sent may be personal, so they are told apart here and dropped.
type fault struct {
	err *padron.Error
	// reason is one word, to count by.
	reason string
	// final: no later try would change it.
	final bool
}

// Error implements error.
func (f *fault) Error() string { return f.err.Error() }

// Unwrap returns the error that may be shown.
func (f *fault) Unwrap() error { return f.err }

func (c *Client) fault(reason, format string, args ...any) *fault {
	what := fmt.Sprintf(format, args...)
	return &fault{reason: reason, err: padron.Errorf(padron.CodeUnavailable, "the provider at %s: %s", c.where(), what)}
}

func final(f *fault) *fault {
	f.final = true
	return f
}

// public returns the error that may be shown.
func public(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return f.err
	}
	return err
}

// sendFault explains why a request got no answer.
func (c *Client) sendFault(err error) *fault {
	switch {
	case errors.Is(err, errSpent):
		return c.spent("the provider at " + c.where() + ": it asked to be left alone")
	case errors.Is(err, errForeignRedirect):
		return final(c.fault("redirect", "it redirects to another scheme, host or port, which is refused: check PADRON_PROVIDER_URL"))
	case errors.Is(err, errManyRedirects):
		return final(c.fault("redirect", "it redirects more than %d times: check PADRON_PROVIDER_URL", maxRedirects))
	}
	return c.connectionFault(err, "it does not answer in HTTP as it should")
}

// connectionFault tells the errors of a connection apart.
func (c *Client) connectionFault(err error, otherwise string) *fault {
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		op      *net.OpError
		timeout net.Error
	)
	switch {
	case errors.As(err, &dns):
		return c.fault("connect", "its name cannot be resolved: check PADRON_PROVIDER_URL")
	case errors.As(err, &cert):
		return c.fault("tls", "its certificate cannot be verified: check PADRON_PROVIDER_URL and the trusted authorities")
	case errors.Is(err, syscall.ECONNREFUSED):
		return c.fault("connect", "it refuses connections: check PADRON_PROVIDER_URL")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return c.fault("reset", "it broke the connection")
	case errors.As(err, &timeout) && timeout.Timeout():
		return c.fault("timeout", "it did not answer in time")
	case errors.As(err, &op) && op.Op == "dial":
		return c.fault("connect", "it cannot be reached")
	}
	return c.fault("protocol", "%s", otherwise)
}

// statusFault explains a status other than 200.
func (c *Client) statusFault(resp *http.Response) *fault {
	status := resp.StatusCode
	advice := ""
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		advice = ": check PADRON_PROVIDER_API_KEY"
	case http.StatusNotFound, http.StatusGone:
		advice = ": check PADRON_PROVIDER_URL"
	}
	f := c.fault(fmt.Sprintf("status_%d", status), "it answered %d %s%s", status, http.StatusText(status), advice)
	f.final = !mayPass(status)
	if !f.final {
		c.gate.shut(retryAfter(resp.Header.Get("Retry-After"), time.Now()))
	}
	return f
}

// isNotFound: the provider says that there is no such page.
func isNotFound(err error) bool {
	var f *fault
	return errors.As(err, &f) && (f.reason == "status_404" || f.reason == "status_410")
}

// mayPass: a later try may get another status.
func mayPass(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// bodyFault explains why a body could not be read as a list.
func (r *reading) bodyFault(err error) *fault {
	c := r.client
	var form formError
	switch {
	case errors.As(err, &form):
		return c.formFault(form)
	case errors.Is(err, errTooLarge):
		return final(c.fault("too_large", "its answer is larger than the limit"))
	case r.body.stalled():
		return c.fault("stalled", "its answer brought next to nothing for %v", c.cfg.StallTimeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return c.fault("truncated", "its answer ended in the middle")
	}
	return c.connectionFault(err, "its answer broke off")
}

// formFault is an answer that is no list; it may pass, as a gateway's page does.
func (c *Client) formFault(form formError) *fault { return c.fault(form.reason, "%s", form.what) }
