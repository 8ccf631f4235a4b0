"""What a report must say about the gateway's clock: unsynced stretches, and what was re-timed."""

from datetime import UTC, datetime, timedelta

from reports.basis import Basis
from reports.model import Doubt
from reports.periods import PLANT_TIME, Period
from reports.series.store import EventRecord
from reports.values import Text

LINE = "clock"  # what the doubts are about
DAY = timedelta(days=1)


def clock_doubts(basis: Basis) -> tuple[Doubt, ...]:
    """One doubt for re-timed data, one for stretches whose true time nobody knows."""
    period = basis.period
    known = Period(period.first, period.after + DAY)  # told when the clock was right again
    retimed = basis.series.happened("retimed", known)
    unsynced = basis.series.happened("clock_unsynced", period)
    found = []
    if retimed:
        most = max((event.amount or 0.0 for event in retimed), key=abs)
        when = _day_and_time(retimed[0].start_ns)
        found.append(
            Text(
                zh=f"{len(retimed)} 段数据是网关未对时期间记录的，已按单调时钟改正时间"
                f"（最大改正 {most:+.1f} 秒，首次对时 {when}）；原始时间未改动",
                en="data recorded before the gateway's clock was set is re-timed along its "
                f"monotonic clock (stretches: {len(retimed)}, by {most:+.1f} s at most, clock "
                f"first set {when}); the original stamps are unchanged",
            )
        )
    lasting = [event for event in unsynced if not _explained(event, retimed)]
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


def _explained(event: EventRecord, retimed: list[EventRecord]) -> bool:
    """It ended when the clock was set, and what was stamped meanwhile was moved."""
    return event.end_ns is not None and any(
        abs(each.start_ns - event.end_ns) < 10**9 for each in retimed
    )


def _day_and_time(ns: int) -> str:
    at = datetime.fromtimestamp(ns // 10**9, UTC).astimezone(PLANT_TIME)
    return f"{at:%Y-%m-%d %H:%M}"
