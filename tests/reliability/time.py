"""C1–C5: clocks that step, are not set, drift, lie in the device, and a gateway short of time."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from agent.edge.clock import MAX_SLEW
from reports.periods import Period
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.agent.small_plant import bank, device, lines, write_config, write_table
from tests.agent.time_bench import (
    SECOND,
    SYNCED,
    TRUE_NS,
    UNSYNCED,
    Run,
    World,
    errors_s,
    run,
)
from tests.reliability.cases import NotRun, Outcome, Setting, case
from tests.servers import free_port

PERIOD_S = 1.0
PERIOD_NS = round(PERIOD_S * SECOND)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
FAKETIME = (
    *(f"/usr/lib/{arch}-linux-gnu/faketime/libfaketime.so.1" for arch in ("x86_64", "aarch64")),
    "/usr/lib/faketime/libfaketime.so.1",
)
PROGRAM = "from drivers.cli import main; main()"
ROOM_S = 0.25  # for a machine that does other things too
STEP_NEAR_S = 0.5  # a step's size as told, against the one made
HEADS = re.compile(r"frame,.*,interval=1 points=\d+i,bad=(\d+)i.* (\d+)$")


# --- C1: the real process under libfaketime


def faketime() -> str:
    for path in FAKETIME:
        if Path(path).exists():
            return path
    raise NotRun("libfaketime is not installed (Debian package faketime)")


class FakeClock:
    """The control file of libfaketime; replaced by rename, or a reader may see half of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "offset"
        self.offset_s = 0
        self.set(0)

    def set(self, offset_s: int) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n")
        fresh.rename(self.path)
        self.offset_s = offset_s

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "LD_PRELOAD": faketime(),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
        }


def steps_of(setting: Setting) -> list[int]:
    """Offsets of the system clock, s: every size there and back again, in seeded order."""
    sizes = [1, -1, HOUR_S, -HOUR_S, DAY_S, -int(time.time())]
    chance, offsets = setting.chance, list[int]()
    count = setting.size(cut=6, full=20)
    while len(offsets) < count:
        for size in chance.sample(sizes, len(sizes)):
            offsets += [size, 0]
    return offsets[:count]


@case(
    "C1",
    fault="clock steps ±1 s, ±1 h, +1 d, to 1970, and back",
    procedure="real agent process under libfaketime, device polled each second",
    mark="0 duplicate and 0 swallowed slots; each step an event with its size; polls resume by "
    "the second slot after a step (2 periods of 1 s, drawn in by 5 %, and 0.25 s: 2.36 s)",
    weaker="one period is asked: a step falls within a period, so the next slot but one is the "
    "first that is surely stamped by the new time, and 0.25 s are allowed for the shared machine",
)
def clock_steps(setting: Setting) -> Outcome:
    offsets = steps_of(setting)
    made, asked_s, at_s = asyncio.run(_stepped(setting.folder, offsets))
    raw = asyncio.run(lines(setting.folder, "raw"))
    record = asyncio.run(lines(setting.folder, "record"))
    frames = [(int(m[2]), m[1] != "0") for x in raw if (m := HEADS.match(x))]
    slots = [slot for slot, _ in frames]
    repeated = sum(count - 1 for count in Counter(slots).values())
    steps = [x for x in record if x.startswith("event,") and "kind=clock_step" in x]
    sizes = [float(m[1]) for x in steps if (m := re.search(r"amount=([-0-9.e+]+)", x))]
    told = sum(any(abs(size - step) < STEP_NEAR_S for size in sizes) for step in made)
    jumps = sum("; followed" in x for x in steps)
    breaks = sum(after - slot != PERIOD_NS for slot, after in pairwise(slots))
    swallowed = max(0, breaks - jumps)
    late = sum(bad for _, bad in frames)
    pauses_s = [_pause_s(asked_s, s) for s in at_s]
    passed = not repeated and not swallowed and told == len(made) == len(steps)
    # a period, one more until the next slot, both longer while drawn in, on a shared machine
    passed &= max(pauses_s) <= 2 * PERIOD_S / (1 - MAX_SLEW) + ROOM_S
    return Outcome(
        passed,
        f"{len(made)} steps, {told} told with their size; {len(slots)} slots, {repeated} twice, "
        f"{swallowed} swallowed, {late} declared late; longest pause between polls after a step "
        f"{max(pauses_s):.2f} s at a period of {PERIOD_S:g} s",
    )


def _pause_s(asked_s: list[float], step_s: float) -> float:
    """The longest time without a request around a step, until the next one is made."""
    near = [s for s in asked_s if step_s - 1.5 * PERIOD_S <= s <= step_s + 3.4 * PERIOD_S]
    return max((b - a for a, b in pairwise(near)), default=10 * PERIOD_S)


async def _stepped(folder: Path, offsets: list[int]) -> tuple[list[int], list[float], list[float]]:
    """Sizes made, when requests came, when the clock was set."""
    clock = FakeClock(folder)
    write_table(folder)
    made, asked_s, at_s = [], list[float](), []
    async with AsyncExitStack() as stack:
        plc = await stack.enter_async_context(
            ModbusServer({1: bank()}, observe=lambda *_: asked_s.append(time.monotonic()))
        )
        table = device("plc", plc.port).replace("interval_s = 0.1", f"interval_s = {PERIOD_S}")
        config = write_config(folder, table)
        with started(config, clock.environment) as agent:
            await _until(lambda: len(asked_s) > 3, agent)
            for offset in offsets:
                made.append(offset - clock.offset_s)
                at_s.append(time.monotonic())
                clock.set(offset)
                await asyncio.sleep(3.5 * PERIOD_S)
            agent.send_signal(signal.SIGTERM)
            await asyncio.to_thread(agent.wait, 20)
    return made, asked_s, at_s


@contextmanager
def started(config: Path, environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """``smelter agent run``; killed when it is still there at the end."""
    with (config.parent / "agent.log").open("ab") as log:
        agent = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "agent", "run", str(config)],
            stderr=log,
            stdout=log,
            env=environment,
        )
    try:
        yield agent
    finally:
        if agent.poll() is None:
            agent.kill()
        agent.wait()


async def _until(ready: Callable[[], object], agent: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(30):
        while not ready():
            if agent.poll() is not None:
                raise AssertionError(f"the agent ended with {agent.returncode}")
            await asyncio.sleep(0.05)


# --- C2 to C4: real polling, desk, wire, lake and reader in virtual time


async def _ten_minutes_then_sync(world: World) -> None:
    await asyncio.sleep(600)
    ahead_s = world.wrong_ns / SECOND if 0 < world.wrong_ns < 600 * SECOND else 0.0
    world.wrong_ns, world.kernel = 0, SYNCED
    await asyncio.sleep(150 + 21 * ahead_s)


@case(
    "C2",
    fault="boot without synchronised clock, set after 10 min",
    procedure="virtual time: real poller, desk, wire, lake and report reader; served values tell "
    "the true second; wrong by 1970, days, hours, seconds, early and late, one kill in between",
    mark="all data kept and flagged; re-timed within 1 s; originals unchanged",
)
def boot_without_sync(setting: Setting) -> Outcome:
    wrong_s = [-1_790_000_000, -30 * DAY_S, -2 * HOUR_S, -90, -5, 5, 40, 2 * HOUR_S, 400 * DAY_S]
    wrong_s = wrong_s if setting.full else [-1_790_000_000, 5, 400 * DAY_S]
    worst_s, minutes, missing, unflagged = 0.0, 0, 0, 0
    for number, wrong in enumerate(wrong_s):
        folder = setting.folder / str(number)
        folder.mkdir()
        world = World(wrong_ns=wrong * SECOND, kernel=UNSYNCED)
        done = run(Run(folder), world, _ten_minutes_then_sync)
        windows = done.windows(TRUE_NS - DAY_S * SECOND, TRUE_NS + DAY_S * SECOND)
        errors = errors_s(windows)
        worst_s = max([worst_s, *map(abs, errors)])
        minutes += len(errors)
        written = [x for x in done.record.lines() if x.startswith("heat_1m,")]
        samples = sum(int(m[1]) for x in written if (m := re.search(r"flow_n=(\d+)i", x)))
        missing += abs(samples - int(windows.n.sum()))
        heads = [x for x in done.record.lines() if x.startswith("batch,")]
        unflagged += 'clock="unsynced"' not in heads[0]
    passed = worst_s <= 1.0 and not missing and not unflagged
    return Outcome(
        passed,
        f"{len(wrong_s)} boots, {minutes} whole minutes read at their true time, wrong by "
        f"{worst_s:.3f} s at most, {missing} samples lost, {unflagged} boots not flagged",
    )


@case(
    "C3",
    fault="500 ppm of drift set right every 15 min; ends of month, year, 28 and 29 February; "
    "host time zone with summer time",
    procedure="virtual time, two hours around each midnight of plant time (TZ=Europe/Berlin)",
    mark="daily totals right; error of the boundary at most 1 s",
)
def drift_and_edges(setting: Setting) -> Outcome:
    edges = ["2026-12-31", "2028-02-28", "2028-02-29", "2026-03-31", "2026-03-28", "2026-10-25"]
    edges = edges if setting.full else edges[1:3]
    worst_s, lost = 0.0, 0
    with host_time_zone("Europe/Berlin"):
        for day in edges:
            folder = setting.folder / day
            folder.mkdir()
            error_s, missing = _over_midnight(folder, Period.parse(day))
            worst_s, lost = max(worst_s, error_s), lost + missing
    return Outcome(
        worst_s <= 1.0 and not lost,
        f"{len(edges)} midnights, boundary wrong by {worst_s:.3f} s at most, {lost} samples in no "
        "daily total or in two",
    )


def _over_midnight(folder: Path, day: Period) -> tuple[float, int]:
    """(error of the boundary in s, samples that the two days together miss or have too many)."""

    async def two_hours(world: World) -> None:
        for _ in range(8):
            await asyncio.sleep(900)
            world.wrong_ns -= round(900 * world.drift * SECOND)

    begin_ns = day.end_ns - HOUR_S * SECOND
    world = World(true_ns=begin_ns, zero_ns=begin_ns, drift=500e-6)
    done = run(Run(folder), world, two_hours, every_s=10.0)
    first = done.windows(day.start_ns, day.end_ns)
    second = done.windows(day.end_ns, day.end_ns + DAY_S * SECOND)
    served = [slot for slot in done.slots if slot < int(second.end_ns[-1])]
    missing = len(served) - int(first.n.sum() + second.n.sum())
    if second.start_ns[0] != day.end_ns or first.end_ns[-1] != day.end_ns:
        raise AssertionError(f"{day}: no window begins or ends at midnight")
    return abs(float(second.low[0]) - HOUR_S), abs(missing)


@contextmanager
def host_time_zone(name: str) -> Iterator[None]:
    """As if the host were elsewhere."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        summer = datetime(2026, 7, 1, tzinfo=UTC).astimezone().utcoffset()
        if summer == datetime(2026, 1, 1, tzinfo=UTC).astimezone().utcoffset():
            raise NotRun("no time zone data on this machine (Debian package tzdata)")
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@case(
    "C4",
    fault="device clock off by 1 h, run backwards, frozen",
    procedure="virtual time: a device that gives its own time with each value",
    mark="both times stored; event within 10 min; business time by rule (the gateway's slot)",
)
def device_clock(setting: Setting) -> Outcome:
    found = []
    for name, wrong_s in (("off", HOUR_S), ("backwards", -30), ("frozen", 0)):
        folder = setting.folder / name
        folder.mkdir()
        found.append((name, *_device_fault(folder, wrong_s)))
    passed = all(alarm_s <= 600 and both and error_s <= 1.0 for _, alarm_s, both, error_s in found)
    told = ", ".join(f"{name} told after {alarm_s:.0f} s" for name, alarm_s, _, _ in found)
    worst_s = max(error_s for *_, error_s in found)
    both = all(both for _, _, both, _ in found)
    stored = "both times stored" if both else "device time not stored"
    return Outcome(passed, f"{told}; {stored}; business time wrong by {worst_s:.3f} s at most")


def _device_fault(folder: Path, wrong_s: int) -> tuple[float, bool, float]:
    """(seconds until the event was written, both times stored, error of the business time)."""

    async def goes_wrong(world: World) -> None:
        await asyncio.sleep(120)
        if wrong_s:
            world.device_wrong_ns = wrong_s * SECOND
        else:
            world.device_frozen_ns = world.now_ns()
        await asyncio.sleep(620)

    done = run(Run(folder), World(), goes_wrong, stamps=True)
    fault_ns, alarm_s, at_ns = TRUE_NS + 120 * SECOND, float("inf"), 0
    for line in done.record.lines():
        if line.startswith("batch,"):
            at_ns = int(line.rpartition(" ")[2])
        elif "kind=device_clock" in line:
            alarm_s = min(alarm_s, (at_ns - fault_ns) / SECOND)
    frames = [x for x in done.raw.lines() if x.startswith("frame,")]
    both = bool(frames) and all(",device_time=" in x for x in frames)
    windows = done.windows(TRUE_NS, TRUE_NS + DAY_S * SECOND)
    return alarm_s, both, max(map(abs, errors_s(windows)))


# --- C5: a hundred devices on a loaded machine


@case(
    "C5",
    fault="two cores loaded",
    procedure="real agent process, 100 Modbus devices polled each second, a busy loop per core; "
    "devices and load on the same machine",
    mark="slot jitter p99 at most 100 ms; missed slots at most 0.1 %, each declared",
)
def loaded(setting: Setting) -> Outcome:
    seconds = setting.size(cut=20, full=300)
    load_before = os.getloadavg()[0]
    text, raw = asyncio.run(_hundred(setting.folder, seconds))
    buckets: Counter[float] = Counter()
    for edge, count in re.findall(r'lateness_\w*bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)', text):
        buckets[float(edge)] += int(count)
    polls = sum(int(x) for x in re.findall(r"polls_total\{[^}]*\} (\d+)", text))
    missed = sum(int(x) for x in re.findall(r"overload_slots_total\{[^}]*\} (\d+)", text))
    p99 = next((e for e in sorted(buckets) if buckets[e] >= 0.99 * polls), float("inf"))
    slots: dict[str, list[int]] = {}
    for line in raw:
        if m := re.match(r"frame,.*device=(d\d+),\S+ .* (\d+)$", line):
            slots.setdefault(m[1], []).append(int(m[2]))
    undeclared = sum(
        round((b - a) / SECOND) - 1 for each in slots.values() for a, b in pairwise(sorted(each))
    )
    total = polls + missed
    passed = p99 <= 0.1 and missed <= 0.001 * total and not undeclared
    return Outcome(
        passed and len(slots) == 100,
        f"{len(slots)} devices, {seconds} s, {total} slots: p99 of lateness ≤ {p99 * 1000:g} ms, "
        f"{missed} missed ({missed / max(total, 1):.3%}), {undeclared} not declared; load of the "
        f"machine before the test {load_before:.1f} on {os.cpu_count()} cores",
    )


@contextmanager
def busy_cores() -> Iterator[None]:
    """A busy loop per core."""
    count = os.cpu_count() or 1
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


async def _hundred(folder: Path, seconds: int) -> tuple[str, list[str]]:
    """/metrics at the end, and the raw lines."""
    write_table(folder, rows="line1/pot001,pot.voltage,holding:0,float32,V,,,,\n")
    for n in range(100):
        row = f"line1/pot{n:03d},pot.voltage,holding:0,float32,V,,,,\n"
        write_table(folder, f"p{n}.csv", row)
    health = free_port()
    async with AsyncExitStack() as stack:
        plcs = [
            await stack.enter_async_context(ModbusServer({1: Bank(holding=10)}, name=f"d{n}"))
            for n in range(100)
        ]
        tables = "".join(
            device(f"d{n}", plc.port, f"p{n}.csv").replace("interval_s = 0.1", "interval_s = 1.0")
            for n, plc in enumerate(plcs)
        )
        config = write_config(folder, tables)
        text = config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{health}")
        config.write_text(text.replace("batch_interval_s = 0.1", "batch_interval_s = 1.0"))
        with started(config, dict(os.environ)) as agent:
            with busy_cores():
                await _until(lambda: _metrics(health), agent)
                await asyncio.sleep(seconds)
                told = await asyncio.to_thread(_metrics, health)
            agent.send_signal(signal.SIGTERM)
            await asyncio.to_thread(agent.wait, 30)
    return told, await lines(folder, "raw")


def _metrics(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return ""
