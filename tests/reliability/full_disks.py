"""A7: disks that are full; what was not taken must be declared to the value."""

import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.judge import absent_ns, held_in
from tests.oracle.ledger import Ledger
from tests.oracle.plant import Plant, wait
from tests.originals_reader import read_stream
from tests.reliability.cases import NotRun, Outcome, Setting, case, need_root
from tests.reliability.disks import mounted
from tests.reliability.links import alarmed, verdict

Whole = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LIMIT_KIB = 200  # of `ulimit -f`
SECOND = 1_000_000_000
IN_MEMORY = 3 * SECOND // 2  # what a SIGKILL may take: read so long before it, at most
TO_DEVICE = SECOND // 2  # from a slot to its read at the device: it begins within an interval
TIMEOUT_S = 10.0  # what a device answers later was served, and no agent ever had it
_GAP = re.compile(
    r'^event,.*kind=gap.* id="gap-plc-raw-full-\d+",.*,end=(\d+)i,amount=(\d+) (\d{19})$'
)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of full disk."""

    name: str
    fills: bool = True  # the log refuses in the end
    alarm: tuple[float, float] | None = None  # share of the disk at which it must come
    killed: bool = False  # SIGKILL and a new start while it is full


@case(
    "A7",
    fault="disk full",
    procedure="the real agent at 8,000 values/s with no historian until its log refuses batches "
    "and its memory (256 KiB allowed) takes no more – on a tmpfs of 8 MiB, on one with a SIGKILL "
    "and a new start while it is full, on one without free inodes, under `ulimit -f` – then the "
    "historian comes; gap events and counters held against every value that the device served",
    mark="process alive; alarm in /healthz, as metric and event at 70 % of the space (65 to 76 % "
    "of the tmpfs); each value not taken lies between start and end of a gap event; the sum of the "
    "events' counts and the counter are exactly their number; 0 other values lost, but those read "
    "in the last 1.5 s before a SIGKILL; drains to empty",
)
def disk_full(setting: Setting) -> Outcome:
    told: list[str] = []
    good, lacking = True, False
    kinds = (
        (Part("8 MiB tmpfs", alarm=(0.65, 0.76)), _tmpfs),
        (Part("8 MiB tmpfs, killed", alarm=(0.65, 0.76), killed=True), _tmpfs),
        (Part("inodes"), _inodes),
        (Part("ulimit -f", fills=False), _ulimit),
    )
    if not setting.full:
        told.append("8 MiB tmpfs, inodes: not run in the cut (minutes)")
    for part, prepare in kinds if setting.full else kinds[3:]:
        folder = setting.folder / part.name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        try:
            with prepare(folder) as (data, prefix):
                ok, text = _fill(folder, data, prefix, part)
        except NotRun as reason:
            ok, text, lacking = True, f"not run, {reason}", True
        good &= ok
        told.append(f"{part.name}: {text}")
    if good and lacking:
        raise NotRun("; ".join(told))
    return Outcome(good, "; ".join(told))


@contextmanager
def _tmpfs(folder: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    need_root("mount of a tmpfs")
    with mounted(folder / "small", "-t", "tmpfs", "-o", "size=8m", "tmpfs") as small:
        yield small, ()


@contextmanager
def _inodes(folder: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    """Room for bytes, none for files, once the agent has made its own."""
    need_root("mount of a tmpfs")
    options = "size=32m,nr_inodes=100"
    with mounted(folder / "small", "-t", "tmpfs", "-o", options, "tmpfs") as small:
        yield small, ()


@contextmanager
def _ulimit(folder: Path) -> Iterator[tuple[Path, Sequence[str]]]:
    """No file over LIMIT_KIB."""
    shell = shutil.which("bash")
    if shell is None:
        raise NotRun("no bash")
    yield folder / "agent", (shell, "-c", f'ulimit -f {LIMIT_KIB}; exec "$@"', "bash")


@dataclass
class Watch:
    """Looks at the disk and at the alarm, from a thread of its own."""

    plant: Plant
    data: Path
    alarm: float | None = None  # share of the disk when the alarm was first seen
    refused: float | None = None  # and when the log took nothing any more, nor the memory
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            disk = shutil.disk_usage(self.data)
            try:
                metrics = self.plant.metrics()
            except OSError:
                continue
            share = disk.used / disk.total
            if self.alarm is None and metrics.get("smelter_log_filling") == 1:
                self.alarm = share
            if self.refused is None and untaken(metrics) and alarmed(self.plant):
                self.refused = share


def untaken(metrics: dict[str, float]) -> int:
    """Raw values that the agent says it did not take."""
    name = 'smelter_untaken_values_total{stream="raw",device="plc"}'
    return int(metrics.get(name, 0))


def _fill(folder: Path, data: Path, prefix: Sequence[str], part: Part) -> tuple[bool, str]:
    broker = servers.mosquitto(folder).start()
    kills: list[tuple[int, int]] = []
    try:
        with (
            FakePlc(800) as plc,
            Plant(
                folder,
                plc.port,
                broker.port,
                points=800,
                agent_dir=data,
                waiting_bytes=256 << 10,
                timeout_s=TIMEOUT_S,
            ) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.prefix = prefix
            plant.agent.start()
            wait(lambda: bool(plc.served) and plant.healthy(), "reading", 60)
            if part.name == "inodes":
                _use_up_inodes(data)
            with Watch(plant, data) as watch:
                if part.fills:
                    wait(lambda: bool(watch.refused), "a value that is not taken", 300)
                else:
                    time.sleep(10)
                time.sleep(3)
                if part.killed:
                    kills.append(_kill(plant))
                    time.sleep(3)
            alive, stopped = plant.agent.alive, _stopped_short(data)
            for path in data.glob("filler*"):
                path.unlink()
            plant.historian.start()
            wait(plant.drained_now, "the historian with all the spool held", 120)
            wait(plant.healthy, "healthy again", 90)
            wait(lambda: plant.metrics()["smelter_log_filling"] == 0, "no alarm any more", 90)
            counted, end_ns = untaken(plant.metrics()), time.time_ns()
            time.sleep(2.5)
            plant.agent.prefix = ()
            plant.settle(60)
            missing = Missing.of(plant, plc, kills, end_ns)
            clean, text = verdict(plant, plc, ledger, end_ns, [*kills, *missing.spans])
    except AssertionError as error:
        return False, f"WRONG: {str(error)[-300:]}"
    finally:
        broker.end(signal.SIGKILL)
    return _judged(part, watch, missing, counted, stopped, (clean and alive, text))


def _judged(
    part: Part,
    watch: Watch,
    missing: "Missing",
    counted: int,
    stopped: int,
    kept: tuple[bool, str],
) -> tuple[bool, str]:
    """``kept``: whether everything else is where it should be, and the figure of that."""
    good, said = kept[0] and missing.declared, [missing.text, kept[1]]
    if part.fills:
        good &= missing.events > 0 and watch.alarm is not None
        said.insert(0, f"alarm at {watch.alarm or 0:.0%} of the disk, full at {watch.refused:.0%}")
    if part.alarm is not None:
        good &= part.alarm[0] <= (watch.alarm or 0) <= part.alarm[1]
    if not part.killed:
        good &= counted == missing.counted
        said.insert(-1, f"counter {counted:,}")
    if not part.fills:
        good &= stopped > 0
        said.insert(0, f"{stopped} files stopped by the limit, the log went on in the next")
    return good, ", ".join(said)


def _kill(plant: Plant) -> tuple[int, int]:
    """SIGKILL, and a new start on the full disk; (from, to) in ns of what may be in nobody's hands.

    What was read just before it had not reached the file of what is not taken.
    """
    killed_ns = time.time_ns()
    plant.agent.end(signal.SIGKILL)
    dead_ns = time.time_ns()
    plant.agent.start()
    wait(lambda: _answers(plant), "the agent again, on the full disk", 60)
    return killed_ns - IN_MEMORY, dead_ns


def _answers(plant: Plant) -> bool:
    try:
        return bool(plant.metrics())
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not there, against what the gateway says is not there."""

    values: int  # served and not there
    in_memory: int  # of them: in no gap event, and read just before a kill
    outside: int  # of them: in no gap event, and no kill excuses it
    counted: int  # by the gap events
    events: int
    exact: bool  # the events count what lies in them, no more and no less
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(
        cls, plant: Plant, plc: FakePlc, kills: Sequence[tuple[int, int]], end_ns: int
    ) -> "Missing":
        lines = [
            line
            for batches in read_stream(plant.originals / "record").values()
            for batch in batches
            for line in batch.lines()
        ]
        told = {found[3]: found for line in lines if (found := _GAP.match(line))}
        gaps = sorted((int(f[3]), int(f[1]) + TO_DEVICE, int(f[2])) for f in told.values())
        absent = absent_ns(plc, held_in(plant.originals, plant.spool))
        absent = absent[absent < end_ns]
        rest, counts, in_memory, exact = absent, [count for *_, count in gaps], 0, True
        for since_ns, dead_ns in kills:  # the file knew the first so many, the newest it did not
            before = rest[rest <= dead_ns]
            counted = sum(count for start, _, count in gaps if start <= dead_ns)
            lost = before[counted:]
            exact &= len(before) >= counted and bool((lost >= since_ns).all())
            in_memory += len(lost)
            rest = rest[rest > dead_ns]
            counts = [count for start, _, count in gaps if start > dead_ns]
        exact &= len(rest) == sum(counts)
        spans = tuple((start, end) for start, end, _ in gaps)
        outside = absent[~_inside(absent, [*spans, *kills])]
        return cls(
            values=len(absent),
            in_memory=in_memory,
            outside=len(outside),
            counted=sum(count for *_, count in gaps),
            events=len(told),
            exact=exact,
            spans=spans,
        )

    @property
    def declared(self) -> bool:
        """Each value in an event, and each event's count the number of values; but in memory."""
        return self.exact and not self.outside

    @property
    def text(self) -> str:
        lost = f", {self.in_memory:,} of them in memory at the kill" if self.in_memory else ""
        return (
            f"{self.values:,} values not taken{lost}, {self.outside} in no gap event; "
            f"{self.events} gap events count {self.counted:,}"
        )


def _inside(times: Whole, spans: Sequence[tuple[int, int]]) -> Bools:
    found = np.zeros(len(times), bool)
    for start, end in spans:
        found |= (times >= start) & (times <= end)
    return found


def _stopped_short(data: Path) -> int:
    """Segments that ended within a batch of the limit of ``ulimit -f`` and were followed by one."""
    segments = [sorted(log.glob("*.seg")) for log in data.glob("raw/*")]
    return sum(
        LIMIT_KIB * 512 < path.stat().st_size <= LIMIT_KIB * 1024
        for log in segments
        for path in log[:-1]
    )


def _use_up_inodes(data: Path) -> None:
    try:
        for number in range(400):
            (data / f"filler{number}").touch()
    except OSError:
        return
    raise AssertionError("400 more files and still room for one: the fault was not made")
