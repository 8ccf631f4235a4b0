"""A2, A6, A8: what happens at a sync – the process dies, the disk fails, the disk is slow."""

import hashlib
import os
import re
import subprocess
import sys
import time
from functools import partial
from math import inf
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc, numbers_of
from tests.oracle.judge import Samples, batches_in, judge, judge_batches, raw_in
from tests.oracle.ledger import Ledger
from tests.oracle.plant import ROOT, Plant, wait
from tests.originals_reader import read_stream
from tests.reliability.cases import NotRun, Outcome, Setting, case, need_program
from tests.reliability.links import alarmed

SYNCS = "fdatasync,fsync"


def strace(log: Path, *inject: str) -> list[str]:
    """The words in front of a command; NotRun where strace may not trace."""
    path = need_program("strace", "strace")
    probe = subprocess.run([path, "-f", "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        raise NotRun(f"strace may not trace here: {probe.stderr.strip()[-100:]}")
    quick = [] if any("signal=" in each for each in inject) else ["--seccomp-bpf"]  # deaf to it
    words = [path, "-f", "-qq", *quick, "-o", str(log), "-e", f"trace={SYNCS}"]
    return words + [word for each in inject for word in ("-e", f"inject={each}")]


def _script(folder: Path, out: Path, prefix: list[str]) -> int:
    with out.open("ab") as file:
        return subprocess.run(
            [*prefix, sys.executable, "-m", "tests.oracle.script", str(folder)],
            stdout=file,
            stderr=file,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        ).returncode


def _count(log: Path, call: str) -> int:
    return len(re.findall(rf"\b{call}\(", log.read_text()))


def _seen(log: Path, text: str) -> int:
    return log.read_text().count(text) if log.exists() else 0


def _wrong(folder: Path, out: Path) -> list[str]:
    """Promises of a script that its log does not keep."""
    promised: dict[tuple[str, int], str] = {}
    receipted: dict[str, int] = {}
    log = ""
    for line in out.read_text("utf-8", "replace").splitlines():
        what, _, rest = line.partition(" ")
        number, _, text = rest.partition(" ")
        if what == "opened":
            log = text
        elif what == "durable":
            promised[log, int(number)] = text
        elif what == "receipted":
            receipted[log] = int(number)
        elif what == "Traceback":
            return [out.read_text("utf-8", "replace")[-600:]]
    held = {
        (name, batch.seq): hashlib.sha256(batch.payload).hexdigest()
        for name, batches in read_stream(folder / "record").items()
        for batch in batches
    }
    lost = [
        f"batch {seq} of {name}"
        for (name, seq), digest in promised.items()
        if held.get((name, seq), digest if seq <= receipted.get(name, 0) else "") != digest
    ]
    logs = {name for name, _ in promised}
    return lost + ([f"{len(logs)} logs instead of one"] if len(logs) > 1 else [])


@case(
    "A2",
    fault="crash at each sync point",
    procedure="strace kills a scripted life of the spool (opening, appends, segment roll, "
    "receipts, deletion, closing) at its Nth fdatasync or fsync, N = 1 … all; then the same script "
    "goes on with the same folder, unkilled. Then the real agent, at the first syncs of its life",
    mark="100 % of N recover with no manual step; 0 lost",
)
def kill_at_syncs(setting: Setting) -> Outcome:
    log = setting.folder / "strace.log"
    if _script(setting.folder / "whole", setting.folder / "whole.out", strace(log)):
        return Outcome(passed=False, figure=(setting.folder / "whole.out").read_text()[-500:])
    every = [(call, n) for call in SYNCS.split(",") for n in range(1, _count(log, call) + 1)]
    total = len(every)
    wanted = every[:: setting.size(cut=max(1, total // 8), full=1)]
    wrong: list[str] = []
    for call, number in wanted:
        folder, out = setting.folder / f"{call}{number}", setting.folder / f"{call}{number}.out"
        code = _script(folder, out, strace(log, f"{call}:signal=KILL:when={number}"))
        if code == 0:
            wrong.append(f"{call} {number}: was not killed")
        if _script(folder, out, []):
            wrong.append(f"{call} {number}: did not go on: {out.read_text()[-300:]}")
        wrong += [f"{call} {number}: {each}" for each in _wrong(folder, out)]
    agents, bad = _kill_agents(setting, setting.size(cut=1, full=40))
    figure = (
        f"{len(wanted)} of {total} syncs of the script, {agents} of the agent: "
        f"{len(wrong) + len(bad)} with a loss or without recovery {[*wrong, *bad][:3] or ''}"
    )
    return Outcome(not wrong and not bad and agents > 0, figure)


def _kill_agents(setting: Setting, most: int) -> tuple[int, list[str]]:
    """The real agent, dead at the Nth sync of any of its threads; then started as it is."""
    broker = servers.mosquitto(setting.folder).start()
    done, wrong = 0, []
    try:
        for number in range(1, most + 1):
            folder = setting.folder / f"agent{number}"
            folder.mkdir()
            with (
                FakePlc(60) as plc,
                Plant(folder, plc.port, broker.port, points=60) as plant,
                Ledger(broker.port) as ledger,
            ):
                inject = f"{SYNCS}:signal=KILL:when={number}"
                plant.agent.prefix = strace(folder / "strace.log", inject)
                plant.agent.start()
                try:
                    wait(partial(_dead, plant), "a kill", 12)
                except AssertionError:
                    plant.agent.clear()
                    break  # no thread makes so many syncs in that time
                plant.agent.prefix = ()
                done += 1
                wrong += [f"agent, sync {number}: {each}" for each in _goes_on(plant, plc, ledger)]
    finally:
        broker.end()
    return done, wrong


def _dead(plant: Plant) -> bool:
    return not plant.agent.alive


def _goes_on(plant: Plant, plc: FakePlc, ledger: Ledger) -> list[str]:
    killed_ns = time.time_ns()
    plant.agent.start()
    plant.historian.start()
    try:
        wait(lambda: bool(plc.served) and plc.served[-1][0] > killed_ns, "reading again", 10)
        time.sleep(0.5)
        plant.settle(30)
    except AssertionError as error:
        return [str(error)]
    excuse = (0, killed_ns + 1_000_000_000), (time.time_ns() - 3_000_000_000, time.time_ns())
    values = judge(plc, raw_in(plant.originals), excuses=excuse)
    batches = judge_batches(batches_in(plant.originals), ledger.sent, ledger.receipted)
    return [str(each) for each in (values, batches) if not each.clean]


@case(
    "A6",
    fault="fsync EIO",
    procedure="strace lets the Nth fdatasync of each thread of the real agent fail with EIO, "
    "N = 1 … 50, once; and every one from the Nth on, for good",
    mark="never receipted what is not re-readable; alarm ≤ 10 s; goes on by itself when transient",
)
def sync_errors(setting: Setting) -> Outcome:
    numbers = [15] if not setting.full else list(range(1, 51))
    wrong: list[str] = []
    slowest = errors = 0.0
    risen = 0  # alarms that were seen to follow a healthy time
    for number in numbers:
        for forever in (False, True):
            name = f"{number}{'+' if forever else ''}"
            folder = setting.folder / f"eio{name}"
            folder.mkdir()
            alarm_s, seen, found, healthy = _eio(folder, name, forever=forever)
            slowest, errors = max(slowest, alarm_s), errors + seen
            risen += forever and healthy
            wrong += [f"N={name}: {each}" for each in found]
    figure = (
        f"N of {len(numbers)} values from {numbers[0]} to {numbers[-1]}, once and for good: "
        f"{errors:.0f} failed syncs noticed, {len(wrong)} wrong {wrong[:3] or ''}; "
        f"alarm after at most {slowest:.1f} s; {risen} of {len(numbers)} rose from healthy, the "
        "others failed before that"
    )
    return Outcome(not wrong and errors > 0 and risen > 0 and slowest <= 10, figure)


def _eio(folder: Path, when: str, *, forever: bool) -> tuple[float, float, list[str], bool]:
    """Seconds to the alarm (for good), failed syncs, what was wrong, whether healthy before."""
    broker = servers.mosquitto(folder).start()
    try:
        with (
            FakePlc(60) as plc,
            Plant(folder, plc.port, broker.port, points=60) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.prefix = strace(folder / "s.log", f"fdatasync:error=EIO:when={when}")
            plant.agent.start()
            plant.historian.start()
            if forever:
                return _for_good(folder, plant, ledger)
            wait(lambda: _seen(folder / "s.log", "EIO") > 0, "a failing sync", 30)
            wait(plant.healthy, "healthy again", 10)
            time.sleep(0.5)
            failed = _seen(folder / "s.log", "EIO")
            plant.agent.process, tracer = _inner(plant), plant.agent.process
            plant.settle(30)
            assert tracer is not None
            tracer.wait(10)
            start, end = plc.served[0][0], time.time_ns()
            excuses = (start, start + 100_000_000), (end - 3_000_000_000, end)
            values = judge(plc, raw_in(plant.originals), excuses=excuses)
            batches = judge_batches(batches_in(plant.originals), ledger.sent, ledger.receipted)
            wrong = [str(each) for each in (values, batches) if not each.clean]
            return 0.0, failed, wrong, True
    finally:
        broker.end()


def _for_good(folder: Path, plant: Plant, ledger: Ledger) -> tuple[float, float, list[str], bool]:
    healthy = False

    def failing() -> bool:
        nonlocal healthy
        broken = _seen(folder / "s.log", "EIO") > 0
        healthy = healthy or (not broken and plant.healthy())
        return broken

    wait(failing, "a failing sync", 30)
    alarm_s = wait(lambda: alarmed(plant), "the alarm", 15)
    time.sleep(1.0)
    wrong = [] if plant.agent.alive else [f"the agent died: {plant.agent.tail()[-200:]}"]
    failed = _seen(folder / "s.log", "EIO")
    plant.agent.clear()
    plant.historian.clear()
    held = batches_in(plant.spool) if (plant.spool / "record").is_dir() else {}
    found = judge_batches(held, ledger.sent, ledger.receipted, complete=False)
    return alarm_s, failed, wrong + ([] if found.clean else [f"in the spool: {found}"]), healthy


def _inner(plant: Plant) -> "subprocess.Popen[bytes]":
    """strace keeps signals from its child: the agent itself is to be told to stop."""

    class Traced(subprocess.Popen[bytes]):
        def send_signal(self, sig: int) -> None:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), sig)

    process = plant.agent.process
    assert process is not None
    process.__class__ = Traced
    plant.agent.prefix = ()
    return process


@case(
    "A8",
    fault="slow disk",
    procedure="strace delays every fdatasync of the real agent by 200 ms at 2,000 values/s",
    mark="0 lost; poll jitter p99 ≤ 100 ms (acquisition never waits for the disk)",
)
def slow_disk(setting: Setting) -> Outcome:
    seconds = setting.size(cut=15, full=600)
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            Plant(setting.folder, plc.port, broker.port) as plant,
            Ledger(broker.port) as ledger,
        ):
            log = setting.folder / "strace.log"
            plant.agent.prefix = strace(log, "fdatasync:delay_enter=200000")
            plant.agent.start()
            plant.historian.start()
            wait(lambda: bool(plc.served), "reading", 20)
            time.sleep(seconds)
            end_ns = time.time_ns()
            plant.agent.process = _inner(plant)
            plant.settle(90)
            excuses = ((end_ns - 2_000_000_000, time.time_ns()),)
            values = judge(plc, raw_in(plant.originals), excuses=excuses)
            batches = judge_batches(batches_in(plant.originals), ledger.sent, ledger.receipted)
            p99, worst, missed = _jitter_ms(plc, raw_in(plant.originals), 100_000_000, end_ns)
            syncs = _count(log, "fdatasync")
    finally:
        broker.end()
    figure = (
        f"{seconds} s, {syncs} syncs of 200 ms: {values}; batches {batches}; jitter of polls "
        f"from their slots p99 {p99:.0f} ms, worst {worst:.0f} ms, {missed} slots without a poll"
    )
    return Outcome(values.clean and batches.clean and p99 <= 100, figure)


def _jitter_ms(
    plc: FakePlc, found: Samples, interval_ns: int, end_ns: int
) -> tuple[float, float, int]:
    """
    (p99, worst) from the slot that a poll is stamped with to its first answer, ms, and how many
    slots had no poll, each of which counts as infinitely late. The first 2 s are left out.
    """
    begin = plc.served[0][0] + 2_000_000_000
    mine = (found.points == 1) & (found.times_ns > begin) & (found.times_ns < end_ns - interval_ns)
    slots, numbers = (
        found.times_ns[mine],
        numbers_of(plc.device, found.points[mine] - 1, found.values[mine]),
    )
    assert not (slots % interval_ns).any(), "a value that is not stamped with a slot"
    late = [
        abs(plc.served[number][0] - slot) / 1e6
        for slot, number in zip(slots.tolist(), numbers.tolist(), strict=True)
    ]
    expected = (end_ns - interval_ns) // interval_ns - begin // interval_ns
    missed = max(0, expected - len(set(slots.tolist())))
    late = sorted(late + [inf] * missed)
    return (late[int(len(late) * 0.99)], late[-1], missed) if late else (inf, inf, missed)
