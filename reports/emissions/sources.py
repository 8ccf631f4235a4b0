"""The points that the hours of a stack stand on, and the batches that hold them."""

from collections.abc import Sequence
from decimal import Decimal

from drivers.quantities import quantities
from reports.citations import BatchUse, MeterUse
from reports.emissions.states import StackHours
from reports.series.minutes import Written, joined
from reports.site import Meter


def sources_of(hours: StackHours, part: str = "") -> tuple[MeterUse, ...]:
    """
    Points that have windows in the months of the period, in the order of their names.

    ``part`` names a month inside a longer report: its points are told from those of the whole.
    """
    by_point: dict[Meter, list[Written]] = {}
    covered: dict[Meter, int] = {}
    for _, found in hours.written:
        for point, seconds in {each.point: each.covered_s for each in found}.items():
            covered[point] = covered.get(point, 0) + seconds
    for each in joined([each for _, found in hours.written for each in found]):
        by_point.setdefault(each.point, []).append(each)
    seconds = sum(month.hours for month, _ in hours.written) * 3600
    return tuple(
        _source(point, by_point[point], (covered[point], seconds), part)
        for point in sorted(by_point)
    )


def _source(point: Meter, written: Sequence[Written], of: tuple[int, int], part: str) -> MeterUse:
    measured_s, seconds = of
    return MeterUse(
        id=f"{point}@{part}" if part else str(point),
        equipment=point.equipment,
        quantity=point.quantity,
        unit=quantities()[point.quantity].unit.value,
        total=None,
        period_s=seconds,
        measured_s=Decimal(measured_s),
        bridged_s=Decimal(0),
        unknown_s=Decimal(seconds - measured_s),
        windows=sum(each.windows for each in written),
        doubles=0,
        conflicts=0,
        begin=None,
        end=None,
        gaps=(),
        more_gaps=0,
        events=(),
        batches=tuple(
            BatchUse(
                gateway=each.gateway,
                log=each.log,
                first_seq=each.first_seq,
                last_seq=each.last_seq,
                batches=each.batches,
                windows=each.windows,
            )
            for each in written
            if each.log
        ),
    )
