"""The provider's customers, page by page, for the Python programs beside."""

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
