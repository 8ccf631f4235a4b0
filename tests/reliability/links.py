"""A10, A11, A13, A16: links that flap, fall silent or lie between gateway, broker and historian."""

import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.judge import batches_in, held_in, judge, judge_batches
from tests.oracle.ledger import Ledger
from tests.oracle.plant import Plant, wait
from tests.oracle.proxy import Faults, Proxy
from tests.oracle.swallow import Swallow
from tests.reliability.cases import Outcome, Setting, case, every_s

_SEQ = re.compile(rb'^batch,[^ ]*stream=(\w+) log="(\w+)",seq=(\d+)i')


def verdict(
    plant: Plant,
    plc: FakePlc,
    ledger: Ledger,
    end_ns: int,
    kills: Sequence[tuple[int, int]] = (),
) -> tuple[bool, str]:
    """Of a plant that has settled; ``end_ns``: when it began to; ``kills`` excuse losses."""
    excuses = (*kills, (end_ns - 2_000_000_000, time.time_ns()))
    values = judge(plc, held_in(plant.originals, plant.spool), excuses=excuses)
    batches = judge_batches(
        batches_in(plant.originals), ledger.sent, ledger.receipted, complete=False
    )
    clean = values.clean and batches.clean and not ledger.contradictions
    text = f"{values}, {values.in_flight:,} excused"
    return clean, text + ("" if batches.clean else f"; batches: {batches}")


def alarmed(plant: Plant) -> bool:
    """/healthz answers, and says that something is wrong; an agent that is silent says nothing."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{plant.health}/healthz", timeout=2):
            return False
    except urllib.error.HTTPError as error:
        return error.code == 503
    except OSError:
        return False


def _handles(program: Plant) -> int:
    """The fewest of several looks: a file is opened for a moment now and then."""
    assert program.agent.process is not None
    folder, looks = Path(f"/proc/{program.agent.process.pid}/fd"), []
    for _ in range(20):
        looks.append(len(list(folder.iterdir())))
        time.sleep(0.1)
    return min(looks)


@case(
    "A10",
    fault="flapping link",
    procedure="a proxy before the broker, for the gateway and for the historian: down and up every "
    "1–20 s, resets in the middle of packets, slices of one byte, latency, at 2,000 values/s",
    mark="0 lost; reconnects ≤ 1/s; no file handle left over",
)
def flapping(setting: Setting) -> Outcome:
    seconds, chance = setting.size(cut=20, full=1800), setting.chance
    longest = 4.0 if not setting.full else 20.0
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            Proxy(broker.port, seed=setting.seed) as near,
            Proxy(broker.port, seed=setting.seed + 1) as far,
            Plant(
                setting.folder,
                plc.port,
                broker.port,
                agent_broker=near.port,
                historian_broker=far.port,
                timeout_s=10.0,  # the proxies take their turns with the device in this process
            ) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: any(ledger.receipted.values()), "the first receipt", 20)
            before, start = _handles(plant), time.monotonic()
            with every_s(seconds) as more:
                while more():
                    for proxy in (near, far):
                        kind = chance.randrange(4)
                        proxy.faults = (
                            Faults(down=True),
                            Faults(slice=1),
                            Faults(cut=0.2, latency_s=0.05),
                            Faults(),
                        )[kind]
                        if kind == 0 or chance.random() < 0.5:
                            proxy.reset()
                    time.sleep(chance.uniform(1, longest))
            took = time.monotonic() - start
            near.faults, far.faults = Faults(), Faults()
            rate, behind = max(near.connections, far.connections) / took, plant.lacking()
            drained_s = wait(plant.drained_now, "the historian with all the spool held", 600)
            time.sleep(1.0)
            left = _handles(plant) - before
            end_ns = time.time_ns()
            plant.settle(60)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    figure = (
        f"{took:.0f} s, {near.connections} and {far.connections} connections; {behind:,} "
        f"batches behind then, all there {drained_s:.0f} s later; {text}; {left:+d} file handles"
    )
    return Outcome(clean and rate <= 1 and left <= 0, figure)


@case(
    "A11",
    fault="half-open connection",
    procedure="after the first receipts a proxy takes every byte and passes none on, both ways, "
    "without closing; then it works again for new connections only",
    mark="noticed ≤ 30 s; 0 lost",
)
def half_open(setting: Setting) -> Outcome:
    rounds = setting.size(cut=1, full=5)
    broker = servers.mosquitto(setting.folder).start()
    slowest = 0.0
    try:
        with (
            FakePlc(100) as plc,
            Proxy(broker.port) as proxy,
            Plant(
                setting.folder, plc.port, broker.port, points=100, agent_broker=proxy.port
            ) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            for _ in range(rounds):
                known = sum(ledger.receipted.values())
                wait(lambda k=known: sum(ledger.receipted.values()) > k, "receipts", 40)  # type: ignore[misc]
                proxy.faults = Faults(silent=True)
                count = proxy.connections
                slowest = max(
                    slowest,
                    wait(lambda c=count: proxy.connections > c, "a new try", 60),  # type: ignore[misc]
                )
                proxy.reset()
                proxy.faults = Faults()
            end_ns = time.time_ns()
            plant.settle(90)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    figure = f"{rounds} times; given up and tried anew after at most {slowest:.1f} s; {text}"
    return Outcome(clean and slowest <= 30, figure)


@case(
    "A13",
    fault="broker that lies",
    procedure="kill -9 of mosquitto with persistence and its default autosave while batches flow: "
    "everything it had confirmed is gone; started again on the same files",
    mark="0 lost (receipts from the store drive deletion)",
)
def broker_lies(setting: Setting) -> Outcome:
    kills, chance = setting.size(cut=3, full=20), setting.chance
    store = setting.folder / "broker"
    store.mkdir()
    store.chmod(0o777)
    extra = f"persistence true\npersistence_location {store}/\n"
    broker = servers.mosquitto(setting.folder, extra).start()
    confirmed_gone = 0
    try:
        with (
            FakePlc(200) as plc,
            Plant(setting.folder, plc.port, broker.port) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            made = 0
            while made < kills or (not confirmed_gone and made < 4 * kills):
                made += 1
                known = sum(ledger.receipted.values())
                plant.historian.start()
                wait(lambda k=known: sum(ledger.receipted.values()) > k, "receipts", 60)  # type: ignore[misc]
                time.sleep(chance.uniform(0.0, 1.0))
                plant.historian.end(signal.SIGKILL)
                time.sleep(0.1)  # the last receipts
                known, seen = sum(ledger.receipted.values()), ledger.messages
                time.sleep(chance.uniform(0.5, 1.5))  # confirmed by the broker, kept by nobody
                broker.kill()
                confirmed_gone += ledger.messages - seen
                assert sum(ledger.receipted.values()) == known, "a receipt without a historian"
                broker.start()
            plant.historian.start()
            wait(plant.drained_now, "the historian with all the spool held", 90)
            end_ns = time.time_ns()
            plant.settle(60)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    figure = f"{made} kills of the broker, {confirmed_gone} confirmed batches in it gone; {text}"
    return Outcome(clean and confirmed_gone > 0, figure)


@case(
    "A16",
    fault="gap of 256·k in the sequence",
    procedure="a proxy swallows 1, 255, 256, 512 consecutive batches of the raw stream and "
    "confirms them to the gateway; forged receipts make the gateway believe that they arrived",
    mark="all detected and refilled ≤ 60 s",
)
def gaps(setting: Setting) -> Outcome:
    broker = servers.mosquitto(setting.folder).start()
    taken: dict[str, int] = {"left": 0}
    forge: list[tuple[str, int]] = []

    def wanted(topic: bytes, payload: bytes) -> bool:
        found = _SEQ.match(payload)
        if not topic.endswith(b"/raw") or found is None or not taken["left"]:
            return False
        taken["left"] -= 1
        forge.append((found[2].decode(), int(found[3])))
        return True

    refilled: dict[int, float] = {}
    try:
        with (
            FakePlc(10) as plc,
            Proxy(broker.port, filter=Swallow(wanted)) as proxy,
            Plant(
                setting.folder,
                plc.port,
                broker.port,
                points=10,
                batch_s=0.05,
                interval_s=0.05,
                agent_broker=proxy.port,
            ) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: sum(ledger.receipted.values()) > 4, "receipts", 30)
            for size in (1, 255, 256, 512) if setting.full else (1, 256):
                first = len(forge)
                taken["left"] = size
                _feed_forgeries(forge, first, size, ledger)
                lost = {("raw", log, seq) for log, seq in forge[first:]}
                assert len(lost) == size, f"{len(lost)} consecutive batches instead of {size}"
                refilled[size] = wait(
                    lambda lost=lost: lost <= batches_in(plant.originals).keys(),  # type: ignore[misc]
                    f"the gap of {size} refilled",
                    90,
                )
            end_ns = time.time_ns()
            plant.settle(60)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    times = ", ".join(f"{size} in {took:.1f} s" for size, took in refilled.items())
    return Outcome(clean and max(refilled.values()) <= 60, f"refilled: {times}; {text}")


def _feed_forgeries(forge: list[tuple[str, int]], first: int, size: int, ledger: Ledger) -> None:
    said = first
    with every_s(120) as more:
        while more() and said < first + size:
            while said < len(forge):
                log, seq = forge[said]
                ledger.forge("raw", log, seq)
                said += 1
            time.sleep(0.01)
