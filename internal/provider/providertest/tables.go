package providertest

var givenNames = []string{
	"María", "José", "Ana", "Luis", "Íñigo", "Sofía", "Andrés", "Lucía", "Martín", "Inés", "Raúl", "Belén", "Tomás", "Núria", "Óscar",
	"Ángela", "Iván", "Rocío", "Joaquín", "Begoña", "Nicolás", "Valentina", "Agustín", "Camila", "Germán", "Noelia", "Hernán", "Zoé",
	"Ximena", "Bautista", "João", "Thaís", "Caetano", "Conceição", "Aitor", "Eunice", "Facundo", "Milagros", "Renée", "Saúl",
}

var surnames = []string{
	"García", "Muñoz", "Peña", "Núñez", "Ibáñez", "López", "Gómez", "Fernández", "Ávila", "Cárdenas", "Yáñez", "Rincón", "Ordóñez",
	"Zúñiga", "Bolaños", "Quiñones", "Salazar", "Restrepo", "Uribe", "Vélez", "Echeverría", "Goñi", "Aguirre", "Castañeda", "Domínguez",
	"da Silva", "Gonçalves", "Araújo", "de la Cruz", "del Río", "O'Higgins", "Güell", "Pérez", "Sánchez", "Jiménez", "Acuña", "Ríos",
	"Marín", "Solís", "Téllez",
}

var colors = []string{"rojo", "azul", "verde", "amarillo", "negro", "blanco", "gris", "violeta", "naranja", "turquesa", "marrón", "añil"}

var streetKinds = []string{"Calle", "Avenida", "Carrera", "Pasaje", "Bulevar", "Camino", "Plaza", "Rua", "Diagonal"}

var streets = []string{
	"San Martín", "Bolívar", "de los Álamos", "Independencia", "9 de Julio", "Corrientes", "del Árbol", "Simón Rodríguez", "Belgrano",
	"La Paz", "Ñuñoa", "Cóndor", "José Martí", "Las Cañas", "Güemes", "Sucre", "de la Peña", "Córdoba", "Los Nogales", "Gran Vía",
}

var cities = []string{
	"Bogotá", "Medellín", "Córdoba", "Asunción", "Ciudad de México", "São Paulo", "Cancún", "Mérida", "León", "Málaga", "A Coruña",
	"Panamá", "San José", "Valparaíso", "Cúcuta", "Iquique", "Montevideo", "La Plata", "Logroño", "Cusco",
}

// cars are makers and models, with the body that goes with them.
var cars = []struct{ maker, model, kind string }{
	{"Fiat", "Uno", "Hatchback"}, {"Renault", "Kwid", "Hatchback"}, {"Chevrolet", "Onix", "Sedan"}, {"Toyota", "Corolla", "Sedan"},
	{"Toyota", "Hilux", "Pickup"}, {"Ford", "Ranger", "Pickup"}, {"Volkswagen", "Gol", "Hatchback"}, {"Volkswagen", "Tiguan", "SUV"},
	{"Nissan", "Kicks", "SUV"}, {"Hyundai", "Tucson", "SUV"}, {"Kia", "Río", "Sedan"}, {"Mazda", "MX-5", "Cabriolet"},
	{"SEAT", "León", "Hatchback"}, {"Citroën", "Berlingo", "Minivan"}, {"Peugeot", "Partner", "Van"}, {"Honda", "Civic", "Sedan"},
}
