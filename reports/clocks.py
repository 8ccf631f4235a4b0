"""What a report must say about the gateway's clock: unsynced stretches, and what was re-timed."""

from datetime import UTC, datetime
from typing import Final

from reports.basis import Basis
from reports.model import Doubt
from reports.periods import PLANT_TIME
from reports.series.retimed import EDGE_US, Retiming
from reports.series.store import EventRecord
from reports.values import Text

LINE: Final = "clock"  # what the doubts are about


def clock_doubts(basis: Basis) -> tuple[Doubt, ...]:
    """
    A doubt for re-timed data, one for stretches whose true time nobody knows.

    One more for stretches that the store holds at their old stamps.
    """
    period = basis.period
    known = basis.series.retimed(period)  # by true time, whenever it became known
    unsynced = basis.series.happened("clock_unsynced", period)
    found = []
    moved = [each for each in known if each.applied]
    if moved:
        most = max((_shift_s(each) for each in moved), key=abs)
        when = _day_and_time(min(each.touched_us[1] for each in moved) * 1000)
        found.append(
            Text(
                zh=f"{len(moved)} 段数据是网关未对时期间记录的，已按单调时钟改正时间"
                f"（最大改正 {most:+.1f} 秒，首次对时 {when}）；原始时间未改动",
                en="data recorded before the gateway's clock was set is re-timed along its "
                f"monotonic clock (stretches: {len(moved)}, by {most:+.1f} s at most, clock "
                f"first set {when}); the original stamps are unchanged",
            )
        )
    still = [each for each in known if not each.applied]
    if still:
        most = max(map(_shift_s, still), key=abs)
        found.append(
            Text(
                zh=f"{len(still)} 段数据的时间有误（最大 {most:+.1f} 秒）但未改正：同时有多台网关，"
                "InfluxDB 不记录数据来自哪台网关；请改用数据湖（lake）出具报告",
                en=f"{len(still)} stretches of data stand at wrong times (by {most:+.1f} s at "
                "most): several gateways wrote at once and InfluxDB does not say whose a row is; "
                "make the report from the lake",
            )
        )
    lasting = [event for event in unsynced if not _explained(event, known)]
    if lasting:
        when = _day_and_time(lasting[0].start_ns)
        found.append(
            Text(
                zh=f"网关时钟 {len(lasting)} 次未同步（首次 {when}），这些数据的时间无法核实",
                en=f"the gateway's clock was not synchronised (times: {len(lasting)}, first "
                f"{when}); the times of that data cannot be confirmed",
            )
        )
    return tuple(Doubt(line=LINE, text=text) for text in found)


def _shift_s(each: Retiming) -> float:
    return each.shift_us / 1e6


def _explained(event: EventRecord, known: list[Retiming]) -> bool:
    """It ended, and what was stamped since it began was moved, or is told as not moved."""
    at_us = event.start_ns // 1000
    return event.end_ns is not None and any(
        each.touched_us[0] <= at_us <= each.touched_us[1] + EDGE_US
        or (not each.applied and each.claims(event.start_ns))
        for each in known
    )


def _day_and_time(ns: int) -> str:
    at = datetime.fromtimestamp(ns // 10**9, UTC).astimezone(PLANT_TIME)
    return f"{at:%Y-%m-%d %H:%M}"
