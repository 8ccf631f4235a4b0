"""
Child: an OPC UA server whose values change at a fixed rate; asyncua, not the product's simulator.

``python -m benchmarks.ua_server NODES.json``: the file lists banks of
``{"names": [...], "interval_s": 0.1, "low": …, "high": …}``. With ``"low": null`` every value is
its own sequence number 1, 2, 3 …, so that a receiver can count what it missed.
"""

import argparse
import asyncio
import json
import logging
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import Node, Server, ua

from benchmarks.children import say

URI = "urn:smelter:benchmark"
YIELD_EVERY = 50


async def add_nodes(
    server: Server, index: int, names: list[str], folders: dict[str, Node]
) -> list[ua.NodeId]:
    """Nodes ``area/unit.quantity``, one folder per unit (asyncua is slow with wide folders)."""
    ids = []
    for name in names:
        unit = name.partition(".")[0]
        folder = folders.get(unit)
        if folder is None:
            folder = await server.nodes.objects.add_folder(ua.NodeId(unit, index), unit)
            folders[unit] = folder
        node = await folder.add_variable(ua.NodeId(name, index), name, 0.0)
        ids.append(node.nodeid)
    return ids


async def change(server: Server, ids: list[ua.NodeId], bank: dict[str, Any]) -> None:
    """Writes the next value of every node of a bank each interval, aligned to wall time."""
    interval_s = float(bank["interval_s"])
    low, high = bank["low"], bank["high"]
    space = server.iserver.aspace
    number = 0
    due = time.time() // interval_s * interval_s + interval_s
    while True:
        await asyncio.sleep(max(0.0, due - time.time()))
        due += interval_s
        number += 1
        stamp = datetime.now(UTC)
        value = float(number) if low is None else low + (high - low) * (number % 97) / 97
        for count, node in enumerate(ids):
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)  # asyncua's writing never waits: clients would go unheard
            data = ua.DataValue(
                ua.Variant(value, ua.VariantType.Double),
                SourceTimestamp=stamp,
                ServerTimestamp=stamp,
            )
            await space.write_attribute_value(node, ua.AttributeIds.Value, data)


async def serve(banks: list[dict[str, Any]]) -> None:
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    folders: dict[str, Node] = {}
    made = [(bank, await add_nodes(server, index, bank["names"], folders)) for bank in banks]
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with server:
        port = server.bserver.port if server.bserver else 0
        say(port=port, items=sum(len(ids) for _, ids in made))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(change(server, ids, bank)) for bank, ids in made]
            await ended.wait()
            for task in tasks:
                task.cancel()
    say(ended=True)


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    parser = argparse.ArgumentParser()
    parser.add_argument("nodes", type=Path)
    given = parser.parse_args()
    asyncio.run(serve(json.loads(given.nodes.read_text("utf-8"))))


if __name__ == "__main__":
    main()
