"""Chunked answers of InfluxDB's ``/query`` as rows."""

import json
from collections.abc import Iterator
from typing import Any

import urllib3

from reports.series.store import SeriesError

Rows = list[dict[str, Any]]


def lines_of(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """A chunked answer is one JSON object per line."""
    rest = b""
    for part in response.stream(1 << 16):
        *whole, rest = (rest + part).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def rows_of(url: str, line: bytes) -> Rows:
    """
    Errors come with HTTP 200, at the top or inside a result.

    Raises SeriesError for these, and for an answer that is none of InfluxDB's.
    """
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise SeriesError(f"{url}: no JSON: {line[:200]!r}") from None
    try:
        results = answer.get("results", [])
        error = answer.get("error") or next((r["error"] for r in results if "error" in r), None)
        rows = [
            series.get("tags", {}) | dict(zip(series["columns"], values, strict=True))
            for result in results
            for series in result.get("series", [])
            for values in series.get("values", [])
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SeriesError(f"{url}: no answer of InfluxDB: {line[:200]!r}") from None
    if error:
        raise SeriesError(f"{url}: {error}")
    return rows
