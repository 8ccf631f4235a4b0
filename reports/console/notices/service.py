"""The task inside ``smelter serve`` that tells recipients what is worth telling."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from drivers.language import say, why
from drivers.model import ConfigError
from drivers.tls import refusal_of
from reports.console.beside import beside
from reports.console.desk import BusyError, Desk, FailedError
from reports.console.live import Live
from reports.console.notices import mail, matters, webhook
from reports.console.notices.book import Book
from reports.console.notices.matters import Matter
from reports.console.notices.webhook import UndeliveredError
from reports.console.notices.words import Letter, letter, trial
from reports.console.office import Office
from reports.periods import PLANT_TIME
from reports.site import Site
from reports.site_notices import Mail, Told, Webhook
from reports.values import Text

_log = logging.getLogger(__name__)

EVERY_S: Final = 60.0  # the poller of live values sleeps in between
DUTIES_S: Final = 1800.0  # duties change by the day
TRIAL_S: Final = 10.0  # between two trial notices
LIVE: Final = frozenset({"exceedances", "warnings", "lost", "certificates"})


class Notices:
    """Enter it once; recipients are read from site.toml anew each time."""

    def __init__(self, site_file: Path, desk: Desk, live: Live, every_s: float = EVERY_S) -> None:
        self._site_file, self._desk, self._live = site_file, desk, live
        self._every_s = every_s
        self._book: Book | None = None
        self._rows: dict[str, Any] = {}
        self._asked_s = 0.0
        self._tried_s = 0.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Notices"]:
        """The task runs inside."""
        async with beside(self._run()):
            yield self

    def book(self, office: Office) -> Book:
        """What was told so far."""
        if self._book is None:
            self._book = Book(office.data / "notices.json")
            if self._book.trouble:
                _log.error("notices: %s; beginning anew", self._book.trouble)
        return self._book

    async def _run(self) -> None:
        while True:
            try:
                office = Office(self._site_file)
                if office.site.console.notices:
                    await self.once(office, time.time())
            except (ConfigError, BusyError, FailedError, OSError) as error:
                _log.warning("notices: %s", error)
            except Exception:  # noqa: BLE001 - logged
                _log.exception("notices")  # the next round may do better; the console goes on
            await asyncio.sleep(self._every_s)

    async def once(self, office: Office, now_s: float) -> None:
        """Look, and tell each what is new to him. Raises ConfigError: the disk is full."""
        book, site = self.book(office), office.site
        await self._look(site, now_s)
        known = self._live.now() if site.console.historian else None
        events = [] if known is None else self._live.events()
        for to in site.console.notices:
            found = list(matters.of_duties(self._rows.get("duties", ()), to))
            if "backup" in to.about and self._rows:
                found += matters.of_backup(self._rows["backup_s"], to.backup_days, now_s)
            found += matters.of_events(events, now_s)
            if known is not None:
                found += matters.of_gateways(
                    known.gateways,
                    reachable=known.reachable,
                    since_s=known.since_s,
                    now_s=now_s,
                    historian=site.console.historian,
                )
            wanted = [each for each in found if each.topic in to.about]
            if known is not None and known.reachable:
                _settle(book, to, wanted, now_s)
            book.offer(to.name, wanted, now_s)
        book.save()
        for to in site.console.notices:
            await self._deliver(book, to, site, now_s)

    async def _look(self, site: Site, now_s: float) -> None:
        """Ask for duties now and then, and for live values if anybody wants to know of them."""
        asked = {topic for to in site.console.notices for topic in to.about}
        if asked & LIVE and site.console.historian:
            await self._live.ready()
        if now_s - self._asked_s > DUTIES_S or self._desk.changed_s > self._asked_s:
            self._asked_s = now_s
            self._rows = await self._desk.ask("figures.settings_notices:rows")

    async def _deliver(self, book: Book, to: Told, site: Site, now_s: float) -> None:
        clock = datetime.fromtimestamp(now_s, PLANT_TIME).time()
        message = book.due(to.name, now_s, hourly=to.hourly, quiet=to.is_quiet(clock))
        if message is None:
            return
        made = letter(message, to, _plant(site), site.console.address)
        book.save()
        problem = await asyncio.to_thread(deliver, to, made, site.plant)
        if problem:
            book.failed(to.name, now_s, problem)
            _log.warning("notice to %s: %s", to.name, problem)
        else:
            book.taken(to.name, now_s, made.title)
            _log.info("notice to %s: %s", to.name, made.title)
        book.save()

    async def test(self, site: Site, name: str) -> str:
        """A trial notice to one recipient of site.toml; why it was not taken, "" when it was."""
        to = recipient(site, name)
        if time.monotonic() - self._tried_s < TRIAL_S:
            raise ConfigError([say("请隔 10 秒再试", "wait ten seconds before another try")])
        self._tried_s = time.monotonic()
        return await asyncio.to_thread(test, site, to)


def _settle(book: Book, to: Told, wanted: list[Matter], now_s: float) -> None:
    present = {each.key for each in wanted if each.lasting}
    book.settle(to.name, "lost", present, now_s)


def recipient(site: Site, name: str) -> Told:
    """The one of that name. Raises ConfigError: only those of site.toml are ever sent to."""
    for to in site.console.notices:
        if to.name == name:
            return to
    known = ", ".join(to.name for to in site.console.notices) or say("无", "none")
    raise ConfigError(
        [
            say(
                f"site.toml 的 [[console.notices]] 中没有 {name!r}；有：{known}",
                f"no {name!r} under [[console.notices]] of site.toml; there are: {known}",
            )
        ]
    )


def test(site: Site, to: Told) -> str:
    """Send it; why it was not taken, "" when it was."""
    return deliver(to, trial(to, _plant(site), secrets.token_hex(8)), site.plant)


def deliver(to: Told, made: Letter, plant: str) -> str:
    """Why it was not taken, "" when it was; blocks for ``timeout_s`` at most per step."""
    try:
        if isinstance(to, Webhook):
            webhook.send(to, made, plant)
        else:
            mail.send(cast("Mail", to), made)
    except UndeliveredError as error:
        return str(error)
    except ConfigError as error:
        return "; ".join(error.problems)
    except OSError as error:
        place = to.place if isinstance(to, Webhook | Mail) else ""
        refused = refusal_of(error, place)
        return str(refused) if refused is not None else f"{place}: {why(error)}"
    return ""


def _plant(site: Site) -> Text:
    return Text(zh=site.name.zh, en=site.name.en)
