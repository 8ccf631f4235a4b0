"""
One log of a gateway as the historian keeps it: what follows, what is known, what contradicts.

A gateway never sends two different batches under one number, unless its disk forgot some (a power
cut on a lying disk, a restored image). Then both are kept: the contradiction goes on in a branch of
its own, ``<log>-c<seq>``, which every view reads like any other log.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

from agent.batches.log import BatchLog
from agent.historian.received import Received

MOST_BRANCHES = 32
BRANCH = re.compile(r"[0-9a-f]{16}(-c[0-9]+(-[0-9]+)?)?")


@dataclass(frozen=True, slots=True)
class Advertised:
    """What the gateway's state says its log still holds."""

    oldest: int = 1
    lost: tuple[tuple[int, int], ...] = ()

    def gone_after(self, seq: int) -> int:
        """The last number of those right behind ``seq`` that the gateway cannot send any more."""
        gone = max(seq, self.oldest - 1)
        for first, last in sorted(self.lost):
            if first <= gone + 1 <= last:
                gone = last
        return gone


class Verdict(Enum):
    """What became of a batch; all but RESEND and REFUSED mean that it is durable here."""

    STORED = auto()
    KNOWN = auto()  # the same bytes were here
    GAP = auto()  # stored, and numbers before it are gone for good
    CONFLICT = auto()  # stored in a new branch: other bytes are here under that number
    REFILL = auto()  # stored in a new branch: the batch of that number was damaged or lost here
    RESEND = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``first``-``last``: the numbers missing (GAP); ``first`` alone: asked for (RESEND)."""

    verdict: Verdict
    first: int = 0
    last: int = 0


class Branches:
    """Decides, one batch at a time, where it belongs, and stores it there."""

    def __init__(self, logs: list[BatchLog], make: Callable[[str], Awaitable[BatchLog]]) -> None:
        self._logs = logs  # the one written last at the end: there the gateway is
        self._make = make
        self._current = logs[-1] if logs else None
        self._doubt: tuple[int, bytes] | None = None

    @property
    def newest(self) -> int:
        """Newest number of the branch the gateway is on."""
        return self._current.newest if self._current else 0

    async def take(self, received: Received, advertised: Advertised) -> Outcome:
        """Durable when it returns, unless the verdict is RESEND or REFUSED."""
        for log in reversed(self._logs):
            if await self._knows(log, received.batch.seq, received.batch.digest):
                self._current = log
                return Outcome(Verdict.KNOWN)
        for log in reversed(self._logs):
            follows = received.batch.seq == log.newest + 1
            if follows and received.previous == log.previous_digest:
                self._current = log
                await log.append_copy(received.batch)
                return Outcome(Verdict.STORED)
        if received.batch.seq > self.newest:
            return await self._ahead(received, advertised)
        return await self._contradiction(received, advertised)

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
        if self._current is None:
            self._current = await self._make(received.log)
            self._logs.append(self._current)
        await self._current.append_copy(received.batch)
        if seq > expected:
            return Outcome(Verdict.GAP, expected, seq - 1)
        return Outcome(Verdict.STORED)

    async def _contradiction(self, received: Received, advertised: Advertised) -> Outcome:
        """First find where the gateway's story leaves ours, then keep it from there on."""
        seq = received.batch.seq
        before = seq - 1
        held = [log for log in self._logs if log.oldest <= before <= log.newest]
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
        stored = [await log.read(seq) for log in self._logs if log.newest >= seq]
        names = {log.log_id for log in self._logs}
        name = f"{received.log}-c{seq}"
        again = 2
        while name in names:
            name, again = f"{received.log}-c{seq}-{again}", again + 1
        log = await self._make(name)
        self._logs.append(log)
        await log.append_copy(received.batch)
        self._current = log
        return Outcome(Verdict.CONFLICT if any(stored) or not stored else Verdict.REFILL)
