package api

import (
	_ "embed"
	"net/http"
	"slices"
)

//go:embed openapi.json
var document []byte

// OpenAPI returns the OpenAPI 3.1 document of the API, as JSON. It is written
// by hand, and the tests hold it against what the API really answers.
func OpenAPI() []byte { return slices.Clone(document) }

func (a *API) openAPI(*call) (response, error) { return ok(document), nil }

func (a *API) docsPage(c *call) (response, error) {
	c.w.Header().Set("Content-Security-Policy", docsPolicy())
	return response{status: http.StatusOK, contentType: "text/html; charset=utf-8", body: a.docs}, nil
}
