"""
What an earlier run left: counters, the minute under way, events that nobody ended.

A graceful stop writes ``state.json``. After a kill the tail of the record log speaks: the readings
in its windows are where the counters go on, so no consumption is lost or counted twice.
"""

import json
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from agent.batches.log import BatchLog
from agent.minutes.windows import MinuteState
from agent.stacks.stacks import Minutes
from agent.wire.encode import tags_of
from agent.wire.events import Event, Happening, Measured
from agent.wire.lines import Line, LineError, read_line
from drivers.model import Equipment, Kind, Point

_log = logging.getLogger(__name__)

TAIL_BATCHES = 300
TAIL_BYTES = 64 << 20  # plain
_FORM = 1
_LAST = re.compile(r"([a-z0-9_]+)_last=([^, ]+)")
_WINDOW = re.compile(r"([a-z0-9_]+)_n=")


@dataclass(slots=True)
class Resume:
    """What to go on with; empty at the very first start."""

    readings: dict[str, tuple[float, int]] = field(default_factory=dict)
    minutes: list[MinuteState] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    pots: dict[str, dict[str, Any]] = field(default_factory=dict)  # under close watch, by equipment
    exchangers: dict[str, Any] = field(default_factory=dict)  # from a file of their own
    stacks: Minutes = field(default_factory=dict)  # converted means of the hour, from the log
    open_events: list[Event] = field(default_factory=list)


def save(path: Path, resume: Resume, log_id: str, record_seq: int) -> None:
    """
    Write ``state.json`` so that either the old or the new one is there whole.

    A disk that takes none is no reason to stop badly: the next start reads the record log instead.
    """
    content = {
        "form": _FORM,
        "log": log_id,
        "seq": record_seq,
        "readings": resume.readings,
        "minutes": resume.minutes,
        "texts": resume.texts,
        "pots": resume.pots,
    }
    try:
        _replace(path, content)
    except OSError as error:
        _log.error("state not kept path=%s error=%s; the record log will speak", path, error)


def _replace(path: Path, content: dict[str, Any]) -> None:
    fresh = path.with_suffix(".tmp")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def newest_ns(log: BatchLog) -> int:
    """When the newest batch of a log was closed; 0 without one."""
    batch = await log.read(log.newest) if log.newest else None
    return batch.closed_ns if batch else 0


def away_ns(newest: list[int], batch_interval_s: float) -> int:
    """
    Since when an earlier run kept nothing, by when the newest batch of each stream was closed.

    One stream may be durable and the other not: what waited with it is lost as well. 0: no run.
    """
    return max(min(newest), max(newest) - round(2e9 * batch_interval_s)) if any(newest) else 0


async def load(path: Path, log: BatchLog, plant: str, points: Iterable[Point]) -> Resume:
    """From the state file and what the record log holds beyond it."""
    resume, seq = _from_file(path, log.log_id)
    await _from_tail(resume, log, seq, _Wanted(plant, points))
    return resume


def _from_file(path: Path, log_id: str) -> tuple[Resume, int]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if content["form"] != _FORM or content["log"] != log_id:
            return Resume(), 0
        readings = {name: (float(v), int(ns)) for name, (v, ns) in content["readings"].items()}
        pots = content.get("pots", {})  # a state of before pots were followed has none
        return Resume(readings, content["minutes"], content["texts"], pots), int(content["seq"])
    except FileNotFoundError:
        return Resume(), 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("state file unusable path=%s error=%r; the record log speaks", path, error)
        return Resume(), 0


class _Wanted:
    """Points by the head of their window lines; ``missing`` are counters without a reading."""

    def __init__(self, plant: str, points: Iterable[Point]) -> None:
        self.by_head: dict[str, dict[str, str]] = {}
        self.missing: set[str] = set()
        self.written: set[str] = set()  # points with a window behind the state file
        for point in points:
            head = f"{point.quantity.measurement}_1m,{tags_of(plant, point.equipment)}"
            self.by_head.setdefault(head, {})[point.quantity.field] = point.id
            if point.quantity.kind is Kind.COUNTER:
                self.missing.add(point.id)


async def _from_tail(resume: Resume, log: BatchLog, seq: int, wanted: _Wanted) -> None:
    """Newest batches first, down to ``seq``, until every counter was found."""
    ended: set[str] = set()
    wanted.missing -= set() if log.newest > seq else wanted.missing
    size = 0
    for at in range(log.newest, max(seq, log.newest - TAIL_BATCHES, log.oldest - 1), -1):
        batch = await log.read(at)
        if batch is None:
            continue
        payload = batch.payload.decode()
        size += len(payload)
        for line in reversed(payload.split("\n")[1:]):
            if line.startswith("event,"):
                _event(resume, line, ended)
            else:
                _window(resume, line, wanted)
        if size > TAIL_BYTES:
            break
    if log.newest > seq:  # the run after a stop was killed: what it wrote speaks
        resume.pots = {}
        resume.minutes = [m for m in resume.minutes if wanted.written.isdisjoint(m["points"])]


def _window(resume: Resume, line: str, wanted: _Wanted) -> None:
    head, _, rest = line.partition(" ")
    fields = wanted.by_head.get(head)
    if fields is None:
        return
    if resume.minutes:
        wanted.written.update(fields[name] for name in _WINDOW.findall(rest) if name in fields)
    if not wanted.missing:
        return
    start_ns = int(rest[-19:])  # the earliest it can be: allows the most until the next reading
    for name, value in _LAST.findall(rest):
        point = fields.get(name)
        if point in wanted.missing:
            wanted.missing.discard(point)
            resume.readings[point] = (float(value), start_ns)


_LASTING = {
    *(Happening.DEVICE_LOST, Happening.GAP, Happening.OVERLOAD, Happening.LOG_FULL),
    Happening.LOG_FILLING,
    *(Happening.ANODE_EFFECT, Happening.ANODE_EFFECT_WARNING, Happening.UNSTABLE),
    *(Happening.FOULING, Happening.PRESSURE_DROP, Happening.HEAT_BALANCE, Happening.ACID_DEW),
    *(Happening.EXCEEDANCE_WARNING, Happening.CLOCK_UNSYNCED, Happening.DEVICE_CLOCK),
}


def _measured(line: Line) -> tuple[float | None, Measured | None]:
    numbers = {k: float(v) for k, v in line.fields.items() if isinstance(v, int | float)}
    names = [each.name for each in fields(Measured)]
    known = all(name in numbers for name in names)
    return numbers.get("amount"), Measured(*(numbers[n] for n in names)) if known else None


def _event(resume: Resume, text: str, ended: set[str]) -> None:
    try:
        line = read_line(text)
        name = str(line.fields["id"])
        kind = Happening(line.tags["kind"])
    except (LineError, KeyError, ValueError):
        return
    if name not in ended and kind in _LASTING and "end" not in line.fields:
        where = line.tags.get("line"), line.tags.get("unit")
        equipment = Equipment(where[0], where[1]) if where[0] and where[1] else None
        happened = str(line.fields["text"])
        amount, measured = _measured(line)
        resume.open_events.append(
            Event(kind, line.time_ns, name, happened, equipment, None, amount, measured)
        )
    ended.add(name)
