"""The gate before each OPC UA request, and asking a server what it offers before it is trusted."""

import asyncio
import contextlib
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.observer import Observer

from drivers.config import DeviceConfig

ALLOWED_REQUESTS = frozenset({
    "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest", "CloseSessionRequest",
    "ReadRequest", "BrowseRequest", "BrowseNextRequest", "CreateSubscriptionRequest",
    "CreateMonitoredItemsRequest", "DeleteSubscriptionsRequest", "PublishRequest",
})  # fmt: skip


class ReadOnlyGate(Observer):  # type: ignore[misc]
    """Sees each request before it is sent, and stops every service that could change something."""

    def observe_request(self, request: Any) -> AbstractContextManager[None]:
        name = type(request).__name__
        if name not in ALLOWED_REQUESTS:
            raise PermissionError(f"{name} is not a reading service; this program never writes")
        return contextlib.nullcontext()


def url_of(device: DeviceConfig) -> str:
    """The address with scheme and port."""
    url = device.address if "://" in device.address else f"opc.tcp://{device.address}"
    return url if urlsplit(url).port is not None else f"{url.rstrip('/')}:4840"


def gated(url: str, timeout_s: float) -> Client:
    """A client whose every request passes the gate: the only one this program makes."""
    client = Client(url, timeout=timeout_s)
    client.uaclient.observer = ReadOnlyGate()
    return client


def bare_client(device: DeviceConfig, timeout_s: float) -> Client:
    """A client behind the gate that has neither certificate nor name."""
    client = gated(url_of(device), timeout_s)
    client.name = client.description = "smelter-agent"
    client.application_uri = client.product_uri = "urn:smelter-agent"
    return client


async def endpoints_of(device: DeviceConfig, limit_s: float) -> list[ua.EndpointDescription]:
    """
    What the server says it offers: nobody vouches for it, and nothing of ours is told to get it.

    Raises TimeoutError, OSError or ua.UaError.
    """
    client = bare_client(device, limit_s)
    async with asyncio.timeout(limit_s):
        found: list[ua.EndpointDescription] = await client.connect_and_get_server_endpoints()
    return found
