"""Copies customers with dlt: merge by primary key, its sqlalchemy destination. An
id has a length, without which MySQL makes no index and merging takes far longer.
"""

import os

import dlt

from shared import pages


@dlt.resource(
    name="customers", primary_key="id", write_disposition="merge",
    columns={"id": {"data_type": "text", "precision": 64, "nullable": False}},
)
def customers():
    """Yields whole pages, which dlt takes faster than single customers."""
    yield from pages()


pipeline = dlt.pipeline(
    "peer", dataset_name="peer", pipelines_dir=os.environ["BENCH_DIR"],
    destination=dlt.destinations.sqlalchemy("mysql+pymysql://" + os.environ["BENCH_DB"], create_primary_keys=True),
)
pipeline.run(customers()).raise_on_failed_jobs()
