package console

import "fmt"

// messages are the texts of one language by key.
type messages map[string]string

func (m messages) get(key string) (string, error) {
	text, ok := m[key]
	if !ok {
		return "", fmt.Errorf("no message %q", key)
	}
	return text, nil
}

func (m messages) format(key string, args ...any) (string, error) {
	text, err := m.get(key)
	return fmt.Sprintf(text, args...), err
}

// catalogue holds every text of the console; both languages have the same keys.
var catalogue = map[string]messages{
	"en": {
		"title": "Customer register", "skip": "To the content", "signed-in": "Signed in as", "sign-out": "Sign out",
		"language": "Español", "language-code": "es",
		"sign-in": "Sign in", "token": "Token", "sign-in-hint": "An operator makes one for you with",
		"sign-in-failed": "This token is not valid: it may be mistyped, expired or revoked.",
		"sign-in-lead":   "Paste your token. It tells who you are and what you may see.",
		"customers":      "Customers", "filter": "Filter", "clear": "Clear", "search": "Search", "next": "Next page", "first": "First page",
		"search-lead": "Finds exact values; what you type is never part of an address.", "search-in": "Search in", "value": "Value",
		"filters": "Filters", "from": "Registered from", "to": "Registered before", "min": "Purchases from", "max": "Purchases to",
		"none-found": "No customer found.", "found": "Found by %s", "truncated": "Only the first 1000 are shown.",
		"back": "All customers", "sees": "You see %d fields as %s. Every access is on the record.",
		"group.personal": "Person", "group.financial": "Finance", "group.profile": "Profile", "masked": "masked",
		"reveal": "Show in full", "reveal-lead": "Say why you need it. Your name, the time and the purpose go on the record.",
		"purpose": "Purpose (10 to 500 characters)", "revealed": "Shown once, on the record", "choose": "Fields",
		"no-customers": "Your role sees no customers", "no-customers-lead": "What your role is for is served by the API and the command line:",
		"for-operator": "Runs and quarantine", "for-auditor": "The audit log", "for-privacy": "The rights of a person; these come with a later version.",
		"docs": "API reference", "error-id": "Request",
		"error.401": "Please sign in again.", "error.403": "Your role may not do this.", "error.404": "There is nothing here.",
		"error.405": "This address is not for that: go back and use its button or link.",
		"error.413": "That was too much.", "error.422": "That cannot be.", "error.500": "Something broke on our side.",
		"error.503": "The register cannot be reached, or the access could not be put on the record. Try again in a moment.",
		"field.id":  "Id", "field.registered_at": "Registered", "field.user_name": "Name", "field.address": "Address", "field.zip_code": "Zip code",
		"field.latitude": "Latitude", "field.longitude": "Longitude", "field.ip_address": "IP address", "field.avatar_url": "Avatar",
		"field.id_photo_url": "Identity document", "field.birthday": "Birthday", "field.card_number": "Card number",
		"field.account_number": "Account number", "field.favorite_color": "Favourite colour", "field.car": "Car", "field.car_model": "Model",
		"field.car_type": "Car type", "field.car_color": "Car colour", "field.purchases": "Purchases",
	},
	"es": {
		"title": "Registro de clientes", "skip": "Al contenido", "signed-in": "Sesión de", "sign-out": "Cerrar sesión",
		"language": "English", "language-code": "en",
		"sign-in": "Iniciar sesión", "token": "Token", "sign-in-hint": "Un operador lo crea con",
		"sign-in-failed": "Este token no es válido: puede estar mal escrito, vencido o revocado.",
		"sign-in-lead":   "Pegue su token. Dice quién es usted y qué puede ver.",
		"customers":      "Clientes", "filter": "Filtrar", "clear": "Limpiar", "search": "Buscar", "next": "Página siguiente", "first": "Primera página",
		"search-lead": "Encuentra valores exactos; lo que escribe nunca forma parte de una dirección.", "search-in": "Buscar en", "value": "Valor",
		"filters": "Filtros", "from": "Registrado desde", "to": "Registrado antes de", "min": "Compras desde", "max": "Compras hasta",
		"none-found": "No se encontró ningún cliente.", "found": "Encontrados por %s", "truncated": "Solo se muestran los primeros 1000.",
		"back": "Todos los clientes", "sees": "Usted ve %d campos como %s. Cada acceso queda registrado.",
		"group.personal": "Persona", "group.financial": "Finanzas", "group.profile": "Perfil", "masked": "enmascarado",
		"reveal": "Mostrar completo", "reveal-lead": "Diga por qué lo necesita. Su nombre, la hora y el propósito quedan registrados.",
		"purpose": "Propósito (de 10 a 500 caracteres)", "revealed": "Se muestra una vez y queda registrado", "choose": "Campos",
		"no-customers": "Su rol no ve clientes", "no-customers-lead": "Lo que corresponde a su rol está en la API y en la línea de comandos:",
		"for-operator": "Ejecuciones y cuarentena", "for-auditor": "La auditoría", "for-privacy": "Los derechos de una persona; llegan con una versión posterior.",
		"docs": "Referencia de la API", "error-id": "Solicitud",
		"error.401": "Inicie sesión de nuevo.", "error.403": "Su rol no puede hacer esto.", "error.404": "Aquí no hay nada.",
		"error.405": "Esta dirección no es para eso: vuelva y use su botón o enlace.",
		"error.413": "Fue demasiado.", "error.422": "Eso no puede ser.", "error.500": "Algo falló de nuestro lado.",
		"error.503": "No se puede acceder al registro, o no se pudo registrar el acceso. Inténtelo en un momento.",
		"field.id":  "Id", "field.registered_at": "Registrado", "field.user_name": "Nombre", "field.address": "Dirección", "field.zip_code": "Código postal",
		"field.latitude": "Latitud", "field.longitude": "Longitud", "field.ip_address": "Dirección IP", "field.avatar_url": "Avatar",
		"field.id_photo_url": "Documento de identidad", "field.birthday": "Nacimiento", "field.card_number": "Número de tarjeta",
		"field.account_number": "Número de cuenta", "field.favorite_color": "Color favorito", "field.car": "Auto", "field.car_model": "Modelo",
		"field.car_type": "Tipo de auto", "field.car_color": "Color del auto", "field.purchases": "Compras",
	},
}
