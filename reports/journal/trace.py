"""
What is kept with a mark: what the control system recorded from an hour before to an hour after.

Windows as the store holds them, with the batch each came in; the copy is a CSV in plant time.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from io import StringIO
from math import isnan
from typing import Final

import numpy as np

from drivers.language import say
from drivers.model import ConfigError, Equipment, Quality
from drivers.quantities import quantities
from reports.journal.record import MINUTE_NS
from reports.periods import clock_text
from reports.series.store import Series, Windows
from reports.site_meters import Meter
from reports.site_stacks import Stack

AROUND_NS: Final = 60 * MINUTE_NS  # drawn before and after the marked time
FLAGS_WITHIN_NS: Final = 3 * 24 * 60 * MINUTE_NS  # a daily calibration shows in it
IDLE_VELOCITY_M_S: Final = 1.0  # our own: a fan that runs moves more than that
STATE: Final = "stack.instrument_state"
FLAGS: Final = frozenset(
    quality.wire for quality in (Quality.CALIBRATION, Quality.MAINTENANCE, Quality.DEVICE_FAULT)
)


class Role(StrEnum):
    """What a point tells about a mark."""

    STATE = "state"  # the instrument's own state, 0 running … 4 stopped
    POLLUTANT = "pollutant"
    LOGGER = "logger"  # what a data logger computed, with its flag as quality
    PRODUCTION = "production"
    CONTROL = "control"
    FLOW = "flow"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A point to draw; it runs while it is above ``idle`` (in its own unit)."""

    point: Meter
    role: Role
    idle: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """
    What the store holds of one point.

    ``flagged``: some days before or after, its values do carry flags of the instrument; only then
    a value without one says that the instrument ran as usual.
    """

    drawn: Drawn
    windows: Windows
    flagged: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Curves of [start, end), ns; an hour more than was marked on either side."""

    start_ns: int
    end_ns: int
    curves: tuple[Curve, ...]

    @property
    def empty(self) -> bool:
        """True when the store holds nothing of that time."""
        return not any(len(curve.windows) for curve in self.curves)

    @property
    def points(self) -> tuple[str, ...]:
        """Those of which there is something."""
        return tuple(str(x.drawn.point) for x in self.curves if len(x.windows))

    def of(self, role: Role) -> list[Curve]:
        return [x for x in self.curves if x.drawn.role is role and len(x.windows)]


def usual_points(stack: Stack, pollutants: Sequence[str]) -> tuple[Drawn, ...]:
    """Instrument state, the marked pollutants (() = all), gas flow, production and controls."""
    place, known = stack.equipment, quantities()
    wanted = [f"stack.{name}" for name in pollutants or stack.pollutants]
    measured = [name for name in wanted if name in stack.measured]
    if "stack.nox" in wanted and "stack.nox" not in stack.measured:
        measured += [name for name in stack.measured if name in {"stack.no", "stack.no2"}]
    found = [Drawn(Meter(place, STATE), Role.STATE)]
    found += [Drawn(Meter(place, name), Role.POLLUTANT) for name in measured]
    logged = [name.replace("stack.", "cems.", 1) for name in wanted]
    found += [Drawn(Meter(place, name), Role.LOGGER) for name in logged if name in known]
    idle_m3_h = IDLE_VELOCITY_M_S * float(stack.area_m2) * 3600
    found.append(Drawn(Meter(place, "stack.velocity"), Role.FLOW, IDLE_VELOCITY_M_S))
    found.append(Drawn(Meter(place, "stack.flow"), Role.FLOW, idle_m3_h))
    found.append(Drawn(Meter(place, "stack.temperature"), Role.OTHER))
    if stack.production is not None:
        above = float(stack.production_above)
        found.append(Drawn(stack.production, Role.PRODUCTION, above))
    return (*found, *(Drawn(point, Role.CONTROL) for point in stack.controls))


def named_points(texts: Sequence[str], stack: Stack | None) -> tuple[Drawn, ...]:
    """Points as a person names them, ``area/unit quantity``. Raises ConfigError with each wrong."""
    usual = {} if stack is None else {str(x.point): x for x in usual_points(stack, ())}
    found: list[Drawn] = []
    problems: list[str] = []
    for text in texts:
        name, _, quantity = text.strip().partition(" ")
        try:
            point = Meter(str(Equipment.parse(name)), quantity.strip())
        except ValueError:
            point = Meter("", "")
        if point.quantity not in quantities():
            problems.append(
                say(
                    f"--trace {text}：请写 区域/设备 量名，例如 gtc1/scrubber1 scrubber.running",
                    f"--trace {text}: write area/unit and a quantity, "
                    "e.g. gtc1/scrubber1 scrubber.running",
                )
            )
        found.append(usual.get(str(point), Drawn(point, Role.OTHER)))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def draw(series: Series, points: Sequence[Drawn], start_ns: int, end_ns: int) -> Trace:
    """The marked time [start, end) and an hour around it. Raises SeriesError."""
    first, after = start_ns - AROUND_NS, end_ns + AROUND_NS
    named = {drawn.point: drawn for drawn in reversed(points)}  # the first of a point counts
    return Trace(
        first, after, tuple(_curve(series, x, first, after) for x in reversed(named.values()))
    )


def _curve(series: Series, drawn: Drawn, first: int, after: int) -> Curve:
    if drawn.role is not Role.POLLUTANT:
        return Curve(drawn, series.windows(drawn.point, first, after))
    wide = series.windows(drawn.point, first - FLAGS_WITHIN_NS, after + FLAGS_WITHIN_NS)
    inside = (wide.start_ns >= first) & (wide.start_ns < after)
    cut = {
        each.name: getattr(wide, each.name)[inside]
        for each in fields(wide)
        if isinstance(getattr(wide, each.name), np.ndarray)
    }
    return Curve(drawn, replace(wide, **cut), any(reason in FLAGS for reason in wide.reason))


def trace_csv(trace: Trace) -> bytes:
    """One line per window; an empty cell is a value the store does not have."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        [
            *("time", "seconds", "equipment", "quantity", "unit", "mean", "min", "max", "last"),
            *("good", "quality", "raw", "gateway", "log", "seq"),
        ]
    )
    for curve in trace.curves:
        writer.writerows(_lines(curve))
    return text.getvalue().encode("utf-8-sig")


def _lines(curve: Curve) -> Iterator[list[str]]:
    point, of = curve.drawn.point, curve.windows
    unit = quantities()[point.quantity].unit.value
    for n in range(len(of)):
        yield [
            clock_text(int(of.start_ns[n])),
            str(int(of.period_ns[n]) // 1_000_000_000),
            point.equipment,
            point.quantity,
            unit,
            *(_number(column[n]) for column in (of.mean, of.low, of.high, of.last, of.good)),
            *(str(text[n] or "") for text in (of.reason, of.raw, of.gateway, of.log)),
            str(int(of.seq[n])),
        ]


def _number(value: float) -> str:
    return "" if isnan(value) else repr(float(value))
