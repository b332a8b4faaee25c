"""Does padron's job as a plain script would, row by row: looks each customer up
and leaves the unchanged alone, encrypts two groups of fields with Fernet, makes
five blind indexes and a fingerprint with HMAC-SHA-256, and commits, so that
nobody is lost with the process. It validates nothing and keeps no checkpoint.
"""

import hashlib
import hmac
import json
import os

from cryptography.fernet import Fernet

from shared import connect, pages

PLAIN = ("fec_alta", "color_favorito", "auto", "auto_modelo", "auto_tipo", "auto_color", "cantidad_compras_realizadas")
PERSONAL = ("user_name", "codigo_zip", "direccion", "geo_latitud", "geo_longitud", "foto_dni", "ip", "avatar", "fec_birthday")
FINANCIAL = ("credit_card_num", "credit_card_ccv", "cuenta_numero")
BLIND = ("user_name", "credit_card_num", "cuenta_numero", "ip", "codigo_zip")
COLUMNS = PLAIN + ("personal", "financial", "fingerprint") + tuple("ix_" + c for c in BLIND)
UPSERT = "INSERT INTO customers (id, {}) VALUES (%s, {}) ON DUPLICATE KEY UPDATE {}".format(
    ", ".join(COLUMNS), ", ".join(["%s"] * len(COLUMNS)), ", ".join(f"{c} = VALUES({c})" for c in COLUMNS)
)
TABLE = "CREATE TABLE customers (num INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, id VARBINARY(256) NOT NULL, {}, UNIQUE KEY (id), {})".format(
    ", ".join(
        [f"{c} VARBINARY(1024) NOT NULL" for c in PLAIN] + ["personal BLOB NOT NULL", "financial BLOB NOT NULL", "fingerprint BINARY(16) NOT NULL"]
        + [f"ix_{c} BINARY(16) NOT NULL" for c in BLIND]
    ),
    ", ".join(f"KEY (ix_{c})" for c in BLIND),
)


def main():
    """Makes the table and fills it."""
    box, key = Fernet(Fernet.generate_key()), os.urandom(32)

    def digest(text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()[:16]

    def seal(customer, fields):
        return box.encrypt(json.dumps([customer[c] for c in fields]).encode())

    db = connect()
    cursor = db.cursor()
    cursor.execute(TABLE)
    for page in pages():
        for customer in page:
            fingerprint = digest(json.dumps(customer, sort_keys=True))
            cursor.execute("SELECT fingerprint FROM customers WHERE id = %s", [customer["id"]])
            known = cursor.fetchone()
            if known is None or bytes(known[0]) != fingerprint:
                values = [customer[c] for c in PLAIN] + [seal(customer, PERSONAL), seal(customer, FINANCIAL), fingerprint]
                cursor.execute(UPSERT, [customer["id"]] + values + [digest(f"{c} {customer[c]}") for c in BLIND])
            db.commit()


main()
