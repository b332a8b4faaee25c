package api

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"padron"
)

// object reads the body as one JSON object. Its faults are problems 413, 415
// and 422; none quotes what was sent.
func (c *call) object() (map[string]jsontext.Value, error) {
	if !isJSON(c.r.Header) {
		return nil, errMediaType
	}
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, MaxBody))
	if err != nil {
		return nil, bodyError(err)
	}
	return parseObject(data)
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &padron.Error{Code: padron.CodeTooLarge, Field: "body", Message: "is larger than 1 MiB"}
	}
	return padron.Invalid("body", "ended before it was complete")
}

// parseObject takes one JSON object apart; names given twice and invalid UTF-8
// are not JSON here (RFC 8259 sections 4 and 8.1).
func parseObject(data []byte) (map[string]jsontext.Value, error) {
	if jsontext.Value(data).Kind() != '{' {
		return nil, padron.Invalid("body", "want one JSON object")
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil {
		// The cause is left out: it quotes the text it stumbled over.
		return nil, padron.Invalid("body", "is not one well-formed JSON object with each name once")
	}
	return members, nil
}

// unknownMembers returns a fault for each member that is not known.
func unknownMembers(members map[string]jsontext.Value, known []string) faults {
	var out faults
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) {
			out = append(out, padron.Invalid(safeName(name, "body"), "unknown member; known are: %s", strings.Join(known, ", ")))
		}
	}
	return out
}

// searchBody is what a search asks for: one indexed field and its value.
type searchBody struct {
	index padron.Index
	value padron.Sensitive
}

func parseSearch(members map[string]jsontext.Value) (searchBody, error) {
	if list := unknownMembers(members, indexNames()); list != nil {
		return searchBody{}, list
	}
	if len(members) != 1 {
		return searchBody{}, padron.Invalid("body", "want exactly one of: %s", strings.Join(indexNames(), ", "))
	}
	var out searchBody
	for name, value := range members {
		text, err := parseText(name, value)
		if err != nil {
			return searchBody{}, err
		}
		out.index, _ = padron.ParseIndex(name)
		out.value = padron.Sensitive(text)
	}
	return out, nil
}

func indexNames() []string {
	var out []string
	for _, i := range padron.Indexes() {
		out = append(out, i.String())
	}
	return out
}

func parseText(name string, value jsontext.Value) (string, error) {
	var text string
	if value.Kind() != '"' || json.Unmarshal(value, &text) != nil {
		return "", padron.Invalid(name, "want a JSON string")
	}
	return text, nil
}

// revealBody is what a reveal asks for.
type revealBody struct {
	fields  []string
	purpose string
}

// parseReveal reads the body of a reveal and collects every fault of its shape.
func parseReveal(members map[string]jsontext.Value) (revealBody, error) {
	list := unknownMembers(members, []string{"fields", "purpose"})
	var out revealBody
	fields := members["fields"]
	if fields.Kind() != '[' || json.Unmarshal(fields, &out.fields) != nil || len(out.fields) > maxFields {
		list = append(list, padron.Invalid("fields", "want an array of 1 to %d names of fields", maxFields))
	}
	purpose, err := parseText("purpose", members["purpose"])
	if err != nil {
		list = append(list, padron.Invalid("purpose", "want a text that says why, as a JSON string"))
	}
	out.purpose = purpose
	return out, list.err()
}

// decode reads the body and gives its members to parse.
func decode[T any](c *call, parse func(map[string]jsontext.Value) (T, error)) (T, error) {
	members, err := c.object()
	if err != nil {
		var none T
		return none, err
	}
	return parse(members)
}
