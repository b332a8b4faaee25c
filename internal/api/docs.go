package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// docsPolicy lets the page use its one style sheet and nothing else: no script,
// no request to anywhere.
func docsPolicy() string {
	sum := sha256.Sum256([]byte(docsCSS))
	style := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return "default-src 'none'; style-src " + style + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// spec is the part of the OpenAPI document that the page shows.
type spec struct {
	Info struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Summary     string `json:"summary"`
		Description string `json:"description"`
	} `json:"info"`
	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"tags"`
	Paths      map[string]map[string]specOperation `json:"paths"`
	Components struct {
		Parameters map[string]specParameter `json:"parameters"`
		Responses  map[string]specResponse  `json:"responses"`
		Schemas    map[string]specSchema    `json:"schemas"`
	} `json:"components"`
}

type specOperation struct {
	ID          string                  `json:"operationId"`
	Tags        []string                `json:"tags"`
	Summary     string                  `json:"summary"`
	Description string                  `json:"description"`
	Roles       []string                `json:"x-roles"`
	Parameters  []specParameter         `json:"parameters"`
	Body        *specBody               `json:"requestBody"`
	Responses   map[string]specResponse `json:"responses"`
}

type specParameter struct {
	Ref         string         `json:"$ref"`
	Name        string         `json:"name"`
	In          string         `json:"in"`
	Required    bool           `json:"required"`
	Description string         `json:"description"`
	Schema      specSchema     `json:"schema"`
	Example     jsontext.Value `json:"example"`
}

type specBody struct {
	Content map[string]specMedia `json:"content"`
}

type specMedia struct {
	Schema  specSchema     `json:"schema"`
	Example jsontext.Value `json:"example"`
}

type specResponse struct {
	Ref         string               `json:"$ref"`
	Description string               `json:"description"`
	Content     map[string]specMedia `json:"content"`
}

type specSchema struct {
	Ref         string                `json:"$ref"`
	Type        string                `json:"type"`
	Format      string                `json:"format"`
	Description string                `json:"description"`
	Minimum     jsontext.Value        `json:"minimum"`
	Maximum     jsontext.Value        `json:"maximum"`
	MinLength   jsontext.Value        `json:"minLength"`
	MaxLength   jsontext.Value        `json:"maxLength"`
	Default     jsontext.Value        `json:"default"`
	Required    []string              `json:"required"`
	Properties  map[string]specSchema `json:"properties"`
	Items       *specSchema           `json:"items"`
	Examples    []jsontext.Value      `json:"examples"`
}

// renderDocs turns the OpenAPI document into a page for people.
func renderDocs(version string) ([]byte, error) {
	var s spec
	if err := json.Unmarshal(document, &s); err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	page, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, docsData{
		Title: s.Info.Title, Summary: s.Info.Summary, Description: s.Info.Description,
		APIVersion: s.Info.Version, Version: version,
		CSS:    template.CSS(docsCSS), //nolint:gosec // our own style sheet
		Groups: s.groups(), Problems: problemKinds(), Schemas: s.schemas(),
	})
	return b.Bytes(), err
}

// ref returns what stands behind the last slash of a reference.
func ref(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// sorted yields a map's values with their keys in order.
func sorted[V any](m map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
