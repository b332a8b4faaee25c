package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"padron"
)

// maxAnswer bounds the part of an answer that is read, in bytes.
const maxAnswer = 4 << 20

// ask sends one request and decodes a JSON answer into out, if that is not nil.
// It returns the status.
func (c *checker) ask(ctx context.Context, token padron.Sensitive, method, path, body string, out any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Expose())
	}
	client := &http.Client{
		Transport:     &http.Transport{DialContext: c.dial, DisableKeepAlives: true}, // no proxy: it is asked from here
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("no answer: %w", errors.Unwrap(err)) // without the address again
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && out != nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return 0, errors.New("the answer cannot be read") // it may hold customers
	}
	return resp.StatusCode, nil
}

// want asks and returns an error where the status is another one.
func (c *checker) want(ctx context.Context, status int, token padron.Sensitive, method, path, body string, out any) error {
	got, err := c.ask(ctx, token, method, path, body, out)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if got != status {
		return fmt.Errorf("%s %s answers %d, want %d", method, path, got, status)
	}
	return nil
}

func (c *checker) health(ctx context.Context) {
	for _, p := range []struct{ check, path string }{{"health", "/healthz"}, {"ready", "/readyz"}} {
		c.judge(p.check, c.want(ctx, http.StatusOK, "", http.MethodGet, p.path, "", nil), p.path+" answers 200")
	}
}

// guarded are requests that nobody may make without a credential.
var guarded = []struct{ method, path, body string }{
	{http.MethodGet, "/v1/me", ""},
	{http.MethodGet, "/v1/customers", ""},
	{http.MethodGet, "/v1/customers/1", ""},
	{http.MethodPost, "/v1/customers/search", `{"user_name":"padron check"}`},
	{http.MethodPost, "/v1/customers/1/reveal", `{"fields":["card_number"],"purpose":"padron check: must be refused"}`},
	{http.MethodGet, "/v1/runs", ""},
	{http.MethodGet, "/v1/quarantine", ""},
	{http.MethodGet, "/v1/audit", ""},
}

// closed checks that strangers get nothing: no credential, and an invented one.
func (c *checker) closed(ctx context.Context) {
	var wrong error
	for _, token := range []padron.Sensitive{"", "not-a-token"} {
		for _, r := range guarded {
			if err := c.want(ctx, http.StatusUnauthorized, token, r.method, r.path, r.body, nil); err != nil {
				wrong = errors.Join(wrong, err)
			}
		}
	}
	c.judge("closed", firstLine(wrong), fmt.Sprintf("%d requests without a valid credential answer 401", 2*len(guarded)))
}

// firstLine keeps the first of several errors.
func firstLine(err error) error {
	if err == nil {
		return nil
	}
	first, rest, more := strings.Cut(err.Error(), "\n")
	if more {
		first += fmt.Sprintf(" (and %d more)", 1+strings.Count(rest, "\n"))
	}
	return errors.New(first)
}

// release checks that one version answers, and the right one.
func (c *checker) release(context.Context) {
	seen := slices.Sorted(maps.Keys(c.versions))
	var wrong error
	switch {
	case len(seen) == 0:
		c.skip("version", NotGiven, "wants a token of any role")
		return
	case len(seen) > 1:
		wrong = fmt.Errorf("%s answer: is a deployment under way?", strings.Join(seen, " and "))
	case c.Release != "" && seen[0] != c.Release:
		wrong = fmt.Errorf("%s is running, want %s", seen[0], c.Release)
	}
	c.judge("version", wrong, strings.Join(seen, ""))
}
