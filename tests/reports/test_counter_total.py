"""What a counter counted: the register is believed, nothing is invented, unknown stays unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.periods import Period
from reports.series.counter_total import CounterTotal, counter_total
from reports.series.store import EventRecord, Windows
from reports.site import Meter

DAY = Period.parse("2026-10-05")
HOUR_NS = 3_600_000_000_000
METER = Meter("line1/ac1", "meter.energy_import")


@dataclass(frozen=True)
class Row:
    hour: int  # of the day; before midnight negative
    inc: float | None
    last: float | None
    reason: str | None = None


def windows(rows: Sequence[Row]) -> Windows:
    n = len(rows)

    def floats(values: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

    return Windows(
        meter=METER,
        start_ns=np.array([DAY.start_ns + r.hour * HOUR_NS for r in rows], dtype=np.int64),
        period_ns=np.full(n, HOUR_NS),
        mean=np.full(n, np.nan),
        low=np.full(n, np.nan),
        high=np.full(n, np.nan),
        last=floats([r.last for r in rows]),
        inc=floats([r.inc for r in rows]),
        n=np.full(n, 60),
        good=np.ones(n),
        reason=np.array([r.reason for r in rows], dtype=object),
        raw=np.full(n, None, dtype=object),
        gateway=np.full(n, "gw1", dtype=object),
        log=np.full(n, "a", dtype=object),
        seq=np.arange(1, n + 1),
    )


def steady(hours: range, kwh: float = 10.0) -> list[Row]:
    return [Row(hour, kwh, 1000 + (hour + 1) * kwh) for hour in hours]


def event(kind: str, hour: float) -> EventRecord:
    start_ns = DAY.start_ns + int(hour * HOUR_NS)
    return EventRecord(kind, METER.equipment, start_ns, start_ns, f"{kind}-{hour}", kind, None)


def total(rows: Sequence[Row], *events: EventRecord) -> CounterTotal:
    return counter_total(windows(rows), events, DAY)


def test_whole_day() -> None:
    result = total(steady(range(-3, 27)))
    assert result.total == 240
    assert result.measured_s == 86400
    assert (result.coverage, result.gaps) == (1.0, ())
    assert result.begin is not None
    assert result.end is not None
    assert (result.begin.last, result.end.last) == (1000, 1240)


def test_gap_that_the_gateway_bridged() -> None:
    """Windows 5 to 8 are bad; the window after holds the increment since 4."""
    rows = [
        Row(hour, None, None, "no_data") if 5 <= hour <= 8 else row
        for hour, row in enumerate(steady(range(24)))
    ]
    rows[9] = Row(9, 50.0, 1100, "no_data")
    result = total(rows)
    assert result.total == 240
    assert (result.measured_s, result.bridged_s) == (19 * 3600, 5 * 3600)
    (gap,) = result.gaps
    assert (gap.amount, gap.reason, gap.split) == (50, "no_data", False)


def test_gap_that_only_the_register_bridges() -> None:
    """The gateway started anew: its first increment does not reach back, the register does."""
    rows = [row for row in steady(range(24)) if not 5 <= row.hour <= 8]
    result = total(rows)
    assert result.total == 240
    assert result.bridged_s == 4 * 3600
    assert result.gaps[0].amount == 40
    unknown_first = [Row(row.hour, None, row.last) if row.hour == 9 else row for row in rows]
    assert total(unknown_first).total == 240
    assert total(unknown_first).bridged_s == 5 * 3600


@pytest.mark.parametrize("kind", ["reset", "replacement"])
def test_nothing_is_bridged_over_a_new_register(kind: str) -> None:
    rows = steady(range(5)) + [Row(hour, 10.0, (hour - 8) * 10.0) for hour in range(9, 24)]
    result = total(rows, event(kind, 7))
    assert result.total == 50 + 150
    assert result.unknown_s == 4 * 3600
    (gap,) = result.gaps
    assert gap.amount is None
    assert gap.reason == "no_windows"
    higher = steady(range(5)) + [Row(h, 10.0, 90000 + h * 10.0) for h in range(9, 24)]
    assert total(higher, event(kind, 7)).total == 200


def test_register_that_fell_without_an_event_is_unknown() -> None:
    rows = steady(range(5)) + [Row(hour, 10.0, (hour - 8) * 10.0) for hour in range(9, 24)]
    assert total(rows).total == 200
    assert total(rows).unknown_s == 4 * 3600


def test_rollover_in_a_gap_that_the_gateway_followed() -> None:
    rows = [*steady(range(5)), Row(9, 50.0, 10.0, "no_data")]
    rows += [Row(hour, 10.0, 10.0 + (hour - 9) * 10.0) for hour in range(10, 24)]
    assert total(rows, event("rollover", 9.5)).total == 240
    assert total(rows, event("rollover", 9.5)).unknown_s == 0


def test_gap_over_the_edge_is_split_by_time_and_says_so() -> None:
    rows = steady(range(-5, -2)) + steady(range(2, 24))
    result = total(rows)
    assert result.total == pytest.approx(240)
    (gap,) = result.gaps
    assert gap.split
    assert gap.amount == pytest.approx(20)
    ends = total(steady(range(22)) + steady(range(30, 31)))
    assert ends.total == pytest.approx(240)
    assert ends.gaps[0].split


def test_no_register_before_and_after_leaves_the_edges_unknown() -> None:
    result = total(steady(range(2, 22)))
    assert result.total == 200
    assert result.unknown_s == 4 * 3600
    assert [gap.amount for gap in result.gaps] == [None, None]


def test_nothing_at_all_is_not_zero() -> None:
    for rows in ([], [Row(hour, None, None, "no_data") for hour in range(24)]):
        result = total(rows)
        assert result.total is None
        assert result.coverage == 0
    assert result.gaps[0].reason == "no_data"


def test_overlapping_windows_are_not_counted_twice() -> None:
    rows = windows([*steady(range(24)), Row(23, 10, 1240)])
    rows.start_ns[-1] -= HOUR_NS // 2
    order = np.argsort(rows.start_ns, kind="stable")
    for name in ("start_ns", "inc", "last"):
        getattr(rows, name)[:] = getattr(rows, name)[order]
    assert counter_total(rows, (), DAY).total == 240


@given(
    st.lists(st.floats(0, 1e6).map(lambda v: round(v, 3)), min_size=30, max_size=30),
    st.sets(st.integers(1, 28)),
    st.booleans(),
)
def test_with_a_register_before_and_after_the_total_is_its_difference(
    incs: list[float], lost: set[int], bridging: bool
) -> None:
    """Whatever windows are lost in between, whoever bridges them, nothing is lost or doubled."""
    rows: list[Row] = []
    register, held = 5e6, 0.0
    for n, inc in enumerate(incs):
        register = round(register + inc, 3)
        held += inc
        if n in lost:
            continue
        after_gap = n - 1 in lost
        inc_shown = held if bridging and after_gap else inc
        rows.append(Row(n - 3, inc_shown, register, "no_data" if after_gap else None))
        held = 0.0
    result = total(rows)
    inner = [row for row in rows if -1 <= row.hour <= 23]
    whole = {-1, 23} <= {row.hour for row in inner}
    assert result.total is not None
    assert result.unknown_s == 0
    assert result.measured_s + result.bridged_s == 86400
    if whole:
        assert inner[0].last is not None
        assert inner[-1].last is not None
        assert result.total == pytest.approx(inner[-1].last - inner[0].last, abs=0.01)
