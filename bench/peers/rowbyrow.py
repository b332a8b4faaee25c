"""Copies customers as a plain script would: a request a page, three fields
encrypted with Fernet, an upsert a customer, a commit a page."""

from cryptography.fernet import Fernet

from shared import connect, pages

SECRET = ("credit_card_num", "cuenta_numero", "direccion")
PLAIN = (
    "id", "fec_alta", "user_name", "codigo_zip", "geo_latitud", "geo_longitud", "color_favorito", "foto_dni", "ip", "auto",
    "auto_modelo", "auto_tipo", "auto_color", "cantidad_compras_realizadas", "avatar", "fec_birthday",
)
COLUMNS = PLAIN + SECRET
UPSERT = "INSERT INTO customers ({}) VALUES ({}) ON DUPLICATE KEY UPDATE {}".format(
    ", ".join(COLUMNS), ", ".join(["%s"] * len(COLUMNS)), ", ".join(f"{c} = VALUES({c})" for c in COLUMNS[1:])
)


def main():
    """Makes the table and fills it."""
    box = Fernet(Fernet.generate_key())
    db = connect()
    cursor = db.cursor()
    kinds = ["id VARCHAR(64) PRIMARY KEY"] + [f"{c} TEXT" for c in PLAIN[1:]] + [f"{c} BLOB" for c in SECRET]
    cursor.execute("CREATE TABLE customers ({})".format(", ".join(kinds)))
    for page in pages():
        for customer in page:
            sealed = [box.encrypt(str(customer[c]).encode()) for c in SECRET]
            cursor.execute(UPSERT, [customer[c] for c in PLAIN] + sealed)
        db.commit()


main()
