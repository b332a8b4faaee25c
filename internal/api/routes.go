package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"padron"
)

// route is one operation. An empty action needs no credential.
type route struct {
	method  string
	pattern string
	action  padron.Action
	serve   func(*API, *call) (response, error)
}

// routes is the table of all that the API does. GET serves HEAD as well.
func routes() []route {
	return []route{
		{http.MethodGet, "/v1/me", padron.ActionMe, (*API).me},
		{http.MethodGet, "/v1/customers", padron.ActionList, (*API).listCustomers},
		{http.MethodGet, customerPattern, padron.ActionGet, (*API).getCustomer},
		{http.MethodPost, searchPattern, padron.ActionSearch, (*API).searchCustomers},
		{http.MethodPost, "/v1/customers/{id}/reveal", padron.ActionReveal, (*API).revealCustomer},
		{http.MethodGet, "/v1/runs", padron.ActionRuns, (*API).listRuns},
		{http.MethodGet, "/v1/runs/{id}", padron.ActionRuns, (*API).getRun},
		{http.MethodGet, "/v1/quarantine", padron.ActionQuarantine, (*API).listQuarantine},
		{http.MethodGet, "/v1/audit", padron.ActionAudit, (*API).listAudit},
		{http.MethodGet, "/healthz", "", (*API).health},
		{http.MethodGet, "/readyz", "", (*API).ready},
		{http.MethodGet, "/openapi.json", "", (*API).openAPI},
		{http.MethodGet, "/docs", "", (*API).docsPage},
	}
}

// methods are the routes of one pattern by method.
type methods map[string]route

// The pattern of one customer, and a path that it would hide.
const (
	customerPattern = "/v1/customers/{id}"
	searchPattern   = "/v1/customers/search"
)

// byPattern returns the routes of each pattern. Nothing keeps a customer from
// having the id "search": what is no search is about them.
func byPattern(table []route) map[string]methods {
	out := map[string]methods{}
	for _, rt := range table {
		if out[rt.pattern] == nil {
			out[rt.pattern] = methods{}
		}
		out[rt.pattern][rt.method] = rt
		if rt.method == http.MethodGet {
			out[rt.pattern][http.MethodHead] = rt
		}
	}
	for method, rt := range out[customerPattern] {
		if _, taken := out[searchPattern][method]; !taken {
			out[searchPattern][method] = rt
		}
	}
	return out
}

// allow is the value of an Allow header (RFC 9110 section 10.2.1).
func (m methods) allow() string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
