"""A CEMS data logger that reports by HJ 212 to up to four platforms and answers their requests."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from simulators.cems_data import DAY_S, HOUR_S, LOCAL_S, Analyser, moment, summed
from simulators.counting import heard
from simulators.faults import Faults
from simulators.hj212 import Packet, data, parts, seconds, stamp
from simulators.hj212_link import Link

_log = logging.getLogger(__name__)

MOST_PLATFORMS = 4
MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
REAL_TIME, STATE, MINUTE, HOUR, DAY, RUN_TIME = "2011", "2021", "2051", "2061", "2031", "2041"
READING = {REAL_TIME, STATE, MINUTE, HOUR, DAY, RUN_TIME, "1011", "1061", "1063"}
ANSWERS = {"9011", "9012", "9013", "9014"}
SETTING = {"1012", "1062", "1064", "1072", "3011", "3012", "3013", "3014", "3015", "3016"}


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the logger reports to, and as whom."""

    host: str
    port: int
    mn: str = "010000A8900016F000169DC0"
    pw: str = "123456"
    version: int = 2017
    wants_answers: bool = True
    key: bytes = b""  # SM4, 2025 only

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """From ``HOST:PORT``, or with ``/2025`` behind it."""
        address, _, version = text.partition("/")
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or version not in {"", "2017", "2025"}:
            raise ValueError(f"{text!r}: write HOST:PORT or HOST:PORT/2025")
        return cls(host, int(port), version=int(version or 2017))


@dataclass
class Settings:
    """What a platform may ask for and, on a real logger, set."""

    real_time_s: int = 30
    minutes: int = 1
    answer_s: float = 5.0
    tries: int = 3
    states: bool = True

    def __post_init__(self) -> None:
        if self.minutes not in MINUTES:
            raise ValueError(f"minute interval {self.minutes}: one of {MINUTES}")
        if not 1 <= self.real_time_s <= 3600:
            raise ValueError(f"real-time interval {self.real_time_s} s: 1 to 3600")


@dataclass
class Seen:
    """What happened, over all platforms."""

    sent: Counter[str] = field(default_factory=Counter)  # by CN
    answered: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    controls: int = 0  # requests that would set or calibrate something
    unanswered: int = 0
    connections: int = 0


class CemsLogger:
    """
    Reports while entered. ``clock`` gives the logger's own time, seconds UTC.

    Every number it ever sends can be asked of ``analyser`` again: that is the truth for tests.
    ``unplug`` and ``plug`` cut and restore the network; what falls due meanwhile is stored.
    """

    def __init__(
        self,
        platforms: list[Platform],
        *,
        analyser: Analyser | None = None,
        settings: Settings | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
        name: str = "cems",
    ) -> None:
        if not 1 <= len(platforms) <= MOST_PLATFORMS:
            raise ValueError(f"{len(platforms)} platforms: a logger reports to 1 to 4")
        self.analyser = analyser or Analyser()
        self.settings = settings or Settings()
        self.faults = faults or Faults()
        self.clock = clock
        self.name = name
        self.seen = Seen()
        self.plugged = asyncio.Event()
        self.plugged.set()
        self.reporters = [Reporter(self, platform) for platform in platforms]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(each.run()) for each in self.reporters]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def unplug(self) -> None:
        self.plugged.clear()
        for each in self.reporters:
            each.cut()

    def plug(self) -> None:
        self.plugged.set()

    def cp(self, cn: str, start_s: float) -> str:
        """The data of a packet, exactly as it is sent."""
        if cn == REAL_TIME:
            return data(start_s, moment(self.analyser.now(start_s)))
        if cn == STATE:
            return data(start_s, {"SB1": {"RS": "1"}, "SB2": {"RS": "1"}})
        if cn == RUN_TIME:
            return data(start_s, {"SB1": {"RT": "24"}, "SB2": {"RT": "24"}})
        return data(start_s, summed(self.analyser.period(start_s, self.period_s(cn))))

    def period_s(self, cn: str) -> int:
        """0 for moments."""
        spans = {MINUTE: 60 * self.settings.minutes, HOUR: HOUR_S, DAY: DAY_S, RUN_TIME: DAY_S}
        return spans.get(cn, 0)

    def starts(self, cn: str, begin_s: float, end_s: float) -> list[float]:
        """Starts of the periods in [begin, end] that are over by now."""
        span = self.period_s(cn) or self.settings.real_time_s
        first = -(-(begin_s + LOCAL_S) // span) * span - LOCAL_S
        found = []
        while first <= end_s and first + self.period_s(cn) <= self.clock():
            found.append(first)
            first += span
        return found


class Reporter:
    """The task that talks to one platform: what is due, what was missed, what it asks."""

    def __init__(self, logger: CemsLogger, platform: Platform) -> None:
        self.logger, self.platform = logger, platform
        self.missed: list[tuple[str, float]] = []  # (CN, start): fell due without a connection
        self._link: Link | None = None
        self._next: dict[str, float] = {}
        self._qn_ms = 0

    def cut(self) -> None:
        if self._link is not None:
            self._link.close()

    async def run(self) -> None:
        now = self.logger.clock()
        for cn in (
            REAL_TIME,
            MINUTE,
            HOUR,
            DAY,
            *((STATE,) if self.logger.settings.states else ()),
        ):
            span = self.logger.period_s(cn) or self.logger.settings.real_time_s
            self._next[cn] = (now + LOCAL_S) // span * span - LOCAL_S + (0 if span >= 60 else span)
        while True:
            await self.logger.plugged.wait()
            try:
                await self._session()
            except (OSError, EOFError, TimeoutError) as error:
                _log.info("%s: connection over: %s", self.logger.name, error)
            await asyncio.sleep(0.2)

    async def _session(self) -> None:
        platform = self.platform
        reader, writer = await asyncio.open_connection(platform.host, platform.port)
        self.logger.seen.connections += 1
        self._link = Link(reader, writer, self.logger.faults, self.logger.name, platform.key)
        requests: asyncio.Queue[Packet] = asyncio.Queue(100)
        listening = asyncio.create_task(self._link.listen(ANSWERS, requests))
        self._miss_due()
        try:
            while not listening.done():
                while not requests.empty():
                    await self._answer(requests.get_nowait())
                await self._due()
                await self._backfill()
                await asyncio.sleep(0.02)
            listening.result()
        finally:
            self._miss_due()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._link.close()

    # --- what it reports by itself

    def _falling_due(self) -> list[tuple[str, float]]:
        now, found = self.logger.clock(), []
        for cn, start_s in self._next.items():
            span = self.logger.period_s(cn)
            step = span or self.logger.settings.real_time_s
            at = start_s
            while at + span <= now:
                found.append((cn, at))
                at += step
            self._next[cn] = at
        return sorted(found, key=lambda each: each[1] + self.logger.period_s(each[0]))

    async def _due(self) -> None:
        due = self._falling_due()
        if self.missed and len(due) > 10 and self.platform.version == 2017:
            due = due[-10:]
        for k, (cn, start_s) in enumerate(due):
            try:
                await self._report(cn, start_s)
            except BaseException:
                self._remember(due[k:])
                raise

    def _miss_due(self) -> None:
        self._remember(self._falling_due())

    def _remember(self, due: list[tuple[str, float]]) -> None:
        self.missed += [each for each in due if each[0] not in {REAL_TIME, STATE}]

    async def _backfill(self) -> None:
        """2025: by itself, newest first, with RF; the burst fault: oldest first and without."""
        if not self.missed:
            return
        self._remember(self._falling_due())
        burst = self.logger.faults.hits("burst", self.logger.name)
        if self.platform.version != 2025 and not burst:
            self.missed.clear()  # 2017: the platform asks for what it misses
            return
        while self.missed:
            cn, start_s = self.missed[0] if burst else self.missed[-1]
            await self._report(cn, start_s, rf="" if burst else "1")
            self.missed.remove((cn, start_s))
            if not burst:
                return  # new data first

    async def _report(self, cn: str, start_s: float, rf: str = "") -> None:
        for packet in parts(self._packet(cn, self.logger.cp(cn, start_s), rf=rf)):
            await self._deliver(packet)

    async def _deliver(self, packet: Packet) -> None:
        link = self._linked
        self.logger.seen.sent[packet.cn] += 1
        for _ in range(self.logger.settings.tries):
            await link.send(packet)
            if not packet.wants_answer:
                return
            if await link.answer(packet.qn, {"9014"}, self.logger.settings.answer_s) is not None:
                self.logger.seen.answered[packet.cn] += 1
                return
        self.logger.seen.unanswered += 1
        raise TimeoutError(f"no answer to {packet.cn} {packet.qn}")

    @property
    def _linked(self) -> Link:
        if self._link is None:
            raise EOFError("not connected")
        return self._link

    def _packet(self, cn: str, cp: str, *, st: str = "31", qn: str = "", rf: str = "") -> Packet:
        platform = self.platform
        base = 8 if platform.version == 2025 else 4
        if not qn:
            self._qn_ms = max(self._qn_ms + 20, round(self.logger.clock() * 1000))
            qn = stamp(self._qn_ms / 1000, milliseconds=True)
        wants = platform.wants_answers and st == "31"
        return Packet(
            cn, cp, qn, st, platform.pw, platform.mn, base | wants, rf=rf if base == 8 else ""
        )

    # --- what it is asked

    async def _answer(self, request: Packet) -> None:
        seen = self.logger.seen
        seen.requests[request.cn] += 1
        controls = request.cn not in READING
        seen.controls += controls
        heard("hj212", request.cn, writes=controls)
        if self.logger.faults.hits("deaf", self.logger.name):
            return
        verdict = self._verdict(request)
        await self._say("9011", request.qn, f"QnRtn={verdict}")
        if verdict != 1:
            return
        done = await self._execute(request)
        await self._say("9012", request.qn, f"ExeRtn={done}")

    def _verdict(self, request: Packet) -> int:
        """9011: 1 ready, 3 password, 4 MN, 8 unknown command, 9 CRC."""
        if not request.known:
            return 9
        if request.pw != self.platform.pw:
            return 3
        if request.mn != self.platform.mn:
            return 4
        return 1 if request.cn in READING | SETTING else 8

    async def _execute(self, request: Packet) -> int:
        """9012: 1 done, 100 no data."""
        settings = self.logger.settings
        asked = request.values()
        told = {
            "1011": f"SystemTime={stamp(self.logger.clock())}",
            "1061": f"RtdInterval={settings.real_time_s}",
            "1063": f"MinInterval={settings.minutes}",
        }.get(request.cn)
        if told is not None:
            await self._say(request.cn, request.qn, told, st="31")
            return 1
        if request.cn in {MINUTE, HOUR, DAY, RUN_TIME} and "BeginTime" in asked:
            begin, end = seconds(asked["BeginTime"]), seconds(asked["EndTime"])
            starts = self.logger.starts(request.cn, begin, end)
            for start_s in starts:
                cp = self.logger.cp(request.cn, start_s)
                packet = self._packet(request.cn, cp, qn=request.qn)
                pieces = parts(replace(packet, flag=packet.flag & ~1))
                for part in pieces:
                    self.logger.seen.sent[f"{request.cn} history"] += 1
                    await self._linked.send(part)
            return 1 if starts else 100
        return 1

    async def _say(self, cn: str, qn: str, cp: str, st: str = "91") -> None:
        """An answer: the QN of the request again, no answer to it wanted."""
        packet = self._packet(cn, cp, st=st, qn=qn)
        await self._linked.send(replace(packet, flag=packet.flag & ~1))
