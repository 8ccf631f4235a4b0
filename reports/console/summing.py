"""Going on with the hourly layer of ``/explore`` in the background, in short turns."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from drivers.model import ConfigError
from reports.console.beside import beside
from reports.console.desk import BusyError, Desk, FailedError

_log = logging.getLogger(__name__)

FIRST_S: Final = 30.0  # after the start: the first pages go before
EVERY_S: Final = 3600.0  # a look whether days were closed or changed
TURN_S: Final = 8.0  # then the long lane may do something else
PAUSE_S: Final = 0.5
AGAIN_S: Final = 60.0  # after a turn that brought nothing


class Summing:
    """Enter it once. Pages ring when they miss days, and say how far it is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bell = asyncio.Event()
        self.working = False
        self.days = 0
        self.ready = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Summing"]:
        """Works while inside."""
        async with beside(self._run()):
            yield self

    def ring(self) -> None:
        """Somebody waits for days that are not summed up."""
        self._bell.set()

    async def _run(self) -> None:
        wait_s = FIRST_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._bell.wait()
            self._bell.clear()
            self.working = True
            try:
                wait_s = await self._all()
            finally:
                self.working = False

    async def _all(self) -> float:
        """Turns until nothing is left; how long to wait then, s."""
        while True:
            try:
                told: dict[str, Any] = await self._desk.ask(
                    "figures.explore:build", lane="long", budget_s=TURN_S
                )
            except (ConfigError, FailedError, BusyError) as error:
                _log.warning("hourly layer: %s", error)
                return AGAIN_S
            self.days, self.ready = told["days"], told["ready"]
            if not told["left"]:
                return EVERY_S
            if not told["made"]:
                return AGAIN_S
            await asyncio.sleep(PAUSE_S)
