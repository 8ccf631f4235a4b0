"""What goes wrong in a run: each seed takes some kinds of faults, and makes many of each."""

import random
from collections.abc import Callable, Sequence

from tests.simulation.loop import uniform_log
from tests.simulation.world import CAPACITY, HOSTS, Host, Universe

Fault = Callable[[Universe, random.Random], None]


def _host(universe: Universe, chance: random.Random) -> Host:
    return universe.hosts[chance.choice(HOSTS)]


def _kill(universe: Universe, chance: random.Random) -> None:
    universe.kill(_host(universe, chance), power=False)


def _power(universe: Universe, chance: random.Random) -> None:
    universe.kill(_host(universe, chance), power=True)


def _doom(universe: Universe, chance: random.Random) -> None:
    """Dies in the middle of what it is writing."""
    host = _host(universe, chance)
    host.doom = (chance.randrange(1, 60), chance.random() < 0.6)


def _stop(universe: Universe, chance: random.Random) -> None:
    host = _host(universe, chance)
    if host.stop is not None:
        universe.trace("stop", host.name)
        host.stop()


def _reload(universe: Universe, _chance: random.Random) -> None:
    host = universe.hosts["gw"]
    if host.app is not None:
        universe.trace("reload")
        host.app.reload()


def _full(universe: Universe, chance: random.Random) -> None:
    """Somebody else fills the disk, for a while."""
    host = _host(universe, chance)
    host.disk.others = max(0, CAPACITY - host.disk.used - chance.choice((0, 4096, 1 << 16)))
    host.troubled = True
    universe.trace("FULL", host.name)

    def free() -> None:
        host.disk.others = 0
        universe.trace("free", host.name)

    universe.loop.world(chance.uniform(0.5, 20.0), free)


def _eio(universe: Universe, chance: random.Random) -> None:
    """Some operations fail, for a while; later the page cache forgets what was never written."""
    host = _host(universe, chance)
    others = ("write", "read", "create", "unlink", "rename")
    failing = ["sync"] if chance.random() < 0.5 else chance.sample(others, 2)
    host.failing = dict.fromkeys(failing, chance.choice((0.05, 0.5, 1.0)))

    def over() -> None:
        host.failing = {}
        for _, file in host.disk.files():
            if chance.random() < 0.5:
                file.evict()

    universe.loop.world(chance.uniform(0.1, 6.0), over)


def _slow(universe: Universe, chance: random.Random) -> None:
    host = _host(universe, chance)
    host.slow = uniform_log(chance, 3.0, 100.0)

    def over() -> None:
        host.slow = 1.0

    universe.loop.world(chance.uniform(1.0, 15.0), over)


def _reset(universe: Universe, chance: random.Random) -> None:
    universe.broker.reset(chance.choice((*HOSTS, None)))


def _partition(universe: Universe, chance: random.Random) -> None:
    universe.broker.partition(_host(universe, chance).name, uniform_log(chance, 0.3, 40.0))


def _outage(universe: Universe, chance: random.Random) -> None:
    """The store is away for so long that what waits is more than goes out at once."""
    universe.broker.partition("store", chance.uniform(15.0, 60.0))


def _crash_broker(universe: Universe, chance: random.Random) -> None:
    universe.broker.crash(uniform_log(chance, 0.1, 10.0))


def _save_broker(universe: Universe, _chance: random.Random) -> None:
    universe.broker.save()


def _lie(universe: Universe, chance: random.Random) -> None:
    lies = universe.broker.lies
    name = chance.choice(("forget", "twice", "slow", "out_of_order"))
    setattr(lies, name, chance.choice((0.02, 0.1, 0.4)))
    universe.trace("lie", name)

    def over() -> None:
        setattr(lies, name, 0.0)

    universe.loop.world(chance.uniform(1.0, 20.0), over)


def _step(universe: Universe, chance: random.Random) -> None:
    host = _host(universe, chance)
    size_s = chance.choice((-3600.0, -60.0, -5.0, -1.0, -0.3, 0.3, 1.0, 5.0, 60.0, 3600.0))
    host.wall_ns += round(size_s * 1e9)
    universe.trace("clock step", host.name, size_s)


def _unsynced(universe: Universe, chance: random.Random) -> None:
    """The kernel no longer vouches for the gateway's clock, for a while."""
    host = universe.hosts["gw"]
    host.synced = False
    universe.trace("unsynced", host.name)

    def over() -> None:
        host.synced = True

    universe.loop.world(chance.uniform(0.5, 40.0), over)


def _device(universe: Universe, chance: random.Random) -> None:
    name = chance.choice(("plc", "meters"))
    universe.dead.add(name)
    universe.loop.world(chance.uniform(0.5, 15.0), universe.dead.discard, name)


KINDS: dict[str, Fault] = {
    "kill": _kill,
    "power": _power,
    "doom": _doom,
    "stop": _stop,
    "reload": _reload,
    "full": _full,
    "eio": _eio,
    "slow": _slow,
    "reset": _reset,
    "partition": _partition,
    "outage": _outage,
    "broker": _crash_broker,
    "retained": _save_broker,
    "lie": _lie,
    "step": _step,
    "device": _device,
    "unsynced": _unsynced,
}


def _happen(kind: str, universe: Universe, chance: random.Random) -> None:
    universe.done[kind] += 1
    KINDS[kind](universe, chance)


def _write_back(universe: Universe, host: Host, chance: random.Random) -> None:
    """The kernel writes by itself what nobody synced, half a minute later at the latest."""
    host.disk.settle()
    universe.loop.world(chance.uniform(5.0, 30.0), _write_back, universe, host, chance)


def plan(universe: Universe, most_s: float, always: Sequence[str] = ()) -> str:
    """Lays the faults of this seed over ``most_s`` seconds; says what they are."""
    chance = random.Random(f"faults {universe.seed}")
    kinds = sorted({*chance.sample(sorted(KINDS), chance.randrange(2, 7)), *always})
    for host in universe.hosts.values():
        universe.loop.world(5.0, _write_back, universe, host, chance)
    said = []
    for kind in kinds:
        times = 1 + int(uniform_log(chance, 1, 8)) + 3 * (kind in always)
        said.append(f"{kind}×{times}")
        for _ in range(times):
            own = random.Random(chance.random())
            universe.loop.world(chance.uniform(1.0, most_s), _happen, kind, universe, own)
    return " ".join(said)


def calm(universe: Universe) -> None:
    """From now on nothing goes wrong any more."""
    for host in universe.hosts.values():
        host.doom, host.failing, host.slow, host.synced = None, {}, 1.0, True
        host.disk.others = 0
    lies = universe.broker.lies
    lies.forget = lies.twice = lies.slow = lies.out_of_order = 0.0
    universe.dead.clear()
