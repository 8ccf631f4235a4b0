"""Parts of a split packet → the whole, with bounded memory and patience."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from drivers.hj212.segment import NUMBERED, Item, Segment

PARTS_MOST = 64  # a packet of more parts is not one of a stack; its parts are passed on as they are
BYTES_MOST = 4 << 20  # of all pending parts together

Key = tuple[str, str, str, int, str]  # MN, ST, CN, PNUM, DataTime


@dataclass(slots=True)
class _Pending:
    since_s: float
    size: int = 0
    parts: dict[int, Segment] = field(default_factory=dict)


class Joiner:
    """
    Give it every segment; parts come back as one segment when the last has arrived, in any order.

    ``now_s`` is any monotonic clock. At most ``most`` packets are pending; one that is not complete
    after ``patience_s``, or had to make room, is handed out by ``late``.
    """

    def __init__(self, *, patience_s: float = 60.0, most: int = 32) -> None:
        self._patience_s = patience_s
        self._most = most
        self._pending: OrderedDict[Key, _Pending] = OrderedDict()
        self._given_up: deque[tuple[Segment, tuple[int, ...]]] = deque(maxlen=most)
        self._size = 0

    def take(self, segment: Segment, now_s: float) -> Segment | None:
        """A segment that is whole: itself when it was not split, None while parts are missing."""
        pnum, pno = segment.pnum, segment.pno
        if pnum is None or pno is None or not 1 <= pno <= pnum <= PARTS_MOST or pnum == 1:
            return segment
        key = self._key(segment, pnum)
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = _Pending(now_s)
        size = len(segment.cp_text)
        before = pending.parts.get(pno)
        grown = size - (0 if before is None else len(before.cp_text))
        pending.parts[pno] = segment
        pending.size += grown
        self._size += grown
        if len(pending.parts) == pnum:
            self._remove(key)
            return _joined(pending)
        while len(self._pending) > self._most or self._size > BYTES_MOST:
            self._give_up(next(iter(self._pending)))
        return None

    def late(self, now_s: float) -> list[tuple[Segment, tuple[int, ...]]]:
        """What waited too long: the joined parts there are, and the numbers of those missing."""
        for key in [k for k, p in self._pending.items() if now_s - p.since_s > self._patience_s]:
            self._give_up(key)
        found = list(self._given_up)
        self._given_up.clear()
        return found

    def _key(self, segment: Segment, pnum: int) -> Key:
        """A part without DataTime belongs to the packet of its kind that was begun last."""
        time = segment.get("DataTime") or ""
        key = (segment.mn, segment.st, segment.cn, pnum, time)
        if not time:
            alike = [known for known in self._pending if known[:4] == key[:4]]
            return alike[-1] if alike else key
        return key

    def _remove(self, key: Key) -> _Pending:
        pending = self._pending.pop(key)
        self._size -= pending.size
        return pending

    def _give_up(self, key: Key) -> None:
        pending = self._remove(key)
        missing = tuple(number for number in range(1, key[3] + 1) if number not in pending.parts)
        self._given_up.append((_joined(pending), missing))


def _joined(pending: _Pending) -> Segment:
    """One segment, not numbered; DataTime once."""
    parts = [pending.parts[number] for number in sorted(pending.parts)]
    items: list[Item] = []
    for part in parts:
        items += [item for item in part.cp if item[0].name != "DataTime" or item not in items]
    first = parts[0]
    flag = None if first.flag is None else first.flag & ~NUMBERED
    return replace(first, flag=flag, pnum=None, pno=None, cp=tuple(items))
