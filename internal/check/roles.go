package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"padron"
)

// maxDigits is how many digits of a masked field may be seen (PCI DSS 3.4.1).
const maxDigits = 4

// roles checks each role that there is a token for.
func (c *checker) roles(ctx context.Context) {
	for _, role := range padron.Roles() {
		check := "role " + string(role)
		if c.Tokens[role] == "" {
			c.skip(check, NotGiven, "no token was given")
			continue
		}
		wrong := errors.Join(c.me(ctx, role), c.customers(ctx, role), c.actions(ctx, role))
		c.judge(check, firstLine(wrong), c.summary(role))
	}
}

// summary says what a role sees, by the policy that was found to hold.
func (c *checker) summary(role padron.Role) string {
	fields := len(c.visible(role))
	if fields == 0 {
		return "no field of a customer; what it may do, and nothing else"
	}
	seen := fmt.Sprintf("%d of %d fields, the others refused; what it may do, and nothing else", fields, padron.NumFields)
	if c.empty {
		seen += "; no customer is there to be looked at"
	}
	return seen
}

// visible are the names of the fields that a role sees.
func (c *checker) visible(role padron.Role) []string {
	names := []string{}
	for _, f := range c.policy.Disclosures(role).Visible() {
		names = append(names, f.String())
	}
	return names
}

// me checks what the service itself says of the role.
func (c *checker) me(ctx context.Context, role padron.Role) error {
	var me struct {
		Principal struct {
			Name string `json:"name"`
		} `json:"principal"`
		Role    padron.Role `json:"role"`
		Fields  []string    `json:"fields"`
		Version string      `json:"version"`
	}
	if err := c.want(ctx, http.StatusOK, c.Tokens[role], http.MethodGet, "/v1/me", "", &me); err != nil {
		return err
	}
	if me.Version != "" {
		c.versions[me.Version] = true
	}
	c.names[role] = me.Principal.Name
	if me.Role != role {
		return fmt.Errorf("the token is of the role %q", me.Role)
	}
	if want := c.visible(role); !slices.Equal(me.Fields, want) {
		return fmt.Errorf("it sees the fields %v, want %v", me.Fields, want)
	}
	return nil
}

// customers checks the fields of a real customer, and that every other field is
// refused by name.
func (c *checker) customers(ctx context.Context, role padron.Role) error {
	if !c.policy.Allows(role, padron.ActionList) {
		return nil // actions sees that it is refused
	}
	var page struct {
		Customers []map[string]json.RawMessage `json:"customers"`
	}
	if err := c.want(ctx, http.StatusOK, c.Tokens[role], http.MethodGet, "/v1/customers?page_size=1", "", &page); err != nil {
		return err
	}
	c.empty = len(page.Customers) == 0
	var wrong error
	for _, customer := range page.Customers {
		wrong = errors.Join(wrong, c.view(role, customer))
	}
	for f := range padron.Field(padron.NumFields) {
		if c.policy.Disclosures(role)[f] == padron.Hidden {
			path := "/v1/customers?page_size=1&fields=" + f.String()
			wrong = errors.Join(wrong, c.want(ctx, http.StatusForbidden, c.Tokens[role], http.MethodGet, path, "", nil))
		}
	}
	return wrong
}

// view checks one customer's fields. It tells names and never a value.
func (c *checker) view(role padron.Role, customer map[string]json.RawMessage) error {
	names, want := slices.Sorted(maps.Keys(customer)), c.visible(role)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		return fmt.Errorf("a customer has the fields %v, want %v", names, want)
	}
	for f, d := range c.policy.Disclosures(role) {
		name := padron.Field(f).String()
		if d == padron.Masked && digits(string(customer[name])) > maxDigits {
			return fmt.Errorf("%s shows more than %d digits", name, maxDigits)
		}
	}
	return nil
}

func digits(s string) int {
	return len(s) - len(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s))
}

// actions are requests for each action that a role may or may not do. None shows
// a customer: the search is for a name that nobody has, and the reveal of somebody
// who is not there.
var actions = []struct {
	action             padron.Action
	method, path, body string
}{
	{padron.ActionList, http.MethodGet, "/v1/customers?page_size=1&fields=id", ""},
	{padron.ActionSearch, http.MethodPost, "/v1/customers/search", `{"user_name":"padron check"}`},
	{padron.ActionRuns, http.MethodGet, "/v1/runs", ""},
	{padron.ActionQuarantine, http.MethodGet, "/v1/quarantine", ""},
	{padron.ActionAudit, http.MethodGet, "/v1/audit?page_size=1", ""},
	{padron.ActionReveal, http.MethodPost, "/v1/customers/padron-check/reveal", `{"fields":["card_number"],"purpose":"padron check: must be refused"}`},
}

// actions checks what a role may do and what not. Nothing is revealed: where a
// role may, nobody asks, unless with a token that must be refused all the same.
func (c *checker) actions(ctx context.Context, role padron.Role) error {
	var wrong error
	for _, a := range actions {
		allowed := c.policy.Allows(role, a.action)
		if allowed && a.action == padron.ActionReveal {
			if c.names[role] != padron.CheckToken {
				continue
			}
			allowed = false
		}
		status := http.StatusForbidden
		if allowed {
			status = http.StatusOK
		}
		wrong = errors.Join(wrong, c.want(ctx, status, c.Tokens[role], a.method, a.path, a.body, nil))
	}
	return wrong
}
