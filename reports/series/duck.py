"""DuckDB as the readers of the lake use it: in memory, within bounds, asked in Ibis."""

from typing import Any, Final

import ibis

from reports.series.store import Table

MEMORY: Final = "300MB"
THREADS: Final = 2
Duck = Any  # duckdb.DuckDBPyConnection; imported where it is used, it is heavy


def connect() -> Duck:
    """A DuckDB of our own, in memory and within bounds."""
    import duckdb

    duck = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": THREADS})
    duck.execute("SET TimeZone = 'UTC'")  # else seconds of a stamp would count in the host's zone
    return duck


def run(duck: Duck, expression: Any) -> Table:
    """The Arrow table of an Ibis expression."""
    return duck.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_table()


def run_in_order(duck: Duck, expression: Any) -> Table:
    """The same by one thread: sums of floats come out the same to the last digit each time."""
    duck.execute("SET threads TO 1")
    try:
        return run(duck, expression)
    finally:
        duck.execute(f"SET threads TO {THREADS}")
