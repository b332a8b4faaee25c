package api

import (
	"net/http"

	"padron/internal/reader"
)

func (a *API) listCustomers(c *call) (response, error) {
	q := parseQuery(c.r.URL.RawQuery, "page_size", "page_token", "fields",
		"registered_from", "registered_to", "favorite_color", "car_type", "purchases_min", "purchases_max")
	in := reader.Query{Filter: q.filter(), PageSize: q.pageSize(), PageToken: q.pageToken(), Fields: q.fields()}
	if err := q.err(); err != nil {
		return a.refuse(c, err)
	}
	page, err := a.Reader.List(c.r.Context(), c.request(), in)
	if err != nil {
		return response{}, err
	}
	return customersPage(page)
}

func (a *API) getCustomer(c *call) (response, error) {
	q := parseQuery(c.r.URL.RawQuery, "fields")
	fields := q.fields()
	if err := q.err(); err != nil {
		return a.refuse(c, err)
	}
	view, err := a.Reader.Get(c.r.Context(), c.request(), c.r.PathValue("id"), fields)
	if err != nil {
		return response{}, err
	}
	resp, err := customer(view)
	if err != nil {
		return response{}, err
	}
	resp.etag = etag(resp.body)
	if matches(c.r.Header.Values("If-None-Match"), resp.etag) {
		return response{status: http.StatusNotModified, etag: resp.etag}, nil
	}
	return resp, nil
}

func (a *API) searchCustomers(c *call) (response, error) {
	q := parseQuery(c.r.URL.RawQuery, "fields")
	fields := q.fields()
	if err := q.err(); err != nil {
		return a.refuse(c, err)
	}
	body, err := decode(c, parseSearch)
	if err != nil {
		return a.refuse(c, err)
	}
	found, err := a.Reader.Search(c.r.Context(), c.request(), body.index, body.value, fields)
	if err != nil {
		return response{}, err
	}
	return searchResult(found)
}

func (a *API) revealCustomer(c *call) (response, error) {
	if err := c.noQuery(); err != nil {
		return a.refuse(c, err)
	}
	body, err := decode(c, parseReveal)
	if err != nil {
		return a.refuse(c, err)
	}
	view, err := a.Reader.Reveal(c.r.Context(), c.request(), c.r.PathValue("id"), body.fields, body.purpose)
	if err != nil {
		return response{}, err
	}
	return customer(view)
}
