"""
OPC UA driver: polls by one Read per chunk of nodes, or subscriptions; never Write, never Call.

A poll gives a dense frame; ``device_ns`` is the source timestamp (0 = none given). A subscription
gives sparse frames, see "Sparse frames" in docs/architecture.md.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
from asyncua import ua

from drivers.config import DeviceConfig
from drivers.language import say
from drivers.model import ConfigError, DriverError, Frame, Group, Quality, UnreachableError
from drivers.opcua.binary import Value
from drivers.opcua.nodes import NodeAddress, node_id
from drivers.opcua.points import Nodes, Plan, Samples, reason
from drivers.opcua.publisher import Publisher
from drivers.opcua.session import Session, TooManyError, open_session, read_request
from drivers.opcua.subscription import Subscription

HEARTBEAT_S = 1.0  # an idle subscription is believed this long without an answer of the server


class OpcUaDriver:
    """Devices of one address share one session; their security settings must be the same."""

    def __init__(self, devices: tuple[DeviceConfig, ...], groups: tuple[Group, ...]) -> None:
        self._devices = {device.name: device for device in devices}
        self._device = devices[0]
        problems = _differences(devices)
        self._plans: dict[Group, Plan] = {}
        for group in groups:
            try:
                self._plans[group] = Plan.of(group)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)
        self._last_ns = {group: np.zeros(len(group.points), dtype=np.int64) for group in groups}
        self._idle_s = max((group.interval_s for group in groups), default=1.0)
        self._open: _Open | None = None
        self._left: dict[Group, tuple[Subscription, str]] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._drop("closed")
        await self._tasks.__aexit__(None, None, None)  # an error passes as it is, in no group

    async def read(self, group: Group, slot_ns: int) -> Frame:
        if group in self._left:
            return self._rest(group, slot_ns)
        try:
            opened = await self._opened()
            await opened.session.keep()
            if group.mode == "subscribe":
                return await self._changes(opened, group, slot_ns)
            return await self._poll(opened, group, slot_ns)
        except DriverError as error:
            await self._drop(str(error))
            if group in self._left:
                return self._rest(group, slot_ns)
            raise
        except BaseException:  # a cancelled request too leaves the session in doubt
            await self._drop("cancelled")
            raise

    def _rest(self, group: Group, slot_ns: int) -> Frame:
        """What had arrived before the connection was lost; the error itself is next."""
        subscription, why = self._left.pop(group)
        return subscription.frame(slot_ns, lost=why)

    async def _opened(self) -> "_Open":
        if self._open is None:
            session = await open_session(self._device, self._idle_s)
            size = self._device.max_nodes_per_read
            self._open = _Open(
                session=session,
                publisher=Publisher(session, self._tasks),
                read_size=min(size, session.limits["read"] or size),
                items_size=min(size, session.limits["items"] or size),
            )
        return self._open

    async def _drop(self, why: str) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        opened.publisher.stop()
        for group, subscription in opened.subscriptions.items():
            if subscription.backlog:
                self._left[group] = (subscription, why)
        await opened.session.drop()

    async def _poll(self, opened: "_Open", group: Group, slot_ns: int) -> Frame:
        plan = self._plans[group]
        nodes = await opened.nodes(plan)
        samples = Samples(plan)
        for targets, value in zip(nodes.targets, await opened.read(group, nodes), strict=True):
            samples.add(targets, value)
        read_ns = time.time_ns()
        count = len(group.points)
        index = np.array(samples.index, dtype=np.int64)
        values = np.full(count, np.nan)
        quality = np.full(count, Quality.REFUSED, dtype=np.uint8)
        device_ns = np.zeros(count, dtype=np.int64)
        values[index] = samples.values
        quality[index] = samples.quality
        device_ns[index] = samples.source_ns
        for i, what in nodes.unknown.items():
            samples.reasons.setdefault(what, []).append(i)
        return Frame(
            group=group,
            slot_ns=slot_ns,
            read_ns=read_ns,
            values=plan.scaled(values, quality),
            quality=quality,
            device_ns=device_ns,
            texts={samples.index[k]: text for k, text in samples.texts.items()},
            reason=reason(plan, samples.reasons.items()),
        )

    async def _changes(self, opened: "_Open", group: Group, slot_ns: int) -> Frame:
        device = self._devices[group.device]
        subscription = opened.subscriptions.get(group)
        if subscription is not None and subscription.torn:
            opened.publisher.remove(subscription)
            await subscription.end(opened.session)
            subscription = None
        if subscription is None:
            subscription = await self._subscribe(opened, group, device)
        if opened.publisher.broken:
            raise UnreachableError(opened.publisher.broken)
        if why := subscription.silent(device.timeout_s):
            raise UnreachableError(why)
        if time.monotonic() - opened.session.heard_s > HEARTBEAT_S:
            await opened.session.heartbeat()
        await subscription.retry(opened.session, device.sampling_ms, opened.items_size)
        frame = subscription.frame(slot_ns)
        opened.publisher.make_room()
        return frame

    async def _subscribe(self, opened: "_Open", group: Group, device: DeviceConfig) -> Subscription:
        """Create it and wait a moment for the first values, which the server sends unasked."""
        plan = self._plans[group]
        nodes = await opened.nodes(plan)
        subscription = await Subscription.create(opened.session, plan, nodes, self._last_ns[group])
        subscription.by_arrival = device.time == "gateway"
        opened.subscriptions[group] = subscription
        opened.publisher.add(subscription)
        await subscription.monitor(opened.session, device.sampling_ms, opened.items_size)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(device.timeout_s + 2 * subscription.publishing_s):
                await opened.publisher.until(lambda: not subscription.waiting)
        return subscription


@dataclass(slots=True)
class _Open:
    """A session and what was prepared for it: node ids and requests of each group."""

    session: Session
    publisher: Publisher
    read_size: int
    items_size: int
    subscriptions: dict[Group, Subscription] = field(default_factory=dict)
    _nodes: dict[Group, Nodes] = field(default_factory=dict)
    _requests: dict[Group, list[ua.ReadRequest]] = field(default_factory=dict)

    async def nodes(self, plan: Plan) -> Nodes:
        found = self._nodes.get(plan.group)
        if found is None:
            literal = await self._literal(plan)
            found = Nodes.of(plan, self.session.namespaces, literal)
            self._nodes[plan.group] = found
        return found

    async def _literal(self, plan: Plan) -> frozenset[NodeAddress]:
        """Addresses with ``[n]`` whose array is unknown here: there ``[n]`` is part of the name."""
        arrays: dict[ua.NodeId, list[NodeAddress]] = {}
        for address in plan.addresses:
            if address.element is not None:
                with contextlib.suppress(LookupError):
                    node = node_id(address, self.session.namespaces)
                    arrays.setdefault(node, []).append(address)
        nodes = tuple(arrays)
        answers = []
        for request in self._chunks(nodes, ua.AttributeIds.NodeClass):
            answers += await self.session.read(request)
        return frozenset(
            address
            for node, (_, status, *_) in zip(nodes, answers, strict=True)
            if status & 0xFFFF_0000 == ua.StatusCodes.BadNodeIdUnknown
            for address in arrays[node]
        )

    def _chunks(
        self, nodes: Sequence[ua.NodeId], attribute: ua.AttributeIds = ua.AttributeIds.Value
    ) -> list[ua.ReadRequest]:
        size = self.read_size
        return [
            read_request(nodes[start : start + size], attribute)
            for start in range(0, len(nodes), size)
        ]

    async def read(self, group: Group, nodes: Nodes) -> list[Value]:
        """All nodes of a group, in as few Read calls as the server takes."""
        while True:
            requests = self._requests.get(group)
            if requests is None:
                requests = self._requests[group] = self._chunks(nodes.nodes)
            try:
                values = []
                for request in requests:
                    values += await self.session.read(request)
            except TooManyError:
                if self.read_size == 1:
                    raise
                self.read_size = max(1, self.read_size // 2)
                self._requests.clear()
            else:
                return values


def _differences(devices: tuple[DeviceConfig, ...]) -> list[str]:
    first = devices[0]
    return [
        f"device {device.name}: "
        + say(
            f"{key} 与设备 {first.name} 的不同，而两者共用与 {device.address} 的同一会话",
            f"{key} is not that of {first.name}, but both share one session with {device.address}",
        )
        for device in devices[1:]
        for key in ("security", "server_certificate", "trust", "certificate", "key", "username")
        if getattr(device, key) != getattr(first, key)
    ]
