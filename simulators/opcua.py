"""OPC UA server of the simulated control system: a folder per area and equipment, string ids."""

import asyncio
import logging
import math
import random
import socket
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from asyncua import Server, ua
from asyncua.common.node import Node

from simulators.counting import listen_to_opcua
from simulators.faults import Faults
from simulators.points import URN, node_id, on_opcua
from simulators.values import Believed

NAME = "dcs"
_GOOD = ua.StatusCode(ua.UInt32(ua.StatusCodes.Good))
_BAD = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure))


class OpcUaServer(AbstractAsyncContextManager["OpcUaServer"]):
    """
    Serves every point that no Modbus device holds, read-only, on a loopback port.

    Beside them stands one array of pot voltages for each line (``s=line1.pot_voltages``). NaN is
    served as status BadSensorFailure; ``stall``, ``drop`` and ``late`` act on the whole server.
    """

    def __init__(self, believed: Believed, faults: Faults, port: int = 0) -> None:
        self._believed = believed
        self._faults = faults
        self.port = port
        self.namespace = 0
        self._server: Server | None = None
        self._nodes: dict[str, ua.NodeId] = {}
        self._arrays: dict[int, ua.NodeId] = {}

    @property
    def address(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self.port = self.port or free_port()
        logging.getLogger("asyncua").setLevel(logging.ERROR)  # it warns of having no encryption
        listen_to_opcua()
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        server.set_server_name("Smelter simulator")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        # A second namespace before ours: clients must look the number up by URI.
        await server.register_namespace("urn:smelter:simulator:types")
        self.namespace = await server.register_namespace(URN)
        await self._build(server)
        self._server = server
        await self.refresh()
        await server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _build(self, server: Server) -> None:
        folders: dict[str, Node] = {}
        for point in on_opcua(self._believed.plant):
            equipment, _, quantity = point.partition(" ")
            parent = await self._folder(server, folders, equipment)
            text = node_id(point).partition("s=")[2]
            node = await parent.add_variable(
                ua.NodeId(text, self.namespace),
                ua.QualifiedName(quantity.partition(".")[2], self.namespace),
                0.0,
                ua.VariantType.Double,
            )
            self._nodes[point] = node.nodeid
        for index, section in enumerate(self._believed.plant.sections):
            parent = await self._folder(server, folders, f"{section.name}/series")
            node = await parent.add_variable(
                ua.NodeId(f"{section.name}.pot_voltages", self.namespace),
                ua.QualifiedName("pot_voltages", self.namespace),
                [0.0] * section.pots.count,
                ua.VariantType.Double,
            )
            self._arrays[index] = node.nodeid

    async def _folder(self, server: Server, folders: dict[str, Node], path: str) -> Node:
        if path not in folders:
            area, _, unit = path.partition("/")
            above = await self._folder(server, folders, area) if unit else server.nodes.objects
            folders[path] = await above.add_folder(
                ua.NodeId(f"folder.{path}", self.namespace),
                ua.QualifiedName(unit or area, self.namespace),
            )
        return folders[path]

    async def refresh(self) -> None:
        """Writes the plant's present values with the device's own time."""
        if self._server is None:
            return
        now = datetime.now(UTC)
        step = self._faults.active("clock_step", NAME)
        device_time = now if step is None else now + timedelta(seconds=step.amount or 3600)
        for point, node in self._nodes.items():
            value = self._believed.single(point, NAME)
            await self._put(node, value, device_time, now)
        for index, node in self._arrays.items():
            volts = self._believed.pots(index, NAME)["voltage"]
            await self._put(node, volts.tolist(), device_time, now)
        await asyncio.sleep(0)

    async def _put(
        self, node: ua.NodeId, value: float | list[float], source: datetime, now: datetime
    ) -> None:
        bad = isinstance(value, float) and math.isnan(value)
        data = ua.DataValue(
            Value=ua.Variant(value, ua.VariantType.Double),
            StatusCode=_BAD if bad else _GOOD,
            SourceTimestamp=source,
            ServerTimestamp=now,
        )
        if self._server is not None:
            await self._server.write_attribute_value(node, data)


def free_port() -> int:
    """
    A loopback port nobody listens on; the endpoint must name it before the server starts.

    Not one of those that the system gives to outgoing connections: one could take it meanwhile.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
