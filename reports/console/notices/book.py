"""
What each recipient was told, what waits and what was not taken: kept, so that a restart does not
repeat or lose a notice.

``<console data>/notices.json``. A message is formed from all that waits, sent, and only then
forgotten; when the process ends between sending and writing that down, it is sent once more under
the same id.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console.notices.matters import Matter

FIRST_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 3600.0
MOST_WAITING: Final = 500
MOST_SENT: Final = 50
KEEP_S: Final = 400 * 86_400.0
HOUR_S: Final = 3600.0


@dataclass(slots=True)
class Message:
    """Matters that go out together. Times are wall times in s."""

    id: str
    made_s: float
    matters: list[Matter]
    left_out: int = 0  # matters that found no room any more
    tries: int = 0
    next_s: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class Page:
    """The state of one recipient. ``told``: key of a matter -> when."""

    told: dict[str, float] = field(default_factory=dict)
    lasting: dict[str, Matter] = field(default_factory=dict)
    waiting: list[Matter] = field(default_factory=list)
    left_out: int = 0
    sending: Message | None = None
    times: list[float] = field(default_factory=list)  # of messages that were taken
    sent: list[dict[str, Any]] = field(default_factory=list)  # the newest last


class Book:
    """All recipients. Nothing is on disk before ``save``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages: dict[str, Page] = {}
        self.trouble = ""  # why the file could not be read
        self._written = b""
        self._load()

    def page(self, name: str) -> Page:
        return self.pages.setdefault(name, Page())

    def offer(self, name: str, found: Iterable[Matter], now_s: float) -> None:
        """New matters wait for the next message; known ones are known."""
        page = self.page(name)
        for matter in found:
            if matter.key in page.told:
                continue
            page.told[matter.key] = now_s
            if matter.lasting:
                page.lasting[matter.key] = matter
            self._wait(page, matter)

    def settle(self, name: str, topic: str, present: set[str], now_s: float) -> None:
        """Lasting matters of ``topic`` that are not there any more: their end is told."""
        page = self.page(name)
        over = [
            key for key, each in page.lasting.items() if each.topic == topic and key not in present
        ]
        for key in over:
            matter = page.lasting.pop(key)
            page.told.pop(key, None)
            if matter in page.waiting:  # nobody was told that it began
                page.waiting.remove(matter)
                continue
            ended = f"{key}/over/{int(now_s)}"
            zh, en = f"已恢复：{matter.zh}", f"over: {matter.en}"
            self._wait(page, Matter(matter.topic, ended, zh, en))

    def _wait(self, page: Page, matter: Matter) -> None:
        page.waiting.append(matter)
        if len(page.waiting) > MOST_WAITING:
            del page.waiting[0]
            page.left_out += 1

    def due(self, name: str, now_s: float, *, hourly: int, quiet: bool) -> Message | None:
        """What is to be sent now; the same message until it is taken."""
        page = self.page(name)
        if page.sending is None:
            ready = [each for each in page.waiting if each.urgent or not quiet]
            page.times = [each for each in page.times if now_s - HOUR_S < each <= now_s]
            if not ready or len(page.times) >= hourly:
                return None
            page.waiting = [each for each in page.waiting if each not in ready]
            page.sending = Message(secrets.token_hex(8), now_s, ready, page.left_out)
            page.left_out = 0
        return page.sending if now_s >= page.sending.next_s else None

    def taken(self, name: str, now_s: float, title: str) -> None:
        """The recipient's server took it."""
        page = self.page(name)
        message, page.sending = page.sending, None
        page.times.append(now_s)
        tries = message.tries + 1 if message else 1
        page.sent = [*page.sent, {"at": now_s, "title": title, "tries": tries}][-MOST_SENT:]
        page.told = {key: at for key, at in page.told.items() if now_s - at < KEEP_S}

    def failed(self, name: str, now_s: float, problem: str) -> None:
        """It did not; the next try comes later each time."""
        message = self.page(name).sending
        if message is not None:
            pause_s = min(FIRST_PAUSE_S * 2**message.tries, LONGEST_PAUSE_S)
            message.tries += 1
            message.next_s, message.problem = now_s + pause_s, problem[:300]

    def save(self) -> None:
        """Wholly or not at all. Raises ConfigError when the disk does not take it."""
        table = {name: asdict(page) for name, page in self.pages.items()}
        text = json.dumps(table, ensure_ascii=False, sort_keys=True).encode()
        if text != self._written:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, text)
            self._written = text

    def _load(self) -> None:
        try:
            content = self.path.read_bytes()
            self.pages = {name: _page(found) for name, found in json.loads(content).items()}
            self._written = content
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
            self.trouble = f"{self.path}: {error}"


def _page(table: dict[str, Any]) -> Page:
    sending = table["sending"]
    if sending is not None:
        sending = Message(**(sending | {"matters": [Matter(**x) for x in sending["matters"]]}))
    return Page(
        told={str(key): float(at) for key, at in table["told"].items()},
        lasting={key: Matter(**each) for key, each in table["lasting"].items()},
        waiting=[Matter(**each) for each in table["waiting"]],
        left_out=int(table["left_out"]),
        sending=sending,
        times=[float(each) for each in table["times"]],
        sent=list(table["sent"]),
    )
