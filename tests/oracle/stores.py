"""What lies in the two views, read without the product: Parquet files, and InfluxDB over HTTP."""

import csv
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.oracle.judge import Samples

_PAGE = 100_000


def lake_samples(lake: Path) -> Samples:
    """The good values of ``rectifier.dc_voltage`` among the raw rows of a lake."""
    points, times, values = [], [], []
    for path in sorted((lake / "raw").rglob("*.parquet")):
        table = pq.ParquetFile(path).read(columns=["ts", "equipment", "quantity", "value", "q"])
        good = pc.and_(
            pc.equal(table["quantity"].cast("string"), "rectifier.dc_voltage"),
            pc.and_(pc.is_null(table["q"]), pc.is_valid(table["value"])),
        )
        table = table.filter(good)
        names = table["equipment"].cast("string").to_pylist()
        points.append(np.array([int(name.rpartition("rec")[2]) for name in names], "i8"))
        times.append(np.array(table["ts"].cast("int64").to_pylist(), "i8") * 1000)
        values.append(table["value"].to_numpy())
    if not points:
        return Samples.of([])
    return Samples(np.concatenate(points), np.concatenate(times), np.concatenate(values))


def influx_samples(port: int, database: str) -> Samples:
    """The same from InfluxDB 1.x."""
    rows = list(_influx_rows(port, database))
    return Samples.of(rows)


def _influx_rows(port: int, database: str) -> Iterator[tuple[int, int, float]]:
    query = {
        "db": database,
        "epoch": "ns",
        "chunked": "true",
        "chunk_size": str(_PAGE),
        "q": 'select "unit", "dc_voltage" from "rectifier"',
    }
    url = f"http://127.0.0.1:{port}/query?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Accept": "application/csv"})
    with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 - loopback
        for row in csv.reader(line.decode() for line in answer):
            if row and row[0] == "rectifier" and row[4]:
                yield int(row[3].removeprefix("rec")), int(row[2]), float(row[4])


def create_database(port: int, name: str) -> None:
    """In InfluxDB 1.x."""
    body = urllib.parse.urlencode({"q": f"create database {name}"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/query", body, timeout=30) as answer:
        answer.read()
