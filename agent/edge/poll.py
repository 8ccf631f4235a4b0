"""
One task per line: slots, back-off, overload. Every slot of every group gets a frame that says why.

A line is a connection or a serial bus; its devices are asked one after another, never twice.
Slots are whole multiples of the interval in gateway time. A dead device on a shared line is left
out and asked again only in an idle moment; nothing is ever queued: a slot that cannot be served in
time is skipped, counted and told.
"""

import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from agent.edge.clock import Timeline
from agent.tally import DeviceTally
from drivers.config import DeviceConfig
from drivers.model import (
    Driver,
    DriverError,
    Frame,
    Group,
    NonsenseError,
    Quality,
    RefusedError,
    UnreachableError,
)
from drivers.peer import PeerRefusedError, Refusal

_log = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000
PACE_NS = 1_010_000_000  # the second of max_requests_per_s, and room for a request that is late
OVERLOAD_FRAMES = 600  # told one by one per stall; more are counted in the event
RELIEF_SLOTS = 10  # slots in time after which an overload is over
POSTPONE_PAUSES = 3  # a busy line puts off a probe at most so many pauses
_NAMES = ((RefusedError, "refused"), (NonsenseError, "nonsense"), (UnreachableError, "unreachable"))


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often a device that failed is asked again, seconds."""

    first_s: float
    most_s: float


ALONE, SHARED, REFUSED = Pacing(0.5, 5.0), Pacing(1.0, 30.0), Pacing(5.0, 60.0)


class Sink(Protocol):
    """Where frames and what happened to a device go. Called inside the line's task; never waits."""

    def frame(self, frame: Frame) -> None: ...
    def lost(self, device: str, since_ns: int, reason: str) -> None: ...
    def back(self, device: str, at_ns: int) -> None: ...
    def overload(self, device: str, since_ns: int, reason: str) -> None: ...
    def relieved(self, device: str, at_ns: int, skipped: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What the poller must know of a device."""

    name: str
    timeout_s: float
    max_requests_per_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Device:
    asked: Asked
    tally: DeviceTally
    fails: int = 0
    rest_until_ns: int = 0
    pause_ns: int = 0
    reason: str = ""
    asked_at: deque[tuple[int, int]] = field(default_factory=deque)  # (ns, requests), last second


@dataclass(slots=True, eq=False)
class _Turn:
    """One group and its next slot."""

    group: Group
    device: _Device
    interval_ns: int
    requests: int
    epoch: int = 0
    slot_ns: int = 0
    not_before_ns: int = 0
    skipped: int = 0  # slots, or changes lost, in the overload that lasts
    in_time: int = 0

    @property
    def due_ns(self) -> int:
        return max(self.slot_ns, self.not_before_ns)


class Line:
    """Polls the groups of one line for as long as ``run`` runs; ``stop`` ends it between reads."""

    def __init__(
        self,
        driver: Driver,
        devices: dict[Asked, DeviceTally],
        groups: tuple[tuple[Group, int], ...],
        clock: Timeline,
        sink: Sink,
        *,
        jitter: Callable[[], float] = random.random,
        peer: Callable[[str, Refusal | None], None] = lambda *_: None,
    ) -> None:
        self._peer = peer
        self._driver, self._clock, self._sink, self._jitter = driver, clock, sink, jitter
        by_name = {asked.name: _Device(asked, tally) for asked, tally in devices.items()}
        self._turns = [
            _Turn(group, by_name[group.device], round(group.interval_s * 1e9), requests)
            for group, requests in groups
        ]
        self._shared = len(by_name) > 1
        self._stopped = False
        self._begun = False
        self.turns = 0  # whoever watches sees it move

    def stop(self) -> None:
        """``run`` returns when the read under way is done, at the latest when the next is due."""
        self._stopped = True

    def begin(self) -> None:
        """From now on every slot gets a frame: those until ``run`` gets to them are skipped."""
        self._begun = True
        for turn in self._turns:
            self._begin(turn)

    async def run(self) -> None:
        if not self._begun:
            self.begin()
        async with self._driver:
            while not self._stopped:
                self.turns += 1
                await self._step()

    def _begin(self, turn: _Turn) -> None:
        turn.epoch = self._clock.epoch
        turn.slot_ns = self._clock.next_slot(self._clock.now_ns(), turn.interval_ns)
        turn.not_before_ns = 0

    async def _step(self) -> None:
        for turn in self._turns:
            if turn.epoch != self._clock.epoch:
                self._begin(turn)
        turn = min(self._turns, key=lambda t: t.due_ns)
        probe = self._to_probe(turn)
        if probe is not None:
            await self._probe(probe)
            return
        wake_ns = turn.due_ns
        if self._shared:
            rests = [t.device.rest_until_ns for t in self._turns if t.device.fails]
            now_ns = self._clock.now_ns()
            wake_ns = min([wake_ns, *(rest for rest in rests if rest > now_ns)])
        if wake_ns > self._clock.now_ns():
            wait_ns = min(wake_ns, self._clock.now_ns() + SECOND_NS // 2)
            await self._clock.sleep_until(wait_ns)
            return
        await self._serve(turn)

    async def _serve(self, turn: _Turn) -> None:
        now_ns = self._clock.now_ns()
        behind = (now_ns - turn.slot_ns) // turn.interval_ns
        if behind > 0:
            self._skip(turn, behind)
        device, slot_ns = turn.device, turn.slot_ns
        if device.fails and (self._shared or now_ns < device.rest_until_ns):
            self._next(turn)
            self._deliver(self._missing(turn.group, slot_ns, device.reason))
            return
        wait_ns = self._pace(turn, now_ns)
        if wait_ns > 0:
            turn.not_before_ns = now_ns + wait_ns
            return
        frame = await self._read(turn, slot_ns)
        self._next(turn)
        if frame is not None:
            self._deliver(frame)
            if frame.lost:
                self._overloaded(turn, slot_ns, frame.lost, frame.reason)
        if not behind:
            self._relieve(turn, slot_ns)

    def _next(self, turn: _Turn) -> None:
        if turn.epoch == self._clock.epoch:
            turn.slot_ns = self._clock.next_slot(turn.slot_ns, turn.interval_ns)
            turn.not_before_ns = 0
        else:
            self._begin(turn)

    # --- asking

    async def _read(self, turn: _Turn, slot_ns: int) -> Frame | None:
        """The frame of a slot; None when a probe brought nothing worth keeping."""
        device, started_ns = turn.device, self._clock.now_ns()
        device.tally.start(started_ns - slot_ns)
        device.asked_at.append((started_ns, turn.requests))
        try:
            frame = await self._driver.read(turn.group, slot_ns)
        except DriverError as error:
            name = next((name for kind, name in _NAMES if isinstance(error, kind)), "other")
            if isinstance(error, PeerRefusedError):
                self._peer(device.asked.name, error.refusal)
            return self._failed(turn, slot_ns, str(error) or name, name)
        except Exception as error:  # noqa: BLE001 - a faulty plug-in must not stop its neighbours
            _log.exception("device %s: the driver failed", device.asked.name)
            return self._failed(turn, slot_ns, f"driver failed: {error!r}", "internal")
        shift = self._clock.shift_ns()
        if shift:
            times = None if frame.times_ns is None else frame.times_ns + shift
            complete_ns = frame.complete_ns and frame.complete_ns + shift
            frame = replace(
                frame, read_ns=frame.read_ns + shift, times_ns=times, complete_ns=complete_ns
            )
        if len(frame.quality) and (frame.quality == Quality.NO_DATA).all():
            self._failed(turn, slot_ns, frame.reason or "no data", "no_data")
        else:
            self._answered(device, slot_ns)
        return frame

    def _failed(self, turn: _Turn, slot_ns: int, reason: str, name: str) -> Frame:
        device = turn.device
        device.tally.errors[name] += 1
        pacing = REFUSED if name == "refused" else SHARED if self._shared else ALONE
        pause_s = min(pacing.most_s, pacing.first_s * 2 ** min(device.fails, 20))
        if name != "refused" and not self._shared and not device.fails:
            pause_s = 0.0  # one lost answer on a line of its own: just ask in the next slot
        device.pause_ns = round(pause_s * (0.5 + self._jitter() / 2) * 1e9)
        device.rest_until_ns = self._clock.now_ns() + device.pause_ns
        device.fails += 1
        if device.fails == 1:
            self._sink.lost(device.asked.name, slot_ns, reason)
        device.reason = reason
        return self._missing(turn.group, slot_ns, reason)

    def _answered(self, device: _Device, slot_ns: int) -> None:
        if device.fails:
            device.fails, device.reason = 0, ""
            self._peer(device.asked.name, None)
            self._sink.back(device.asked.name, slot_ns)

    def _missing(self, group: Group, slot_ns: int, reason: str) -> Frame:
        return Frame.missing(group, slot_ns, self._clock.now_ns(), Quality.NO_DATA, reason)

    def _deliver(self, frame: Frame) -> None:
        self._sink.frame(frame)

    # --- a dead device on a shared line

    def _to_probe(self, turn: _Turn) -> _Turn | None:
        """A device that rested long enough, when the line is idle for its time-out."""
        if not self._shared:
            return None
        now_ns = self._clock.now_ns()
        idle_ns = turn.due_ns - now_ns
        for candidate in self._turns:
            device = candidate.device
            if not device.fails or now_ns < device.rest_until_ns:
                continue
            overdue = now_ns > device.rest_until_ns + POSTPONE_PAUSES * device.pause_ns
            if idle_ns >= device.asked.timeout_s * 1e9 or overdue:
                return candidate
        return None

    async def _probe(self, turn: _Turn) -> None:
        """Ask out of turn. The slot was already told as missing, so polled values are let go."""
        slot_ns = turn.slot_ns - turn.interval_ns
        frame = await self._read(turn, slot_ns)
        if frame is not None and frame.index is not None:
            self._deliver(frame)

    # --- overload and pace

    def _skip(self, turn: _Turn, slots: int) -> None:
        """Slots that went by unserved: told frame by frame, counted, never read late."""
        first_ns = turn.slot_ns
        turn.slot_ns += slots * turn.interval_ns
        device = turn.device
        if turn.group.mode != "poll":
            return  # what changed meanwhile comes with the next read
        resting = device.fails > 0
        reason = device.reason if resting else "slot skipped: device or gateway too slow"
        quality = Quality.NO_DATA if resting else Quality.OVERLOAD
        for k in range(max(0, slots - OVERLOAD_FRAMES), slots):
            slot_ns = first_ns + k * turn.interval_ns
            now_ns = self._clock.now_ns()
            self._deliver(Frame.missing(turn.group, slot_ns, now_ns, quality, reason))
        if not resting:
            self._overloaded(turn, first_ns, slots, reason)

    def _overloaded(self, turn: _Turn, since_ns: int, amount: int, reason: str) -> None:
        """Count slots skipped, or changes that a server lost; the first of them is an event."""
        turn.device.tally.overload += amount
        if not turn.skipped:
            self._sink.overload(turn.device.asked.name, since_ns, reason)
        turn.skipped += amount
        turn.in_time = 0

    def _relieve(self, turn: _Turn, slot_ns: int) -> None:
        if not turn.skipped:
            return
        turn.in_time += 1
        if turn.in_time >= RELIEF_SLOTS:
            name, skipped, turn.skipped = turn.device.asked.name, turn.skipped, 0
            end_ns = slot_ns - (RELIEF_SLOTS - 1) * turn.interval_ns
            if not any(t.skipped for t in self._turns if t.device is turn.device):
                self._sink.relieved(name, end_ns, skipped)

    def _pace(self, turn: _Turn, now_ns: int) -> int:
        """Nanoseconds to wait so that no second holds more requests than the device allows."""
        asked = turn.device.asked_at
        while asked and asked[0][0] <= now_ns - PACE_NS:
            asked.popleft()
        most = turn.device.asked.max_requests_per_s
        if most <= 0:
            asked.clear()
            return 0
        free = most - sum(requests for _, requests in asked)
        wait_ns = 0
        for at_ns, requests in asked:
            if free >= turn.requests:
                break
            free += requests
            wait_ns = at_ns + PACE_NS - now_ns
        return wait_ns


def asked_of(device: DeviceConfig) -> Asked:
    """What the poller needs of a device's config."""
    return Asked(device.name, device.timeout_s, device.max_requests_per_s)


def requests_of(device: DeviceConfig, group: Group) -> int:
    """Requests one read of the group takes; only worked out where a cap needs it."""
    if not device.max_requests_per_s:
        return 1
    if not device.driver.startswith("modbus"):
        return -(-len(group.points) // device.max_nodes_per_read)
    from drivers.plan import limits_of, plan_blocks, spans_of

    return len(plan_blocks(spans_of(group.points), limits_of(device)))
