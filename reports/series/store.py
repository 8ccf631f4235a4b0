"""
The only reader of time series: windows, hours and events of named points over a period.

Times are nanoseconds UTC; a window belongs to the period in which it **starts**, periods are
[start, end) of plant time (+08:00). A window that is not there is not there: nothing is filled in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices
from reports.periods import Period
from reports.series.minutes import MinuteGrid
from reports.series.retimed import Retiming
from reports.site import Meter, Site

Table = Any  # the stubs of pyarrow demand a type parameter that its classes do not take
Texts = npt.NDArray[np.object_]

COLUMNS: Final = (
    *("ts_ns", "period_s", "equipment", "quantity", "mean", "min", "max", "last", "inc"),
    *("n", "good", "q", "raw", "gateway", "log", "seq"),
)
DAY_NS: Final = 86_400_000_000_000
SECOND_NS: Final = 1_000_000_000


class SeriesError(Exception):
    """The store cannot be read; the message says where and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """
    Windows of one point as columns, ordered by start, one per start. NaN or None = not there.

    ``doubles`` counts windows that were there twice (the later batch was taken), ``conflicts``
    those of them that differed. ``seq`` is 0 where the store does not say (InfluxDB).
    """

    meter: Meter
    start_ns: Indices
    period_ns: Indices
    mean: Floats
    low: Floats
    high: Floats
    last: Floats
    inc: Floats
    n: Indices
    good: Floats
    reason: Texts
    raw: Texts
    gateway: Texts
    log: Texts
    seq: Indices
    doubles: int = 0
    conflicts: int = 0

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def end_ns(self) -> Indices:
        return self.start_ns + self.period_ns


@dataclass(frozen=True, slots=True)
class EventRecord:
    """
    What happened to an equipment; ``end_ns`` is None while it lasts.

    Of an anode effect: ``amount`` seconds in effect, ``peak`` and ``mean`` V, ``integral`` of the
    overvoltage V·s, ``gap`` seconds unseen in it; None where the agent did not measure them.
    """

    kind: str
    equipment: str
    start_ns: int
    end_ns: int | None
    id: str
    text: str
    amount: float | None
    peak: float | None = None
    mean: float | None = None
    integral: float | None = None
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class TimeOn:
    """On one plant day: for how long a flag was set, and for how long it was known."""

    day: date
    equipment: str
    on_s: float
    good_s: float


class Series(Protocol):
    """What a store of windows can be asked. All answers are complete or an exception."""

    @property
    def name(self) -> str:
        """``lake`` or ``influxdb``, for the report."""
        ...

    def windows(
        self, meter: Meter, start_ns: int, end_ns: int, period_s: int | None = None
    ) -> Windows:
        """
        Windows of one point that start in [start_ns, end_ns).

        With ``period_s`` those of that length only: minutes, hours and days that a data logger
        made of one quantity (``cems.*``) lie beside one another.
        """
        ...

    def hourly(self, points: Sequence[Meter], period: Period) -> Table:
        """Hours of many points: ``hour_ns, equipment, quantity, mean, min, max, inc, share``."""
        ...

    def minutes(self, points: Sequence[Meter], period: Period) -> MinuteGrid:
        """Minutes of some points side by side; a month at most."""
        ...

    def time_on(self, quantity: str, period: Period) -> list[TimeOn]:
        """Every equipment of the plant that has this flag, by plant day; in order."""
        ...

    def events(self, equipment: str, period: Period) -> list[EventRecord]:
        """Events of an equipment that touch the period, each once, in order."""
        ...

    def pot_days(self, period: Period) -> Table:
        """One row per pot and plant day: the columns of ``pot_days.COLUMNS``, in that order."""
        ...

    def happened(self, kind: str, period: Period) -> list[EventRecord]:
        """Events of one kind that began in the period, of every equipment, each once, in order."""
        ...

    def retimed(self, period: Period) -> list[Retiming]:
        """
        Stretches recorded by an unsynced clock whose true time touches the period.

        Whenever that became known; ``applied`` where all answers have them at their true time.
        """
        ...


@contextmanager
def open_series(site: Site) -> Iterator[Series]:
    """The store that ``site.toml`` names."""
    if site.influxdb is not None:
        from reports.series.influx import InfluxSeries

        yield InfluxSeries(site.plant, site.influxdb)
        return
    from reports.series.lake import open_lake

    if site.lake is None:
        raise SeriesError("site.toml names neither lake nor [influxdb]")
    if not site.lake.is_dir() and not _measured(site):
        # An office that only enters figures has no historian: there is nothing to be read.
        with (
            TemporaryDirectory(prefix="smelter-") as empty,
            open_lake(site.plant, Path(empty)) as lake,
        ):
            yield lake
        return
    with open_lake(site.plant, site.lake) as lake:
        yield lake


def _measured(site: Site) -> bool:
    """Whether the site names anything that a historian records."""
    of_lines = [
        (*x.ac_meters, *x.aux_meters, *x.heat_meters, *x.energy_meters()) for x in site.potline
    ]
    return any(of_lines) or any(site.plant_meters()) or bool(site.stacks)


def windows_of(meter: Meter, table: Table) -> Windows:
    """Columns from a table with COLUMNS in any row order; doubles taken out."""
    start = _ints(table["ts_ns"])
    seq = _ints(table["seq"])
    order = np.lexsort((seq, start))
    start, seq = start[order], seq[order]
    numbers = {
        name: np.asarray(table[name].to_numpy(), dtype=np.float64)[order]
        for name in ("mean", "min", "max", "last", "inc", "good")
    }
    texts = {
        name: np.array(table[name].to_pylist(), dtype=object)[order]
        for name in ("q", "raw", "gateway", "log")
    }
    newest = np.r_[start[1:] != start[:-1], True] if len(start) else np.zeros(0, dtype=bool)
    return Windows(
        meter=meter,
        start_ns=start[newest],
        period_ns=_ints(table["period_s"])[order][newest] * SECOND_NS,
        mean=numbers["mean"][newest],
        low=numbers["min"][newest],
        high=numbers["max"][newest],
        last=numbers["last"][newest],
        inc=numbers["inc"][newest],
        n=_ints(table["n"])[order][newest],
        good=numbers["good"][newest],
        reason=texts["q"][newest],
        raw=texts["raw"][newest],
        gateway=texts["gateway"][newest],
        log=texts["log"][newest],
        seq=seq[newest],
        doubles=int((~newest).sum()),
        conflicts=_conflicts(numbers["inc"], numbers["last"], newest),
    )


def _ints(column: Any) -> Indices:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _conflicts(inc: Floats, last: Floats, newest: npt.NDArray[np.bool_]) -> int:
    older = np.flatnonzero(~newest)
    same = (inc[older] == inc[older + 1]) | (np.isnan(inc[older]) & np.isnan(inc[older + 1]))
    return int((~same | (last[older] != last[older + 1])).sum()) if len(older) else 0
