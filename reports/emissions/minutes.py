"""Minutes of a stack: what the gateway computed of them, else what is computed of them here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.model import Floats
from drivers.signals.stack import StackGas, converted, figures, nox_as_no2
from reports.emissions.states import Bools, States
from reports.periods import Period
from reports.series.minutes import CODES, MinuteGrid, Written
from reports.series.store import Series
from reports.site import Meter, Site
from reports.site_stacks import SOURCES_NOX, Stack

GAS: Final = ("o2", "velocity", "temperature", "pressure", "humidity", "flow", "ambient_pressure")
STATE: Final = "stack.instrument_state"
STATES: Final = {1: "calibration", 2: "maintenance", 3: "fault", 4: "stopped"}
KINDS: Final = ("", "calibration", "maintenance", "fault", "stopped")
REASONS: Final = {
    CODES["calibration"]: KINDS.index("calibration"),
    CODES["maintenance"]: KINDS.index("maintenance"),
    CODES["device_fault"]: KINDS.index("fault"),
    CODES.get("stopped", -1): KINDS.index("stopped"),
}
EDGE, COMPUTED, COARSE = "edge", "minutes", "hours"  # how the values of minutes came about


@dataclass(frozen=True, slots=True, eq=False)
class PollutantMinutes:
    """
    One pollutant by minutes. mg/m3, NaN = not there; ``good`` is the weight of a minute, 0 to 1.

    ``device`` is what the instrument said of itself, an index of KINDS. ``meaningless`` minutes
    cannot be converted: their O2 is too near that of the combustion air.
    """

    measured: Floats
    dry: Floats
    converted: Floats
    good: Floats
    meaningless: Bools
    device: States
    methods: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class StackMinutes:
    """
    A month, at most, of one stack. ``flow`` Nm3/h dry, and the weight of its minutes.

    ``running``: 1 the source runs, 0 it stands, NaN nobody can tell.
    """

    period: Period
    pollutants: Mapping[str, PollutantMinutes]
    flow: Floats
    flow_good: Floats
    gas: Mapping[str, Floats]  # o2 (dry), temperature, humidity, pressure
    running: Floats
    written: tuple[Written, ...]


def production_points(site: Site, stack: Stack) -> tuple[Meter, ...]:
    """What says that the source runs: the point of the stack, else pots running in its potlines."""
    if stack.production is not None:
        return (stack.production,)
    lines = [site.line(name) for name in stack.potlines]
    return tuple(
        Meter(line.series or f"{line.id}/series", "potline.pots_running")
        for line in lines
        if line is not None
    )


def points_of(site: Site, stack: Stack) -> tuple[Meter, ...]:
    """All points the hours of a stack are made from."""
    derived = [f"{name}_{kind}" for name in stack.pollutants for kind in ("dry", "converted")]
    parts = [part for name in stack.pollutants for part in _sources(stack, name)]
    fields = [*derived, "flow_standard", "o2_dry", *parts, *GAS, "instrument_state"]
    own = [Meter(stack.equipment, f"stack.{name}") for name in dict.fromkeys(fields)]
    return (*own, *production_points(site, stack))


def read_minutes(
    series: Series, site: Site, stack: Stack, period: Period, share: float
) -> StackMinutes:
    """``share`` is the good part that a minute must have to count. Raises SeriesError."""
    grid = series.minutes(points_of(site, stack), period)
    shown = _Shown(grid, stack, share)
    readings = {
        name: value
        for name in (*GAS, *shown.parts)
        if (value := shown.value(name)) is not None and np.isfinite(value).any()
    }
    made = figures(readings, gas_of(stack))
    nothing = np.full(grid.minutes, np.nan)
    flow, flow_good, _ = shown.either("flow_standard", made.get("flow_standard", nothing), "flow")
    o2, _, _ = shown.either("o2_dry", made.get("o2_dry", nothing), "o2")
    gas = {n: readings.get(n, nothing) for n in ("temperature", "humidity", "pressure")}
    return StackMinutes(
        period=period,
        pollutants={
            name: _pollutant(shown, stack, name, (made.get(f"{name}_dry", nothing), o2, readings))
            for name in stack.pollutants
        },
        flow=flow,
        flow_good=flow_good,
        gas={"o2": o2, **gas},
        running=_running(grid, site, stack),
        written=grid.written,
    )


def gas_of(stack: Stack) -> StackGas:
    """What the site says of a stack, for the equations."""
    nan = float("nan")
    moisture = stack.moisture_percent
    return StackGas(
        area_m2=float(stack.area_m2),
        velocity_coefficient=float(stack.velocity_coefficient),
        ambient_pa=float(stack.ambient_pa),
        static_pa=nan if stack.static_pa is None else float(stack.static_pa),
        moisture=nan if moisture is None else float(moisture) / 100,
        wet=stack.measured_so("wet"),
        actual=stack.measured_so("actual"),
        reference_o2=None if stack.reference_o2 is None else float(stack.reference_o2),
        initial_o2=float(stack.initial_o2),
        near=float(stack.near_o2),
        nox_from=stack.nox_from,
    )


def _sources(stack: Stack, pollutant: str) -> tuple[str, ...]:
    return SOURCES_NOX[stack.nox_from] if pollutant == "nox" else (pollutant,)


class _Shown:
    """A grid asked by the short names of one stack; minutes that are not good enough are NaN."""

    def __init__(self, grid: MinuteGrid, stack: Stack, share: float) -> None:
        self._grid, self._stack, self._share = grid, stack, share
        self.parts = tuple(
            dict.fromkeys(part for name in stack.pollutants for part in _sources(stack, name))
        )

    def _row(self, name: str) -> int | None:
        return self._grid.row(Meter(self._stack.equipment, f"stack.{name}"))

    def value(self, name: str) -> Floats | None:
        row = self._row(name)
        if row is None:
            return None
        grid = self._grid
        use = grid.coarse[row] | (grid.good[row] >= self._share)
        found: Floats = np.where(use, grid.mean[row], np.nan)
        return found

    def weight(self, name: str) -> Floats:
        """1 for a good minute; the good share of a longer window that was spread over minutes."""
        row = self._row(name)
        if row is None:
            return np.zeros(self._grid.minutes)
        grid = self._grid
        share = np.where(grid.good[row] >= self._share, 1.0, 0.0)
        found: Floats = np.where(grid.coarse[row], grid.good[row], share)
        return found

    def coarse(self, name: str) -> Bools:
        row = self._row(name)
        none: Bools = np.zeros(self._grid.minutes, dtype=np.bool_)
        return none if row is None else self._grid.coarse[row]

    def device(self, name: str) -> States:
        """What the flags of a reading, or the state of the instrument, say of each minute."""
        found = np.zeros(self._grid.minutes, dtype=np.int8)
        row, state = self._row(name), self._row(STATE.partition(".")[2])
        if row is not None:
            lost = self._grid.good[row] < self._share
            for reason, kind in REASONS.items():
                found[lost & (self._grid.reason[row] == reason)] = kind
        if state is not None:
            known = np.nan_to_num(np.rint(self._grid.mean[state]), nan=0.0)
            for code, kind_name in STATES.items():
                found[known == code] = KINDS.index(kind_name)
        return found

    def refused(self, name: str, *reasons: int) -> Bools:
        """Minutes that the gateway found without a valid value; for one of ``reasons``."""
        row = self._row(name)
        if row is None:
            return np.zeros(self._grid.minutes, dtype=np.bool_)
        grid, why = self._grid, self._grid.reason[row]
        said = np.isin(why, reasons) if reasons else why != 0
        return np.asarray(said & ~grid.coarse[row] & (grid.good[row] < self._share), np.bool_)

    def either(
        self, name: str, computed: Floats, reading: str
    ) -> tuple[Floats, Floats, dict[str, int]]:
        """
        The gateway's own value, else ours; the weight of each minute; how many of which.

        A minute that the gateway found not valid is not computed again from means that look good:
        it saw each reading, and the state of the instrument at that moment.
        """
        edge = self.value(name)
        edge = np.full(self._grid.minutes, np.nan) if edge is None else edge
        from_edge = np.isfinite(edge)
        ours = ~from_edge & ~self.refused(name) & np.isfinite(computed)
        spread = self.coarse(reading) & ours
        weight = np.where(from_edge, self.weight(name), 0.0)
        weight = np.where(ours, np.where(spread, self.weight(reading), 1.0), weight)
        methods = {
            EDGE: int(from_edge.sum()),
            COMPUTED: int((ours & ~spread).sum()),
            COARSE: int(spread.sum()),
        }
        return np.where(from_edge, edge, computed), weight, methods


def _pollutant(
    shown: _Shown,
    stack: Stack,
    name: str,
    made: tuple[Floats, Floats, Mapping[str, Floats]],
) -> PollutantMinutes:
    computed, o2, readings = made
    parts = _sources(stack, name)
    dry, good, methods = shown.either(f"{name}_dry", computed, parts[0])
    reference = None if stack.reference_o2 is None else float(stack.reference_o2)
    ours = converted(dry, o2, reference, float(stack.initial_o2), float(stack.near_o2))
    edge = shown.value(f"{name}_converted")
    at_reference = ours.value if edge is None else np.where(np.isfinite(edge), edge, ours.value)
    near = shown.refused(f"{name}_converted", CODES["out_of_range"]) & np.isfinite(dry)
    at_reference = np.where(near, np.nan, at_reference)
    return PollutantMinutes(
        measured=_measured(readings, name, parts, len(dry)),
        dry=dry,
        converted=at_reference,
        good=good,
        meaningless=(ours.meaningless | near) & ~np.isfinite(at_reference),
        device=shown.device(parts[0]),
        methods=methods,
    )


def _measured(
    readings: Mapping[str, Floats], name: str, parts: tuple[str, ...], minutes: int
) -> Floats:
    found = [readings.get(part) for part in parts]
    there = [each for each in found if each is not None]
    if len(there) < len(parts):
        return np.full(minutes, np.nan)
    return there[0] if parts == (name,) else nox_as_no2(*there)


def _running(grid: MinuteGrid, site: Site, stack: Stack) -> Floats:
    """Of several points one that runs is enough; all must be known to stand."""
    rows = [row for x in production_points(site, stack) if (row := grid.row(x)) is not None]
    found = np.full(grid.minutes, np.nan)
    if not rows:
        return found
    means, above = grid.mean[rows], float(stack.production_above)
    known = np.isfinite(means)
    found[(known & (means <= above)).all(axis=0)] = 0.0
    found[(known & (means > above)).any(axis=0)] = 1.0
    return found
