package padron

import "fmt"

// Field is one field of a customer. Its order is the order of views.
type Field uint8

// The fields of a customer. [FieldNone] stands for the record as a whole.
const (
	FieldID Field = iota
	FieldRegisteredAt
	FieldUserName
	FieldAddress
	FieldZipCode
	FieldLatitude
	FieldLongitude
	FieldIPAddress
	FieldAvatarURL
	FieldIDPhotoURL
	FieldBirthday
	FieldCardNumber
	FieldAccountNumber
	FieldFavoriteColor
	FieldCar
	FieldCarModel
	FieldCarType
	FieldCarColor
	FieldPurchases

	// NumFields is how many fields a customer has.
	NumFields = iota
	// FieldNone is no field: the record as a whole.
	FieldNone Field = 255
)

// SecurityCodeName is the provider's name of the card security code. It is
// dropped while the record is decoded and is stored nowhere (PCI DSS 3.3.1).
const SecurityCodeName = "credit_card_ccv"

// Group is a field group: the unit that is sealed under one data key.
type Group uint8

// The field groups. [GroupProfile] is stored in clear and filters lists; the
// others are sealed.
const (
	GroupProfile Group = iota
	GroupPersonal
	GroupFinancial
)

// String returns the group's name as it stands in key contexts.
func (g Group) String() string {
	switch g {
	case GroupProfile:
		return "profile"
	case GroupPersonal:
		return "personal"
	case GroupFinancial:
		return "financial"
	}
	return fmt.Sprintf("group(%d)", uint8(g))
}

type fieldInfo struct {
	name     string
	provider string
	group    Group
}

var fieldTable = [NumFields]fieldInfo{
	FieldID:            {"id", "id", GroupProfile},
	FieldRegisteredAt:  {"registered_at", "fec_alta", GroupProfile},
	FieldUserName:      {"user_name", "user_name", GroupPersonal},
	FieldAddress:       {"address", "direccion", GroupPersonal},
	FieldZipCode:       {"zip_code", "codigo_zip", GroupPersonal},
	FieldLatitude:      {"latitude", "geo_latitud", GroupPersonal},
	FieldLongitude:     {"longitude", "geo_longitud", GroupPersonal},
	FieldIPAddress:     {"ip_address", "ip", GroupPersonal},
	FieldAvatarURL:     {"avatar_url", "avatar", GroupPersonal},
	FieldIDPhotoURL:    {"id_photo_url", "foto_dni", GroupPersonal},
	FieldBirthday:      {"birthday", "fec_birthday", GroupPersonal},
	FieldCardNumber:    {"card_number", "credit_card_num", GroupFinancial},
	FieldAccountNumber: {"account_number", "cuenta_numero", GroupFinancial},
	FieldFavoriteColor: {"favorite_color", "color_favorito", GroupProfile},
	FieldCar:           {"car", "auto", GroupProfile},
	FieldCarModel:      {"car_model", "auto_modelo", GroupProfile},
	FieldCarType:       {"car_type", "auto_tipo", GroupProfile},
	FieldCarColor:      {"car_color", "auto_color", GroupProfile},
	FieldPurchases:     {"purchases", "cantidad_compras_realizadas", GroupProfile},
}

var (
	fieldsByName     = fieldIndex(func(i fieldInfo) string { return i.name })
	fieldsByProvider = fieldIndex(func(i fieldInfo) string { return i.provider })
)

func fieldIndex(key func(fieldInfo) string) map[string]Field {
	m := make(map[string]Field, NumFields)
	for f, info := range fieldTable {
		m[key(info)] = Field(f)
	}
	return m
}

// Fields returns every field in view order.
func Fields() []Field {
	all := make([]Field, NumFields)
	for i := range all {
		all[i] = Field(i)
	}
	return all
}

// ParseField returns the field with padron's name, such as "user_name".
func ParseField(name string) (Field, bool) {
	f, ok := fieldsByName[name]
	return f, ok
}

// ProviderField returns the field with the provider's name, such as
// "direccion". The card security code is no field and is not found.
func ProviderField(name string) (Field, bool) {
	f, ok := fieldsByProvider[name]
	return f, ok
}

// String returns padron's name of the field; "record" for [FieldNone].
func (f Field) String() string {
	if f < NumFields {
		return fieldTable[f].name
	}
	return "record"
}

// ProviderName returns the provider's name of the field; "" for [FieldNone].
func (f Field) ProviderName() string {
	if f < NumFields {
		return fieldTable[f].provider
	}
	return ""
}

// Group returns the field group that holds the field.
func (f Field) Group() Group {
	if f < NumFields {
		return fieldTable[f].group
	}
	return GroupProfile
}

// MarshalText writes padron's name of the field.
func (f Field) MarshalText() ([]byte, error) { return []byte(f.String()), nil }
