"""The embedded MQTT broker: amqtt on loopback; receipts make its weaknesses harmless."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulators.opcua import free_port


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """``host:port`` of a running broker. It speaks MQTT 3.1.1 only."""
    from amqtt.broker import Broker

    for name in ("amqtt", "transitions"):  # its notices are of no use to a person
        logging.getLogger(name).setLevel(logging.ERROR)
    address = f"127.0.0.1:{free_port()}"
    running = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": address, "max_connections": 20}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await running.start()
    try:
        yield address
    finally:
        await running.shutdown()
