"""What logs hold of an audit trail, and where the trail says something else: both read only."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batches.segment import Segment
from agent.wire.lines import LineError, read_line
from drivers.audit import DAY_NS, KEEP_DAYS
from drivers.audit_act import Recorded
from drivers.language import say

OWN_GATEWAY = "historian"  # whose batches only the historian itself writes


@dataclass(frozen=True, slots=True)
class Witnessed:
    """An act as a batch holds it."""

    trail: str
    n: int
    hash: str
    said: str
    log: str
    seq: int
    at_ns: int


def witnessed(originals: Path) -> Iterator[Witnessed]:
    """
    Every ``audit`` line of every record log below ``originals`` that may be believed.

    A gateway speaks for its own trail only; of trails it follows the historian's own log alone.
    """
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
    plant, gateway, *_ = log.split("/")
    followed = gateway == OWN_GATEWAY and str(trail).startswith("/")
    if not isinstance(n, int) or not (followed or trail == gateway):
        return None
    name = str(trail) if followed else f"{plant}/{trail}"
    return Witnessed(name, int(n), str(digest), said, log, seq, line.time_ns)


def names(found: list[Witnessed]) -> list[str]:
    """Trails there are: ``plant/gateway``, or the folder of a trail that was followed."""
    return sorted({each.trail for each in found})


@dataclass(frozen=True, slots=True)
class Compared:
    """``differing``: the first act that is another or is gone, in words; "" when there is none."""

    compared: int
    differing: str


def compare(
    trail: Iterator[Recorded],
    known: list[Witnessed],
    *,
    keep_days: float = KEEP_DAYS,
    now_ns: int | None = None,
) -> Compared:
    """A trail against what batches hold of it. Only acts older than ``keep_days`` may be gone."""
    young_ns = (time.time_ns() if now_ns is None else now_ns) - int(keep_days * DAY_NS)
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
    gone = sorted(
        n
        for n, held in by_number.items()
        if n > last or (n < first and any(each.at_ns > young_ns for each in held))
    )
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
