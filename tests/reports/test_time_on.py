"""For how long a flag was set: the sums of the lake are those of the windows written by hand."""

from pathlib import Path

import pytest

from reports.periods import Period
from reports.series.lake import open_lake
from tests.reports import effects
from tests.reports.plant import MINUTE_NS

FLAG = "pot.anode_effect"
DAYS = Period(Period.parse("2026-10-05").first, Period.parse("2026-10-07").first)
SECOND = DAYS.start_ns + 1440 * MINUTE_NS


def test_seconds_set_and_known_by_pot_and_plant_day(tmp_path: Path) -> None:
    """
    pot001 is in effect for 60 s + 15 s on the first day; pot002 for 0.5 of a minute of which 0.4
    was known, so 0.5 * 24 s = 12 s; its second day has one minute without any value.
    """
    pots = ["line1/pot001", "line1/pot002", "line2/pot001"]
    flags = [
        flag
        for flag in effects.quiet_but(
            pots, DAYS, {("line1/pot001", 10): 1.0, ("line1/pot001", 11): 0.25}
        )
        if flag[:2] not in {(pots[1], DAYS.start_ns), (pots[1], SECOND)}
    ]
    flags += [(pots[1], DAYS.start_ns, 0.5, 0.4), (pots[1], SECOND, None, 0.0)]
    effects.write_flags(tmp_path, iter(flags))
    with open_lake("demo", tmp_path) as lake:
        found = lake.time_on(FLAG, DAYS)
        assert lake.time_on("pot.link", DAYS) == []
        assert lake.time_on(FLAG, Period.month(2020, 1)) == []
    assert [(str(t.day), t.equipment) for t in found] == [
        (f"2026-10-{day:02d}", pot) for day in (5, 6) for pot in pots
    ]
    assert [t.on_s for t in found] == pytest.approx([75, 12, 0, 0, 0, 0])
    assert [t.good_s for t in found] == pytest.approx(
        [86400, 86400 - 36, 86400, 86400, 86400 - 60, 86400]
    )


def test_a_window_that_came_twice_counts_once_by_its_later_batch(tmp_path: Path) -> None:
    day = Period.parse("2026-10-05")
    effects.write_flags(tmp_path, effects.quiet_but(["line1/pot001"], day, {}))
    last = day.end_ns - MINUTE_NS  # in its log's batch 24; the other log's only batch is number 1
    effects.write_flags(tmp_path, iter([("line1/pot001", last, 1.0, 1.0)]), effects.AGAIN)
    with open_lake("demo", tmp_path) as lake:
        (found,) = lake.time_on(FLAG, day)
        assert (found.on_s, found.good_s) == (0.0, 86400.0)
