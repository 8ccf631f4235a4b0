"""A store asked through a memory answers as it does itself, and is asked less often."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from reports.periods import Period
from reports.series.counter_total import EDGE_NS
from reports.series.lake import open_lake
from reports.series.remembered import ARRAYS, Remembered
from reports.series.store import Series, Table
from reports.site import Meter
from tests.reports import plant
from tests.reports.conftest import Built

METERS = [Meter(f"line1/{unit}", "meter.energy_import") for unit in ("ac1", "ac2", "aux1")]
DAYS = [Period.parse(f"2026-10-{day:02d}") for day in (3, 4, 10, 31)]


@dataclass
class Counted:
    """Counts what is asked of a store."""

    series: Series
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        return getattr(self.series, name)


@pytest.fixture
def lake(built: Built) -> Iterator[Series]:
    with open_lake("demo", built.root / "lake") as series:
        yield series


def test_it_says_the_same_and_asks_once(lake: Series) -> None:
    counted = Counted(lake)
    memory = Remembered(counted, plant.OCTOBER.after)  # type: ignore[arg-type]
    for meter in METERS:
        for day in DAYS:
            span = (day.start_ns - EDGE_NS, day.end_ns + EDGE_NS)
            own, kept = lake.windows(meter, *span), memory.windows(meter, *span)
            assert len(own) > 0
            for name in ARRAYS:
                one, other = getattr(own, name), getattr(kept, name)
                if one.dtype == object:
                    assert one.tolist() == other.tolist()
                else:
                    np.testing.assert_array_equal(one, other)
    assert counted.asked == ["windows"] * len(METERS)
    for day in DAYS:
        same(memory.hourly(METERS, day), lake.hourly(METERS, day))
    assert counted.asked.count("hourly") == 1


def test_an_earlier_day_is_asked_for_anew(lake: Series) -> None:
    memory = Remembered(lake, plant.OCTOBER.after)
    late, early = DAYS[-1], DAYS[0]
    assert memory.hourly(METERS, late).num_rows > 0
    same(memory.hourly(METERS, early), lake.hourly(METERS, early))


def test_sums_come_out_the_same_to_the_last_digit_each_time(lake: Series) -> None:
    first = lake.hourly(METERS, plant.OCTOBER)
    assert all(lake.hourly(METERS, plant.OCTOBER).equals(first) for _ in range(3))


def same(one: Table, other: Table) -> None:
    """The same hours; sums over more days may differ in the last digit."""
    assert one.num_rows == other.num_rows > 0
    for row, wanted in zip(one.to_pylist(), other.to_pylist(), strict=True):
        assert row == pytest.approx(wanted)
