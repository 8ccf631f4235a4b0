"""Lines that are being polled: their groups' grace, their names, and how they are ended gently."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from agent.edge.config import LineConfig
from agent.edge.poll import Line
from agent.notify import Work
from drivers.model import Group

GRACE_S = 2.0
TIMEOUTS = 20  # a session is connected, asked what it knows and read in fewer


@dataclass(slots=True, eq=False)
class Running:
    """A line that is being polled."""

    config: LineConfig
    line: Line
    task: "asyncio.Task[None] | None" = None


def graces(lines: Iterable[Running]) -> dict[Group, int]:
    """How long after its end a minute of each group is waited for, ns."""
    return {
        group: round((GRACE_S + 3 * device.timeout_s) * 1e9)
        for running in lines
        for group in running.config.groups
        for device in running.config.devices
        if device.name == group.device
    }


def names(lines: Iterable[Running]) -> list[str]:
    """Of their devices."""
    return [device.name for running in lines for device in running.config.devices]


def polled(running: Running, wait_s: float) -> Work:
    """A line turns twice a second, but for a read: its driver ends that after some time-outs."""
    longest_s = max(device.timeout_s for device in running.config.devices)
    return Work(running.line.turns, TIMEOUTS * longest_s + wait_s)


async def stop_lines(lines: list[Running]) -> None:
    """Each ends after the read under way; one that hangs is cancelled."""
    if not lines:
        return
    for running in lines:
        running.line.stop()
    tasks = [running.task for running in lines if running.task is not None]
    longest_s = max(d.timeout_s for running in lines for d in running.config.devices)
    _, hanging = await asyncio.wait(tasks, timeout=1.0 + min(2 * longest_s, 5.0))
    for task in hanging:
        task.cancel()
    if hanging:
        await asyncio.wait(hanging)
