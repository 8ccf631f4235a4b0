"""
Newest values from the historian: fetched while somebody looks, by one poller for all visitors.

Nothing old passes for live: a value whose time is over is ``stale``, and when the historian does
not answer, everything is, with the time since when.
"""

import asyncio
import contextlib
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

from drivers.language import say, why
from reports.console.beside import beside

_log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
AWAY_S: Final = 5.0  # between two tries while the historian does not answer
LOOKED_S: Final = 20.0  # so long after the last look the poller goes on
ANSWER_S: Final = 6.0
ANSWER_BYTES: Final = 64 << 20
ELSEWHERE: Final = "HTTP 403"  # what a historian on another machine says
MISSED: Final = 3  # answers; then nothing counts as live
KEEP_S: Final = 7200.0
MOST_EVENTS: Final = 1000
PARTS: Final = {"n": "count", "min": "low", "max": "high"}


@dataclass(frozen=True, slots=True)
class LiveValue:
    """``value`` None: ``reason`` says why; ``stale``: it is not of now any more. Times in s."""

    value: float | None
    reason: str
    at_s: float | None
    age_s: float | None
    stale: bool
    good: float = 1.0  # share of a window's time with good values
    period_s: int = 0
    count: int = 0  # good samples of a window
    low: float | None = None
    high: float | None = None

    @property
    def fresh(self) -> bool:
        return self.value is not None and not self.stale


UNKNOWN: Final = LiveValue(None, "no_data", None, None, stale=True)


@dataclass(slots=True)
class _Known:
    at_ms: int
    value: float | None
    reason: str
    hold_s: float  # from ``at_ms`` on
    good: float
    period_s: int
    tick: int  # of the poller, when it was learned
    count: int = 0
    low: float | None = None
    high: float | None = None


@dataclass(slots=True)
class Snapshot:
    """What is known; ``reachable``: the last questions were answered. Times are wall times in s."""

    reachable: bool = False
    since_s: float | None = None  # of reachable being as it is
    answered_s: float | None = None
    problem: str = ""
    fault: OSError | None = None  # what ``problem`` says, for a visitor's language
    tick: int = 0
    values: dict[str, _Known] = field(default_factory=dict)  # "line1/pot001 pot.voltage"
    windows: dict[str, _Known] = field(default_factory=dict)
    happened: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateways: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    broker_up: bool = False  # the historian is connected to the broker
    ahead_s: float = 0.0  # the historian's clock before ours

    @property
    def age_s(self) -> float | None:
        """Since the historian answered last."""
        return None if self.answered_s is None else max(0.0, time.time() - self.answered_s)

    def value(self, equipment: str, quantity: str) -> LiveValue:
        """The newest sample."""
        return self._say(self.values.get(f"{equipment} {quantity}"))

    def window(self, equipment: str, quantity: str) -> LiveValue:
        """
        The newest window, of a minute unless ``quantity@seconds``; ``at_s`` is its start.

        As on the wire ``…_n``, ``…_min`` and ``…_max`` are samples, least and greatest of it.
        """
        known = self.windows.get(f"{equipment} {quantity}")
        name, _, ending = quantity.rpartition("_")
        if known is None and ending in PARTS:
            whole = self._say(self.windows.get(f"{equipment} {name}"))
            return replace(whole, value=getattr(whole, PARTS[ending]))
        return self._say(known)

    def _say(self, known: _Known | None) -> LiveValue:
        if known is None:
            return UNKNOWN
        age_s = time.time() + self.ahead_s - known.at_ms / 1000
        stale = not self.reachable or age_s > known.hold_s or known.reason == "silent"
        return LiveValue(
            known.value,
            known.reason,
            known.at_ms / 1000,
            max(0.0, age_s),
            stale,
            known.good,
            known.period_s,
            known.count,
            known.low,
            known.high,
        )


class _Straight(urllib.request.HTTPRedirectHandler):
    """The historian answers itself: whoever sends us on is somebody else."""

    def redirect_request(self, *_: object) -> None:
        return


class Live:
    """Enter it once; pages ask ``now()``, ``/live`` streams what changed."""

    def __init__(self, historian: str, plant: str = "") -> None:
        self.historian = historian.rstrip("/")
        self._plant = plant
        self._known = Snapshot()
        self._cursor = 0
        self._life = 0
        self._missed = 0
        self._looked = -1e9  # monotonic
        self._bell = asyncio.Event()
        self._news = asyncio.Event()
        self._encoded: dict[tuple[str, ...], tuple[int, int, str]] = {}
        self.streams = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Live"]:
        """The poller runs inside; it asks nothing until somebody looks."""
        async with beside(self._run()):
            yield self

    # what pages ask

    def now(self) -> Snapshot:
        """What is known by now; the poller goes on for a while."""
        self._looked = time.monotonic()
        self._bell.set()
        return self._known

    async def ready(self, wait_s: float = 3.0) -> Snapshot:
        """The same; the first who looks waits for the first answer."""
        known = self.now()
        age_s = known.age_s
        if age_s is None or age_s > LOOKED_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
        return self.now()

    def value(self, equipment: str, quantity: str) -> LiveValue:
        """The newest sample of a point."""
        return self.now().value(equipment, quantity)

    def window(self, equipment: str, quantity: str) -> LiveValue:
        """The newest window of a point: ``window("gtc1/stack1", "stack.so2_hour")``."""
        return self.now().window(equipment, quantity)

    def events(self) -> list[dict[str, Any]]:
        """Those that last and the newest of the others, the newest first."""
        found = self.now().happened.values()
        return sorted(found, key=lambda each: float(each["start_ms"]), reverse=True)

    def gateways(self) -> list[dict[str, Any]]:
        return self.now().gateways

    def trouble(self) -> str:
        """Why nothing is live, and since when; empty when all is well. In the caller's language."""
        known = self.now()
        if not self.historian:
            return say(
                "未配置历史库地址：在 site.toml 的 [console] 中写 historian",
                "no historian: write its address as historian in [console] of site.toml",
            )
        if known.reachable or (known.since_s is None and not known.problem):
            return ""
        if known.problem == ELSEWHERE:
            return say(
                "历史库只向本机提供实时值：请在历史库所在机器上运行控制台；其余功能不受影响",
                "the historian tells newest values to its own machine only: run the console there; "
                "all else works from here",
            )
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((known.since_s or 0) + 8 * 3600))
        told = why(known.fault) if known.fault is not None else known.problem
        return say(
            f"历史库自 {since} 起没有应答（{told}）；实时数据不可用",
            f"the historian has not answered since {since} ({told}); nothing is live",
        )

    # the poller

    async def _run(self) -> None:
        while True:
            looks = self.streams or time.monotonic() - self._looked < LOOKED_S
            if not looks or not self.historian:
                self._bell.clear()
                await self._bell.wait()
                if not self.historian:
                    return
            begin = time.monotonic()
            await self._once()
            every_s = EVERY_S if self._known.reachable or self._missed < MISSED else AWAY_S
            await asyncio.sleep(max(0.2, begin + every_s - time.monotonic()))

    async def _once(self) -> None:
        try:
            said = await asyncio.to_thread(self._fetch)
            self._take(said)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._miss(error)
        self._news.set()
        self._news = asyncio.Event()

    def _fetch(self) -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())
        where = f"{self.historian}/latest?after={self._cursor}&plant={quote(self._plant)}"
        with opener.open(where, timeout=ANSWER_S) as answer:
            body = answer.read(ANSWER_BYTES + 1)
        if len(body) > ANSWER_BYTES:
            raise ValueError("the answer is too large")
        said: dict[str, Any] = json.loads(body)
        return said

    def _miss(self, error: Exception) -> None:
        known = self._known
        self._missed += 1
        known.problem = _why(error)
        reason: object = getattr(error, "reason", error)
        known.fault = reason if isinstance(reason, OSError) else None
        if self._missed == 1:
            _log.info("historian %s: %s", self.historian, known.problem)
        if self._missed >= MISSED and known.reachable:
            known.reachable, known.since_s = False, known.answered_s
            known.tick += 1
        elif not known.reachable and known.since_s is None:
            known.since_s = time.time()

    def _take(self, said: dict[str, Any]) -> None:
        known = self._known
        now_s = time.time()
        if said["whole"]:  # the first answer, or of another life of the historian
            known = self._known = Snapshot(known.reachable, known.since_s, tick=known.tick)
        self._cursor, self._life, self._missed = int(said["cursor"]), int(said["life"]), 0
        known.tick += 1
        known.ahead_s = said["now_ns"] / 1e9 - now_s
        if not known.reachable:
            known.reachable, known.since_s = True, now_s
        known.answered_s, known.problem = now_s, ""
        for equipment, found in said["points"].items():
            for quantity, (at_ms, value, reason, hold_s) in found.items():
                key = f"{equipment} {quantity}"
                known.values[key] = _Known(at_ms, value, reason, hold_s, 1.0, 0, known.tick)
        for equipment, found in said["windows"].items():
            for quantity, (at_ms, value, good, reason, period_s, *extent) in found.items():
                hold_s = 4 * period_s + 60
                row = _Known(at_ms, value, reason, hold_s, good, period_s, known.tick, *extent)
                known.windows[f"{equipment} {quantity}"] = row
        for event in said["events"]:
            known.happened[event["id"]] = event | {"tick": known.tick}
        known.gateways, known.views = said["gateways"], said["views"]
        known.broker_up = bool(said.get("broker_up", True))
        if known.tick % 60 == 0 or len(known.happened) > MOST_EVENTS:
            _tidy(known)

    # streams

    @asynccontextmanager
    async def stream(self) -> AsyncIterator["Live"]:
        """While entered the poller runs."""
        self.streams += 1
        self._bell.set()
        try:
            yield self
        finally:
            self.streams -= 1

    async def wait_news(self, most_s: float) -> None:
        """Returns at the next answer, or failure, of the historian."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._news.wait()

    def changes(self, prefixes: tuple[str, ...], after: int) -> tuple[int, str]:
        """
        What changed since tick ``after`` of points and windows that begin so: tick, JSON or "".

        Made once for all visitors who ask the same.
        """
        known = self._known
        found = self._encoded.get(prefixes)
        if found is not None and found[:2] == (after, known.tick):
            return known.tick, found[2]
        said: dict[str, Any] = {"now_ms": round((time.time() + known.ahead_s) * 1000)}
        for name, rows in (("points", known.values), ("windows", known.windows)):
            said[name] = {
                key: [row.at_ms, row.value, row.reason, round(row.hold_s), row.good]
                for key, row in rows.items()
                if row.tick > after and asked_for(key, prefixes)
            }
        empty = not said["points"] and not said["windows"]
        text = "" if empty else json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        if len(self._encoded) > 64:
            self._encoded.clear()
        self._encoded[prefixes] = (after, known.tick, text)
        return known.tick, text

    def news(self, after: int) -> list[dict[str, Any]]:
        """Events that were heard since tick ``after``, the newest first; at most 100."""
        found = [each for each in self._known.happened.values() if each["tick"] > after]
        return sorted(found, key=lambda each: float(each["start_ms"]), reverse=True)[:100]


def asked_for(key: str, prefixes: tuple[str, ...]) -> bool:
    """Whether ``equipment quantity`` or ``quantity`` begins with one of them."""
    return key.startswith(prefixes) or key.partition(" ")[2].startswith(prefixes)


def line_state(known: Snapshot) -> str:
    """What must change before the picture of the line is drawn anew."""
    gateways = [
        [
            each["name"],
            each["online"],
            [(device["name"], device["up"], bool(device["bad"])) for device in each["devices"]],
            [bool((stream["waiting"] or 0) > 60) for stream in each["streams"].values()],
        ]
        for each in known.gateways
    ]
    views = [[view["name"], view["trouble"], view["behind"] > 600] for view in known.views]
    return json.dumps([known.reachable, known.broker_up, gateways, views])


def _tidy(known: Snapshot) -> None:
    oldest_ms = (time.time() + known.ahead_s - KEEP_S) * 1000
    for rows in (known.values, known.windows):
        for key, row in list(rows.items()):
            if row.at_ms + row.period_s * 1000 < oldest_ms:
                del rows[key]
    over = [each for each in known.happened.values() if each["end_ms"] is not None]
    over.sort(key=lambda each: float(each["start_ms"]), reverse=True)
    for each in over[MOST_EVENTS // 2 :]:
        del known.happened[each["id"]]


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    reason: object = getattr(error, "reason", error)
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason)[:200] or type(error).__name__
