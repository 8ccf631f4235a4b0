"""D8: ten years of checkpoints, and what may be deleted."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from agent.batches import files as logfiles
from agent.batches.log import BatchLog
from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.evidence.proof import leaf_hash
from agent.evidence.tiles import TileTree
from agent.evidence.tree import hash_named, inclusion_path
from agent.wire.encode import BatchHead
from reports.package import verify as alone
from tests.agent.ends import GATEWAY, PLANT
from tests.reliability.cases import Outcome, Setting, case

YEAR_S = 366 * 86_400


@case(
    "D8",
    fault="retention: ten years of checkpoints",
    procedure="a tree of one leaf a day and log for ten years (1,000 logs: 3.65 million leaves), "
    "in tiles on disk; proofs of random leaves under random older heads, each made five times, "
    "opened anew each time, judged by the stand-alone verifier. Then a real batch log whose "
    "segments are eleven years old, receipted by and by, pruned at each step, its files read by "
    "their names",
    mark="inclusion proof ≤ 100 ms by the clock, of each the median of its five times: one time "
    "alone says how busy the machine is; nothing deletable without a receipt; each deletion leaves "
    "a record in the record log with the numbers that are gone",
)
def ten_years(setting: Setting) -> Outcome:
    leaves = setting.size(cut=36_500, full=3_650_000)
    log = f"{PLANT}/{GATEWAY}/record/00112233445566ff"
    algorithm, folder = hash_named("sha256"), setting.folder / "tree"
    folder.mkdir()
    tree, began = TileTree.opened(folder, algorithm), time.monotonic()
    for seq in range(1, leaves + 1):
        tree.append(leaf_hash(log, seq, b"%d" % seq, "sha256", 0))
    tree.flush()
    built_s = time.monotonic() - began
    chance, wrong, times = setting.chance, 0, Times()
    proofs = setting.size(cut=50, full=1000)
    for _ in range(proofs):
        size = chance.randrange(leaves // 2, leaves + 1)
        seq = chance.randrange(1, size + 1)
        path: list[bytes] = []
        for _ in times.takes():
            opened = TileTree.opened(folder, algorithm)
            path = inclusion_path(algorithm, seq - 1, size, opened.node)
        leaf = alone.leaf_hash("sha256", 0, log, seq, b"%d" % seq)
        wrong += alone.root_by_path("sha256", leaf, seq - 1, size, path) != tree.root(size)
    kept = asyncio.run(_pruned(setting))
    figure = (
        f"{leaves:,} leaves written in {built_s:.0f} s; {proofs} proofs, {wrong} wrong, "
        f"{times.text}; {kept.text}"
    )
    return Outcome(not wrong and times.median_s <= 0.1 and kept.good, figure)


@dataclass
class Times:
    """The slowest of many things that were each done several times, seconds."""

    median_s: float = 0.0  # of the times that one of them took
    once_s: float = 0.0
    processor_s: float = 0.0  # of one time

    def takes(self) -> Iterator[int]:
        """For a loop whose body is what is measured."""
        clock = []
        for number in range(5):
            began, busy = time.monotonic(), time.process_time()
            yield number
            clock.append(time.monotonic() - began)
            self.processor_s = max(self.processor_s, time.process_time() - busy)
        self.median_s = max(self.median_s, median(clock))
        self.once_s = max(self.once_s, *clock)

    @property
    def text(self) -> str:
        return (
            f"the slowest made in {self.median_s * 1e3:.0f} ms, once in {self.once_s * 1e3:.0f} ms "
            f"({self.processor_s * 1e3:.0f} ms of processor time at most)"
        )


@dataclass
class Pruned:
    """What became of a log that was pruned at each step."""

    steps: int = 0
    deleted: int = 0
    early: int = 0  # deleted without a receipt
    said: int = 0  # numbers of which a record in the log says that they are gone

    @property
    def good(self) -> bool:
        return not self.early and self.deleted == self.said > 0

    @property
    def text(self) -> str:
        return (
            f"{self.deleted} old batches deleted in {self.steps} steps, {self.early} of them "
            f"without a receipt, {self.said} named by a record in the log"
        )


async def _pruned(setting: Setting) -> Pruned:
    found, chance = Pruned(steps=setting.size(cut=10, full=100)), setting.chance
    before = logfiles.SEGMENT_BYTES, logfiles.SEGMENT_BYTES_MIN
    logfiles.SEGMENT_BYTES = logfiles.SEGMENT_BYTES_MIN = 4096
    try:
        async with (
            BatchLog(setting.folder, stream="record") as record,
            BatchLog(setting.folder, stream="raw", keep_ns=10 * YEAR_S * 10**9) as raw,
        ):
            head = BatchHead(PLANT, GATEWAY, "raw", "0" * 16)
            boxes = [Outbox(each, head, time.time_ns) for each in (record, raw)]
            desk = Desk(PLANT, GATEWAY, *boxes)
            for _ in range(found.steps):
                for _ in range(chance.randrange(1, 30)):
                    boxes[1].add(chance.randbytes(400).hex().encode())
                    await boxes[1].flush()
                for path in (setting.folder / "raw").rglob("*.seg"):
                    os.utime(path, (time.time() - 11 * YEAR_S,) * 2)
                if chance.random() < 0.7:
                    raw.set_receipted(chance.randrange(raw.receipted, raw.newest + 1))
                await raw.prune()
                oldest = min(int(p.stem) for p in (setting.folder / "raw").rglob("*.seg"))
                found.deleted = oldest - 1
                found.early += max(0, oldest - 1 - raw.receipted)
                desk.log_state(time.time_ns())
                await boxes[0].flush()
            batches = await record.read_from(1, 1 << 30)
            lines = [x for b in batches for x in b.payload.decode().split("\n") if "pruned" in x]
            for line in lines:
                words = line.partition("batches ")[2].split()
                found.said += int(words[2]) - int(words[0]) + 1
    finally:
        logfiles.SEGMENT_BYTES, logfiles.SEGMENT_BYTES_MIN = before
    return found
