"""B10: thirty days of readings with gaps, against a second calculation in exact fractions."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from agent.edge.pipeline import GroupPipeline
from agent.lake.lake import Lake
from drivers.decode import PAD, Decoder, Place
from drivers.model import Equipment, Frame, Group, Point, Quality
from drivers.quantities import quantities
from reports.metered import read_meter
from reports.periods import Period
from reports.series.lake import LakeSeries, open_lake
from reports.site import Meter
from tests.agent.batches import RECORD, batch
from tests.reliability.cases import Outcome, Setting, case

FIRST = date(2026, 9, 1)
START_NS = Period.parse("2026-09-01").start_ns
STEP_S, HOLD_S, DAY_S = 10, 30, 86_400
SECOND = 10**9
MODULUS = 2**16
POWER = Meter("line1/ac1", "meter.active_power")
ENERGY = Meter("line1/ac1", "meter.energy_import")


@dataclass(frozen=True)
class Reading:
    """What the two registers held at a second of the month; ``answered`` or not."""

    at_s: int
    power: int  # 0.1 kW
    energy: int  # kWh in all, before the register turns over
    answered: bool


def readings(dice: random.Random, days: int) -> Iterator[Reading]:
    """
    Lost answers, gaps of minutes and hours, a gap over midnight, and hours without the gateway.

    Midnights but that one are read, so that the register tells each day.
    """
    energy, off_until, silent = 65_000, 0, _silences(days)
    for at_s in range(0, days * DAY_S + 1, STEP_S):
        energy += dice.randrange(4)
        if dice.random() < 0.0005:
            off_until = at_s + dice.randrange(20, 1500)
        if any(first <= at_s < last for first, last in silent[:1]):
            continue
        midnight = at_s % DAY_S == 0
        lost = dice.random() < 0.03 or at_s < off_until
        lost = (lost and not midnight) or any(first <= at_s < last for first, last in silent[1:])
        yield Reading(at_s, dice.randrange(1_000, 90_000), energy, not lost)


def _silences(days: int) -> list[tuple[int, int]]:
    """[from, to) in seconds: the gateway off, the device off over midnight, hours of the device."""
    middle = days // 2 * DAY_S
    return [
        (middle + 5 * 3600 + 20, middle + 9 * 3600 + 1250),
        (middle - 1830, middle + 2500),
        (middle + 40_000, middle + 51_111),
    ]


def through_the_gateway(folder: Path, month: list[Reading]) -> None:
    """Registers → decoder → quality, counters, minutes → record lines → lake."""
    power = Point(
        Equipment("line1", "ac1"), quantities()[POWER.quantity], "plc", "holding:0", "uint32",
        order="CDAB", scale=0.1, interval_s=STEP_S,
    )  # fmt: skip
    energy = Point(
        Equipment("line1", "ac1"), quantities()[ENERGY.quantity], "plc", "holding:2", "uint16",
        order="BADC", interval_s=STEP_S, counter_modulus=MODULUS, counter_max_per_s=1.0,
    )  # fmt: skip
    group = Group("plc", STEP_S, (power, energy))
    decoder = Decoder(group.points, [Place(2), Place(6)], 8)
    pipeline, lines = GroupPipeline("demo", "gw1", group), list[str]()
    for each in month:
        slot_ns = START_NS + each.at_s * SECOND
        if each.answered:
            high, low = divmod(each.power, 1 << 16)
            words = low.to_bytes(2, "big") + high.to_bytes(2, "big")
            found = decoder.decode(PAD + words + (each.energy % MODULUS).to_bytes(2, "little"))
            frame = Frame(group, slot_ns, slot_ns, found.values, found.quality)
        else:
            frame = Frame.missing(group, slot_ns, slot_ns, Quality.NO_DATA, "lost")
        for closed in pipeline.take(frame).closed:
            lines += closed.lines.decode().split("\n")
    lake = Lake(folder / "lake")
    lake.open()
    for seq, at in enumerate(range(0, len(lines), 1440), 1):
        lake.write([batch(RECORD, seq, lines[at : at + 1440])])
    lake.close()


@dataclass
class Truth:
    """The second calculation, from its definitions."""

    held: dict[int, tuple[Fraction, int]] = field(default_factory=dict)  # minute: value x s, s
    seen: set[int] = field(default_factory=set)  # minutes in which anything was asked
    used: dict[int, int] = field(default_factory=dict)  # kWh by the minute it was read in

    @classmethod
    def of(cls, month: list[Reading]) -> "Truth":
        truth, last = cls(), -1
        before: Reading | None = None
        for one, other in pairwise(month):
            truth.seen.add(one.at_s // 60)
            if one.answered:
                truth._hold(one, min(other.at_s, one.at_s + HOLD_S))
        for each in month:
            if not each.answered:
                continue
            if before is not None:
                minute = (each.at_s - 1) // 60  # the reading at its end belongs to the minute
                truth.used[minute] = truth.used.get(minute, 0) + each.energy - before.energy
            before, last = each, each.at_s
        assert last % DAY_S == 0
        return truth

    def _hold(self, one: Reading, until_s: int) -> None:
        """A value holds until the next reading, at most three intervals."""
        at_s = one.at_s
        while at_s < until_s:
            minute = at_s // 60
            end_s = min(until_s, (minute + 1) * 60)
            total, known = self.held.get(minute, (Fraction(0), 0))
            weighted = Fraction(one.power, 10) * (end_s - at_s)
            self.held[minute] = total + weighted, known + end_s - at_s
            at_s = end_s


def decimal(value: Fraction) -> Decimal:
    """Six decimals, as reports show a measured figure."""
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.000001"))


def minutes_differ(series: LakeSeries, truth: Truth, days: int) -> tuple[int, int, int]:
    """Minutes of the gauge; how many have another mean, how many another flag or share."""
    after_ns = START_NS + days * DAY_S * SECOND
    rows = series.windows(POWER, START_NS, after_ns)
    values = flags = 0
    met = set()
    for k, start_ns in enumerate(rows.start_ns.tolist()):
        minute = (start_ns - START_NS) // (60 * SECOND)
        met.add(minute)
        total, known = truth.held.get(minute, (Fraction(0), 0))
        mean = float(rows.mean[k])
        if known:
            values += math.isnan(mean) or decimal(total / known) != decimal(Fraction(mean))
        else:
            values += not math.isnan(mean)
        share = 1.0 if math.isnan(rows.good[k]) else float(rows.good[k])
        flags += share != known / 60 or (rows.reason[k] is None) != (known == 60)
    wanted = {minute for minute in truth.seen | set(truth.held) if minute < days * 1440}
    return len(rows), values + len(wanted ^ met), flags


def hours_differ(series: LakeSeries, truth: Truth, period: Period) -> tuple[int, int]:
    """Hours of both quantities; how many differ in mean, good share or increment."""
    table = series.hourly([POWER, ENERGY], period)
    differing, met = 0, 0
    for row in table.to_pylist():
        first = (row["hour_ns"] - START_NS) // (60 * SECOND)
        minutes = range(first, first + 60)
        met += 1
        if row["quantity"] == ENERGY.quantity:
            used = [truth.used[m] for m in minutes if m in truth.used]
            got = None if row["inc"] is None else Fraction(row["inc"])
            differing += got != (sum(used) if used else None)
            continue
        held = [truth.held[m] for m in minutes if m in truth.held]
        known = sum(seconds for _, seconds in held)
        differing += abs(row["share"] - known / 3600) > 1e-12
        if not known:
            differing += row["mean"] is not None and not math.isnan(row["mean"])
            continue
        differing += decimal(sum((t for t, _ in held), Fraction(0)) / known) != decimal(
            Fraction(row["mean"])
        )
    return met, differing


def totals_differ(series: LakeSeries, month: list[Reading], days: int) -> tuple[int, int]:
    """
    Days, or spans of days between midnights that were read, and the whole: how many differ.

    The truth is the register at the end less the register at the start.
    """
    register = {each.at_s // DAY_S: each.energy for each in month if _at_midnight(each)}
    spans = [*pairwise(sorted(register)), (0, days)]
    differing = 0
    for first, after in spans:
        period = Period(FIRST + timedelta(days=first), FIRST + timedelta(days=after))
        use = read_meter(series, ENERGY, period)
        differing += use.total != Decimal(register[after] - register[first])
    return len(spans), differing


def _at_midnight(each: Reading) -> bool:
    return each.answered and each.at_s % DAY_S == 0


@case(
    "B10",
    fault="a month of readings with lost answers, gaps and rollovers",
    procedure="30 days, every 10 s: registers → gateway → lake → minutes, hours, days and month "
    "as reports read them; beside it a second calculation in fractions from the definitions",
    mark="all equal: counters exactly, means to six decimals, good shares and flags identical",
)
def end_to_end(setting: Setting) -> Outcome:
    days = setting.size(cut=4, full=30)
    month = list(readings(setting.chance, days))
    through_the_gateway(setting.folder, month)
    truth = Truth.of(month)
    period = Period(FIRST, FIRST + timedelta(days=days))
    with open_lake("demo", setting.folder / "lake") as series:
        minutes, values, flags = minutes_differ(series, truth, days)
        hours, other = hours_differ(series, truth, period)
        spans, wrong = totals_differ(series, month, days)
    lost = sum(not each.answered for each in month)
    return Outcome(
        not values and not flags and not other and not wrong and lost > 0,
        f"{len(month):,} readings, {lost:,} lost, {month[-1].energy // MODULUS} rollovers; "
        f"of {minutes:,} minutes {values} differ, {flags} in flag or share; of {hours:,} hours "
        f"{other}; of {spans} days and the month {wrong}",
    )
