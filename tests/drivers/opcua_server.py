"""
Real OPC UA servers to test against, in the test's own loop or as a child that can be killed.

As a child: ``python -m tests.drivers.opcua_server '<JSON of Plant>'``.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import User, UserRole

from simulators.counting import listen_to_opcua
from tests import servers

URI = "urn:plant"
FOLDER_SIZE = 100  # adding N children to one parent takes N**2
READ_LIMIT = ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead


@dataclass(frozen=True)
class Plant:
    """What a server shows: ``count`` doubles ``Pot000.V``…, counting upwards at ``rate_hz``."""

    port: int
    count: int = 10
    rate_hz: float = 0.0
    steps: int = 0  # stop after so many changes; 0 = never
    namespaces: tuple[str, ...] = (URI,)
    certificate: str = ""
    key: str = ""
    policies: tuple[str, ...] = ("NoSecurity",)
    users: dict[str, str] = field(default_factory=dict)
    start_file: str = ""  # counting begins when this file is there
    read_limit: int = 0


class Users:
    def __init__(self, passwords: dict[str, str]) -> None:
        self.passwords = passwords
        self.asked: list[tuple[str | None, str | None]] = []

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        self.asked.append((username, password))
        if username is not None and self.passwords.get(username) == password:
            return User(role=UserRole.User)
        return None


@dataclass
class Running:
    server: Server
    index: int
    nodes: list[Node]
    folder: Node
    users: Users
    names: set[str] = field(default_factory=set)

    async def put(self, name: str, value: Any, kind: ua.VariantType | None = None) -> Node:
        """A further node ``name`` with any value, or a new value of one that is there."""
        node = self.server.get_node(ua.NodeId(name, self.index))
        data = value if isinstance(value, ua.DataValue) else ua.DataValue(ua.Variant(value, kind))
        if name not in self.names:
            self.names.add(name)
            await self.folder.add_variable(node.nodeid, name, data.Value)
        await self.server.write_attribute_value(node.nodeid, data)
        return node


def stamped(value: Any, status: int = 0, source: datetime | None = None) -> ua.DataValue:
    now = datetime.now(UTC)
    return ua.DataValue(
        Value=ua.Variant(value),
        StatusCode=ua.StatusCode(ua.UInt32(status)),
        SourceTimestamp=source or now,
        ServerTimestamp=now,
    )


@contextlib.asynccontextmanager
async def serving(plant: Plant) -> AsyncIterator[Running]:
    listen_to_opcua()
    users = Users(plant.users)
    server = Server(user_manager=users if plant.users else None)
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{plant.port}")
    if plant.certificate:
        await server.load_certificate(plant.certificate)
        await server.load_private_key(plant.key)
    server.set_security_policy([ua.SecurityPolicyType[name] for name in plant.policies])
    if plant.users:
        server.set_identity_tokens([ua.UserNameIdentityToken])
    for uri in plant.namespaces:
        await server.register_namespace(uri)
    index = await server.get_namespace_index(URI)
    if plant.read_limit:
        limit = server.get_node(ua.NodeId(READ_LIMIT))
        await limit.write_value(ua.Variant(plant.read_limit, ua.VariantType.UInt32))
    nodes, folder = await _nodes(server, index, plant.count)
    names = {f"Pot{i:03d}.V" for i in range(plant.count)}
    running = Running(server, index, nodes, folder, users, names)
    async with server:
        yield running


async def _nodes(server: Server, index: int, count: int) -> tuple[list[Node], Node]:
    nodes: list[Node] = []
    folder = await server.nodes.objects.add_folder(ua.NodeId("other", index), "other")
    parent = folder
    for i in range(count):
        if i % FOLDER_SIZE == 0:
            name = f"area{i // FOLDER_SIZE}"
            parent = await server.nodes.objects.add_folder(ua.NodeId(name, index), name)
        name = f"Pot{i:03d}.V"
        nodes.append(await parent.add_variable(ua.NodeId(name, index), name, float(i)))
    return nodes, folder


async def count_up(running: Running, plant: Plant) -> None:
    """Each step every node gets the number of the step, exactly at its slot in time."""
    loop = asyncio.get_running_loop()
    while plant.start_file and not Path(plant.start_file).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.02)
    begin, step = loop.time(), 0
    while not plant.steps or step < plant.steps:
        step += 1
        await asyncio.sleep(max(0.0, begin + step / plant.rate_hz - loop.time()))
        data = stamped(1000.0 + step)  # no value a node starts with
        for node in running.nodes:
            await running.server.write_attribute_value(node.nodeid, data)


async def _child(plant: Plant) -> None:
    async with serving(plant) as running:
        if plant.rate_hz:
            await count_up(running, plant)
        await asyncio.Event().wait()


def child(folder: Path, plant: Plant) -> servers.Server:
    """A server in a process of its own, to be killed, stopped and started again."""
    command = [sys.executable, "-m", "tests.drivers.opcua_server", json.dumps(asdict(plant))]
    log = folder / "opcua.log"
    return servers.Server(command, plant.port, lambda: servers.listening(plant.port), log)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_child(Plant(**json.loads(sys.argv[1]))))
