"""
One log of a gateway as the historian keeps it: what follows, what is known, what contradicts.

A gateway never sends two different batches under one number, unless its disk forgot some (a power
cut on a lying disk, a restored image). Then both are kept: the contradiction goes on in a branch of
its own, ``<log>-c<seq>``, which every view reads like any other log.

After an outage a gateway sends new batches beside its backlog. They wait in a piece,
``<log>-a<seq>``, until the backlog has reached them; then they are copied behind it, and the piece
is gone.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

from agent.batches.log import BatchLog
from agent.historian.received import Received, previous_of

MOST_BRANCHES = 32
MOST_PIECES = 32
BRANCH = re.compile(r"[0-9a-f]{16}(-c[0-9]+(-[0-9]+)?|-a[0-9]+)?")
_COPIED = 16  # batches of a piece that go behind the backlog for each batch that comes
_COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Advertised:
    """What the gateway's state says its log still holds, and from where on it sends ahead."""

    oldest: int = 1
    lost: tuple[tuple[int, int], ...] = ()
    ahead: int = 0

    def gone_after(self, seq: int) -> int:
        """The last number of those right behind ``seq`` that the gateway cannot send any more."""
        gone = max(seq, self.oldest - 1)
        for first, last in sorted(self.lost):
            if first <= gone + 1 <= last:
                gone = last
        return gone


class Verdict(Enum):
    """What became of a batch; all but the last three mean that it is durable here."""

    STORED = auto()
    KNOWN = auto()  # the same bytes were here
    GAP = auto()  # stored, and numbers before it are gone for good
    CONFLICT = auto()  # stored in a new branch: other bytes are here under that number
    REFILL = auto()  # stored in a new branch: the batch of that number was damaged or lost here
    RESEND = auto()
    LATER = auto()  # not taken now, and nothing is asked for: the backlog comes first
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``first``-``last``: the numbers missing (GAP); ``first`` alone: asked for (RESEND)."""

    verdict: Verdict
    first: int = 0
    last: int = 0
    since: int = 1  # from here to the batch's number all are durable


@dataclass(frozen=True, slots=True)
class Holding:
    """One stretch of numbers that is durable here; ``digest`` is of its last batch."""

    first: int
    last: int
    digest: bytes
    ahead: bool = False  # of the backlog


def is_piece(name: str) -> bool:
    """Whether a log's name is that of a piece."""
    return "-a" in name


class Branches:
    """Decides, one batch at a time, where it belongs, and stores it there."""

    def __init__(
        self,
        logs: list[BatchLog],
        make: Callable[[str], Awaitable[BatchLog]],
        remove: Callable[[BatchLog], Awaitable[None]],
    ) -> None:
        # the one written last at the end: there the gateway is
        self._logs = [log for log in logs if not is_piece(log.log_id)]
        pieces = (log for log in logs if is_piece(log.log_id))
        self._pieces = sorted(pieces, key=_begins)
        self._make, self._remove = make, remove
        self._current = self._logs[-1] if self._logs else None
        self._doubt: tuple[int, bytes] | None = None

    @property
    def newest(self) -> int:
        """Newest number of the branch the gateway is on."""
        return self._current.newest if self._current else 0

    @property
    def newest_ahead(self) -> int:
        """Newest number of what came ahead of the backlog, 0 when nothing did."""
        return max((piece.newest for piece in self._pieces if _holds(piece)), default=0)

    def holdings(self) -> list[Holding]:
        """All that is durable here, what came ahead last."""
        return [
            Holding(_since(log), log.newest, log.previous_digest, is_piece(log.log_id))
            for log in (*self._logs, *self._pieces)
            if (_holds(log) if is_piece(log.log_id) else log.newest)
        ]

    async def take(self, received: Received, advertised: Advertised) -> Outcome:
        """Durable when it returns, unless the verdict says that it is not."""
        outcome = await self._take(received, advertised)
        gap, _ = await self.join(advertised)
        if gap is not None and outcome.verdict in {Verdict.STORED, Verdict.KNOWN}:
            return Outcome(Verdict.GAP, *gap, outcome.since)
        return outcome

    async def _take(self, received: Received, advertised: Advertised) -> Outcome:
        seq = received.batch.seq
        logs = [*self._pieces, *self._logs]
        for log in reversed(logs):
            if await self._knows(log, seq, received.batch.digest):
                return self._at(log, Verdict.KNOWN)
        ahead = {piece.oldest for piece in self._pieces if _holds(piece)}
        for log in reversed(logs):
            follows = seq == log.newest + 1 and seq not in ahead
            if follows and received.previous == log.previous_digest:
                await log.append_copy(received.batch)
                return self._at(log, Verdict.STORED)
        if advertised.ahead and seq >= advertised.ahead:
            return await self._live(received, advertised)
        if seq > self.newest and not any(log.oldest <= seq <= log.newest for log in self._pieces):
            return await self._ahead(received, advertised)
        return await self._contradiction(received, advertised)

    def _at(self, log: BatchLog, verdict: Verdict, first: int = 0, last: int = 0) -> Outcome:
        if not is_piece(log.log_id):
            self._current = log
        return Outcome(verdict, first, last, _since(log))

    async def _knows(self, log: BatchLog, seq: int, digest: bytes) -> bool:
        if not log.oldest <= seq <= log.newest:
            return False
        if seq == log.newest:
            return digest == log.previous_digest
        stored = await log.read(seq)
        return stored is not None and stored.digest == digest

    async def _ahead(self, received: Received, advertised: Advertised) -> Outcome:
        expected, seq = self.newest + 1, received.batch.seq
        gone = advertised.gone_after(self.newest)
        if seq > gone + 1:
            return Outcome(Verdict.RESEND, gone + 1)
        if seq == expected and seq > 1:  # follows by its number, but not by its hash
            return await self._contradiction(received, advertised)
        if self._pieces and seq >= _begins(self._pieces[0]):
            return Outcome(Verdict.LATER)  # what came ahead is joined first
        if self._current is None:
            self._current = await self._make(received.log)
            self._logs.append(self._current)
        await self._current.append_copy(received.batch)
        if seq > expected:
            return self._at(self._current, Verdict.GAP, expected, seq - 1)
        return self._at(self._current, Verdict.STORED)

    # what comes ahead of the backlog

    async def _live(self, received: Received, advertised: Advertised) -> Outcome:
        """A batch of the live run, neither known nor following anything."""
        seq = received.batch.seq
        if any(log.oldest <= seq <= log.newest for log in (*self._logs, *self._pieces)):
            return await self._contradiction(received, advertised)
        pieces = [piece for piece in self._pieces if piece.newest >= advertised.ahead]
        reached = pieces[-1].newest if pieces else max(advertised.ahead - 1, self.newest)
        gone = advertised.gone_after(reached)
        if seq > gone + 1:
            return Outcome(Verdict.RESEND, gone + 1)
        if seq == reached + 1 and (pieces or reached == self.newest > 0):
            return await self._contradiction(received, advertised)
        if pieces:
            await pieces[-1].append_copy(received.batch)
            return self._at(pieces[-1], Verdict.GAP, reached + 1, seq - 1)
        if len(self._logs) > 1 or len(self._pieces) >= MOST_PIECES or seq <= self.newest + 1:
            return Outcome(Verdict.LATER)  # a log that contradicts itself is taken in order
        name = f"{received.log}-a{seq}"
        piece = next((each for each in self._pieces if each.log_id == name), None)
        if piece is None:
            piece = await self._make(name)
            self._pieces = sorted((*self._pieces, piece), key=_begins)
        await piece.append_copy(received.batch)
        return self._at(piece, Verdict.STORED)

    async def join(self, advertised: Advertised) -> tuple[tuple[int, int] | None, bool]:
        """
        Copies behind the backlog some of what it has reached.

        Returns the numbers that are gone for good in between, and whether more can be done.
        """
        if not self._pieces:
            return None, False
        piece = self._pieces[0]
        if not _holds(piece):
            await self._forget(piece)
            return None, True
        main = self._main
        reached = main.newest if main is not None else 0
        gone = advertised.gone_after(reached)
        if main is None and gone >= piece.oldest - 1:
            main = await self._make(piece.log_id.partition("-")[0])
            self._logs.append(main)
        if main is None or not await self._meets(main, piece, gone):
            return None, False
        gap = (reached + 1, piece.oldest - 1) if reached < piece.oldest - 1 else None
        await self._copy(piece, main)
        if main.newest >= piece.newest:
            await self._forget(piece)
            self._current = main
        return gap, main.newest > reached or piece not in self._pieces

    @property
    def _main(self) -> BatchLog | None:
        return next((log for log in self._logs if "-" not in log.log_id), None)

    async def _meets(self, main: BatchLog, piece: BatchLog, gone: int) -> bool:
        """Whether the piece goes on where the log ends, or was being copied when we died."""
        if main.newest >= piece.oldest:
            at = min(main.newest, piece.newest)
            batch = await main.read(at)
            return batch is not None and await self._knows(piece, at, batch.digest)
        if main.newest == piece.oldest - 1:
            first = await piece.read(piece.oldest)
            return first is not None and previous_of(first.payload) == main.previous_digest
        return gone >= piece.oldest - 1

    async def _copy(self, piece: BatchLog, main: BatchLog) -> None:
        batches = await piece.read_from(main.newest + 1, _COPIED_BYTES)
        for batch in batches[:_COPIED]:
            await main.append_copy(batch)

    async def _forget(self, piece: BatchLog) -> None:
        self._pieces.remove(piece)
        await self._remove(piece)

    # contradictions

    async def _contradiction(self, received: Received, advertised: Advertised) -> Outcome:
        """First find where the gateway's story leaves ours, then keep it from there on."""
        seq = received.batch.seq
        before = seq - 1
        logs = (*self._logs, *self._pieces)
        held = [log for log in logs if log.oldest <= before <= log.newest]
        if held and advertised.gone_after(before - 1) < before:
            known = [await self._knows(log, before, received.previous) for log in held]
            readable = [await log.read(before) is not None for log in held]
            doubt = (seq, received.batch.digest)
            if any(readable) and not any(known) and self._doubt != doubt:
                self._doubt = doubt  # asked once: a gateway that contradicts itself is kept too
                return Outcome(Verdict.RESEND, before)
        return await self._branch(received)

    async def _branch(self, received: Received) -> Outcome:
        if len(self._logs) >= MOST_BRANCHES:
            return Outcome(Verdict.REFUSED)
        seq = received.batch.seq
        logs = (*self._logs, *self._pieces)
        stored = [await log.read(seq) for log in logs if log.newest >= seq]
        names = {log.log_id for log in self._logs}
        name = f"{received.log}-c{seq}"
        again = 2
        while name in names:
            name, again = f"{received.log}-c{seq}-{again}", again + 1
        log = await self._make(name)
        self._logs.append(log)
        await log.append_copy(received.batch)
        verdict = Verdict.CONFLICT if any(stored) or not stored else Verdict.REFILL
        return self._at(log, verdict)


def _begins(piece: BatchLog) -> int:
    """The number a piece was made for: its name tells, also when nothing is in it."""
    return int(piece.log_id.rpartition("-a")[2])


def _holds(piece: BatchLog) -> bool:
    """Not, when a power cut left a file that knows its number and no batch."""
    return piece.newest >= piece.oldest


def _since(log: BatchLog) -> int:
    """From which number on a log speaks of all: the log itself holds all that is to be had."""
    return log.oldest if "-" in log.log_id else 1
