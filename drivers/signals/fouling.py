"""How an exchanger fouls: clean values, ratio, trend; and the alarms of an exchanger."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np

from drivers.model import Floats, Indices
from drivers.signals.exchanger import INPUTS, Heat, HeatLimits, Working, heat
from drivers.signals.lasting import Alarm, Change, Means

MINUTE_NS: Final = 60_000_000_000
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
PLANT_NS: Final = 8 * HOUR_NS  # plant time is UTC+8, without summer time
LEAST_OF_HOUR: Final = 30  # minutes that make a mean of an hour
LEAST_OF_DAY: Final = 360  # and of a day
KEPT_DAYS: Final = 60
TREND_DAYS: Final = 5  # fewer make no trend
MONTH_DAYS: Final = 30  # a trend is told in


class Trouble(StrEnum):
    """What an exchanger is watched for."""

    FOULING = "fouling"
    PRESSURE_DROP = "pressure_drop"
    HEAT_BALANCE = "heat_balance"
    ACID_DEW = "acid_dew"


@dataclass(frozen=True, slots=True)
class FoulingLimits:
    """
    Parameters of ratio, trend and alarms of one exchanger.

    ``clean_ua`` and ``clean_drop`` are the clean figures at 1 Nm3/h (``at_one``); None: learned.
    ``cleaned_day`` is the first day after the newest cleaning (``day_of``).
    """

    flow_exponent: float = 0.6
    drop_exponent: float = 1.8
    clean_ua: float | None = None
    clean_drop: float | None = None
    cleaned_day: int | None = None
    cleaned_rise: float = 0.05  # of UA from day to day: somebody cleaned
    fouled: float = 0.80
    clean_again: float = 0.85
    drop_high: float = 1.5
    drop_low: float = 1.4
    hold_h: int = 6
    balance: float = 0.10
    balance_well: float = 0.08
    balance_min: int = 60
    dew_c: float = 85.0
    dew_well_k: float = 2.0
    dew_min: int = 10


class Found(NamedTuple):
    """Of the figures of Heat those that are judged, of one minute."""

    working: int
    balance: float
    ua_kw_k: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Of a minute: NaN where it cannot be stated."""

    ua_clean: float  # kW/K at the gas flow of the minute
    ua_ratio: float
    ua_trend: float  # % in 30 days
    drop_ratio: float
    changes: tuple[tuple[Trouble, Change], ...]


def day_of(at_ns: int) -> int:
    """Number of the day in plant time since 1970-01-01."""
    return (at_ns + PLANT_NS) // DAY_NS


def at_one(figure: float, gas_flow: float, exponent: float) -> float:
    """
    ``figure`` at 1 Nm3/h, for what grows with the gas flow to the power of ``exponent``.

    Of two such numbers the quotient compares figures at the same gas flow.
    """
    return figure / math.pow(gas_flow, exponent)


@dataclass(slots=True)
class Clean:
    """
    The figure of the clean exchanger: set, or the best mean of a whole day since the last cleaning.

    ``best`` is None until there is one; ``days`` are (day, mean) since the last cleaning.
    """

    best: float | None = None
    days: list[tuple[int, float]] = field(default_factory=list)

    def add(self, day: int, mean: float, *, least: bool, rise: float) -> None:
        """A whole day. ``least``: the lowest is best. A jump to the better starts the days anew."""
        if self.days:
            before = self.days[-1][1]
            if not least and mean > before * (1 + rise):
                self.days = []
        self.days = [*self.days, (day, mean)][-KEPT_DAYS:]
        if self.best is None or (mean < self.best if least else mean > self.best):
            self.best = mean

    def forget(self, before: int, *, least: bool) -> None:
        """Days before this one were before a cleaning."""
        self.days = [(day, mean) for day, mean in self.days if day >= before]
        means = [mean for _, mean in self.days]
        self.best = (min(means) if least else max(means)) if means else None

    def slope(self) -> float:
        """Least-squares change of the daily means in a day; NaN with too few."""
        if len(self.days) < TREND_DAYS:
            return float("nan")
        days, means = np.array(self.days, dtype=np.float64).T
        days = days - days.mean()
        return float((days * (means - means.mean())).sum() / (days * days).sum())


class ExchangerWatch:
    """One exchanger over its minutes, which come in order of time; those left out are not known."""

    def __init__(self, limits: FoulingLimits) -> None:
        self.limits = limits
        self.ua, self.drop = Clean(), Clean()
        self._trend = float("nan")
        self._marked: int | None = None  # cleaning that was taken note of
        self._day, self._hour = Means(), Means()
        self._alarms = {trouble: Alarm() for trouble in Trouble}

    def minute(self, at_ns: int, readings: Mapping[str, float], found: Found) -> Judged:
        """``readings`` by the names of INPUTS, ``found`` what Heat says of them."""
        limits = self.limits
        changes: list[tuple[Trouble, Change]] = self._cleaned(at_ns)
        if self._day.number != day_of(at_ns):
            self._close_day()
            self._day.open(day_of(at_ns), 2)
        if self._hour.number != at_ns // HOUR_NS:
            changes += self._close_hour()
            self._hour.open(at_ns // HOUR_NS, 2)
        works = found.working == Working.YES
        flow = readings["gas_flow"]
        scale = math.pow(flow, limits.flow_exponent) if works else float("nan")
        drop_scale = math.pow(flow, limits.drop_exponent) if works else float("nan")
        ua, drop = found.ua_kw_k / scale, readings["gas_pressure_drop"] / drop_scale
        self._day.add(ua, drop)
        clean_ua, clean_drop = limits.clean_ua or self.ua.best, limits.clean_drop or self.drop.best
        ratio = ua / clean_ua if clean_ua else float("nan")
        drop_ratio = drop / clean_drop if clean_drop else float("nan")
        self._hour.add(ratio, drop_ratio)
        changes += self._quick(at_ns, readings, found)
        trend = self._trend / clean_ua * 100 * MONTH_DAYS if clean_ua else float("nan")
        clean_now = clean_ua * scale if clean_ua else float("nan")
        return Judged(clean_now, ratio, trend, drop_ratio, tuple(changes))

    def _cleaned(self, at_ns: int) -> list[tuple[Trouble, Change]]:
        """A cleaning that the plant has marked: what was learned before it is forgotten."""
        mark = self.limits.cleaned_day
        if mark is None or mark == self._marked or day_of(at_ns) < mark:
            return []
        self._marked = mark
        self.ua.forget(mark, least=False)
        self.drop.forget(mark, least=True)
        self._trend = self.ua.slope()
        self._hour = Means()
        troubles = (Trouble.FOULING, Trouble.PRESSURE_DROP)
        ended = ((trouble, self._alarms[trouble].stop(at_ns)) for trouble in troubles)
        return [(trouble, change) for trouble, change in ended if change]

    def _close_day(self) -> None:
        day = self._day.number
        ua, drop = (self._day.mean(k, LEAST_OF_DAY) for k in (0, 1))
        mark = self._marked
        if mark is not None and day < mark:
            return  # the day before the cleaning
        if ua > 0:
            self.ua.add(day, ua, least=False, rise=self.limits.cleaned_rise)
            self._trend = self.ua.slope()
        if drop > 0:
            self.drop.add(day, drop, least=True, rise=self.limits.cleaned_rise)

    def _close_hour(self) -> list[tuple[Trouble, Change]]:
        """Hours that are not known neither speak for a change nor against one."""
        limits, start_ns = self.limits, self._hour.number * HOUR_NS
        ratio, drop = (self._hour.mean(k, LEAST_OF_HOUR) for k in (0, 1))
        steps = (
            (Trouble.FOULING, ratio, ratio < limits.fouled, ratio > limits.clean_again),
            (Trouble.PRESSURE_DROP, drop, drop > limits.drop_high, drop < limits.drop_low),
        )
        known = [step for step in steps if not math.isnan(step[1])]
        return self._step(known, start_ns, HOUR_NS, limits.hold_h)

    def _quick(
        self, at_ns: int, readings: Mapping[str, float], found: Found
    ) -> list[tuple[Trouble, Change]]:
        limits = self.limits
        wrong = found.working == Working.CONTRADICTED
        error = abs(found.balance)
        high, low = wrong or error > limits.balance, error < limits.balance_well
        known = wrong or not math.isnan(error)
        balance = (Trouble.HEAT_BALANCE, found.balance, high, low) if known else None
        changes = self._step((balance,), at_ns, MINUTE_NS, limits.balance_min)
        out_c = readings["gas_out_temperature"]
        if wrong or math.isnan(out_c) or not readings["gas_flow"] > 0:
            return changes
        warm_c = limits.dew_c + limits.dew_well_k
        dew = (Trouble.ACID_DEW, out_c, out_c < limits.dew_c, out_c > warm_c)
        return changes + self._step((dew,), at_ns, MINUTE_NS, limits.dew_min)

    def _step(
        self,
        steps: Iterable[tuple[Trouble, float, bool, bool] | None],
        at_ns: int,
        size_ns: int,
        hold: int,
    ) -> list[tuple[Trouble, Change]]:
        changes: list[tuple[Trouble, Change]] = []
        for trouble, value, bad, well in (step for step in steps if step is not None):
            change = self._alarms[trouble].step(
                at_ns, size_ns, value, bad=bad, well=well, hold=hold
            )
            if change is not None:
                changes.append((trouble, change))
        return changes

    def stop(self, at_ns: int) -> list[tuple[Trouble, Change]]:
        """Nobody watches it any more: what lasts ends where it was last seen."""
        ended = (
            (trouble, alarm.stop(min(at_ns, alarm.seen_ns)))
            for trouble, alarm in self._alarms.items()
        )
        return [(trouble, change) for trouble, change in ended if change]

    # --- over a restart

    def begun(self, trouble: Trouble, start_ns: int) -> None:
        """It was told that this began."""
        self._alarms[trouble].start_ns = start_ns

    def state(self) -> dict[str, Any]:
        """As JSON, for ``restore``."""
        return {
            "marked": self._marked,
            "ua": asdict(self.ua),
            "drop": asdict(self.drop),
            "day": asdict(self._day),
            "hour": asdict(self._hour),
            "alarms": {trouble: asdict(alarm) for trouble, alarm in self._alarms.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with a saved watch; raises KeyError, TypeError or ValueError for anything else."""
        ua, drop = _clean(state["ua"]), _clean(state["drop"])
        day, hour = Means(**state["day"]), Means(**state["hour"])
        alarms = {trouble: Alarm(**state["alarms"][trouble]) for trouble in Trouble}
        self._marked = state["marked"]
        self.ua, self.drop, self._day, self._hour = ua, drop, day, hour
        self._alarms = alarms
        self._trend = self.ua.slope()


def _clean(state: Mapping[str, Any]) -> Clean:
    days = [(int(day), float(mean)) for day, mean in state["days"]]
    return Clean(None if state["best"] is None else float(state["best"]), days)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A recorded stretch looked at again: arrays over the minutes, and what began and ended."""

    heat: Heat
    ua_clean: Floats
    ua_ratio: Floats
    ua_trend: Floats
    drop_ratio: Floats
    changes: tuple[tuple[Trouble, Change], ...]


def look_back(
    time_ns: Indices,
    readings: Mapping[str, Floats],
    limits: FoulingLimits | None = None,
    heat_limits: HeatLimits | None = None,
) -> History:
    """
    What a gateway would have said of one exchanger, from its recorded minutes.

    ``time_ns`` are starts of minutes, rising; ``readings`` means of minutes by the names of INPUTS
    (NaN: not known; an input that is not there is not known). Raises ValueError for lengths that
    differ or times that do not rise.
    """
    if any(len(values) != len(time_ns) for values in readings.values()):
        raise ValueError("time and readings have one value per minute each")
    if (np.diff(time_ns) <= 0).any():
        raise ValueError("the times of minutes must rise")
    whole = {name: readings.get(name, np.full(len(time_ns), np.nan)) for name in INPUTS}
    figures = heat(whole, heat_limits)
    watch = ExchangerWatch(limits or FoulingLimits())
    judged = [watch.minute(*row) for row in _rows(time_ns, whole, figures)]
    return History(
        figures,
        np.array([one.ua_clean for one in judged], dtype=np.float64),
        np.array([one.ua_ratio for one in judged], dtype=np.float64),
        np.array([one.ua_trend for one in judged], dtype=np.float64),
        np.array([one.drop_ratio for one in judged], dtype=np.float64),
        tuple(change for one in judged for change in one.changes),
    )


def _rows(
    time_ns: Indices, readings: Mapping[str, Floats], figures: Heat
) -> Iterator[tuple[int, dict[str, float], Found]]:
    columns = [values.tolist() for values in readings.values()]
    found = (figures.working.tolist(), figures.balance.tolist(), figures.ua_kw_k.tolist())
    for at_ns, *row in zip(time_ns.tolist(), *columns, *found, strict=True):
        yield at_ns, dict(zip(readings, row, strict=False)), Found(*row[len(columns) :])
