"""B8: what comes twice, what contradicts, and what comes after the month was lodged."""

import asyncio
import contextlib
import io
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from agent.lake.lake import Lake
from agent.views import StoredBatch
from drivers.cli import main
from reports.periods import PLANT_TIME
from reports.versions import read_report
from tests import servers
from tests.agent.ends import RawGateway, broker_at, events, historian_end, kept, until
from tests.reliability.cases import Outcome, Setting, case
from tests.reports import plant
from tests.reports.conftest import NOW, Office

HOUR_NS = plant.HOUR_NS
DELAYS = {"1 h": HOUR_NS, "1 d": 24 * HOUR_NS, "40 d": 40 * 24 * HOUR_NS}
KWH = {"ac1": 2400.0, "ac2": 3933.375, "aux1": 151.25}  # an hour, each a whole number of eighths
HOURS = 31 * 24


# --- twice, and otherwise


@dataclass(frozen=True)
class Stories:
    """What the historian made of them."""

    batches: int
    again: int
    counted: int
    conflicts: int
    told: int
    missing: int  # payloads that are kept nowhere
    branches: int


async def two_stories(folder: Path, dice: random.Random, many: int) -> Stories:
    """Batches, some of them again at any time; then the second half once more, with other bytes."""
    server = servers.mosquitto(folder)
    await asyncio.to_thread(server.start)
    try:
        async with (
            historian_end(folder, broker_at(server.port)) as (_, receiver),
            RawGateway.connected(server.port) as gateway,
        ):
            first, again = gateway.chain(1, many), 0
            for seq, payload in enumerate(first, 1):
                await gateway.send(payload)
                if dice.random() < 0.5:
                    await gateway.send(first[dice.randrange(seq)])
                    again += 1
                if seq % 20 == 0:
                    await until(lambda: gateway.upto >= seq, "receipts")  # noqa: B023 - awaited
            await until(lambda: gateway.upto == many, "the first story")
            await until(lambda: receiver.counts.known == again, "duplicates counted")
            half = many // 2
            other = gateway.chain(half + 1, many + 5, "b", prev=sha256(first[half - 1]).digest())
            for seq, payload in enumerate(other, 1):
                await gateway.send(payload)
                if seq % 20 == 0:
                    done = many + seq
                    await until(lambda: receiver.counts.stored >= done, "stored")  # noqa: B023
            await until(lambda: gateway.upto == many + 5, "the second story")
            counted, conflicts = receiver.counts.known, receiver.counts.conflicts
    finally:
        await asyncio.to_thread(server.end)
    found = kept(folder, "record")
    stored = {bytes(batch.payload) for batches in found.values() for batch in batches}
    missing = sum(payload not in stored for payload in [*first, *other])
    told = events(folder).count("kind=conflict")
    return Stories(many, again, counted, conflicts, told, missing, len(found))


# --- late


def run(*arguments: str) -> tuple[int, str]:
    """``smelter …`` in this process, on a day in November."""
    said = io.StringIO()
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["smelter", *arguments])
        patch.setenv("SMELTER_LANG", "en")
        patch.setattr("reports.periods.wall_clock", lambda: NOW.astimezone(PLANT_TIME))
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    return 0, said.getvalue()


def hours_of(unit: str) -> Iterator[tuple[int, str]]:
    for step in plant.steady(KWH[unit], HOUR_NS, 77_000.0):
        yield step.start_ns, plant.line_of(f"line1/{unit}", step, "1h")


def built(root: Path, cut_ns: int) -> tuple[list[StoredBatch], dict[int, list[str]]]:
    """A lake without what ac2 counted from ``cut_ns`` on; its batches, and the lines left out."""
    lines = [(at, line) for unit in KWH for at, line in hours_of(unit)]
    late = {at: [line] for at, line in lines if "unit=ac2" in line and at >= cut_ns}
    early = [(at, line) for at, line in lines if not ("unit=ac2" in line and at >= cut_ns)]
    made = plant.batches(plant.GATEWAY, plant.by_hour(iter(early)))
    root.mkdir(parents=True)
    plant.store(root / "originals", made)
    _write(root, made)
    (root / "site.toml").write_text(plant.SITE, "utf-8")
    (root / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    Office(root).enter(plant.ENTRIES)
    return made, late


def _write(root: Path, made: list[StoredBatch]) -> None:
    lake = Lake(root / "lake")
    lake.open()
    try:
        lake.write(made)
    finally:
        lake.close()


def report(root: Path) -> tuple[Path, bool]:
    """The month's report: its file, and whether it is a new version."""
    code, said = run(
        *("report", "carbon-monthly", "--site", str(root / "site.toml"), "--month", "2026-10"),
        *("--out", str(root / "reports"), "--format", "json", "--json"),
    )
    assert code in {0, 1}, said
    table = json.loads(said)
    return Path(table["report"]), bool(table["fresh"])


def came_late(root: Path, delay_ns: int) -> str:
    """
    Lodge the month without what ac2 counted in its last hours; then they come. "" or what is wrong.

    With them come one hour that is there already, and one with another figure.
    """
    end_ns = plant.OCTOBER.end_ns
    made, late = built(root, end_ns - min(delay_ns, 20 * 24 * HOUR_NS))
    first, _ = report(root)
    before = first.read_bytes()
    code, said = run(
        *("lodge", str(first), "--incomplete", "--receipt", "R-1", "--on", "2026-11-23"),
        *("--author", "王敏"),
    )
    assert code == 0, said
    same_ns, other_ns = plant.OCTOBER.start_ns + 5 * HOUR_NS, plant.OCTOBER.start_ns + 6 * HOUR_NS
    told = {at: line for at, line in hours_of("ac2") if at in {same_ns, other_ns}}
    late[same_ns] = [told[same_ns]]
    late[other_ns] = [told[other_ns].replace(f"_inc={KWH['ac2']!r}", "_inc=3933.5")]
    arrived = {end_ns + delay_ns: [line for at in sorted(late) for line in late[at]]}
    _write(root, plant.batches(plant.GATEWAY, arrived, made[-1].batch.seq + 1))
    second, fresh = report(root)
    if not fresh or second == first:
        return "no new version"
    if first.read_bytes() != before:
        return "the lodged version was touched"
    return _explained(second) or ("a third version of the same" if report(root)[1] else "")


def _explained(file: Path) -> str:
    """What the new version must say: the right figure, the difference, its reason, the conflict."""
    made = read_report(file)
    change = {(each.what, each.ref): each for each in made.since_lodged}
    line = change.get(("line", "line1.electricity_ac"))
    if made.lodged is None or line is None or line.why is None:
        return "the difference is not told, or without a reason"
    if "ac2" not in line.why.en or "ac2" not in line.why.zh or line.before == line.after:
        return f"not explained: {line.why.en}"
    meter = next(each for each in made.content.meters if each.equipment == "line1/ac2")
    right = Decimal("3933.375") * HOURS + Decimal("0.125")  # 3,933.5 in one hour, said later
    if meter.total != right:
        return f"{meter.total} kWh instead of {right}"
    notes = made.content.line("line1.electricity_ac").notes
    if (meter.doubles, meter.conflicts) != (2, 1) or not any("twice" in n.en for n in notes):
        return f"{meter.doubles} doubles, {meter.conflicts} conflicts"
    return ""


@case(
    "B8",
    fault="duplicates, conflicts, late data",
    procedure="batches sent again with the same and with other bytes over a real broker; after the "
    "month was lodged a meter's last hours arrive 1 h, 1 d, 40 d late, with one hour that is "
    "there already and one that contradicts",
    mark="same: dropped and counted; other: both kept and a conflict event; late: a new version "
    "with the difference explained, the lodged one untouched",
)
def late_and_conflicting(setting: Setting) -> Outcome:
    many = setting.size(cut=60, full=2_000)
    stories = asyncio.run(two_stories(setting.folder, setting.chance, many))
    wrong = {name: came_late(setting.folder / name, delay) for name, delay in DELAYS.items()}
    passed = stories.counted == stories.again > 0 and stories.conflicts == stories.told == 1
    passed &= not stories.missing and stories.branches == 2 and not any(wrong.values())
    told = ", ".join(f"{name} late: {text or 'new version'}" for name, text in wrong.items())
    return Outcome(
        passed,
        f"{stories.batches} batches, {stories.again} sent again, {stories.counted} dropped and "
        f"counted; a second story from the middle on: {stories.conflicts} conflict, "
        f"{stories.told} event, {stories.missing} batches kept nowhere; {told}",
    )
