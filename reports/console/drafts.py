"""Which drafts are at hand, how old they are, and making them anew one after the other."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from drivers.language import language, say, speaking
from drivers.model import ConfigError
from reports.console.beside import beside
from reports.console.desk import BusyError, Desk, FailedError
from reports.console.figures.drafts import place
from reports.console.office import Office
from reports.periods import Period, plant_now

_log = logging.getLogger(__name__)

FRESH_S = 3600.0  # a draft of a running period; the newest minutes are on the live pages
FRESH_PAST_S = 86_400.0
WAITING = 32


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of one draft; ``made`` is wall time in s, None: never made."""

    report: str
    period: str
    made: float | None
    complete: bool
    computing: bool
    problems: tuple[str, ...]  # why the last try failed

    @property
    def there(self) -> bool:
        return self.made is not None and not self.problems


class Drafts:
    """Asked by pages: answers at once with what there is, and has what is stale made again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: dict[tuple[str, str], str] = {}  # in order; value: the language asked in
        self._bell = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Drafts"]:
        async with beside(self._run()):
            yield self

    def get(self, office: Office, report: str, period: str, *, anew: bool = False) -> Draft:
        """
        The draft as it is now; a stale or missing one is put on the list.

        Raises ConfigError for what is no period, BusyError.
        """
        try:
            Period.parse(period)
        except ValueError as error:
            raise ConfigError([str(error)]) from None
        _, path = place(office, report, period)
        state: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(path.read_bytes())
        key = (report, period)
        made = state.get("made")
        if (anew or self._stale(made, period)) and key not in self._waiting:
            if len(self._waiting) >= WAITING:
                raise BusyError
            self._waiting[key] = language()
            self._bell.set()
        return Draft(
            report,
            period,
            made,
            bool(state.get("complete")),
            key in self._waiting,
            tuple(state.get("problems", ())),
        )

    def _stale(self, made: float | None, period: str) -> bool:
        if made is None or made < self._desk.changed_s:
            return True
        over = Period.parse(period).end <= plant_now()
        return time.time() - made > (FRESH_PAST_S if over else FRESH_S)

    async def _run(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                (report, period), lang = next(iter(self._waiting.items()))
                try:
                    with speaking(lang):
                        await self._make(report, period)
                finally:
                    self._waiting.pop((report, period), None)

    async def _make(self, report: str, period: str) -> None:
        try:
            await self._desk.ask("figures.drafts:make", lane="long", report=report, period=period)
        except (ConfigError, FailedError, BusyError) as error:
            _log.warning("draft %s %s: %s", report, period, error)
            problem = str(error) if isinstance(error, ConfigError) else ""
            self._failed(report, period, problem or say("计算失败，见日志", "failed; see the log"))

    def _failed(self, report: str, period: str, problem: str) -> None:
        office = Office(self._desk.site_file)
        _, path = place(office, report, period)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"made": time.time(), "problems": [problem]}), "utf-8")
