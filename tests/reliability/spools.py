"""A4, A5: the files of a batch log, torn and rotten; what is left of it must be right and said."""

import asyncio
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from agent.batches.batch import Batch
from agent.batches.log import BatchLog
from tests.agent.logs import numbered, payload_of
from tests.reliability.cases import Outcome, Setting, case

LOG = "00112233445566ff"
HEAD = 68
SECTOR = 512


@dataclass(frozen=True)
class Place:
    """Where a record lies."""

    path: Path
    start: int
    end: int
    seq: int


def write_log(folder: Path, count: int, size: int) -> list[Place]:
    """A log of numbered batches in one segment; where each record lies, by an own reading."""

    async def fill() -> None:
        async with BatchLog(folder, stream="record", log=LOG) as log:
            make = numbered(size)
            await asyncio.gather(*(log.append(make, closed_ns=n) for n in range(count)))

    asyncio.run(fill())
    found = []
    for path in sorted((folder / "record" / LOG).glob("*.seg")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length, seq = struct.unpack_from("<IQ", data, at + 4)
            found.append(Place(path, at, at + HEAD + length, seq))
            at += HEAD + length
    assert [place.seq for place in found] == list(range(1, count + 1))
    return found


@dataclass(frozen=True)
class After:
    """What a log gives when it is opened again."""

    batches: list[Batch]
    newest: int
    lost: tuple[tuple[int, int], ...]
    kept_aside: int  # files in quarantine


async def open_again(folder: Path, size: int) -> After:
    """Opens, reads all, appends one, and reads that after another opening."""
    async with BatchLog(folder, stream="record", log=LOG, tail_bytes=0) as log:
        first = log.newest
        batches = await log.read_from(1, 1 << 30)
        lost = log.lost
        await log.append(numbered(size), closed_ns=1)
    async with BatchLog(folder, stream="record", log=LOG, tail_bytes=0) as log:
        fresh = await log.read(first + 1)
        assert fresh is not None, "what was appended after the recovery is gone"
        assert fresh.payload.endswith(payload_of(first + 1, size))
    aside = list((folder / "record" / LOG / "quarantine").glob("*.bin"))
    return After(batches, first, lost, len(aside))


@dataclass
class Tally:
    """Over many openings."""

    tried: int = 0
    undetected: int = 0  # a wrong byte was handed out
    collateral: int = 0  # a record that was not touched is missing
    unsaid: int = 0  # a record is missing, and neither `lost` nor the newest number says so
    unkept: int = 0  # the broken bytes are nowhere
    harmless: int = 0  # nothing was broken: the cut lay between two records

    @property
    def clean(self) -> bool:
        return not (self.undetected or self.collateral or self.unsaid or self.unkept)

    def add(
        self, after: After, touched: set[int], count: int, size: int, *, bytes_left: bool
    ) -> None:
        self.tried += 1
        got = {batch.seq for batch in after.batches}
        right = all(
            batch.payload.endswith(payload_of(batch.seq, size)) and batch.payload.count(b"\n") == 1
            for batch in after.batches
        )
        self.undetected += not right or bool(touched & got)
        self.collateral += bool(set(range(1, count + 1)) - touched - got)
        said = {n for first, last in after.lost for n in range(first, last + 1)}
        said |= set(range(after.newest + 1, count + 1))
        self.unsaid += said != touched
        self.unkept += bytes_left and not after.kept_aside
        self.harmless += not touched

    def __str__(self) -> str:
        return (
            f"{self.undetected} wrong batches delivered, {self.collateral} times an untouched "
            f"record missing, {self.unsaid} losses not stated, {self.unkept} times the broken "
            "bytes not kept"
        )


def _copy(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


@case(
    "A5",
    fault="bit rot",
    procedure="one bit flipped at a random place of a spool of 60 batches, headers included; then "
    "opened, read from the first batch on, written to, opened again",
    mark="100 % detected; no wrong value delivered; all other records delivered; quarantine kept",
)
def bit_flips(setting: Setting) -> Outcome:
    number, count, size = setting.size(cut=500, full=10_000), 60, 1500
    places = write_log(setting.folder / "whole", count, size)
    name = places[0].path.relative_to(setting.folder / "whole")
    chance, tally = setting.chance, Tally()
    for _ in range(number):
        folder = _copy(setting.folder / "whole", setting.folder / "one")
        data = bytearray((folder / name).read_bytes())
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(data)
        hit = {place.seq for place in places if place.start <= at < place.end}
        tally.add(asyncio.run(open_again(folder, size)), hit, count, size, bytes_left=True)
    return Outcome(tally.clean, f"{tally.tried:,} bit flips: {tally}")


@case(
    "A4",
    fault="torn write",
    procedure="a spool cut at every byte of its last 4 KiB, and with its last 1–8 sectors of 512 "
    "bytes zeroed; then opened, read, written to, opened again",
    mark="always opens; loses only records touched; the loss is stated as a range of numbers",
)
def torn_tails(setting: Setting) -> Outcome:
    count, size = 60, 700
    step = setting.size(cut=16, full=1)
    places = write_log(setting.folder / "whole", count, size)
    name = places[0].path.relative_to(setting.folder / "whole")
    whole = (setting.folder / "whole" / name).read_bytes()
    tally, opened = Tally(), setting.folder / "one"
    for cut in range(1, min(4096, len(whole)) + 1, step):
        left = len(whole) - cut
        (_copy(setting.folder / "whole", opened) / name).write_bytes(whole[:left])
        hit = {place.seq for place in places if place.end > left}
        ragged = all(left not in {place.start, place.end} for place in places)
        tally.add(asyncio.run(open_again(opened, size)), hit, count, size, bytes_left=ragged)
    for sectors in range(1, 9):
        first = (len(whole) - 1) // SECTOR * SECTOR - (sectors - 1) * SECTOR
        broken = whole[:first] + bytes(len(whole) - first)
        (_copy(setting.folder / "whole", opened) / name).write_bytes(broken)
        hit = {place.seq for place in places if place.end > first}
        tally.add(asyncio.run(open_again(opened, size)), hit, count, size, bytes_left=False)
    return Outcome(tally.clean, f"{tally.tried:,} torn tails: {tally}")
