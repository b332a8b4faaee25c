"""What the Python programs beside share: the provider's pages, and the database."""

import itertools
import os

import requests

PAGE = 1000


def pages():
    """Yields lists of at most 1,000 customers, until one is short."""
    session = requests.Session()
    for page in itertools.count(1):
        answer = session.get(os.environ["BENCH_URL"], params={"page": page, "limit": PAGE}, timeout=60)
        answer.raise_for_status()
        customers = answer.json()
        if customers:
            yield customers
        if len(customers) < PAGE:
            return


def connect():
    """Returns a connection to the database of BENCH_DB, user:password@host:port/name."""
    import mysql.connector  # dlt brings a driver of its own

    account, place = os.environ["BENCH_DB"].split("@")
    user, password = account.split(":")
    address, name = place.split("/")
    host, port = address.split(":")
    return mysql.connector.connect(host=host, port=int(port), user=user, password=password, database=name)
