"""
Lines of the record stream, judged: windows, counters, events, and slots that nobody tells of.

Recomputed from what the simulated devices served and from the raw samples, with own arithmetic.
"""

import itertools
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.wire.lines import Line, read_line
from tests.simulation.judge import BrokenPromiseError, Kept
from tests.simulation.plant import DEVICES, value

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOLD = 3  # intervals that a value holds at most: docs/architecture.md


@dataclass(frozen=True, slots=True)
class Point:
    """What the judge knows of a point: whose it is, how often it is read, how it is written."""

    device: str
    unit: str
    name: str  # of the field
    quantity: str
    interval_ns: int

    @property
    def counts(self) -> bool:
        return self.name == "energy_import"

    def true(self, slot_ns: int) -> float:
        return value(self.quantity, f"line1/{self.unit}", slot_ns)


POINTS = (
    Point("plc", "pot001", "voltage", "pot.voltage", SECOND_NS),
    Point("plc", "pot002", "voltage", "pot.voltage", SECOND_NS),
    Point("meters", "ac1", "energy_import", "meter.energy_import", 2 * SECOND_NS),
)


@dataclass(slots=True)
class Served:
    """What the devices were asked, by device and slot; who asked is a life of the gateway."""

    good: dict[str, dict[int, int]] = field(default_factory=lambda: {d: {} for d in DEVICES})
    failed: dict[str, set[int]] = field(default_factory=lambda: {d: set() for d in DEVICES})


@dataclass(slots=True)
class Heard:
    """The lines of all logs, in order of their numbers."""

    samples: dict[str, dict[int, bool]]  # by device: slots in the raw stream, and whether good
    windows: dict[Point, list[Line]]
    events: list[Line]
    chains: dict[Point, list[list[Line]]]  # windows of each log

    @property
    def kinds(self) -> Counter[str]:
        return Counter(line.tags["kind"] for line in self.events)


def hear(logs: Mapping[str, Iterable[Kept]]) -> Heard:
    """Reads all lines once."""
    heard = Heard({d: {} for d in DEVICES}, {p: [] for p in POINTS}, [], {p: [] for p in POINTS})
    for found in logs.values():
        windows: dict[Point, list[Line]] = {point: [] for point in POINTS}
        for kept in found:
            for text in kept.payload.decode().split("\n")[1:]:
                _hear(text, heard, windows)
        for point, lines in windows.items():
            heard.windows[point] += lines
            heard.chains[point].append(lines)
    return heard


def _hear(text: str, heard: Heard, windows: dict[Point, list[Line]]) -> None:
    kind = text.partition(",")[0]
    if kind == "event":
        heard.events.append(read_line(text))
    elif kind == "frame":
        line = read_line(text)
        good = line.fields["bad"] == 0
        slots = heard.samples[line.tags["device"]]
        slots[line.time_ns] = good or slots.get(line.time_ns, False)
    elif kind in ("pot_1m", "meter_1m"):
        line = read_line(text)
        for point, lines in windows.items():
            if line.tags["unit"] == point.unit and f"{point.name}_n" in line.fields:
                lines.append(line)


# windows


def check_windows(heard: Heard, served: Served, *, steady: bool, chained: bool) -> Counter[str]:
    """
    Each window is what was served; ``steady``: no clock was moved; ``chained``: no disk was.

    Returns how many were judged, and how.
    """
    counts: Counter[str] = Counter()
    for point, lines in heard.windows.items():
        claimed: Counter[int] = Counter()
        for line in lines:
            claimed[line.time_ns] += _whole(line.fields[f"{point.name}_n"])
            counts["windows"] += 1
            counts["whole windows"] += _check_window(point, line, heard, served, steady)
        there = served.good[point.device]
        for start_ns, samples in claimed.items():
            most = sum(slot in there for slot in _slots(point, start_ns))
            if samples > most:
                raise BrokenPromiseError(
                    f"{point.unit} {start_ns}: {samples} samples in windows, {most} were served"
                )
        if point.counts and chained:
            for chain in heard.chains[point]:
                counts["counter windows"] += _check_counter(point, chain, heard, served)
    return counts


def _slots(point: Point, start_ns: int) -> range:
    return range(start_ns, start_ns + MINUTE_NS, point.interval_ns)


def _whole(number: object) -> int:
    if not isinstance(number, int):
        raise BrokenPromiseError(f"{number!r} is no count")
    return number


def _number(line: Line, name: str) -> float | None:
    said = line.fields.get(name)
    return None if said is None else float(said)


def _check_window(point: Point, line: Line, heard: Heard, served: Served, steady: bool) -> bool:
    """True where every figure of it was recomputed."""
    name, start_ns = point.name, line.time_ns
    samples, good = _whole(line.fields[f"{name}_n"]), _number(line, f"{name}_good")
    good = 1.0 if good is None else good
    where = f"{point.unit} {start_ns}: {line.fields}"
    if start_ns % MINUTE_NS or not 0 <= samples <= MINUTE_NS // point.interval_ns:
        raise BrokenPromiseError(f"{where}: no minute")
    reach = HOLD * point.interval_ns
    asked = range(start_ns - reach, start_ns + MINUTE_NS + 1, point.interval_ns)
    there = served.good[point.device]
    true = {point.true(slot) for slot in asked if slot in there}
    figures = ("last",) if point.counts else ("min", "max", "last")
    for each in figures:
        said = _number(line, f"{name}_{each}")
        if said is not None and said not in true:
            raise BrokenPromiseError(f"{where}: {each} was never served")
    if point.counts:
        return False  # by the chain
    mean = _number(line, name)
    if mean is not None and not (true and min(true) <= mean <= max(true)):
        raise BrokenPromiseError(f"{where}: a mean beyond what was served")
    lives = {there[slot] for slot in asked if slot in there}
    if samples == MINUTE_NS // point.interval_ns:
        held = {slot: point.true(slot) for slot in _slots(point, start_ns)}
    elif steady and len(lives) == 1:
        seen = heard.samples[point.device]
        within = [slot for slot in _slots(point, start_ns) if seen.get(slot)]
        if len(within) != samples or any(s in there and s not in seen for s in asked):
            return False  # the raw stream has not all of it
        held = {s: point.true(s) if seen[s] else math.nan for s in asked if s in seen}
    else:
        return False
    _check_figures(point, line, held, good, where)
    return True


def _check_figures(
    point: Point, line: Line, held: dict[int, float], good: float, where: str
) -> None:
    """Mean weighted by time, extremes and share; a value holds until the next, three intervals."""
    start_ns, end_ns = line.time_ns, line.time_ns + MINUTE_NS
    cover = total = 0.0
    values: list[float] = []
    slots = sorted(slot for slot in held if slot < end_ns)
    for slot, following in itertools.pairwise([*slots, end_ns]):
        until = min(following, slot + HOLD * point.interval_ns, end_ns)
        took = until - max(slot, start_ns)
        if math.isnan(held[slot]) or took <= 0:
            continue
        cover, total = cover + took, total + took * held[slot]
        values.append(held[slot])
    if abs(good - cover / MINUTE_NS) > 1e-9:
        raise BrokenPromiseError(f"{where}: {cover / MINUTE_NS} of the minute was good")
    if not values:
        return
    said = _number(line, point.name)
    low, high, last = (_number(line, f"{point.name}_{each}") for each in ("min", "max", "last"))
    true = (total / cover, min(values), max(values), values[-1])
    told = (said, *(said if each is None else each for each in (low, high, last)))
    for one, other in zip(told, true, strict=True):
        if one is None or abs(one - other) > 1e-9:
            raise BrokenPromiseError(f"{where}: (mean, min, max, last) {told}, were {true}")


def _check_counter(point: Point, chain: list[Line], heard: Heard, served: Served) -> int:
    """Increments add up to what the register went on: not less, and never more."""
    if heard.kinds["replacement"] or heard.kinds["reset"]:
        return 0  # the clock went back, and with it the register
    before: float | None = None
    judged = 0
    for line in chain:
        last, more = (_number(line, f"{point.name}_{each}") for each in ("last", "inc"))
        if last is None:
            if more:
                raise BrokenPromiseError(f"{line.fields}: {more} counted without a reading")
            continue
        if before is None:
            before = min((point.true(slot) for slot in served.good[point.device]), default=last)
            if (more or 0.0) > last - before:
                raise BrokenPromiseError(f"{line.fields}: the register began at {before}")
        elif more != last - before:
            raise BrokenPromiseError(
                f"{point.unit} {line.time_ns}: counted {more}, but {before} went to {last}"
            )
        before, judged = last, judged + 1
    return judged


# slots


_LOSSES = {"gap", "overload", "log_full", "dropped", "clock_step", "device_lost"}
_MOVED = re.compile(r"(?:gateway time moved by|clock stepped by) (-[0-9.]+) s(?:; followed|$)")


def losses(heard: Heard) -> list[tuple[int, int]]:
    """Intervals that were declared; the first end that was said of each counts."""
    told: dict[str, tuple[int, int]] = {}
    for line in heard.events:
        if line.tags["kind"] not in _LOSSES:
            continue
        name, end = str(line.fields["id"]), int(str(line.fields.get("end", 1 << 62)))
        known = told.get(name, (line.time_ns, 1 << 62))
        told[name] = line.time_ns, min(known[1], end)
        moved = _MOVED.search(str(line.fields["text"]))
        if moved:  # back: what lies between was stamped before, or never lived
            told[name] = line.time_ns + round(float(moved[1]) * 1e9), line.time_ns
    return sorted(told.values())


def check_slots(heard: Heard) -> int:
    """Each slot between the first and the last has a frame, or lies in a declared loss."""
    declared = losses(heard)
    starts = [start for start, _ in declared]
    swallowed = 0
    for point in (POINTS[0], POINTS[2]):
        seen = sorted(heard.samples[point.device])
        for before, after in itertools.pairwise(seen):
            for slot in range(before + point.interval_ns, after, point.interval_ns):
                swallowed += 1
                begun = bisect_right(starts, slot + point.interval_ns)
                if not any(end >= slot for _, end in declared[:begun]):
                    raise BrokenPromiseError(
                        f"{point.device}: slot {slot} is in no batch, and no loss covers it"
                    )
    return swallowed
