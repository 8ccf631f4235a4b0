"""The publish requests of an OPC UA session: some always under way, answers to their owners."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from asyncua import ua
from asyncua.ua.ua_binary import struct_from_binary

from drivers.model import UnreachableError
from drivers.opcua.binary import Published, UnusualError, publish_answer
from drivers.opcua.session import Session, general_buffer, general_values, time_ns, translated
from drivers.opcua.values import status_name

PUBLISH_REQUESTS_MAX = 10


class Subscriber(Protocol):
    """Who is told of the Publish answers of one subscription."""

    id: int
    backlog: int
    backlog_max: int

    def take(self, published: Published, arrived_ns: int) -> None: ...


class Publisher:
    """
    The publish requests of a session and the subscriptions they serve.

    Its tasks run in the group they are given; ``broken`` says why they stopped.
    """

    def __init__(self, session: Session, tasks: asyncio.TaskGroup) -> None:
        self.session = session
        self.subscriptions: dict[int, Subscriber] = {}
        self.broken = ""
        self._tasks = tasks
        self._running: set[asyncio.Task[None]] = set()
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._room = asyncio.Event()
        self._room.set()
        self._news = asyncio.Event()  # something was published, or all is over

    def add(self, subscription: Subscriber) -> None:
        self.subscriptions[subscription.id] = subscription
        wanted = min(len(self.subscriptions) + 1, PUBLISH_REQUESTS_MAX)
        while len(self._running) < wanted and not self.broken:
            task = self._tasks.create_task(self._pump())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def remove(self, subscription: Subscriber) -> None:
        """What still comes for it is let go."""
        self.subscriptions.pop(subscription.id, None)

    def stop(self) -> None:
        self.broken = self.broken or "closed"
        for task in self._running:
            task.cancel()

    async def until(self, done: Callable[[], bool]) -> None:
        """Return when ``done()`` after some publish answer, or when all is over."""
        while not done() and not self.broken:
            self._news.clear()
            await self._news.wait()

    def make_room(self) -> None:
        """To be called after samples were taken away."""
        self._room.set()

    async def _pump(self) -> None:
        while not self.broken:
            await self._room.wait()
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements = self._acknowledge
            self._acknowledge = []
            try:
                with translated("publish", 0.0):
                    self._take(await self.session.ask(request, timeout_s=0))
            except Exception as error:  # noqa: BLE001 - read() raises it, in the caller's task
                self.broken = self.broken or str(error) or type(error).__name__
                self._news.set()

    def _take(self, answer: bytes) -> None:
        arrived_ns = time.time_ns()
        try:
            result, published = publish_answer(answer)
        except UnusualError:
            result, published = _general_publish(answer)
        if result >> 31:
            if result in {ua.StatusCodes.BadTimeout, ua.StatusCodes.BadTooManyPublishRequests}:
                return
            raise ua.UaStatusCodeError(result)
        if published.status:
            raise UnreachableError(f"subscription ended: {status_name(published.status)}")
        if not published.keep_alive:
            self._acknowledge.append(
                ua.SubscriptionAcknowledgement(published.subscription, published.sequence)
            )
        subscription = self.subscriptions.get(published.subscription)
        if subscription:
            subscription.take(published, arrived_ns)
            if subscription.backlog > subscription.backlog_max:
                self._room.clear()
        self._news.set()


def _general_publish(answer: bytes) -> tuple[int, Published]:
    """A Publish answer by the general decoder, for messages our own does not read."""
    response = struct_from_binary(ua.PublishResponse, general_buffer(answer))
    parameters = response.Parameters
    message = parameters.NotificationMessage
    handles, values, status = [], [], 0
    for part in message.NotificationData or ():
        if isinstance(part, ua.DataChangeNotification):
            handles += [item.ClientHandle for item in part.MonitoredItems]
            values += general_values([item.Value for item in part.MonitoredItems])
        elif isinstance(part, ua.StatusChangeNotification):
            status = part.Status.value
    published = Published(
        parameters.SubscriptionId,
        message.SequenceNumber,
        time_ns(message.PublishTime),
        not message.NotificationData,
        handles,
        values,
        status,
    )
    return response.ResponseHeader.ServiceResult.value, published
