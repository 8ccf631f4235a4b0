"""
Eight hours of a stack as the gateway sees them: a reading every five seconds, in virtual time.

Frames go to the gateway's own desk; what it writes into the record log is laid into a lake by the
historian's view; the emissions report is made from the minutes that the gateway derived. It must
equal the simulator's truth, and hours computed from the readings by the book; and whoever watched
was warned before the hour was lost.
"""

import asyncio
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
import pytest

from agent.batches.log import BatchLog
from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.lake.view import LakeView
from agent.stacks.settings import StackConfig
from agent.stacks.stacks import Stacks
from agent.views import Source, StoredBatch
from agent.wire.encode import BatchHead
from reports.emissions.hours import stack_hours
from reports.emissions.report import emissions
from reports.emissions.states import StackHours, State
from reports.model import Content
from simulators.months import LOCAL
from simulators.smoke import StackMinutes, minutes_of
from simulators.smoke_plan import BAKING, Happening, SmokePlan
from simulators.smoke_site import gateway_stack, smoke_site
from simulators.smoke_truth import StackTruth, truth_of_stack
from tests.agent.points import frame, group, point
from tests.agent.virtual_time import WallClock, run_virtual
from tests.reports import plant
from tests.reports.emitted import Smoke

SECOND, MINUTE, HOUR = 10**9, 60 * 10**9, 3600 * 10**9
STEP_S, A_MINUTE, HOURS = 5, 12, 8
DAY = "2025-07-01"
STACK = replace(BAKING, flags=False)  # the instrument tells its state as a point of its own
GASES = ("so2", "nox", "o2", "instrument_state")
DUCT = ("temperature", "pressure", "humidity", "velocity")
WRITTEN = 2e-5  # relative: the gateway writes minutes with four digits after the point
PLANTED = (
    "level:DA002/so2@2025-07-01T01:20+40=60",  # lifts an hour that began well above its limit
    # the check of every day from 2:00 to 2:14 leaves 45 minutes
    "calibration:DA002@2025-07-01T03:00+16",  # 44 are left
    "communication:DA002@2025-07-01T04:10+16",  # 44
    "communication:DA002@2025-07-01T05:10+15",  # 45
    "level:DA002/so2@2025-07-01T06:05+10=85",  # swallowed by its hour: a decoy
    "level:DA002/so2@2025-07-01T07:00+60=35",  # the limit itself
)
Reading = dict[str, float]


def begin() -> datetime:
    return datetime.fromisoformat(DAY).replace(tzinfo=LOCAL)


def simulated() -> StackTruth:
    """By the minute; of an hour that is not over nothing is planted."""
    end = begin().replace(hour=HOURS)
    plan = SmokePlan(begin(), end, 7, (STACK,), tuple(map(Happening.parse, PLANTED)))
    return truth_of_stack(plan, minutes_of(plan, STACK))


def readings(made: StackMinutes) -> list[Reading | None]:
    """Twelve of each minute: concentrations scatter about the minute's mean; None = no answer."""
    random, found = Random(11), list[Reading | None]()
    for n in range(len(made.time_s)):
        shown = {name: float(made.shown[f"{STACK.equipment} stack.{name}"][n]) for name in SHOWN}
        for scatter in zip(*(_scatter(random) for _ in STACK.usual), strict=True):
            row = dict(shown)
            for name, off in zip(STACK.usual, scatter, strict=True):
                row[name] *= 1 + off
            found.append(row if made.there[n] else None)
    return found


SHOWN = (*GASES, *DUCT)


def _scatter(random: Random) -> list[float]:
    """Twelve numbers whose mean is nought."""
    drawn = [random.gauss(0, 0.05) for _ in range(A_MINUTE)]
    middle = fmean(drawn)
    return [each - middle for each in drawn]


async def gateway(folder: Path, rows: list[Reading | None]) -> list[StoredBatch]:
    """Every reading at its time through the desk; the batches of the record log."""
    begin_ns = round(begin().timestamp()) * SECOND
    clock = WallClock(begin_ns)
    groups = [
        group(
            *(point(f"stack.{x}", STACK.equipment, device=device) for x in names),
            interval_s=STEP_S,
            device=device,
        )
        for device, names in (("cems", GASES), ("duct", DUCT))
    ]
    text = "\n".join(gateway_stack(STACK))
    (settings,) = [StackConfig.model_validate(x) for x in tomllib.loads(text)["stacks"]]
    head = BatchHead("demo", "gw1", "x", "0" * 16)
    record_log, raw_log = BatchLog(folder, stream="record"), BatchLog(folder, stream="raw")
    async with record_log, raw_log:
        record, raw = Outbox(record_log, head, clock.wall_ns), Outbox(raw_log, head, clock.wall_ns)
        desk = Desk("demo", "gw1", record, raw, stacks=Stacks("demo", [settings]))
        desk.exchange(dict.fromkeys(groups, 2 * SECOND), ["cems", "duct"], begin_ns)
        for n, row in enumerate(rows):
            slot_ns = begin_ns + n * STEP_S * SECOND
            await asyncio.sleep((slot_ns - clock.wall_ns()) / 1e9)
            for each in groups if row is not None else ():
                assert row is not None
                desk.frame(frame(each, slot_ns, [row[p.quantity.field] for p in each.points]))
            if n % A_MINUTE == 0:
                desk.close_minutes(clock.wall_ns())
            if n % (10 * A_MINUTE) == 0:
                await record.flush()
                await raw.flush()
        await asyncio.sleep(180)
        desk.close_minutes(clock.wall_ns())
        await record.flush()
        source = Source("demo", "gw1", "record", record_log.log_id)
        return [StoredBatch(source, b) for b in await record_log.read_from(1, 1 << 30)]


async def historian(root: Path, batches: list[StoredBatch]) -> None:
    """The real view of the originals."""
    async with LakeView(root / "lake") as lake:
        await lake.write(batches)


@dataclass(frozen=True)
class Seen:
    """Everything that came of the eight hours."""

    truth: StackTruth
    rows: list[Reading | None]
    lines: list[str]
    hours: StackHours
    content: Content


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    root = tmp_path_factory.mktemp("edge")
    truth = simulated()
    rows = readings(truth.made)
    batches = run_virtual(gateway(root / "agent", rows))
    data = root / "data" / "historian"
    plant.store(data / "originals", batches)
    asyncio.run(historian(data, batches))
    (root / "site.toml").write_text(smoke_site("demo", [STACK]), "utf-8")
    lines = [line for batch in batches for line in batch.payload.decode().split("\n")]
    for basis in Smoke(root).basis(DAY):
        stack = basis.site.stack(STACK.id)
        assert stack is not None
        return Seen(truth, rows, lines, stack_hours(basis, stack), emissions(basis))
    raise AssertionError


def by_the_book(rows: list[Reading | None], name: str) -> list[tuple[float, float, float, int]]:
    """Hours of converted and dry mg/m3 and Nm3/h from the readings; how many minutes counted."""
    hours = []
    for first in range(0, len(rows), 60 * A_MINUTE):
        minutes = []
        for at in range(first, first + 60 * A_MINUTE, A_MINUTE):
            good = [r for r in rows[at : at + A_MINUTE] if r and r["instrument_state"] == 0]
            if len(good) == A_MINUTE:
                made = [_equations(r, r[name]) for r in good]
                minutes.append([fmean(column) for column in zip(*made, strict=True)])
        means = [fmean(column) for column in zip(*minutes, strict=True)]
        hours.append((means[0], means[1], means[2], len(minutes)))
    return hours


def _equations(r: Reading, c: float) -> tuple[float, float, float]:
    """(18), (19), (28) to (31) of HJ 212-2017 annex D.2, of one reading."""
    t, pa, x = r["temperature"], STACK.ambient_pa + r["pressure"], r["humidity"] / 100
    dry = c * (273 + t) / 273 * 101325 / pa / (1 - x)
    converted = dry * (21 - 15) / (21 - r["o2"] / (1 - x))
    flow = 3600 * STACK.area_m2 * STACK.velocity_coefficient * r["velocity"]
    return converted, dry, flow * 273 / (273 + t) * pa / 101325 * (1 - x)


@pytest.mark.parametrize("name", ["so2", "nox"])
def test_hours_are_those_of_the_readings_by_the_book(seen: Seen, name: str) -> None:
    found = seen.hours.pollutants[name]
    for n, (converted, dry, flow, minutes) in enumerate(by_the_book(seen.rows, name)):
        assert found.minutes[n] == minutes
        assert (found.state[n] == State.VALID) == (minutes >= 45)
        told = (found.converted[n], found.dry[n], seen.hours.flow[n])
        if minutes >= 45:
            assert told == pytest.approx((converted, dry, flow), rel=WRITTEN)


@pytest.mark.parametrize("name", ["so2", "nox"])
def test_hours_are_the_truth(seen: Seen, name: str) -> None:
    found, true = seen.hours.pollutants[name], seen.truth.pollutants[name]
    assert [State(int(s)).name.lower() for s in found.state[:HOURS]] == list(true.state)
    assert list(found.minutes[:HOURS]) == list(true.minutes) == [60, 60, 45, 44, 44, 45, 60, 60]
    valid = true.state == "valid"
    for ours, theirs in ((found.converted, true.converted), (found.amount_kg, true.amount_kg)):
        assert ours[:HOURS][valid] == pytest.approx(theirs[valid], rel=WRITTEN)
    assert set(found.state[HOURS:]) == {State.MISSING}


def test_every_minute_is_the_gateways_own(seen: Seen) -> None:
    """None is computed anew from measured means: 45 of hour 3 and so on, 418 minutes are good."""
    assert seen.hours.methods["so2.edge"] == 60 + 60 + 45 + 44 + 44 + 45 + 60 + 60
    assert seen.hours.methods.get("so2.minutes", 0) == 0
    assert seen.hours.methods.get("so2.hours", 0) == 0


def test_the_one_hour_above_the_limit_is_found_and_no_other(seen: Seen) -> None:
    """(20 min of about 17 + 40 of 60) / 60 = about 46; 35 exactly is kept; the decoy is no hour."""
    lines = {line.id: line.value for line in seen.content.lines}
    assert lines["DA002.so2_exceeded_hours"] == int(seen.truth.pollutants["so2"].exceeds.sum()) == 1
    assert lines["DA002.nox_exceeded_hours"] == 0
    ((lost, what),) = events(seen, "exceedance")
    assert what == "so2"
    assert hour_of(lost) == 1


def events(seen: Seen, kind: str) -> list[tuple[int, str]]:
    """Start and pollutant of the events of a kind, each once."""
    found = set()
    for line in seen.lines:
        if line.startswith("event,") and f",kind={kind}," in line:
            said = re.search(r'text="([^"]*)"', line)
            assert said is not None
            what = next(x for x in STACK.usual if x in said[1].lower() or WORDS[x] in said[1])
            found.add((int(line.rpartition(" ")[2]), what))
    return sorted(found)


WORDS = {"so2": "二氧化硫", "nox": "氮氧化物"}


def hour_of(time_ns: int) -> int:
    return (time_ns // SECOND - round(begin().timestamp())) // 3600


def test_a_warning_came_before_the_hour_was_lost(seen: Seen) -> None:
    """Lost is an hour when its minutes so far, with nothing more to come, are above the limit."""
    rows = seen.rows[60 * A_MINUTE : 120 * A_MINUTE]
    so_far, lost_min = 0.0, 60
    for minute in range(60):
        part = [r for r in rows[minute * A_MINUTE : (minute + 1) * A_MINUTE] if r]
        so_far += fmean(_equations(r, r["so2"])[0] for r in part)
        if so_far / 60 > 35:
            lost_min = minute + 1
            break
    assert 40 < lost_min < 60
    warned = [ns for ns, what in events(seen, "exceedance_warning") if hour_of(ns) == 1]
    assert len(warned) == 1
    warned_min = (warned[0] // SECOND - round(begin().timestamp())) / 60 - 60
    assert 20 < warned_min < lost_min - 10  # ten minutes and more to do something about it


def test_batches_are_chained_and_stand_behind_the_hours(seen: Seen) -> None:
    """The report names the batches that hold its minutes."""
    ((_, written),) = seen.hours.written
    derived = [x for x in written if x.point.quantity == "stack.so2_converted"]
    windows = sum(x.windows for x in derived)
    # Of a silence the first minute has a window without value, the others have none.
    assert HOURS * 60 - 16 - 15 <= windows <= HOURS * 60 - 15 - 14 + 1
    assert {x.gateway for x in derived} == {"gw1"}
    heads = [line for line in seen.lines if line.startswith("batch,")]
    numbers = [int(re.findall(r"seq=(\d+)i", head)[0]) for head in heads]
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert derived[0].last_seq <= numbers[-1]
    assert np.isfinite(seen.hours.pollutants["so2"].converted[:HOURS]).all()
