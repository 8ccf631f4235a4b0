"""The hour under way of each stack, read back from the record log after a restart."""

from collections.abc import Iterable
from typing import Final

from agent.batches.log import BatchLog
from agent.stacks.settings import MEASUREMENT
from agent.stacks.stacks import Minutes
from agent.wire.encode import tags_of
from agent.wire.lines import LineError, read_line
from drivers.model import Equipment
from drivers.signals.stack_hour import HOUR_NS, MINUTE_NS, HourRules

_MARK: Final = f"{MEASUREMENT}_1m,".encode()
_CONVERTED: Final = "_converted"
_LATE_NS: Final = 10 * MINUTE_NS  # a minute is written this late at most


async def minutes_of(log: BatchLog, plant: str, stacks: Iterable[Equipment]) -> Minutes:
    """
    Converted means by minute, from before the newest hour that has any.

    Newest batches first, and no further than the forecast remembers.
    """
    heads = {f"{MEASUREMENT}_1m,{tags_of(plant, each)}": each for each in stacks}
    found: dict[Equipment, dict[int, dict[str, float]]] = {each: {} for each in heads.values()}
    if not heads:
        return found
    first_ns = newest_ns = 0
    for seq in range(log.newest, log.oldest - 1, -1):
        batch = await log.read(seq)
        if batch is None:
            continue
        newest_ns = newest_ns or batch.closed_ns
        if batch.closed_ns < (first_ns or newest_ns - 2 * HOUR_NS):
            break
        if _MARK not in batch.payload:
            continue
        for line in batch.payload.decode().split("\n")[1:]:
            equipment = heads.get(line.partition(" ")[0])
            if equipment is not None:
                at_ns = _minute(line, found[equipment])
                first_ns = max(first_ns, _first_ns(at_ns))
    return found


def _first_ns(at_ns: int) -> int:
    """What the forecast of that minute's hour needs begins here."""
    return at_ns - at_ns % HOUR_NS - HourRules().memory * MINUTE_NS - _LATE_NS


def _minute(text: str, minutes: dict[int, dict[str, float]]) -> int:
    """Take a line of windows; returns its time, 0 when it tells nothing of the kind."""
    try:
        line = read_line(text)
    except LineError:
        return 0
    names = [name for name in line.fields if _CONVERTED in name]
    if not names:
        return 0
    values = {
        name.removesuffix(_CONVERTED): float(value)
        for name, value in line.fields.items()
        if name.endswith(_CONVERTED) and isinstance(value, int | float)
    }
    minutes.setdefault(line.time_ns, {}).update(values)
    return line.time_ns
