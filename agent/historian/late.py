"""Gateways whose batches come while nothing of them is cosigned: said, counted, never silent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.evidence.heads import HeadStore
from agent.evidence.note import NoteError
from agent.evidence.waiting import (
    LATE_S,
    LOOK_S,
    CosignatureWatch,
    Turn,
    again_text,
    historian_text,
)
from agent.historian.originals import Originals
from agent.historian.received import OWN_GATEWAY, STREAMS, Sender
from agent.views import Source
from agent.wire.events import Happening

Tell = Callable[[str, Happening, str], Awaitable[None]]
"""(plant, kind, text): an event of the historian's own."""


class LateCosignatures:
    """``run`` looks at every gateway that ever sent a checkpoint; ``folder`` holds their heads."""

    def __init__(
        self, folder: Path, originals: Originals, tell: Tell, late_s: float = LATE_S
    ) -> None:
        self._folder = folder
        self._originals = originals
        self._tell = tell
        self._late_s = late_s
        self.watches: dict[Sender, CosignatureWatch] = {}

    async def run(self, wrong: Callable[[], str]) -> None:
        """Until cancelled; ``wrong`` says what stops the witness as a whole."""
        while True:
            await self.look(time.monotonic(), wrong())
            await asyncio.sleep(min(LOOK_S, self._late_s / 4))

    async def look(self, now_s: float, wrong: str = "") -> None:
        """One round."""
        newest = self._newest()
        sizes = await asyncio.to_thread(self._sizes, newest)
        for sender, lanes in sizes.items():
            watch = self.watches.setdefault(sender, CosignatureWatch(self._late_s))
            turn = watch.look(lanes, now_s)
            if turn is not None:
                text = again_text(sender.gateway)
                if turn is Turn.LATE:
                    text = historian_text(sender.gateway, watch.age_s, wrong)
                await self._tell(sender.plant, Happening.EVIDENCE_STOPPED, text)

    def _newest(self) -> dict[Source, int]:
        """Of each stream of each gateway the log that was written last: older ones are over."""
        last: dict[tuple[Sender, str], tuple[int, Source, int]] = {}
        for source, log in self._originals.logs.items():
            if source.gateway == OWN_GATEWAY or source.stream not in STREAMS or "-" in source.log:
                continue
            place = Sender(source.plant, source.gateway), source.stream
            found = (log.written_at_ns, source, log.newest)
            if place not in last or found[0] >= last[place][0]:
                last[place] = found
        return {source: newest for _, source, newest in last.values()}

    def _sizes(self, newest: dict[Source, int]) -> dict[Sender, dict[str, tuple[int, int]]]:
        found: dict[Sender, dict[str, tuple[int, int]]] = {}
        for source, size in newest.items():
            if not (self._folder / source.plant / source.gateway / "keys.json").exists():
                continue  # no gateway of ours that signs
            cosigned = max(_size(self._folder / str(source) / part) for part in ("", "sm3"))
            lanes = found.setdefault(Sender(source.plant, source.gateway), {})
            lanes[source.stream] = (size, cosigned)
        return found

    @property
    def remarks(self) -> list[str]:
        """For /healthz."""
        return [
            f"{sender.plant}/{sender.gateway}: nothing cosigned for {watch.age_s / 60:.0f} minutes"
            for sender, watch in self.watches.items()
            if watch.late
        ]


def _size(folder: Path) -> int:
    """Of the newest cosigned head; 0 where there is none, or none that can be read."""
    try:
        head = HeadStore(folder).head
    except (NoteError, OSError, ValueError):
        return 0
    return 0 if head is None else head.size
