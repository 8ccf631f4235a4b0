"""What one data logger has said and the agent has not yet fetched; bounded, no I/O."""

import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from drivers.config import DeviceConfig, LoggerConfig
from drivers.hj212.body import read_body
from drivers.hj212.codes import DATA_PERIOD_S
from drivers.hj212.defects import Defects
from drivers.hj212.frame import Frame as Packet
from drivers.hj212.join import Joiner
from drivers.hj212.known import LOCAL_S, Known
from drivers.hj212.mapping import Mapping, Values, by_name
from drivers.hj212.places import SUMMED
from drivers.hj212.segment import Segment, moment
from drivers.language import say
from drivers.model import Frame, Group, Quality, Remark, Summary

_log = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000
MOST_SAMPLES = 20_000  # packets of real-time data that may wait for the agent
MOST_SUMMARIES = 10_000
MOST_REMARKS = 100
LOST_INTERVALS = 3  # without a packet, then the logger is lost
CLOCK_S = 30.0  # a logger is to be within this of Beijing time; further off, arrival counts
BAD_AGAIN_S = 3600.0  # packets that cannot be used are an event at most this often
MODBUS = frozenset({"crc_modbus", "crc_modbus_swapped"})


class _Odd(TypedDict):
    counts: dict[str, int]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A packet of real-time values."""

    at_ns: int
    device_ns: int
    command: str
    values: Values


@dataclass(slots=True)
class _Clock:
    """How the logger's times relate to ours, by its packets of one command."""

    newest_ns: int = 0
    device_ns: int = 0
    offset_s: float = 0.0


@dataclass(eq=False)
class Station:
    """One ``[[device]]``: its groups, what waits for them, and what was odd."""

    device: DeviceConfig
    groups: tuple[Group, ...]
    known: Known
    wall_ns: Callable[[], int]
    monotonic_s: Callable[[], float]
    counts: Counter[str] = field(default_factory=Counter)
    remarks: deque[Remark] = field(default_factory=lambda: deque(maxlen=MOST_REMARKS))
    heard_s: float | None = None  # when anything usable came last
    moment_s: float | None = None  # when real-time data came last
    logger_s: float = 0.0  # the newest instant its data spoke of, seconds UTC
    version: int = 2017
    pw: str = ""

    def __post_init__(self) -> None:
        flagless = Quality.GOOD if self.setup.flagless == "good" else Quality.UNCERTAIN
        self.mappings = {group: Mapping.of(group, flagless=flagless) for group in self.groups}
        self._moments: dict[Group, deque[_Moment]] = {
            group: deque() for group in self.groups if group.mode != "report"
        }
        self._summaries: dict[Group, deque[Summary]] = {
            group: deque() for group in self.groups if group.mode == "report"
        }
        self._clocks: dict[str, _Clock] = {}  # by command
        self._stale_told: set[Group] = set()
        self._joiner = Joiner()
        self._told: set[str] = set()
        self._bad_s = -BAD_AGAIN_S
        self._bad = 0

    @property
    def setup(self) -> LoggerConfig:
        if self.device.hj212 is None:
            raise AssertionError("checked when the device was made")
        return self.device.hj212

    @property
    def full(self) -> bool:
        """No room for more until the agent has fetched some."""
        waiting = [*self._moments.values()]
        return any(len(each) >= MOST_SAMPLES for each in waiting) or any(
            len(each) >= MOST_SUMMARIES for each in self._summaries.values()
        )

    def span_s(self, command: str) -> int:
        return 60 * self.setup.minutes if command == "2051" else DATA_PERIOD_S.get(command, 0)

    # --- packets in

    def judge(self, packet: Packet) -> bool:
        """Note what is wrong with a packet; True when what it says can be used."""
        for defect in packet.defects:
            self.counts[defect.code] += 1
            if defect.code not in self._told and len(self._told) < 500:
                self._told.add(defect.code)
                _log.warning("device %s: %s", self.device.name, defect.text)
        broken = {each.code for each in packet.defects if each.severity == "broken"}
        if "truncated" in broken:
            return False  # the connection ended in it; no answer went out, so it comes again
        if broken and not (self.setup.modbus_crc and broken <= MODBUS):
            self.unusable(next(d.text for d in packet.defects if d.severity == "broken"))
            return False
        if self.setup.pw and packet.segment.pw != self.setup.pw:
            self.counts["wrong_pw"] += 1
            told = say("密码与配置不符", "the password is not that of the config")
            self.unusable(f"PW: {told}")
            return False
        return True

    def unusable(self, why: str) -> None:
        """Data that came and cannot be taken: counted, and an event now and then."""
        self.counts["unusable"] += 1
        self._bad += 1
        now_s = self.monotonic_s()
        if now_s - self._bad_s >= BAD_AGAIN_S:
            self.remarks.append(Remark("bad_frame", self.wall_ns(), why, amount=self._bad))
            self._bad_s, self._bad = now_s, 0

    def take(self, packet: Packet) -> None:
        """A usable packet with data; parts of one are put together first."""
        now_s = self.monotonic_s()
        segment = packet.segment
        self.version, self.pw = segment.version or 2017, segment.pw
        self.heard_s = now_s
        whole = self._joiner.take(segment, now_s)
        if whole is segment:
            self._data(segment, by_name(packet.values))
        elif whole is not None:
            self._data(whole, by_name(read_body(whole, Defects())))
        for part, missing in self._joiner.late(now_s):
            self._torn(part, len(missing))

    def _torn(self, part: Segment, missing: int) -> None:
        """A packet that stayed incomplete is no data: its window is asked for again, whole."""
        when = moment(part.get("DataTime"))
        known = self.known.windows.get(part.cn, {})
        if when is not None and int(when.timestamp()) in known:
            self.counts["duplicate"] += 1  # a part of it came twice
        else:
            self.counts["parts_missing"] += missing

    def _data(self, segment: Segment, values: Values) -> None:
        if segment.cn not in DATA_PERIOD_S:
            return
        when = moment(segment.get("DataTime"))
        if when is None:
            self.counts["no_data_time"] += 1
            return
        if segment.cn in SUMMED:
            self._summed(segment, values, int(when.timestamp()))
        elif segment.cn in {"2011", "2021"}:
            self._moment(segment, values, round(when.timestamp() * SECOND_NS))

    def _moment(self, segment: Segment, values: Values, device_ns: int) -> None:
        self.moment_s = self.monotonic_s()
        if segment.rf:
            self.counts["late_real_time"] += 1
            return  # its minutes come as minutes; those of the live samples are closed
        self.logger_s = max(self.logger_s, device_ns / SECOND_NS)
        clock = self._clocks.setdefault(segment.cn, _Clock())
        at_ns = self._time_of(device_ns, clock)
        for group, waiting in self._moments.items():
            if at_ns and segment.cn in self.mappings[group].commands():
                waiting.append(_Moment(at_ns, device_ns, segment.cn, values))

    def _time_of(self, device_ns: int, clock: _Clock) -> int:
        """
        DataTime, where the logger's clock is right; 0 for a packet that is late or came twice.

        A clock that is wrong is wrong by the same amount each time: then arrival counts. What an
        outage held back comes in a burst, each packet late by another amount.
        """
        now_ns = self.wall_ns()
        if self.device.time == "gateway":
            return self._arrived(device_ns, clock, now_ns)
        offset_s = (now_ns - device_ns) / SECOND_NS
        before_s, clock.offset_s = clock.offset_s, offset_s
        at_ns = device_ns
        if abs(offset_s) > CLOCK_S:
            if abs(offset_s - before_s) > min(5.0, self.device.interval_s / 2):
                self.counts["late_real_time"] += 1
                return 0
            self.counts["clock_off"] += 1
            at_ns = max(now_ns, clock.newest_ns + 1)
        if at_ns < clock.newest_ns or device_ns == clock.device_ns:
            self.counts["late_real_time"] += 1
            return 0
        clock.newest_ns, clock.device_ns = at_ns, device_ns
        return at_ns

    def _arrived(self, device_ns: int, clock: _Clock, now_ns: int) -> int:
        """The time of arrival, by the config; 0 for a packet that came twice in a moment."""
        near_ns = self.device.interval_s * SECOND_NS / 2
        if device_ns == clock.device_ns and now_ns - clock.newest_ns < near_ns:
            self.counts["late_real_time"] += 1
            return 0
        clock.newest_ns, clock.device_ns = max(now_ns, clock.newest_ns + 1), device_ns
        return clock.newest_ns

    def _summed(self, segment: Segment, values: Values, start_s: int) -> None:
        span_s = self.span_s(segment.cn)
        off_s = (start_s + LOCAL_S) % span_s
        if off_s:
            self.counts["odd_data_time"] += 1
            start_s -= off_s
        now_s = self.monotonic_s()
        said = ";".join(f"{c}-{s}={v.text}/{v.flag}" for (c, s), v in sorted(values.items()))
        digest = hashlib.sha256(said.encode()).hexdigest()[:16]
        newest = self.known.newest(segment.cn)
        verdict = self.known.take(segment.cn, start_s, digest, now_s)
        self.logger_s = max(self.logger_s, start_s + span_s)
        if verdict == "same":
            self.counts["duplicate"] += 1
            return
        if verdict == "other":
            self._conflict(segment.cn, start_s, span_s)
        late = segment.rf or (newest is not None and start_s < newest)
        if late:
            self.counts["backfilled"] += 1
        for group, waiting in self._summaries.items():
            made = self.mappings[group].summary(
                segment.cn, values, start_ns=start_s * SECOND_NS, period_s=span_s, late=late
            )
            if made is not None:
                waiting.append(made)

    def _conflict(self, command: str, start_s: int, span_s: int) -> None:
        self.counts["conflict"] += 1
        told = say(
            f"数采仪对同一时段（CN={command}）先后给出不同的数值，两者均保留，以后者为准",
            f"the logger gave other values for a period it had reported (CN={command}); "
            "both are kept, the later counts",
        )
        start_ns = start_s * SECOND_NS
        self.remarks.append(Remark("conflict", start_ns, told, start_ns + span_s * SECOND_NS))

    # --- frames out

    def late_since(self, began_s: float) -> str:
        """Why the logger counts as lost, "" while it does not."""
        silent_s = self.monotonic_s() - max(self.heard_s or began_s, began_s)
        if silent_s <= LOST_INTERVALS * self.device.interval_s:
            return ""
        return say(
            f"数采仪 MN={self.setup.mn} 已 {silent_s:.0f} 秒没有可用报文",
            f"no usable packet from the logger MN={self.setup.mn} for {silent_s:.0f} s",
        )

    def _stale(self) -> bool:
        """The logger lives, but its real-time data stopped: said once, until they come again."""
        if self.moment_s is None:
            return False
        return self.monotonic_s() - self.moment_s > LOST_INTERVALS * self.device.interval_s

    def summed_up(self, group: Group) -> bool:
        """Windows that were acknowledged wait; they are handed over even when it fell silent."""
        return bool(self._summaries.get(group))

    def frame(self, group: Group, slot_ns: int) -> Frame:
        """Everything that waits for the group."""
        if group.mode == "report":
            return self._report(group, slot_ns)
        waiting = self._moments[group]
        index: list[int] = []
        times: list[int] = []
        device: list[int] = []
        values: list[float] = []
        quality: list[int] = []
        while waiting:
            each = waiting.popleft()
            for sample in self.mappings[group].samples(each.command, each.values):
                index.append(sample.at)
                times.append(each.at_ns)
                device.append(each.device_ns)
                values.append(sample.value)
                quality.append(sample.quality)
        if not index and self._stale() and group not in self._stale_told:
            self._stale_told.add(group)
            index = list(range(len(group.points)))
            times, device = [slot_ns] * len(index), [0] * len(index)
            values = [np.nan] * len(index)
            quality = [Quality.NOT_AVAILABLE] * len(index)
        elif index:
            self._stale_told.discard(group)
        order = np.argsort(np.array(times, dtype=np.int64), kind="stable")
        return Frame(
            group=group,
            slot_ns=slot_ns,
            read_ns=self.wall_ns(),
            values=np.array(values, dtype=np.float64)[order],
            quality=np.array(quality, dtype=np.uint8)[order],
            index=np.array(index, dtype=np.int64)[order],
            times_ns=np.array(times, dtype=np.int64)[order],
            device_ns=np.array(device, dtype=np.int64)[order],
            complete_ns=self._complete_ns(group, slot_ns),
            **self._odd(),
        )

    def _complete_ns(self, group: Group, slot_ns: int) -> int:
        """Up to its newest packet the logger has said everything."""
        newest_ns = max((clock.newest_ns for clock in self._clocks.values()), default=0)
        return newest_ns or slot_ns - round(group.interval_s * SECOND_NS)

    def _report(self, group: Group, slot_ns: int) -> Frame:
        waiting = self._summaries[group]
        summaries = tuple(waiting)
        waiting.clear()
        return Frame(
            group=group,
            slot_ns=slot_ns,
            read_ns=self.wall_ns(),
            values=np.empty(0),
            quality=np.empty(0, dtype=np.uint8),
            index=np.empty(0, dtype=np.int64),
            times_ns=np.empty(0, dtype=np.int64),
            summaries=summaries,
            **self._odd(),
        )

    def lost(self, group: Group, slot_ns: int, why: str) -> Frame:
        """Every point of the group has no data from here on."""
        missing = Frame.missing(group, slot_ns, self.wall_ns(), Quality.NO_DATA, why)
        return Frame(
            group=group,
            slot_ns=slot_ns,
            read_ns=missing.read_ns,
            values=missing.values,
            quality=missing.quality,
            reason=why,
            **self._odd(),
        )

    def _odd(self) -> _Odd:
        counts, remarks = dict(self.counts), tuple(self.remarks)
        self.counts.clear()
        self.remarks.clear()
        return {"counts": counts, "remarks": remarks}
