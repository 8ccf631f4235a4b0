"""Asks a logger for the minutes, hours and days that are missing: one question at a time."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from drivers.hj212.gate import question
from drivers.hj212.known import runs
from drivers.hj212.places import SUMMED
from drivers.hj212.segment import Segment
from drivers.hj212.station import SECOND_NS, Station
from drivers.language import say
from drivers.model import Remark

_log = logging.getLogger(__name__)

MOST_PERIODS = 60  # asked for at once
READY, DONE, NO_DATA = "1", "1", "100"
PATIENCE_2025 = 5  # a logger of 2025 backfills by itself: give it so much longer
Send = Callable[[Segment], Awaitable[bool]]


class Asker:
    """The questions of one station. ``send`` is False when it is not connected."""

    def __init__(self, station: Station, send: Send) -> None:
        self._station, self._send = station, send
        self._answers: asyncio.Queue[Segment] = asyncio.Queue(100)
        self._tries: Counter[tuple[str, int]] = Counter()
        self._rest_until_s = 0.0
        self._qn_ms = 0

    def answered(self, segment: Segment) -> None:
        """9011 and 9012 of the logger, and data that shows it is still at work."""
        if not self._answers.full():
            self._answers.put_nowait(segment)

    async def step(self) -> None:
        """Ask the next question, if there is one; returns when it is settled."""
        station = self._station
        now_s = station.monotonic_s()
        if not station.setup.history_h or now_s < self._rest_until_s or station.heard_s is None:
            return
        for command in sorted(station.known.windows.keys() & SUMMED):
            for first_s, last_s in self._gaps(command):
                if not await self._ask(command, first_s, last_s):
                    self._rest_until_s = station.monotonic_s() + self._pause_s()
                    return

    def _pause_s(self) -> float:
        return max(1.0, 2 * self._station.device.interval_s)

    def _gaps(self, command: str) -> list[tuple[int, int]]:
        station = self._station
        span_s = station.span_s(command)
        patience = PATIENCE_2025 if station.version == 2025 else 1
        upto_s = station.logger_s - patience * self._pause_s()
        back_s = station.setup.history_h * 3600
        missing = station.known.missing(command, span_s, back_s=back_s, upto_s=upto_s)
        return runs(missing, span_s, MOST_PERIODS)[::-1]  # the newest first

    async def _ask(self, command: str, first_s: int, last_s: int) -> bool:
        """True when the question was settled, well or not; False: no use asking on now."""
        station = self._station
        span_s = station.span_s(command)
        wanted = range(first_s, last_s + 1, span_s)
        outcome = await self._exchange(command, first_s, last_s)
        if outcome == "gone":
            return False
        station.counts[f"history_{outcome}"] += 1
        here = station.known.windows.get(command, {})
        missing = [start for start in wanted if start not in here]
        for start in missing:
            self._tries[command, start] += 1
        given_up = [s for s in missing if self._tries[command, s] > station.setup.retries]
        if outcome == "none":
            given_up = missing
        if given_up:
            self._give_up(command, given_up, span_s, outcome)
        return not missing or bool(given_up)

    def _give_up(self, command: str, starts: list[int], span_s: int, outcome: str) -> None:
        station = self._station
        station.known.give_up(command, starts)
        for start in starts:
            self._tries.pop((command, start), None)
        zh, en = _OUTCOMES[outcome]
        for first, last in runs(starts, span_s, len(starts)):
            count = (last - first) // span_s + 1
            told = say(
                f"缺 {count} 个时段的数据（CN={command}），已向数采仪补取：{zh}",
                f"{count} periods are missing (CN={command}); the logger was asked: {en}",
            )
            end_ns = (last + span_s) * SECOND_NS
            station.remarks.append(Remark("cems_gap", first * SECOND_NS, told, end_ns, count))
            _log.warning("device %s: %s", station.device.name, told)

    async def _exchange(self, command: str, first_s: int, last_s: int) -> str:
        """Filled | none | refused | failed | silent | gone"""
        station = self._station
        setup = station.setup
        segment = question(
            command,
            first_s,
            last_s,
            mn=setup.mn,
            pw=setup.pw or station.pw,
            version=station.version,
            qn=self._now(),
        )
        while not self._answers.empty():
            self._answers.get_nowait()
        for _ in range(setup.retries + 1):
            if not await self._send(segment):
                return "gone"
            ready = await self._await("9011", segment.qn, station.device.timeout_s)
            if ready is not None:
                break
        else:
            return "silent"
        if ready.get("QnRtn") != READY:
            _log.warning("device %s refuses history: %s", station.device.name, ready.cp_text)
            return "refused"
        done = await self._await("9012", segment.qn, setup.execution_s, command)
        if done is None:
            return "failed"
        result = done.get("ExeRtn")
        return "filled" if result == DONE else "none" if result == NO_DATA else "failed"

    async def _await(
        self, command: str, qn: str, timeout_s: float, data: str = ""
    ) -> Segment | None:
        """The answer with that QN; each packet of the command ``data`` begins the wait anew."""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                async with asyncio.timeout(end_s - time.monotonic()):
                    segment = await self._answers.get()
            except TimeoutError:
                return None
            if segment.cn == data:
                end_s = time.monotonic() + timeout_s
            if segment.cn == command and segment.qn == qn:
                return segment

    def _now(self) -> datetime:
        """Rising by a millisecond at least: a QN names its request."""
        self._qn_ms = max(self._qn_ms + 1, self._station.wall_ns() // 1_000_000)
        return datetime.fromtimestamp(self._qn_ms / 1000, UTC)


_OUTCOMES = {
    "filled": ("应答完成，但仍缺数据", "it said done, but did not send all"),
    "none": ("无数据", "it has no data"),
    "refused": ("拒绝", "it refuses"),
    "failed": ("执行失败或超时", "it failed or took too long"),
    "silent": ("不应答", "it does not answer"),
}
