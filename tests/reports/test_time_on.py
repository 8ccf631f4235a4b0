"""For how long a flag was set: the sums of the lake are those of the windows written by hand."""

from pathlib import Path

import pytest

from reports.periods import Period
from reports.series.influx import InfluxSeries
from reports.series.lake import open_lake
from reports.site import Influx
from tests import servers
from tests.reports import effects
from tests.reports.plant import MINUTE_NS
from tests.reports.test_series import post, url_of

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


def test_influx_says_the_same_as_the_lake(tmp_path: Path, influxd: servers.Server) -> None:
    """Two pots, a day of minutes, one silent minute; a third pot came as two hours."""
    day = Period.parse("2026-10-05")
    pots = ["line1/pot001", "line1/pot002"]
    flags = list(effects.quiet_but(pots, day, {(pots[0], 600): 0.75, (pots[1], 7): 0.5}))
    flags[100] = (*flags[100][:2], None, 0.0)
    flags[200] = (*flags[200][:2], 0.25, 0.5)
    effects.write_flags(tmp_path, iter(flags))
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    lines = [effects.flag_line(flag) for flag in flags]
    post(influxd, "/write?db=smelter&precision=ns", "\n".join(lines).encode())
    influx = InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter"))
    with open_lake("demo", tmp_path) as lake:
        both = [store.time_on(FLAG, day) for store in (influx, lake)]
    for one, other in zip(*both, strict=True):
        assert (one.day, one.equipment) == (other.day, other.equipment)
        assert (one.on_s, one.good_s) == pytest.approx((other.on_s, other.good_s))
    assert influx.time_on(FLAG, Period.month(2020, 1)) == []
    hours = [line.replace("pot_1m", "pot_1h").replace("pot001", "pot003") for line in lines[:48:24]]
    post(influxd, "/write?db=smelter&precision=ns", "\n".join(hours).encode())
    (third,) = (t for t in influx.time_on(FLAG, day) if t.equipment == "line1/pot003")
    assert (third.on_s, third.good_s) == (0.0, 7200.0)
