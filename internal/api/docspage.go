package api

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"padron"
)

// docsData is what docs.html shows.
type docsData struct {
	Title, Summary, Description string
	APIVersion, Version         string
	CSS                         template.CSS
	Groups                      []docsGroup
	Problems                    []docsProblem
	Schemas                     []docsSchema
}

type docsGroup struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Roles, Curl                            string
	Parameters                             []docsParameter
	Body, Answer                           docsMedia
	Responses                              []docsResponse
}

type docsParameter struct {
	Name, In, Type, Bounds, Description string
	Required                            bool
}

type docsMedia struct{ Schema, Example string }

type docsResponse struct{ Status, Description, Schema string }

type docsProblem struct {
	Code   string
	Status int
	Title  string
}

type docsSchema struct {
	Name, Description, Example string
	Members                    []docsParameter
}

// groups returns the operations by tag, in the order of the tags.
func (s *spec) groups() []docsGroup {
	var out []docsGroup
	for _, tag := range s.Tags {
		g := docsGroup{Name: tag.Name, Description: tag.Description}
		for path, item := range sorted(s.Paths) {
			for method, op := range sorted(item) {
				if slices.Contains(op.Tags, tag.Name) {
					g.Operations = append(g.Operations, s.operation(strings.ToUpper(method), path, op))
				}
			}
		}
		out = append(out, g)
	}
	return out
}

func (s *spec) operation(method, path string, op specOperation) docsOperation {
	out := docsOperation{
		ID: op.ID, Method: method, Path: path, Summary: op.Summary, Description: op.Description,
		Roles: strings.Join(op.Roles, ", "),
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, s.parameter(p))
	}
	if op.Body != nil {
		out.Body = s.media(op.Body.Content["application/json"])
	}
	for status, r := range sorted(op.Responses) {
		out.Responses = append(out.Responses, s.response(status, r))
	}
	out.Answer = s.media(op.Responses["200"].Content["application/json"])
	out.Curl = s.curl(out, op)
	return out
}

func (s *spec) parameter(p specParameter) docsParameter {
	if p.Ref != "" {
		p = s.Components.Parameters[ref(p.Ref)]
	}
	out := p.Schema.member(p.Name, s)
	out.In, out.Required, out.Description = p.In, p.Required, p.Description
	return out
}

func (s *spec) response(status string, r specResponse) docsResponse {
	if r.Ref != "" {
		r = s.Components.Responses[ref(r.Ref)]
	}
	out := docsResponse{Status: status, Description: r.Description}
	for _, media := range sorted(r.Content) {
		out.Schema = ref(media.Schema.Ref)
	}
	return out
}

// media returns the schema and the example of a body; the schema's own example
// stands in for one that is missing.
func (s *spec) media(m specMedia) docsMedia {
	name := ref(m.Schema.Ref)
	example := m.Example
	if all := s.Components.Schemas[name].Examples; example == nil && len(all) > 0 {
		example = all[0]
	}
	return docsMedia{Schema: name, Example: indented(example)}
}

func indented(v jsontext.Value) string {
	v = v.Clone()
	if len(v) == 0 || v.Indent(jsontext.WithIndent("  ")) != nil {
		return ""
	}
	return string(v)
}

// curl returns a command to try the operation with.
func (s *spec) curl(out docsOperation, op specOperation) string {
	path := out.Path
	for _, p := range op.Parameters {
		if p := s.Components.Parameters[ref(p.Ref)]; p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", strings.Trim(string(p.Example), `"`))
		}
	}
	lines := []string{`curl --fail-with-body "$PADRON` + path + `"`}
	if len(op.Roles) > 0 {
		lines = append(lines, `--header "Authorization: Bearer $TOKEN"`)
	}
	if op.Body != nil {
		example := s.Components.Schemas[out.Body.Schema].Examples[0].Clone()
		if example.Compact() == nil {
			lines = append(lines, `--json '`+string(example)+`'`)
		}
	}
	return strings.Join(lines, " \\\n  ")
}

// member describes one schema in a table: its type and its bounds.
func (v specSchema) member(name string, s *spec) docsParameter {
	description := v.Description
	if v.Ref != "" {
		v = s.Components.Schemas[ref(v.Ref)]
		description = cmp.Or(description, v.Description)
	}
	out := docsParameter{Name: name, Type: v.Type, Description: description, Bounds: v.bounds()}
	if v.Format != "" {
		out.Type += ", " + v.Format
	}
	if v.Items != nil {
		out.Type += " of " + cmp.Or(ref(v.Items.Ref), v.Items.Type)
	}
	return out
}

func (v specSchema) bounds() string {
	var parts []string
	add := func(label string, value jsontext.Value) {
		if value != nil {
			parts = append(parts, fmt.Sprintf("%s %s", label, value))
		}
	}
	add("from", v.Minimum)
	add("to", v.Maximum)
	add("at least", v.MinLength)
	add("at most", v.MaxLength)
	add("default", v.Default)
	return strings.Join(parts, ", ")
}

// schemas returns the bodies, without the building blocks they are made of.
func (s *spec) schemas() []docsSchema {
	var out []docsSchema
	for name, v := range sorted(s.Components.Schemas) {
		if v.Properties == nil {
			continue
		}
		d := docsSchema{Name: name, Description: v.Description}
		if len(v.Examples) > 0 {
			d.Example = indented(v.Examples[0])
		}
		for member, schema := range sorted(v.Properties) {
			m := schema.member(member, s)
			m.Required = slices.Contains(v.Required, member)
			d.Members = append(d.Members, m)
		}
		out = append(out, d)
	}
	return out
}

// problemKinds lists the codes of problems; their types point at this list.
func problemKinds() []docsProblem {
	var out []docsProblem
	for _, code := range []padron.Code{
		padron.CodeUnauthenticated, padron.CodeForbidden, padron.CodeNotFound, padron.CodeInvalid,
		padron.CodeTooLarge, padron.CodeUnavailable, padron.CodeInternal,
	} {
		out = append(out, docsProblem{Code: string(code), Status: status(code)})
	}
	for _, r := range []*refusal{errNotAcceptable, errMediaType, rateLimited(0), methodNotAllowed("")} {
		out = append(out, docsProblem{Code: r.code, Status: r.status})
	}
	for i := range out {
		out[i].Title = http.StatusText(out[i].Status)
	}
	slices.SortFunc(out, func(a, b docsProblem) int { return cmp.Compare(a.Status, b.Status) })
	return out
}
