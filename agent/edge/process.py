"""The gateway as a process: signals, and the loop it runs on."""

import asyncio
import contextlib
import signal
from functools import partial

from agent.edge.config import GatewayConfig
from agent.edge.gateway import Gateway


async def run_gateway(config: GatewayConfig) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads."""
    gateway = Gateway(config)
    loop = asyncio.get_running_loop()
    actions = {
        signal.SIGTERM: gateway.stop,
        signal.SIGINT: gateway.stop,
        signal.SIGHUP: gateway.reload,
    }
    for sign, action in actions.items():
        loop.add_signal_handler(sign, action)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await gateway.run()
    finally:
        for sign in actions:
            loop.remove_signal_handler(sign)


def run(config: GatewayConfig) -> None:
    """The whole process, on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(partial(run_gateway, config)())
