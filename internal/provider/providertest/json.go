package providertest

import (
	"strconv"
	"time"
)

// value writes a field's JSON in another way than a clean record does.
type value func(b []byte) []byte

// appendPerson appends a person as the provider's JSON. overrides replace a
// field's value; one that writes nothing leaves the field out. Values need no
// escaping, but for those that overrides write themselves.
func appendPerson(b []byte, p *person, overrides map[string]value) []byte {
	w := writer{b: append(b, '{'), overrides: overrides}
	w.time("fec_alta", p.registered)
	w.text("user_name", p.name)
	w.text("codigo_zip", p.zip)
	w.text("credit_card_num", p.card)
	w.text("credit_card_ccv", p.code)
	w.text("cuenta_numero", p.account)
	w.text("direccion", p.address)
	w.text("geo_latitud", p.latitude)
	w.text("geo_longitud", p.longitude)
	w.text("color_favorito", p.color)
	w.text("foto_dni", "https://photos.example/dni/"+p.id+".jpg")
	w.text("ip", p.ip)
	w.text("auto", p.car)
	w.text("auto_modelo", p.model)
	w.text("auto_tipo", p.kind)
	w.text("auto_color", p.carColor)
	w.number("cantidad_compras_realizadas", p.purchases, p.purchasesText)
	w.text("avatar", "https://avatars.example/"+p.id+".png")
	w.time("fec_birthday", p.birthday)
	w.text("id", p.id)
	w.extra()
	return append(w.b, '}')
}

// writer appends the members of one object.
type writer struct {
	b         []byte
	overrides map[string]value
}

// name begins a member; done says that an override wrote it.
func (w *writer) name(name string) (done bool) {
	start := len(w.b)
	if w.b[start-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), `":`...)
	if w.overrides == nil {
		return false
	}
	override, ok := w.overrides[name]
	if !ok {
		return false
	}
	before := len(w.b)
	if w.b = override(w.b); len(w.b) == before {
		w.b = w.b[:start] // nothing written: no such member
	}
	return true
}

func (w *writer) text(name, text string) {
	if !w.name(name) {
		w.b = append(append(append(w.b, '"'), text...), '"')
	}
}

func (w *writer) time(name string, t time.Time) {
	if !w.name(name) {
		w.b = append(t.AppendFormat(append(w.b, '"'), "2006-01-02T15:04:05.000Z"), '"')
	}
}

func (w *writer) number(name string, n int, asText bool) {
	switch {
	case w.name(name):
	case asText:
		w.b = append(strconv.AppendInt(append(w.b, '"'), int64(n), 10), '"')
	default:
		w.b = strconv.AppendInt(w.b, int64(n), 10)
	}
}

// extraMember is the override that adds members behind all others.
const extraMember = "+"

func (w *writer) extra() {
	if add, ok := w.overrides[extraMember]; ok {
		w.b = add(append(w.b, ','))
	}
}
