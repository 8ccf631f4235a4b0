"""One run: a seed, faults for a while, then none; what was promised must hold all along."""

import json
import logging
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.simulation import seam

seam.install()  # before the product: default arguments bind to the simulated clocks

import asyncio  # noqa: E402

from agent.batches import files as logfiles  # noqa: E402
from agent.batches.batch import Batch  # noqa: E402
from agent.batches.log import BatchLog  # noqa: E402
from agent.edge import gateway as edge  # noqa: E402
from agent.edge import lane, own, publish, timekeeper  # noqa: E402
from agent.edge.clock_state import KernelClock  # noqa: E402
from agent.edge.config import load_gateway  # noqa: E402
from agent.edge.gateway import Gateway  # noqa: E402
from agent.evidence.signing import PrivateKey  # noqa: E402
from agent.historian import process, receive  # noqa: E402
from agent.historian.config import load_historian  # noqa: E402
from agent.historian.process import Historian  # noqa: E402
from tests.simulation import faults, judge, plant, record  # noqa: E402
from tests.simulation.judge import BrokenPromiseError  # noqa: E402
from tests.simulation.loop import PROCESS, Process, StuckError  # noqa: E402
from tests.simulation.seam import ROOT, SEAM  # noqa: E402
from tests.simulation.view import Shelf  # noqa: E402
from tests.simulation.world import Host, Universe  # noqa: E402

_KEPT: list[Universe] = []  # coroutines of dead processes must not be closed: they would go on
CALM_S = 240.0  # within this all that was held back must have arrived


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one seed."""

    seed: int
    faults: str
    broken: str
    trace: str
    events: int
    virtual_s: float
    counts: dict[str, int]


def _world() -> Universe:
    assert isinstance(SEAM.world, Universe)
    return SEAM.world


# what watches the product, and what stands in for its surroundings


def _overtaking(universe: Universe, host: str, folder: Path, seq: int) -> None:
    gateway, store = universe.hosts["gw"].app, universe.hosts["store"]
    publisher = getattr(gateway, "_publisher", None)
    mine = publisher._lanes.get(folder.parent.name) if publisher is not None else None
    if publisher is None or mine is None or mine.log.log_id != folder.name[:16]:
        return
    counts = publisher.counts
    troubles = (counts.connected, counts.lost, counts.timeouts, counts.resends)
    undisturbed = (id(gateway), store.starts, *troubles)
    if host == "store":
        universe.ledger.arrived(folder.name, seq, mine.ahead, undisturbed)
    elif mine.live is not None:
        universe.ledger.made_live(folder.name, seq, mine.ahead, undisturbed)


def _watch_logs() -> None:
    real_write = logfiles.LogFiles.write

    def write(self: logfiles.LogFiles, batches: list[Batch]) -> None:
        universe, owner = _world(), PROCESS.get()
        log = self.folder.name
        if owner is not None and owner.host == "gw":
            universe.ledger.tried |= {(log, each.seq, each.digest) for each in batches}
        real_write(self, batches)
        if owner is not None and owner.alive:
            try:
                for each in batches:
                    universe.ledger.wrote(owner.host, log, each.seq, each.digest)
                    _overtaking(universe, owner.host, self.folder, each.seq)
            except BrokenPromiseError as error:
                universe.fail(str(error))

    logfiles.LogFiles.write = write  # type: ignore[method-assign]
    real_receipted = BatchLog.set_receipted

    def set_receipted(self: BatchLog, upto: int) -> bool:
        universe, owner, since = _world(), PROCESS.get(), self.receipted
        done = real_receipted(self, upto)
        if done and owner is not None and owner.alive and owner.host == "gw":
            try:
                universe.ledger.receipted(self.log_id, upto, since)
            except BrokenPromiseError as error:
                universe.fail(str(error))
        return done

    BatchLog.set_receipted = set_receipted  # type: ignore[method-assign]


def _served(device: str, slot_ns: int, good: bool) -> None:
    universe = _world()
    if good:
        universe.served.good[device][slot_ns] = universe.hosts["gw"].starts
    else:
        universe.served.failed[device].add(slot_ns)


@asynccontextmanager
async def _no_server(*_: Any) -> AsyncIterator[int]:
    yield 0


def _surround() -> None:
    logfiles.SEGMENT_BYTES = logfiles.SEGMENT_BYTES_MIN = 6000
    logfiles.RESERVE_BYTES = 8192
    lane.BEHIND = 10
    names: dict[str, Any] = {
        "serve": _no_server,
        "make_driver": lambda *_: plant.Plc(_world().chance, _world().dead, _served),
        "gc": SimpleNamespace(collect=int, freeze=int),
        "PRUNE_S": 7.0,
    }
    for name, value in names.items():
        setattr(edge, name, value)

    def connection(*args: Any, **more: Any) -> Any:
        return _world().broker.connection(*args, **more)

    replaced: Any
    for replaced in (publish, receive):
        replaced.connection = connection
    replaced = timekeeper
    replaced.boot_id = lambda: f"{_world().hosts['gw'].cuts:012x}"
    replaced = own  # what it says of this machine would be another at each run
    replaced.resident_bytes = lambda: 50 << 20
    replaced.time = SimpleNamespace(monotonic=time.monotonic, process_time=time.monotonic)
    replaced = process
    replaced.views_of = lambda config: [Shelf(config.data_dir / "shelf")]

    def made(cls: type[PrivateKey], algorithm: str) -> PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        key = Ed25519PrivateKey.from_private_bytes(_world().chance.randbytes(32))
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        return cls.loaded(algorithm, key.private_bytes(*form))

    PrivateKey.made = classmethod(made)  # type: ignore[method-assign, assignment]


_watch_logs()
_surround()


# the two processes


async def _gateway(_universe: Universe, host: Host) -> None:
    config = load_gateway(Path(ROOT, "gw/etc/gateway.toml"))
    gateway = Gateway(
        config, kernel=lambda: KernelClock(host.synced, 0, 1_000_000, "chrony" * host.synced)
    )
    host.app, host.stop = gateway, gateway.stop
    await gateway.run()


async def _historian(_universe: Universe, host: Host) -> None:
    config = load_historian(Path(ROOT, "store/etc/historian.toml"))
    historian, stop = Historian(config), asyncio.Event()

    def ready() -> None:
        host.app = historian

    host.stop = stop.set
    await historian.run(stop, ready)


def _installed(universe: Universe) -> None:
    chance = universe.chance
    settings = {
        "compression": chance.choice(("none", "zstd")),
        "batch_s": chance.choice((0.25, 1.0)),
        "raw_days": chance.choice((0.0002, 0.001, 90)),
        "record_days": chance.choice((0.0004, 0.001, 1825)),
    }
    texts = {
        "gw/etc/gateway.toml": plant.GATEWAY.format(**settings),
        "gw/etc/plc.csv": plant.PLC,
        "gw/etc/meters.csv": plant.METERS,
        "store/etc/historian.toml": plant.HISTORIAN,
    }
    for name, text in texts.items():
        path = Path(ROOT, name)
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            installer = Process(name.partition("/")[0], 0)
            SEAM.handles[file.fileno()].owner = installer
            file.write(text.encode())
    for host in universe.hosts.values():
        host.disk.settle()


# the run


async def _story(universe: Universe, most_s: float) -> None:
    for host in universe.hosts.values():
        universe.start(host)
    await _pass(universe, most_s)
    universe.trace("CALM")
    faults.calm(universe)
    due = dict(universe.ledger.durable["gw"])
    end_s = universe.loop.time() + CALM_S
    while waits := _waits(universe, due):
        if universe.loop.time() > end_s:
            raise BrokenPromiseError(f"{CALM_S:.0f} s after the last fault: {waits}")
        await _pass(universe, 1.0)
    universe.trace("ARRIVED")
    universe.ending = True
    for host in reversed(universe.hosts.values()):
        if host.stop is not None:
            host.stop()
        await _pass(universe, 5.0)
    for host in universe.hosts.values():
        if host.process is not None:
            raise BrokenPromiseError(f"{host.name} did not stop")
    store = universe.disk("store")
    judge.check_originals(universe.ledger, store, due)
    judge.check_view(store, _cursor(universe))
    _check_record(universe)


def _check_record(universe: Universe) -> None:
    heard = record.hear(judge.logs_on(universe.disk("store"), "/data/originals/demo/gw1/"))
    counts = universe.ledger.counts
    steady = not universe.done["step"]
    counts.update(record.check_windows(heard, universe.served, steady=steady, chained=True))
    counts["slots declared lost"] = record.check_slots(heard)


async def _pass(universe: Universe, seconds: float) -> None:
    """Time passes, in steps, until a promise is broken."""
    end_s = universe.loop.time() + seconds
    while (left_s := end_s - universe.loop.time()) > 0:
        await asyncio.sleep(min(left_s, 1.0))
        _look(universe)
        if universe.broken:
            raise BrokenPromiseError(universe.broken)
        if universe.loop.errors:
            raise BrokenPromiseError(f"nobody took this: {universe.loop.errors[0]}")


def _look(universe: Universe) -> None:
    """Bounds that hold at every moment."""
    gateway = universe.hosts["gw"].app
    publisher = getattr(gateway, "_publisher", None)
    if publisher is not None:
        for run in publisher._runs():
            if len(run.flying) > 3 * lane.WINDOW:
                universe.fail(f"{run.stream}: {len(run.flying)} batches on the way")
    historian = universe.hosts["store"].app
    if historian is not None and historian.receiver._queued_bytes > receive.QUEUE_BYTES:
        universe.fail("the receiver's queue has no bound")


def _waits(universe: Universe, due: dict[judge.Key, bytes]) -> str:
    """What of that which was durable when the faults ended has not arrived; empty: all is well."""
    for (log, seq), digest in due.items():
        if not universe.ledger.stored(log, seq, digest):
            return f"{log} {seq} is not in the store"
    gateway, historian = universe.hosts["gw"].app, universe.hosts["store"].app
    if gateway is None or historian is None or not gateway.started.is_set():
        return "a process does not run"
    newest: dict[str, int] = {}
    for log, seq in due:
        newest[log] = max(seq, newest.get(log, 0))
    return _gateway_waits(gateway, newest) or _view_waits(historian, newest)


def _gateway_waits(gateway: Gateway, newest: dict[str, int]) -> str:
    healthy, why = gateway.healthy()
    if not healthy:
        return f"the gateway says: {why}"
    cosigned = gateway._evidence.notary.cosigned_sizes()
    for stream, log in gateway._logs.items():
        wanted = newest.get(log.log_id, 0)
        if log.receipted < wanted:
            return f"{stream} receipted to {log.receipted} of {wanted}"
        if cosigned.get(stream, 0) < wanted:
            return f"{stream} cosigned to {cosigned.get(stream)} of {wanted}"
    return ""


def _view_waits(historian: Historian, newest: dict[str, int]) -> str:
    done = historian.runners[0]._cursor.done
    for source in historian.originals.logs:
        if "-a" in source.log:
            return f"{source} is still apart"
        if done.get(source, 0) < newest.get(source.log, 0):
            return f"the view has {source} to {done.get(source, 0)} of {newest[source.log]}"
    return ""


def _cursor(universe: Universe) -> dict[str, int]:
    file = universe.disk("store").find("data/views/lake/cursor.json")
    done: dict[str, int] = json.loads(bytes(file.data))["done"]  # type: ignore[union-attr]
    return done


def run(seed: int, *, told: bool = False, always: Sequence[str] = ()) -> Result:
    """Plays ``seed``, with some kinds of faults in any case; never raises for a broken promise."""
    logging.disable(logging.CRITICAL)
    universe = Universe(seed, {"gw": _gateway, "store": _historian}, told=told)
    _KEPT.append(universe)
    random.seed(seed)
    SEAM.enter(universe)
    begin_s = universe.loop.time()
    what, broken = "", ""
    try:
        _installed(universe)
        most_s = random.Random(f"length {seed}").choice((30.0, 60.0, 90.0))
        what = faults.plan(universe, most_s, always)
        universe.loop.run_until_complete(_story(universe, most_s))
    except (BrokenPromiseError, StuckError) as error:
        broken = str(error) or repr(error)
    finally:
        for host in universe.hosts.values():
            if host.process is not None:
                host.process.die()
        SEAM.enter(None)
    counts = universe.ledger.counts
    counts["loop steps"] = universe.loop.steps
    return Result(
        seed,
        what,
        broken,
        universe.digest,
        universe.events,
        universe.loop.time() - begin_s,
        dict(sorted(counts.items())),
    )
