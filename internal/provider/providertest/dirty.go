package providertest

import (
	"strings"
)

// way is one way in which a record is not as it should be.
type way struct {
	name string
	// fields are written differently.
	fields map[string]value
	// element replaces the whole element.
	element string
	// repeats: the record is that of the person before.
	repeats bool
	// valid: a register takes it all the same.
	valid bool
	// rare: only in one of four rounds, since it is large.
	rare bool
}

func raw(json string) value { return func(b []byte) []byte { return append(b, json...) } }

func one(field string, v value) map[string]value { return map[string]value{field: v} }

// ways is every way that a real provider has on a bad day.
var ways = []way{
	{name: "missing field", fields: one("direccion", raw(""))},
	{name: "null", fields: one("color_favorito", raw("null"))},
	{name: "number for text", fields: one("codigo_zip", raw("12345"))},
	{name: "NUL in text", fields: one("user_name", raw(`"Ana\u0000Pérez"`))},
	{name: "zero date", fields: one("fec_alta", raw(`"0000-00-00"`))},
	{name: "Unix date", fields: one("fec_birthday", raw("631152000"))},
	{name: "id with spaces", fields: one("id", raw(`"12 34"`))},
	{name: "missing id", fields: one("id", raw(""))},
	{name: "bad zip", fields: one("codigo_zip", raw(`"ABCDE"`))},
	{name: "unknown field", fields: one(extraMember, raw(`"nivel_fidelidad":"oro"`)), valid: true},
	{name: "duplicate", repeats: true},
	{name: "conflict", repeats: true, fields: one("user_name", raw(`"Nombre Distinto"`))},
	{name: "not an object", element: `"usuario"`},
	{name: "bad UTF-8", fields: one("direccion", raw("\"Calle \xff\xfe\""))},
	{name: "name twice", fields: one(extraMember, raw(`"ip":"192.0.2.1"`))},
	{name: "empty text", fields: one("auto_color", raw(`""`))},
	{name: "out of range", fields: one("geo_latitud", raw(`"123.4567"`))},
	{name: "object for text", fields: one("direccion", raw(`{"calle":"Mayor","numero":1}`))},
	{name: "huge text", fields: one("direccion", huge), rare: true},
}

// huge writes one megabyte of text.
func huge(b []byte) []byte {
	return append(append(append(b, '"'), strings.Repeat("muy largo ", 100_000)...), '"')
}

func (w *way) write(b []byte, p *person) []byte {
	if w.element != "" {
		return append(b, w.element...)
	}
	return appendPerson(b, p, w.fields)
}
