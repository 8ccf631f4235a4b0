"""What logs hold of an audit trail, and where the trail says something else: both read only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batches.segment import Segment
from agent.wire.lines import LineError, read_line
from drivers.audit_act import Recorded
from drivers.language import say


@dataclass(frozen=True, slots=True)
class Witnessed:
    """An act as a batch holds it."""

    trail: str
    n: int
    hash: str
    said: str
    log: str
    seq: int


def witnessed(originals: Path) -> Iterator[Witnessed]:
    """Every ``audit`` line of every record log below ``originals``."""
    for folder in sorted(originals.glob("*/*/record/*/")):
        log = folder.relative_to(originals).as_posix()
        for segment in Segment.all_in(folder):
            for item in segment.scan():
                if not hasattr(item, "batch"):
                    continue  # damage: told by smelter historian verify
                payload = item.batch.payload
                if b"\naudit," not in payload:
                    continue
                for raw in payload.split(b"\n")[1:]:
                    if raw.startswith(b"audit,") and (found := _of(raw, log, item.batch.seq)):
                        yield found


def _of(raw: bytes, log: str, seq: int) -> Witnessed | None:
    try:
        line = read_line(raw.decode())
        trail, n, digest = (line.fields[name] for name in ("trail", "n", "hash"))
        said = f"{line.fields['who']}: {line.tags['what']} {line.fields['target']}"
    except (LineError, KeyError, UnicodeDecodeError):
        return None
    place = log.split("/")
    name = f"{place[0]}/{trail}" if trail == place[1] else str(trail)
    return Witnessed(name, int(n), str(digest), said, log, seq) if isinstance(n, int) else None


def names(found: list[Witnessed]) -> list[str]:
    """Trails there are: ``plant/gateway``, or the folder of a trail that was followed."""
    return sorted({each.trail for each in found})


@dataclass(frozen=True, slots=True)
class Compared:
    """``differing``: the first act that is another or is gone, in words; "" when there is none."""

    compared: int
    differing: str


def compare(trail: Iterator[Recorded], known: list[Witnessed]) -> Compared:
    """A trail against what batches hold of it. Pruned acts are not missed."""
    by_number: dict[int, list[Witnessed]] = {}
    for each in known:
        by_number.setdefault(each.n, []).append(each)
    compared, first, last = 0, 0, 0
    for recorded in trail:
        first, last = first or recorded.n, recorded.n
        held = by_number.get(recorded.n)
        if held is None:
            continue
        compared += 1
        if any(each.hash != recorded.hash for each in held):
            other = next(each for each in held if each.hash != recorded.hash)
            act = recorded.act
            here = f"{act.who}: {act.what} {act.target}"
            return Compared(compared, _differs(recorded.n, here, other))
    gone = sorted(n for n in by_number if n > last)
    if gone:
        other = by_number[gone[0]][0]
        nothing = say("无此操作", "no such act")
        return Compared(compared, _differs(gone[0], nothing, other))
    return Compared(compared, "")


def _differs(n: int, here: str, held: Witnessed) -> str:
    return say(
        f"第 {n} 条操作与历史库不符：此处为“{here}”，"
        f"历史库批次 {held.log} 第 {held.seq} 批为“{held.said}”",
        f'act {n} is not the one the historian holds: here "{here}", '
        f'batch {held.seq} of {held.log} has "{held.said}"',
    )


def as_table(recorded: Recorded) -> dict[str, object]:
    """For --json and for an export: the line, with its hash."""
    table: dict[str, object] = json.loads(recorded.line)
    return table | {"hash": recorded.hash}
