"""A3: disks that lose their power."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.batches.log import BatchLog
from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.judge import batches_in, judge_batches
from tests.oracle.ledger import Key, Ledger
from tests.oracle.plant import Plant, wait
from tests.reliability.cases import NotRun, Outcome, Setting, case, need_program, need_root


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotRun(f"{' '.join(words[:3])} …: {done.stderr.strip()[-200:]}")


@contextmanager
def mounted(where: Path, *words: str) -> Iterator[Path]:
    """``mount WORDS where`` while entered."""
    where.mkdir(parents=True, exist_ok=True)
    _run("mount", *words, str(where))
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=False)


# power cuts


@dataclass
class Images:
    """What was found in the power-cut images."""

    count: int = 0
    at_roll: int = 0
    promised: int = 0
    lost: int = 0
    altered: int = 0
    torn: int = 0
    torn_twice: int = 0
    shut: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0


@case(
    "A3",
    fault="power cut",
    procedure="gateway and historian on ext4 in a loop file on reflink XFS, 4,000 values/s; at "
    "random instants, and right after a new segment file, the ledger is read, then the loop file "
    "cloned; each clone is mounted (its journal replayed), judged, and opened by the product",
    mark="0 promised or receipted batches missing in 250 images; ≤ 1 torn tail per log, cut",
)
def power_cuts(setting: Setting) -> Outcome:
    need_root("loop mounts")
    for name, package in (("mkfs.xfs", "xfsprogs"), ("mkfs.ext4", "e2fsprogs")):
        need_program(name, package)
    random_ones, rolls = setting.size(cut=8, full=240), setting.size(cut=0, full=10)
    images = Images()
    with ExitStack() as stack:
        disk, state = _disks(setting.folder, stack)
        broker = servers.mosquitto(setting.folder).start()
        stack.callback(broker.end)
        plc = stack.enter_context(FakePlc(400))
        plant = stack.enter_context(
            Plant(
                setting.folder,
                plc.port,
                broker.port,
                points=400,
                agent_dir=state / "agent",
                historian_dir=state / "historian",
                max_bytes=16 << 20,
            )
        )
        ledger = stack.enter_context(Ledger(broker.port))
        plant.agent.start()
        plant.historian.start()
        wait(lambda: any(ledger.receipted.values()), "the first receipt", 20)
        chance = setting.chance
        for _ in range(random_ones):
            time.sleep(chance.uniform(0.02, 0.4))
            _cut(disk, setting.folder / "seen", ledger, images)
        known, end = _segments(state), time.monotonic() + 40 * rolls
        while images.at_roll < rolls and time.monotonic() < end:
            fresh = _segments(state)
            if fresh - known:
                _cut(disk, setting.folder / "seen", ledger, images)
                images.at_roll += 1
            known = fresh
            time.sleep(0.002)
        plant.agent.clear()
        plant.historian.clear()
    figure = (
        f"{images.count} images, {images.at_roll} of them at a new segment: of {images.promised:,} "
        f"promises {images.lost} missing, {images.altered} altered; {images.torn} torn tails cut, "
        f"{images.torn_twice} logs with more than one; {len(images.shut)} logs that did not open "
        f"{images.shut[:2] or ''}; a clone took at most {images.slowest_ms:.0f} ms"
    )
    bad = images.lost + images.altered + images.torn_twice + len(images.shut)
    return Outcome(not bad and images.promised > 0, figure)


def _disks(folder: Path, stack: ExitStack) -> tuple[Path, Path]:
    """(the loop file that is cloned, the folder on it)."""
    outer = folder / "xfs.img"
    with outer.open("wb") as file:
        file.truncate(2 << 30)
    _run("mkfs.xfs", "-q", "-m", "reflink=1", str(outer))
    xfs = stack.enter_context(mounted(folder / "xfs", "-o", "loop", str(outer)))
    disk = xfs / "disk.img"
    with disk.open("wb") as file:
        file.truncate(512 << 20)
    _run("mkfs.ext4", "-q", "-F", str(disk))
    state = stack.enter_context(mounted(folder / "state", "-o", "loop", str(disk)))
    return disk, state


def _segments(state: Path) -> set[Path]:
    return set(state.rglob("*.seg"))


def _cut(disk: Path, where: Path, ledger: Ledger, images: Images) -> None:
    receipted, sent = ledger.promises()
    image = disk.with_name("cut.img")
    started = time.monotonic()
    _run("cp", "--reflink=always", str(disk), str(image))
    images.slowest_ms = max(images.slowest_ms, (time.monotonic() - started) * 1e3)
    with mounted(where, "-o", "loop", str(image)) as state:
        _judge(state, sent, receipted, images)
    image.unlink()


def _judge(
    state: Path, sent: dict[Key, dict[int, str]], receipted: dict[Key, int], images: Images
) -> None:
    originals = state / "historian" / "originals" / "demo" / "gw1"
    sent = _unpruned(state / "agent", sent, receipted)
    ours = judge_batches(batches_in(state / "agent"), sent, {}, complete=False)
    theirs = judge_batches(batches_in(originals), {}, receipted, complete=False)
    images.count += 1
    images.promised += ours.served + theirs.served
    images.lost += ours.missing + theirs.missing
    images.altered += ours.altered
    for place in (state / "agent", originals):
        for stream in ("record", "raw"):
            try:
                torn = asyncio.run(_opened(place, stream))
            except Exception as error:  # noqa: BLE001 - whatever it is, the log did not open
                images.shut.append(f"{stream}: {error}")
            else:
                images.torn += torn == 1
                images.torn_twice += torn > 1
    held = batches_in(state / "agent")
    again = judge_batches(held, sent, {}, complete=False)
    images.lost += again.missing


def _unpruned(
    spool: Path, sent: dict[Key, dict[int, str]], receipted: dict[Key, int]
) -> dict[Key, dict[int, str]]:
    """Promises that still bind the spool: it may delete from its beginning what is receipted."""
    oldest: dict[Key, int] = {}
    for stream, log, seq in batches_in(spool):
        oldest[stream, log] = min(seq, oldest.get((stream, log), seq))
    return {
        key: {
            seq: digest
            for seq, digest in seqs.items()
            if seq >= oldest.get(key, 0) or seq > receipted.get(key, 0)
        }
        for key, seqs in sent.items()
    }


async def _opened(place: Path, stream: str) -> int:
    """The product opens the log; how many broken places it found."""
    async with BatchLog(place, stream=stream) as log:
        return log.damaged_places + bool(log.counts.torn_bytes)
