"""
A gateway's polling, desk and lake in virtual time, over a clock that a test sets and unsyncs.

What the device serves is the true time itself (seconds since the begin), so every stored minute
tells how wrong its stamp is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from agent.batches.batch import Batch
from agent.edge.clock import ClockStep
from agent.edge.clock_state import KernelClock
from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.edge.poll import Asked, Line
from agent.edge.timekeeper import Timekeeper
from agent.lake.lake import Lake
from agent.views import Source, StoredBatch
from agent.wire.encode import BatchHead
from drivers.model import Frame, Group
from reports.series.lake import open_lake
from reports.series.store import EventRecord, Windows
from reports.site import Meter
from tests.agent.points import group, point
from tests.agent.virtual_time import run_virtual

SECOND = 10**9
MINUTE_NS = 60 * SECOND
POINT = Meter("line1/boiler1", "heat.flow")
SYNCED = KernelClock(synced=True, offset_ns=1000, maxerror_ns=20_000_000, source="chrony")
UNSYNCED = KernelClock(synced=False, maxerror_ns=16 * SECOND)
TRUE_NS = 1_790_000_040 * SECOND  # a whole minute


class MemoryLog:
    """Stands in for a batch log: what is appended is there at once."""

    level = 0
    oldest = 1  # nothing is ever pruned

    def __init__(self, stream: str, log_id: str) -> None:
        self.stream, self.log_id = stream, log_id
        self.batches: list[Batch] = []

    @property
    def newest(self) -> int:
        return len(self.batches)

    async def append(
        self,
        make: Callable[[int, str], tuple[bytes, int]],
        *,
        closed_ns: int,
        urgent: bool = False,
    ) -> int:
        payload, lines = make(self.newest + 1, "0" * 64)
        self.batches.append(Batch.of(self.newest + 1, closed_ns, lines + 1, payload))
        return self.newest

    def lines(self) -> list[str]:
        return [x for b in self.batches for x in b.payload.decode().split("\n")]


@dataclass(slots=True, eq=False)
class World:
    """True time, the gateway's system clock beside it, and what the kernel says of that."""

    true_ns: int = TRUE_NS
    wrong_ns: int = 0  # system clock minus true time
    drift: float = 0.0  # of the system clock
    kernel: KernelClock = SYNCED
    zero_ns: int = TRUE_NS  # what is served counts from here
    device_wrong_ns: int = 0
    device_frozen_ns: int = 0
    boot: str = "b001"
    woke_ns: int = 0  # monotonic time at the begin of this run

    def passed_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    def mono_ns(self) -> int:
        return self.woke_ns + self.passed_ns()

    def now_ns(self) -> int:
        return self.true_ns + self.passed_ns()

    def wall_ns(self) -> int:
        return self.now_ns() + self.wrong_ns + round(self.passed_ns() * self.drift)

    def device_ns(self) -> int:
        return self.device_frozen_ns or self.now_ns() + self.device_wrong_ns


class Truthful:
    """A driver whose device says how many seconds have truly passed."""

    def __init__(self, world: World, *, stamps: bool) -> None:
        self.world, self.stamps = world, stamps

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    async def read(self, of: Group, slot_ns: int) -> Frame:
        await asyncio.sleep(0.003)
        n, world = len(of.points), self.world
        value = (world.now_ns() - world.zero_ns) / 1e9
        stamps = np.full(n, world.device_ns()) if self.stamps else None
        values, good = np.full(n, value), np.zeros(n, np.uint8)
        return Frame(of, slot_ns, world.wall_ns(), values, good, device_ns=stamps)


@dataclass(slots=True, eq=False)
class Run:
    """What one or several runs of the gateway left."""

    folder: Path
    record: MemoryLog = field(default_factory=lambda: MemoryLog("record", "77aa77aa77aa77aa"))
    raw: MemoryLog = field(default_factory=lambda: MemoryLog("raw", "3f9a3f9a3f9a3f9a"))
    steps: list[ClockStep] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    used_ns: int = 0

    def events(self, kind: str) -> list[str]:
        return [x for x in self.record.lines() if x.startswith("event,") and f"kind={kind}" in x]

    def lake(self) -> Path:
        root = self.folder / "lake"
        if not root.exists():
            lake = Lake(root)
            lake.open()
            source = Source("demo", "gw1", "record", self.record.log_id)
            lake.write([StoredBatch(source, batch) for batch in self.record.batches])
            beside = Source("demo", "gw1", "raw", self.raw.log_id)
            lake.write([StoredBatch(beside, batch) for batch in self.raw.batches])
            lake.close()
        return root

    def windows(self, start_ns: int, end_ns: int) -> Windows:
        """As reports read them."""
        with open_lake("demo", self.lake()) as series:
            return series.windows(POINT, start_ns, end_ns)

    def happened(self, kind: str, first_ns: int) -> list[EventRecord]:
        from reports.periods import Period

        day = np.datetime64((first_ns // SECOND) + 8 * 3600, "s").astype("datetime64[D]").item()
        with open_lake("demo", self.lake()) as series:
            return series.happened(kind, Period.parse(day.isoformat()))


Script = Callable[[World], Awaitable[None]]


def errors_s(windows: Windows) -> list[float]:
    """How wrong the stamp of each whole minute is: its first sample says when it truly began."""
    whole = windows.n >= 60
    begin_s = (windows.start_ns[whole] - TRUE_NS) / 1e9
    found: list[float] = (begin_s - windows.low[whole]).tolist()
    return found


def run(
    done: Run, world: World, script: Script, *, stamps: bool = False, every_s: float = 1.0
) -> Run:
    """One run of the gateway while the script lasts; ``done`` goes on from run to run."""

    async def main() -> None:
        keeper = Timekeeper(
            done.folder,
            done.used_ns,
            wall_ns=world.wall_ns,
            mono_ns=world.mono_ns,
            line_mono_ns=world.mono_ns,
            kernel=lambda: world.kernel,
            boot=world.boot,
        )
        clock = keeper.clock
        heads = [BatchHead("demo", "gw1", name, "0" * 16) for name in ("record", "raw")]
        boxes = [
            Outbox(log, head, clock.now_ns, stamp=keeper.stamp)  # type: ignore[arg-type]
            for log, head in zip((done.record, done.raw), heads, strict=True)
        ]
        desk = Desk("demo", "gw1", *boxes)
        of = group(point(POINT.quantity, POINT.equipment), interval_s=every_s)
        desk.exchange({of: 3 * SECOND}, ["plc"], clock.now_ns())

        frame = desk.frame

        def keep(told: Frame) -> None:
            done.slots.append(told.slot_ns)
            frame(told)

        desk.frame = keep  # type: ignore[method-assign,assignment]
        known = {Asked("plc", 0.5): desk.tally("plc")}
        line = Line(Truthful(world, stamps=stamps), known, ((of, 1),), clock, desk)

        async def tick() -> None:
            while True:
                looked = keeper.look()
                if looked.step is not None:
                    done.steps.append(looked.step)
                desk.looked(looked, clock.now_ns())
                desk.close_minutes(clock.now_ns())
                for box in boxes:
                    await box.flush()
                keeper.settle()
                if keeper.unsaved and not keeper.unsettled:
                    keeper.save()
                await asyncio.sleep(0.5)

        tasks = [asyncio.create_task(line.run()), asyncio.create_task(tick())]
        await script(world)
        for task in tasks:  # as by a kill: nothing is ended, what was flushed is what there is
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        newest = [log.batches[-1].closed_ns for log in (done.record, done.raw) if log.batches]
        done.used_ns = max(newest)
        world.true_ns = world.now_ns()
        world.woke_ns = world.mono_ns()

    run_virtual(main())
    return done
