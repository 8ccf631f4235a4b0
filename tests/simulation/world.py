"""Two hosts, a broker between them, and a supervisor that starts again what died."""

import errno
import hashlib
import random
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.broker import Broker
from tests.simulation.disk import Disk, failed
from tests.simulation.judge import Ledger
from tests.simulation.loop import PROCESS, Killed, Process, SimLoop, uniform_log
from tests.simulation.record import Served

BASE_NS = 1_790_000_040_000_000_000
CAPACITY = 4 << 20
HOSTS = ("gw", "store")
_CHANGES = {"create", "write", "truncate", "sync", "mkdir", "unlink", "rename"}


@dataclass(slots=True, eq=False)
class Host:
    """A machine: disk, clock, and the process that is to run on it."""

    name: str
    disk: Disk
    wall_ns: int = BASE_NS  # at world time 0
    process: Process | None = None
    starts: int = 0
    app: Any = None  # Gateway or Historian while it runs
    stop: Callable[[], None] | None = None
    doom: tuple[int, bool] | None = None  # changes of the disk until it dies; by a power cut?
    failing: dict[str, float] = field(default_factory=dict)  # operation -> share that fails
    troubled: bool = False  # an I/O error or a full disk since the process began
    slow: float = 1.0
    cuts: int = 0
    booted_ns: int = 0
    synced: bool = True  # what the kernel says of its clock


Main = Callable[["Universe", Host], Coroutine[Any, Any, None]]


class Universe:
    """Everything of one run. ``trace`` is what happened, as a digest; ``told`` prints it."""

    def __init__(self, seed: int, mains: dict[str, Main], *, told: bool = False) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.ledger = Ledger()
        self.loop = SimLoop(self._delay_s)
        self.hosts = {name: Host(name, Disk(CAPACITY, self._now_of(name))) for name in HOSTS}
        self.broker = Broker(self.loop, self.chance, self.trace)
        self.dead: set[str] = set()  # devices
        self.served = Served()
        self.done: Counter[str] = Counter()  # faults, by kind
        self.ending = False
        self.broken: str = ""
        self._mains = mains
        self._digest = hashlib.blake2b(digest_size=16)
        self._told = told
        self.events = 0
        for host in self.hosts.values():
            host.disk.before = self._before(host)
            host.disk.unlinking = self._unlinking(host)

    # what the seam asks

    def disk(self, host: str) -> Disk:
        return self.hosts[host].disk

    def mono_ns(self) -> int:
        return round(self.loop.time() * 1e9)

    def boot_ns(self, process: Process | None) -> int:
        begun_ns = 0 if process is None else self.hosts[process.host].booted_ns
        return self.mono_ns() - begun_ns

    def wall_ns(self, process: Process | None) -> int:
        base = BASE_NS if process is None else self.hosts[process.host].wall_ns
        return base + self.mono_ns()

    def _now_of(self, name: str) -> Callable[[], int]:
        return lambda: self.hosts[name].wall_ns + self.mono_ns()

    def _delay_s(self, process: Process | None) -> float:
        slow = 1.0 if process is None else self.hosts[process.host].slow
        return uniform_log(self.chance, 0.0003, 0.03) * slow

    # the trace

    def trace(self, *what: object) -> None:
        text = f"{self.loop.time():.6f} {PROCESS.get()} {' '.join(map(str, what))}"
        self._digest.update(text.encode())
        self.events += 1
        if self._told:
            print(text)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def fail(self, what: str) -> None:
        """The first broken promise ends the run."""
        if not self.broken:
            self.broken = what
            self.trace("BROKEN", what)

    # disks

    def _before(self, host: Host) -> Callable[[str, str, int], int]:
        def before(operation: str, path: str, size: int) -> int:
            process = PROCESS.get()
            if process is None:
                return size
            if not process.alive:
                raise Killed
            self.trace(operation, path, size)
            if host.doom is not None and operation in _CHANGES:
                left, power = host.doom
                host.doom = (left - 1, power)
                if left <= 0:
                    self.kill(host, power=power)
                    raise Killed
                if left == 1 and operation == "write" and size > 1:
                    return self.chance.randrange(1, size)
            if self.chance.random() < host.failing.get(operation, 0.0):
                host.troubled = True
                self.trace("EIO", operation, path)
                raise failed(errno.EIO, path)
            return size

        return before

    def _unlinking(self, host: Host) -> Callable[..., None]:
        def unlinking(path: str, file: Any) -> None:
            try:
                self.ledger.unlinking(host.name, path, file)
            except AssertionError as error:
                self.fail(str(error))

        return unlinking

    # processes

    def start(self, host: Host) -> None:
        if host.process is not None or self.ending:
            return
        host.starts += 1
        host.troubled = host.disk.free < 1 << 16 or any(host.failing.values())
        process = host.process = Process(host.name, host.starts)
        context = copy_context()
        context.run(PROCESS.set, process)
        self.trace("start", host.name)
        context.run(self.loop.create_task, self._run(host, process), context=context)

    async def _run(self, host: Host, process: Process) -> None:
        try:
            await self._mains[host.name](self, host)
        except Exception as error:  # noqa: BLE001 - whatever ends a process is told and judged
            lines = "".join(traceback.format_exception(error)).splitlines()
            ended = " | ".join(
                lines[-1:] + [x.strip() for x in lines if x.startswith("  File")][-4:]
            )
            self.trace("exit", repr(error))
            if not host.troubled:
                self.fail(f"{process} ended by itself: {ended}")
        self.loop.world(0.0, self._over, host, process)

    def _over(self, host: Host, process: Process) -> None:
        if host.process is process:
            process.die()
            host.process, host.app, host.stop = None, None, None
            self.loop.world(self.chance.uniform(0.1, 2.0), self.start, host)

    def kill(self, host: Host, *, power: bool) -> None:
        """SIGKILL, or the whole machine without current."""
        host.doom = None
        process = host.process
        self.trace("POWER CUT" if power else "KILL", host.name)
        if process is not None:
            process.die()
            host.process, host.app, host.stop = None, None, None
            self.ledger.counts[f"{host.name} kills"] += 1
        if power:
            host.cuts += 1
            host.booted_ns = self.mono_ns()
            host.disk.power_cut(self.chance)
        self.loop.world(self.chance.uniform(0.1, 5.0), self.start, host)
