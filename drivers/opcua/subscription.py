"""
Subscriptions of one session: publish requests, samples in time order, silence noticed.

A server sends changes only, so what a value *is* between changes must be known some other way:
every Publish answer, also an empty one, proves that nothing changed before its PublishTime. That
moment is the horizon: the frame is complete up to it, and a point without news for REPEAT_S is
repeated there. When nothing comes any more, the horizon stands still and nothing is repeated.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from asyncua import ua
from asyncua.ua.ua_binary import struct_from_binary

from drivers.model import Codes, Floats, Frame, Indices, Quality
from drivers.opcua.binary import Published
from drivers.opcua.losses import Loss, marks
from drivers.opcua.points import Nodes, Plan, Samples, reason
from drivers.opcua.session import Session, general_buffer, translated
from drivers.opcua.values import OVERFLOW, quality_of, status_name

log = logging.getLogger(__name__)

QUEUE_S = 5.0  # the server's queue of an item covers this much; a slow network loses nothing
QUEUE_MIN, QUEUE_MAX = 10, 1000
REPEAT_S = 10.0  # an unchanged point appears in a frame at least so often
RETRY_S = 60.0  # refused items
LIFETIME_S = 30.0  # without publish requests the server forgets us
AGE_MAX_NS = 10_000_000_000  # a source time further off is the device's clock, not the delay
FUTURE_MAX_NS = 1_000_000_000
BACKLOG_MIN = 20_000  # samples held here; beyond it no publish request is sent, the server queues


class Subscription:
    """One group's monitored items; ``frame`` gives and forgets what came since the last one."""

    def __init__(
        self, plan: Plan, nodes: Nodes, result: ua.CreateSubscriptionResult, last_ns: Indices
    ) -> None:
        count = len(plan.group.points)
        self.plan, self.nodes = plan, nodes
        self.id: int = result.SubscriptionId
        self.publishing_s = result.RevisedPublishingInterval / 1000
        self.keep_alive_s = self.publishing_s * max(1, result.RevisedMaxKeepAliveCount)
        self.heard_s = time.monotonic()
        self.backlog = 0
        self.backlog_max = max(BACKLOG_MIN, 4 * count)
        self.waiting = set(range(len(nodes.nodes)))  # nodes whose first value has not come
        self.torn = False  # a message was lost: what came in it must be asked for anew
        self._messages: list[_Message] = []
        self._horizon_ns = 0
        self._complete_ns = 0  # of the last frame
        self._sequence = 0
        self._last_ns = last_ns
        self._values: Floats = np.full(count, np.nan)
        self._quality: Codes = np.full(count, Quality.NO_DATA, dtype=np.uint8)
        self._source_ns: Indices = np.zeros(count, dtype=np.int64)
        self._refused: dict[int, int] = {}  # handle, status code
        self._retry_s = time.monotonic() + RETRY_S
        self._first = True
        self.by_arrival = False  # the config wants gateway time, however good the server's is
        for i in nodes.unknown:
            self._quality[i] = Quality.REFUSED

    @classmethod
    async def create(cls, session: Session, plan: Plan, nodes: Nodes, last_ns: Indices) -> Self:
        """
        A subscription without items yet. ``last_ns`` is each point's latest time on the wire, kept
        over reconnects. Raises DriverError.
        """
        publishing_s = min(max(plan.group.interval_s / 2, 0.05), 1.0)
        request = ua.CreateSubscriptionRequest()
        request.Parameters.RequestedPublishingInterval = 1000 * publishing_s
        request.Parameters.RequestedLifetimeCount = math.ceil(LIFETIME_S / publishing_s)
        request.Parameters.RequestedMaxKeepAliveCount = 1
        request.Parameters.MaxNotificationsPerPublish = 10_000
        request.Parameters.PublishingEnabled = True
        with translated("create subscription", session.setup_s):
            response = await _asked(session, request, ua.CreateSubscriptionResponse)
        return cls(plan, nodes, response.Parameters, last_ns)

    async def monitor(
        self, session: Session, sampling_ms: float, size: int, handles: Sequence[int] | None = None
    ) -> None:
        """
        Create the monitored items, ``size`` in a call; a refused item costs only itself.

        Raises DriverError when the server takes none at all.
        """
        sampling_s = sampling_ms / 1000 or self.plan.group.interval_s
        queue = min(max(QUEUE_MIN, math.ceil(QUEUE_S / sampling_s)), QUEUE_MAX)
        todo = range(len(self.nodes.nodes)) if handles is None else handles
        for start in range(0, len(todo), size):
            some = todo[start : start + size]
            request = ua.CreateMonitoredItemsRequest()
            request.Parameters.SubscriptionId = self.id
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            request.Parameters.ItemsToCreate = [
                _item(handle, self.nodes.nodes[handle], 1000 * sampling_s, queue) for handle in some
            ]
            with translated("create monitored items", session.setup_s):
                response = await _asked(session, request, ua.CreateMonitoredItemsResponse)
            for handle, result in zip(some, response.Results, strict=True):
                self._monitored(handle, result, sampling_s)

    def _monitored(
        self, handle: int, result: ua.MonitoredItemCreateResult, sampling_s: float
    ) -> None:
        status = result.StatusCode.value
        if status >> 31:
            self._refused[handle] = status
            self.waiting.discard(handle)
            for i, _ in self.nodes.targets[handle]:
                self._quality[i] = quality_of(status)
            return
        self._refused.pop(handle, None)
        if result.RevisedQueueSize < 2 * self.publishing_s / sampling_s:
            log.warning(
                "%s: the server queues only %d values of %s: changes may be lost",
                self.plan.group.device, result.RevisedQueueSize, self.nodes.nodes[handle],
            )  # fmt: skip

    async def retry(self, session: Session, sampling_ms: float, size: int) -> None:
        """Now and then ask again for refused items: a download to the PLC brings nodes back."""
        if self._refused and time.monotonic() > self._retry_s:
            self._retry_s = time.monotonic() + RETRY_S
            await self.monitor(session, sampling_ms, size, sorted(self._refused))

    def take(self, published: Published, arrived_ns: int) -> None:
        """One Publish answer."""
        self.heard_s = time.monotonic()
        missed = published.sequence - self._sequence - 1 if self._sequence else 0
        known_ns = self._horizon_ns
        self._sequence = published.sequence - published.keep_alive
        self._horizon_ns = (
            published.published_ns
            if -AGE_MAX_NS <= published.published_ns - arrived_ns <= FUTURE_MAX_NS
            else arrived_ns
        )
        if published.handles or missed > 0:
            self._messages.append(_Message(arrived_ns, published, max(0, missed), known_ns))
            self.backlog += len(published.handles)
            if self.waiting:
                self.waiting.difference_update(published.handles)

    async def end(self, session: Session) -> None:
        """Tell the server to forget it."""
        request = ua.DeleteSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [self.id]
        with translated("delete subscription", session.timeout_s):
            await _asked(session, request, ua.DeleteSubscriptionsResponse)

    def silent(self, timeout_s: float) -> str:
        """Why this subscription must be called dead, or nothing."""
        silence_s = time.monotonic() - self.heard_s
        if silence_s > 3 * self.keep_alive_s + timeout_s:
            return f"subscription silent for {silence_s:.1f} s"
        return ""

    def frame(self, slot_ns: int, lost: str = "") -> Frame:
        """
        All samples since the last frame, and every other point once more at the horizon.

        ``lost`` says that the connection is gone: then every point ends with NO_DATA at the slot.
        """
        samples, arrived_ns, published_ns, found = self._drain()
        index = np.array(samples.index, dtype=np.int64)
        source_ns = np.array(samples.source_ns, dtype=np.int64)
        late_ns = np.array(published_ns, dtype=np.int64) - np.array(samples.server_ns, np.int64)
        late_ns[(late_ns < 0) | (late_ns > AGE_MAX_NS)] = 0
        arrival_ns = np.array(arrived_ns, dtype=np.int64)
        times_ns = self._times(index, source_ns, arrival_ns, arrival_ns - late_ns)
        quality = np.array(samples.quality, dtype=np.uint8)
        values = self.plan.scaled(np.array(samples.values), quality, index)
        marked, marked_ns = marks(found.losses, index, times_ns, self._last_ns)
        self._remember(index, times_ns, values, quality, source_ns)
        self._forget(marked, marked_ns)
        again = self._again(np.concatenate([index, marked]), lost=bool(lost))
        complete_ns = slot_ns if lost or not self._horizon_ns else self._horizon_ns
        when_ns = np.maximum(complete_ns, self._last_ns[again] + 1)
        self._last_ns[again] = when_ns
        if lost:
            self._values[:], self._quality[:] = np.nan, Quality.NO_DATA
        self._complete_ns = complete_ns
        all_times_ns = np.concatenate([times_ns, marked_ns, when_ns])
        nothing = np.full(len(marked), np.nan)
        overload = np.full(len(marked), Quality.OVERLOAD, dtype=np.uint8)
        order = np.argsort(all_times_ns, kind="stable")
        place = {int(old): new for new, old in enumerate(order)} if samples.texts else {}
        return Frame(
            group=self.plan.group,
            slot_ns=slot_ns,
            read_ns=time.time_ns(),
            values=np.concatenate([values, nothing, self._values[again]])[order],
            quality=np.concatenate([quality, overload, self._quality[again]])[order],
            index=np.concatenate([index, marked, again])[order],
            times_ns=all_times_ns[order],
            device_ns=np.concatenate([source_ns, 0 * marked, self._source_ns[again]])[order],
            texts={place[k]: text for k, text in samples.texts.items()},
            complete_ns=complete_ns,
            lost=found.overflows + found.messages,
            reason=self._reason(samples, found, lost),
        )

    def _drain(self) -> "tuple[Samples, list[int], list[int], _Found]":
        samples, found = Samples(self.plan), _Found()
        arrived: list[int] = []
        published_at: list[int] = []
        targets = self.nodes.targets
        every = tuple(range(len(self.plan.group.points)))
        for message in self._messages:
            before, published = len(samples.index), message.published
            if message.missed:
                self.torn = True
                found.messages += message.missed
                known_ns = max(message.known_ns, self._complete_ns)
                found.losses.append(Loss(before, every, known_ns))
            for handle, value in zip(published.handles, published.values, strict=True):
                if handle >= len(targets):
                    continue
                if (value[1] & OVERFLOW) == OVERFLOW:  # set on the first value after those lost
                    found.overflows += 1
                    points = tuple(i for i, _ in targets[handle])
                    found.losses.append(Loss(len(samples.index), points, self._complete_ns))
                samples.add(targets[handle], value)
            count = len(samples.index) - before
            arrived += [message.arrived_ns] * count
            published_at += [published.published_ns] * count
        self._messages = []
        self.backlog = 0
        return samples, arrived, published_at, found

    def _times(
        self, index: Indices, source_ns: Indices, arrival_ns: Indices, gateway_ns: Indices
    ) -> Indices:
        """Source time where it is plausible, else gateway time; strictly rising for each point."""
        delay_ns = arrival_ns - source_ns
        sane = (delay_ns >= -FUTURE_MAX_NS) & (delay_ns <= AGE_MAX_NS)
        trusted = sane & (not self.by_arrival)
        times_ns: Indices = np.where(trusted, source_ns, gateway_ns)
        order = np.argsort(index, kind="stable")
        points, times = index[order], times_ns[order]
        first = np.ones(len(points), dtype=bool)
        first[1:] = points[1:] != points[:-1]
        previous = np.zeros_like(times)
        previous[1:] = times[:-1]
        previous[first] = self._last_ns[points[first]]
        if (times <= previous).any():
            last_ns = self._last_ns.copy()
            for k, i in enumerate(index.tolist()):
                if times_ns[k] <= last_ns[i]:
                    times_ns[k] = max(gateway_ns[k], last_ns[i] + 1)
                last_ns[i] = times_ns[k]
        return times_ns

    def _remember(
        self,
        index: Indices,
        times_ns: Indices,
        values: Floats,
        quality: Codes,
        source_ns: Indices,
    ) -> None:
        """Arrival order: of several samples of a point the last one stays."""
        self._last_ns[index] = times_ns
        self._values[index] = values
        self._quality[index] = quality
        self._source_ns[index] = source_ns

    def _forget(self, marked: Indices, marked_ns: Indices) -> None:
        """A point whose changes were lost has no value until its next sample."""
        last = marked_ns > self._last_ns[marked]
        points = marked[last]
        self._last_ns[points] = marked_ns[last]
        self._values[points], self._quality[points] = np.nan, Quality.OVERLOAD

    def _again(self, index: Indices, *, lost: bool) -> Indices:
        """Points to be repeated: all when the connection is lost, else those without news."""
        if lost:
            return np.arange(len(self._last_ns))
        still = self._last_ns <= self._horizon_ns - round(REPEAT_S * 1e9)
        still |= self._last_ns == 0
        if self._first:
            still[:] = True
            self._first = False
        still[index] = False
        return np.flatnonzero(still)

    def _reason(self, samples: Samples, found: "_Found", lost: str) -> str:
        parts = [lost] if lost else []
        if found.overflows:
            parts.append(f"the server's queues overflowed {found.overflows} times: changes lost")
        if found.messages:
            parts.append(f"{found.messages} publish messages lost")
        bad = samples.reasons
        for handle, status in self._refused.items():
            bad.setdefault(status_name(status), []).extend(i for i, _ in self.nodes.targets[handle])
        for i, what in self.nodes.unknown.items():
            bad.setdefault(what, []).append(i)
        if bad:
            parts.append(reason(self.plan, bad.items()))
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class _Message:
    """A Publish answer with samples, or after lost ones."""

    arrived_ns: int
    published: Published
    missed: int  # messages that should have come before it
    known_ns: int  # everything up to there had come before them


@dataclass(slots=True)
class _Found:
    """What was lost before and between the samples of one frame."""

    losses: list[Loss] = field(default_factory=list)
    overflows: int = 0
    messages: int = 0


async def _asked(session: Session, request: object, answer: type) -> Any:
    frame = await session.ask(request, session.setup_s)
    response = struct_from_binary(answer, general_buffer(frame))
    response.ResponseHeader.ServiceResult.check()
    return response


def _item(handle: int, node: ua.NodeId, sampling_ms: float, queue: int) -> object:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters.ClientHandle = handle
    item.RequestedParameters.SamplingInterval = sampling_ms
    item.RequestedParameters.QueueSize = queue
    item.RequestedParameters.DiscardOldest = True
    return item
