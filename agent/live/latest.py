"""``GET /latest?after=<cursor>``: newest values, events, gateways and views, as JSON."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from agent.batches.batch import Batch
from agent.batches.log import BatchLog
from agent.live.gateways import OWN, Gateways
from agent.live.newest import Newest
from agent.live.ring import MOST_BYTES, REACH_NS, Kept, Ring
from agent.views import Source
from agent.wire.columns import EventRow

MOST_PLANTS = 64
SLICE_BYTES = 1 << 20
ASK_S = 4.0  # then what was read by then is the answer
SEED_BATCHES = 200  # of each log, read from the disk after a start
MOST_TOLD = 200


class AskError(Exception):
    """The question cannot be answered; the message says what to write instead."""


class Latest:
    """Holds what came; reads it when asked, in a thread, one question at a time."""

    def __init__(
        self,
        logs: Callable[[], Mapping[Source, BatchLog]],
        views: Callable[[], list[dict[str, object]]],
        broker_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self.ring = Ring()
        self.gateways = Gateways()
        self._logs, self._views, self._broker_up = logs, views, broker_up
        self._newest: dict[str, Newest] = {}
        self.life = self._mark = time.time_ns() // 1_000_000
        self._lock = asyncio.Lock()
        self._seeded = False
        self._told: deque[tuple[str, EventRow]] = deque(maxlen=MOST_TOLD)

    # what comes; called for each batch: nothing is read here

    def stored(self, source: Source, batch: Batch) -> None:
        """A batch that is durable now."""
        now_ns = time.time_ns()
        self.gateways.stored(source, batch)
        self.ring.keep(source, batch, now_ns)

    def told(self, plant: str, kind: str, text: str) -> None:
        """An event of the historian itself."""
        now_ns = time.time_ns()
        name = f"{kind}-{OWN}-{now_ns}"
        self._told.append((plant, EventRow(now_ns, now_ns, kind, None, name, text, None, 0)))

    def _of(self, plant: str) -> Newest | None:
        if plant not in self._newest and len(self._newest) < MOST_PLANTS:
            self._newest[plant] = Newest(plant)
        return self._newest.get(plant)

    # what is asked

    async def respond(self, query: str) -> tuple[str, bytes]:
        """For the health listener: status and body."""
        try:
            return "200 OK", await self.answer(query)
        except AskError as error:
            return "400 Bad Request", json.dumps({"problem": str(error)}).encode()

    async def answer(self, query: str) -> bytes:
        """The JSON for ``after=…&plant=…``. Raises AskError."""
        asked = parse_qs(query)
        after = _whole(asked.get("after", ["0"])[0])
        async with self._lock:
            if not self._seeded:
                await self._seed()
                self._seeded = True
            await self._read()
            plant = self._plant(asked.get("plant", [""])[0])
            newest = self._newest.get(plant) or Newest(plant)
            gateways = self.gateways.data(plant, self._logs(), newest, time.time_ns())
            lines: dict[str, object] = {
                "gateways": gateways,
                "views": self._views(),
                "broker_up": self._broker_up(),
            }
            return await asyncio.to_thread(self._say, newest, after, lines)

    def _plant(self, asked: str) -> str:
        known = sorted(self._newest.keys() | {x.plant for x in self._logs()})
        if not asked and len(known) <= 1:
            return known[0] if known else ""
        if asked not in known and known:
            raise AskError(f"plant={asked!r}: write one of {', '.join(known[:20])}")
        return asked

    async def _seed(self) -> None:
        """After a start the newest of each log is read from the disk, so that nobody waits."""
        now_ns, room = time.time_ns(), MOST_BYTES
        for source, log in list(self._logs().items()):
            if source.stream not in REACH_NS or room <= 0 or not log.newest:
                continue
            if now_ns - log.written_at_ns > REACH_NS[source.stream]:
                continue
            first = max(log.oldest, log.newest - SEED_BATCHES)
            for batch in await log.read_from(first, min(room, 2 << 20)):
                room -= batch.size
                self.ring.keep(source, batch, now_ns)

    async def _read(self) -> None:
        until = time.monotonic() + ASK_S
        while time.monotonic() < until:
            live, late = self.ring.take(SLICE_BYTES)
            if not live and not late:
                break
            self._mark = max(self._mark + 1, time.time_ns() // 1_000_000)
            await asyncio.to_thread(self._take, live, late)
        self._mark = max(self._mark + 1, time.time_ns() // 1_000_000)
        while self._told:
            plant, row = self._told.popleft()
            if (newest := self._of(plant)) is not None:
                newest.events.take(row, Source(plant, OWN, "record", ""), 0, self._mark)
        now_ns = time.time_ns()
        for newest in self._newest.values():
            newest.settle(self._mark, now_ns)

    def _take(self, live: list[Kept], late: list[Kept]) -> None:
        now_ns = time.time_ns()
        for plant in sorted({source.plant for source, _ in (*live, *late)}):
            newest = self._of(plant)
            if newest is not None:
                parts = [[each for each in kept if each[0].plant == plant] for kept in (live, late)]
                newest.take(parts[0], parts[1], self._mark, now_ns)

    def _say(self, newest: Newest, after: int, lines: dict[str, object]) -> bytes:
        whole = not self.life <= after <= self._mark
        since = 0 if whole else after
        said = {
            "cursor": self._mark,
            "life": self.life,
            "whole": whole,
            "now_ns": time.time_ns(),
            "plant": newest.plant,
            "points": newest.points(since),
            "windows": newest.windows(since),
            "events": newest.events.since(since),
            "left_out": newest.left_out,
            **lines,
        }
        return json.dumps(said, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise AskError("after=… is the cursor of an earlier answer, a whole number")
    return int(text)
