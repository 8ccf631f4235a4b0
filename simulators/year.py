"""
A year of a smelter whose potlines start and stop: hourly values, registers, and what happened.

The pots go on from month to month; every meter is read at the end of each hour. Steps of five
minutes are short enough for feeding, tapping and anode effects, which last a minute and more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

import numpy as np

from simulators.flows import Flow, Readings
from simulators.history import Trace, trace_line
from simulators.months import LOCAL, month_span
from simulators.plant import Plant, Scenario, Section
from simulators.smoke_alert import GAS_LEFT, alert_of
from simulators.truth import Sums, add_line
from simulators.wander import Floats

STEP_S = 300.0
HOUR_S = 3600.0
COUNTED = ("feed_shots",)  # of the pots: the register at the end of the hour
_IN_HOUR = round(HOUR_S / STEP_S)
GAUGES = (
    *("potline.current", "potline.voltage", "heat_recovery.", "stack.", "pv.power"),
    *("scrubber.running", "desulphurisation.running"),
)
STATE = "stack.instrument_state"
COUNTERS = (
    *("meter.energy_import", "gas.volume", "heat.energy", "water.volume", "pv.energy"),
    *("green_power.energy", "heat_recovery.heat_energy"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """When a potline makes metal: first day, and the first day on which it does not any more."""

    started: date | None = None
    stopped: date | None = None

    def span(self, begin_s: float, end_s: float) -> tuple[float, float]:
        """The part of [begin, end) in which the line runs; empty when they do not meet."""
        first = begin_s if self.started is None else max(begin_s, midnight(self.started))
        after = end_s if self.stopped is None else min(end_s, midnight(self.stopped))
        return first, max(first, after)


@dataclass(frozen=True, slots=True)
class Hours:
    """Values of one point in consecutive hours from ``begin_s``; of a counter, at their ends."""

    begin_s: float
    values: Floats
    before: float | None = None  # a counter's register at ``begin_s``, when it is read first


@dataclass(slots=True)
class MonthOfYear:
    """What happened in one month, per potline that ran, and at the meters of the whole plant."""

    month: str
    begin_s: float
    lines: dict[str, Sums] = field(default_factory=dict)
    tapped_kg: dict[str, dict[str, Floats]] = field(default_factory=dict)  # line -> day -> pots
    effect_s: dict[str, Floats] = field(default_factory=dict)  # per pot
    anodes: dict[str, int] = field(default_factory=dict)  # anodes changed
    metal_kg: dict[str, tuple[float, float]] = field(default_factory=dict)  # in the pots, ends
    shared: dict[str, float] = field(default_factory=dict)  # kWh, m3, GJ by point
    hours: dict[str, list[Hours]] = field(default_factory=dict)


class Year:
    """Simulates ``year`` month by month; what a month needs of the one before is kept here."""

    def __init__(self, scenario: Scenario, year: int, runs: dict[str, Run] | None = None) -> None:
        self.year = year
        self.plant = Plant(scenario)
        self.plant.utilities.less_gas = (*alert_of(year).done_s, GAS_LEFT)
        self.runs = {s.name: (runs or {}).get(s.name, Run()) for s in self.plant.sections}
        self.registers: dict[str, float] = {}  # exact, not what a display shows
        self.steps: dict[str, float] = {}  # smallest step of each counter

    def months(self) -> Iterator[MonthOfYear]:
        """The twelve months in order."""
        for number in range(1, 13):
            name = f"{self.year}-{number:02d}"
            begin_s, end_s = month_span(name)
            month = MonthOfYear(name, begin_s)
            cuts = {begin_s, end_s}
            for run in self.runs.values():
                cuts |= {edge for edge in run.span(begin_s, end_s) if begin_s < edge < end_s}
            edges = sorted(cuts)
            for first_s, after_s in pairwise(edges):
                self._stretch(month, first_s, after_s)
            yield month

    def _stretch(self, month: MonthOfYear, begin_s: float, end_s: float) -> None:
        """A part of a month in which the same lines run."""
        time_s = np.arange(begin_s + STEP_S, end_s + 1, STEP_S)
        load_kw = np.zeros_like(time_s)
        for section in self.plant.sections:
            first, after = self.runs[section.name].span(begin_s, end_s)
            if first >= after:
                continue
            before_kg = float(section.pots.metal_kg.sum())
            trace = trace_line(section, time_s, STEP_S)
            _add(month, section, trace)
            first_kg = month.metal_kg.get(section.name, (before_kg, 0.0))[0]
            month.metal_kg[section.name] = (first_kg, float(section.pots.metal_kg.sum()))
            for readings in section.readings(trace.state):
                load_kw = load_kw + _drawn(readings)
                self._keep(month, readings, begin_s)
            _keep_effects(month, section, trace, begin_s)
        shared = self.plant.utilities.readings(time_s, load_kw, self.plant.nominal_kw)
        self._keep(month, shared, begin_s)
        for point, flow in shared.flows.items():
            grown = month.shared.get(point, 0.0) + float(flow.rate.sum()) * STEP_S
            month.shared[point] = grown

    def _keep(self, month: MonthOfYear, readings: Readings, begin_s: float) -> None:
        for point, values in readings.gauges.items():
            if point.partition(" ")[2].startswith(GAUGES):
                means = _means(point, values, readings).astype(np.float32)
                kept = Hours(begin_s, means.astype(np.float64))
                month.hours.setdefault(point, []).append(kept)
        for point, flow in readings.flows.items():
            if point.partition(" ")[2].startswith(COUNTERS):
                kept = self._count(point, flow, begin_s)
                month.hours.setdefault(point, []).append(kept)

    def _count(self, point: str, flow: Flow, begin_s: float) -> Hours:
        """The register at the end of each hour; it goes on where it stood."""
        before = None
        if point not in self.registers:
            self.registers[point] = flow.before(begin_s, point)
            self.steps[point] = flow.step
            before = float(flow.shown(np.array([self.registers[point]]))[0])
        exact = self.registers[point] + np.cumsum(flow.rate) * STEP_S
        self.registers[point] = float(exact[-1])
        return Hours(begin_s, flow.shown(exact[_IN_HOUR - 1 :: _IN_HOUR]), before)


def _means(point: str, values: Floats, readings: Readings) -> Floats:
    """Of each hour; a stack's only while its instrument runs, where it runs at all."""
    steps = values.reshape(-1, _IN_HOUR)
    equipment, _, quantity = point.partition(" ")
    plain: Floats = steps.mean(axis=1)
    if not quantity.startswith("stack.") or quantity == STATE:
        return plain
    runs = readings.gauges[f"{equipment} {STATE}"].reshape(-1, _IN_HOUR) == 0
    count = runs.sum(axis=1)
    seen: Floats = np.where(runs, steps, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, seen, plain)


def midnight(day: date) -> float:
    """The beginning of a day of plant time, unix seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL).timestamp()


def _add(month: MonthOfYear, section: Section, trace: Trace) -> None:
    """The stretch into the month's sums of the line."""
    name = section.name
    add_line(month.lines.setdefault(name, Sums()), section, trace.state, trace.sums, STEP_S)
    seconds = trace.effect_share.sum(axis=0) * STEP_S
    month.effect_s[name] = month.effect_s.get(name, np.zeros(len(seconds))) + seconds
    month.anodes[name] = month.anodes.get(name, 0) + trace.anodes_changed
    days = month.tapped_kg.setdefault(name, {})
    number = np.floor((trace.state.time_s - STEP_S + 28_800) / 86_400).astype(np.int64)
    for day in np.unique(number):
        days[str(np.datetime64(int(day), "D"))] = trace.tapped_kg[number == day].sum(axis=0)


def _keep_effects(month: MonthOfYear, section: Section, trace: Trace, begin_s: float) -> None:
    """Share of each hour in anode effect and mean voltage, pot by pot."""
    for k in range(section.pots.count):
        pot = f"{section.name}/pot{k + 1:03d}"
        share = trace.effect_share[:, k].reshape(-1, _IN_HOUR).mean(axis=1)
        volts = trace.voltage[:, k].reshape(-1, _IN_HOUR).mean(axis=1)
        month.hours.setdefault(f"{pot} pot.anode_effect", []).append(Hours(begin_s, share))
        month.hours.setdefault(f"{pot} pot.voltage", []).append(Hours(begin_s, np.round(volts, 4)))
        ordered = np.full_like(share, section.pots.set_v[k])
        month.hours.setdefault(f"{pot} pot.set_voltage", []).append(Hours(begin_s, ordered))
        for name, values in trace.detail.items():
            hourly = values[:, k].reshape(-1, _IN_HOUR)
            kept = hourly[:, -1] if name in COUNTED else np.round(hourly.mean(axis=1), 4)
            month.hours.setdefault(f"{pot} pot.{name}", []).append(Hours(begin_s, kept))


def _drawn(readings: Readings) -> Floats | float:
    """Power that a line and its gas cleaning draw from the grid, kW."""
    drawn: Floats | float = 0.0
    for point, power in readings.gauges.items():
        equipment, _, quantity = point.partition(" ")
        if quantity == "meter.active_power" and not equipment.endswith("/dc1"):
            drawn = drawn + power
    return drawn
