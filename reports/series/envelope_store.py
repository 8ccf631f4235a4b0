"""Asking a store for any point over any time, bounded; the lake and InfluxDB answer alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from reports.series.envelope import Pieces
from reports.series.envelope_layer import Progress
from reports.series.store import SeriesError, open_series
from reports.site import Meter, Site


@dataclass(frozen=True, slots=True)
class Known:
    """First and last plant day on which a point is known to have windows."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Found:
    """
    Pieces in order, what they are (``windows`` or ``hours``), and days that are not read yet.

    These wait for the hourly layer: there are too many of them to sum up while somebody waits.
    """

    pieces: Pieces
    source: str
    waiting: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event for the time line; ``end_s`` is None while it lasts."""

    kind: str
    equipment: str
    start_s: float
    end_s: float | None
    text: str
    amount: float | None


class Explorer(Protocol):
    """What can be asked about points. Times are whole seconds UTC, [start, end)."""

    def points(self) -> dict[str, Known]:
        """``equipment quantity`` of what was ever stored, as far as it is known yet, in order."""
        ...

    def span(self) -> tuple[date, date] | None:
        """First and last day with data; None when there are none, or nobody can say cheaply."""
        ...

    def pieces(self, point: Meter, start_s: int, end_s: int, bucket_s: int, days: int) -> Found:
        """
        What buckets of ``bucket_s`` are made of: windows below an hour, else hours.

        At most ``days`` days that the layer lacks are summed up while the caller waits.
        """
        ...

    def samples(self, point: Meter, start_s: int, end_s: int) -> Pieces:
        """Raw samples, each a piece; none where they are not kept. ``start_s`` has fractions."""
        ...

    def events(self, equipment: list[str], start_s: int, end_s: int, most: int) -> list[Happening]:
        """Events of these equipments that touch the interval, the first ``most`` of them."""
        ...

    def progress(self) -> Progress:
        """Of the hourly layer; nothing is left to do where the store needs none."""
        ...

    def build(self, budget_s: float) -> Progress:
        """Go on with the layer for about so long (s)."""
        ...


@contextmanager
def open_explorer(site: Site, layer: Path) -> Iterator[Explorer]:
    """The store that ``site.toml`` names; the layer lies in a folder that may be deleted."""
    with open_series(site) as series:
        if site.influxdb is not None:
            from reports.series.envelope_influx import InfluxExplorer
            from reports.series.influx import InfluxSeries

            if isinstance(series, InfluxSeries):
                yield InfluxExplorer(series)
                return
        from reports.series.envelope_lake import LakeExplorer
        from reports.series.lake import LakeSeries

        if not isinstance(series, LakeSeries) or site.lake is None:
            raise SeriesError(f"{series.name}: nothing to explore there")
        yield LakeExplorer(series, site.lake, site.plant, layer)
