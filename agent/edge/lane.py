"""How far each stream is on its way to the historian: what is receipted, and what to send next."""

import math
import time
from dataclasses import dataclass, field

from agent.batches.damage import merge_ranges
from agent.batches.log import BatchLog

WINDOW = 20  # batches sent and not yet receipted, per run
BEHIND = 60  # batches; what waits beyond that is sent beside the live ones
PATIENCE_MOST_S = 60.0
_USUAL_S = 0.1  # from sending to the receipt, until it was measured
_HUSH_LEAST_S = 0.05
_HUSH = 1.5  # of the usual time


@dataclass(slots=True)
class PublishCounts:
    """Since the start; for /metrics."""

    connected: int = 0
    lost: int = 0
    batches: int = 0
    bytes: int = 0
    again: int = 0  # batches sent more than once
    receipts: int = 0
    resends: int = 0
    timeouts: int = 0
    foreign: int = 0  # receipts for another log or for a batch that is not there
    unreadable: int = 0


@dataclass(slots=True, eq=False)
class Run:
    """Consecutive batches from ``begin`` on, in order, again from the first that is not there."""

    lane: "Lane"
    begin: int = 1
    end: int | None = None  # the last that is its own; None: whatever comes
    next: int = 1
    furthest: int = 0
    window: int = WINDOW
    patience_s: float = 0.0
    turn: int = 0  # counts jumps of `next`: a read that was under way is void
    heard_at: float = 0.0  # last PUBACK, receipt or start
    told_at: float = 0.0  # last receipt, or when the first that waits for one was sent
    timed: tuple[int, float] | None = None
    asked: tuple[int, float] = (0, -math.inf)
    flying: set[int] = field(default_factory=set)  # sent, not yet PUBACKed

    @property
    def log(self) -> BatchLog:
        return self.lane.log

    @property
    def stream(self) -> str:
        return self.lane.stream

    @property
    def floor(self) -> int:
        """Nothing of this run up to here is to be sent: receipted, pruned or lost."""
        return self.lane.known_from(max(self.begin - 1, self.log.receipted, self.log.oldest - 1))

    @property
    def last(self) -> int:
        return self.log.newest if self.end is None else min(self.end, self.log.newest)

    @property
    def limit(self) -> int:
        return self.floor + min(self.window, self.lane.most)

    @property
    def may_send(self) -> bool:
        return self.next <= min(self.last, self.limit) and not self.hushed

    @property
    def waits(self) -> bool:
        return self.next > self.floor + 1

    @property
    def hushed(self) -> bool:
        """Receipts are overdue: what is sent now would only be sent again."""
        silent_s = time.monotonic() - self.told_at
        return self.lane.receipts and self.waits and silent_s > self.lane.hush_s

    def restart(self) -> None:
        """Sends again from the first batch that is not receipted."""
        self.jump(self.floor + 1)
        self.heard_at = time.monotonic()
        self.timed = None

    def jump(self, seq: int) -> None:
        self.next = seq
        self.turn += 1

    def sending(self, seq: int) -> None:
        now = time.monotonic()
        if not self.waits:
            self.told_at = now
        if self.timed is None:
            self.timed = seq, now
        self.next = self.lane.known_from(seq) + 1
        self.furthest = max(self.furthest, seq)
        self.flying.add(seq)

    def heard(self) -> None:
        """The other end lives: the window opens again."""
        now, floor = time.monotonic(), self.floor
        self.next = self.lane.known_from(max(self.next - 1, floor)) + 1
        self.heard_at = self.told_at = now
        self.window, self.patience_s = WINDOW, self.lane.first_patience_s
        if self.timed is not None and self.timed[0] <= floor:
            self.lane.usual_s += (now - self.timed[1] - self.lane.usual_s) / 4
            self.timed = None

    def lose_patience(self) -> None:
        """Nobody receipts: one batch at a time, less and less often, until somebody does."""
        self.window = 1
        self.patience_s = min(self.patience_s * 2, PATIENCE_MOST_S)
        self.restart()


class Lane:
    """
    One stream: what waits from before, and beside it, served first, what is new.

    Normally there is one run. Where more than BEHIND batches wait when the historian is heard
    again, ``live`` begins behind them; when the backlog has caught up with it they are one again.
    ``spans`` are batches beyond the first that is missing which the historian has. They are not
    kept: at each connection it says anew what it has.
    """

    def __init__(self, stream: str, log: BatchLog, patience_s: float, *, receipts: bool) -> None:
        self.stream, self.log = stream, log
        self.first_patience_s = patience_s
        self.receipts = receipts  # not PUBACKs
        self.usual_s = _USUAL_S  # from sending to the receipt
        self.most = WINDOW  # on the way while the historian was not heard: none, then one
        self.spans: tuple[tuple[int, int], ...] = ()
        self.backlog = Run(self, patience_s=patience_s)
        self.live: Run | None = None
        self.decide_at: float | None = None  # whether to begin a live run
        self.answers = False  # the historian says what it has, and takes a live run

    @property
    def hush_s(self) -> float:
        return max(_HUSH_LEAST_S, _HUSH * self.usual_s)

    @property
    def runs(self) -> tuple[Run, ...]:
        return (self.backlog,) if self.live is None else (self.live, self.backlog)

    @property
    def ahead(self) -> int:
        """The first number of the live run, 0 when there is none: the gateway's state says it."""
        return self.live.begin if self.live is not None else 0

    def run_of(self, seq: int) -> Run:
        return self.live if self.live is not None and seq >= self.live.begin else self.backlog

    def known_from(self, seq: int) -> int:
        """The last of the numbers from ``seq`` on of which none is to be sent."""
        known = (*self.log.lost, *self.spans)
        again = bool(known)
        while again:
            again = False
            for first, last in known:
                if first <= seq + 1 <= last:
                    seq, again = last, True
        return seq

    # a session

    def connected(self) -> None:
        """Nothing is on the way any more, and the other end has not been heard yet."""
        self.backlog = Run(
            self, furthest=self._furthest, patience_s=self.first_patience_s, turn=self._turn + 1
        )
        self.live = None
        self.most = 0 if self.receipts else WINDOW
        self.decide_at, self.answers = None, False
        self.backlog.restart()

    @property
    def _furthest(self) -> int:
        return max(run.furthest for run in self.runs)

    @property
    def _turn(self) -> int:
        return max(run.turn for run in self.runs)

    def part(self) -> None:
        """Begins a live run if too much waits; one that fell behind itself becomes backlog."""
        self.decide_at = None
        newest = self.log.newest
        run = self.live or self.backlog
        if newest - run.floor <= BEHIND:
            return
        begin = following = newest + 1
        if self.spans and newest - self.spans[-1][1] <= BEHIND:
            begin, following = self.spans[-1][0], self.spans[-1][1] + 1
        if self.live is not None and begin <= self.live.begin:
            return
        if begin <= self.backlog.floor + 1:
            return
        former = self.live
        self.live = Run(self, begin, next=following, furthest=self._furthest)
        self.live.patience_s = self.first_patience_s
        self.live.heard_at = self.live.told_at = time.monotonic()
        self.backlog.end = begin - 1
        if former is not None:
            self.backlog.flying |= former.flying
            former.turn += 1
        if self.backlog.next > begin:
            self.backlog.restart()
        self.backlog.turn += 1

    def meet(self) -> None:
        """The backlog has caught up with the live run: they are one."""
        if self.live is None or self.backlog.floor < self.live.begin - 1:
            return
        live, self.live = self.live, None
        live.flying |= self.backlog.flying
        live.begin, live.turn = 1, max(live.turn, self.backlog.turn) + 1
        live.next = max(live.next, live.floor + 1)
        self.backlog = live

    # receipts

    def receipted(self, first: int, upto: int) -> bool:
        """Batches ``first`` to ``upto`` are durable there. False when that cannot be."""
        if upto > self.log.newest:
            return False
        self.spans = merge_ranges(self.spans, (first, upto)) if upto >= first else self.spans
        floor = self.known_from(max(self.log.receipted, self.log.oldest - 1))
        reached = [last for _, last in self.spans if last <= floor]
        if reached:
            self.log.set_receipted(max(reached))
            self.spans = tuple(span for span in self.spans if span[1] > floor)
        self.meet()
        return True

    def lacks(self, seq: int) -> None:
        """The historian does not have ``seq``, nor anything behind it that it does not say."""
        self.log.withdraw_receipt(seq - 1)
        self.spans = tuple((a, min(b, seq - 1)) for a, b in self.spans if a < seq)

    def has(self, seq: int) -> bool:
        """Whether the historian has receipted this batch."""
        return seq <= self.log.receipted or any(a <= seq <= b for a, b in self.spans)
