"""Envelopes: the hourly layer and what is summed up on the way say what every window says."""

import itertools
import math
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.quantities import quantities
from reports.periods import Period
from reports.series.envelope import (
    LADDER,
    MOST,
    Envelope,
    Pieces,
    bucket_for,
    envelope,
    floor_to,
    form_of,
    typical_s,
)
from reports.series.envelope_influx import InfluxExplorer
from reports.series.envelope_lake import LakeExplorer
from reports.series.influx import InfluxSeries
from reports.series.lake import open_lake
from reports.site import Influx, Meter
from tests import servers
from tests.reports import plant
from tests.reports.conftest import Built
from tests.reports.test_series import post, url_of

DAY = date(2026, 3, 5)
START_S = Period(DAY, DAY + timedelta(days=1)).start_ns // 10**9
HOUR_S, DAY_S = 3600, 86_400
VOLTS = Meter("line1/pot001", "pot.voltage")
ENERGY = Meter("line1/ac1", "meter.energy_import")


@dataclass(frozen=True)
class Window:
    """A row of the lake; ``second`` counts from the start of DAY."""

    point: Meter
    second: int
    period_s: int = 60
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    inc: float | None = None
    good: float = 1.0
    reason: str | None = None
    seq: int = 1

    @property
    def day(self) -> date:
        return DAY + timedelta(seconds=self.second)


def write(root: Path, rows: list[Window], name: str = "a") -> None:
    """Files as the historian leaves them, sorted, one for each plant day."""
    by_day: dict[date, list[Window]] = {}
    for row in rows:
        by_day.setdefault(DAY + timedelta(days=row.second // DAY_S), []).append(row)
    for day, mine in by_day.items():
        mine.sort(key=lambda row: (row.point.equipment, row.point.quantity, row.second))
        folder = root / "windows" / "plant=demo" / f"day={day}"
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"raw": None, "gateway": "gw1", "log": "3f9a000000000001"}
        table = pa.table(
            {
                "ts": pa.array(
                    [(START_S + row.second) * 10**6 for row in mine], pa.timestamp("us", "UTC")
                ),
                "period_s": pa.array([row.period_s for row in mine], pa.int32()),
                "equipment": [row.point.equipment for row in mine],
                "quantity": [row.point.quantity for row in mine],
                "mean": pa.array([row.mean for row in mine], pa.float64()),
                "min": pa.array([row.low for row in mine], pa.float64()),
                "max": pa.array([row.high for row in mine], pa.float64()),
                "last": pa.array([row.mean for row in mine], pa.float64()),
                "inc": pa.array([row.inc for row in mine], pa.float64()),
                "n": pa.array([6] * len(mine), pa.int32()),
                "good": [row.good for row in mine],
                "q": pa.array([row.reason for row in mine], pa.string()),
                **{key: pa.array([value] * len(mine), pa.string()) for key, value in texts.items()},
                "seq": pa.array([row.seq for row in mine], pa.int64()),
            }
        )
        pq.write_table(table, folder / f"{name}.parquet")


def counting(rows: list[Window], point: Meter) -> list[Window]:
    """Windows of a point that count: each once, the latest; the shortest of its hour."""
    newest: dict[tuple[int, int], Window] = {}
    for row in sorted(rows, key=lambda row: row.seq):
        if row.point == point:
            newest[row.second, row.period_s] = row
    shortest: dict[int, int] = {}
    for second, period_s in newest:
        hour = (START_S + second) // HOUR_S
        shortest[hour] = min(period_s, shortest.get(hour, period_s))
    return [
        row for row in newest.values() if row.period_s == shortest[(START_S + row.second) // HOUR_S]
    ]


def counted_by_hand(mine: list[Window], length_s: int) -> dict[str, object]:
    """One bucket, window by window."""
    lows = [x for row in mine if (x := row.mean if row.low is None else row.low) is not None]
    highs = [x for row in mine if (x := row.mean if row.high is None else row.high) is not None]
    weighted = [
        (row.mean, row.good * row.period_s) for row in mine if row.mean is not None and row.good > 0
    ]
    weight = math.fsum(w for _, w in weighted)
    incs = [row.inc for row in mine if row.inc is not None]
    return {
        "low": min(lows, default=math.nan),
        "high": max(highs, default=math.nan),
        "mean": math.fsum(x * w for x, w in weighted) / weight if weight else math.nan,
        "inc": math.fsum(incs) if incs else math.nan,
        "good": min(1.0, math.fsum(row.good * row.period_s for row in mine) / length_s),
        "windows": len(mine),
        "reasons": Counter(row.reason for row in mine if row.reason),
    }


def check(made: Envelope, rows: list[Window], point: Meter) -> None:
    """Every bucket of the two days, those without a window too."""
    kept = counting(rows, point)
    for at in range(len(made)):
        begin_s = int(made.start_s[at])
        after_s = begin_s + made.bucket_s
        if begin_s < START_S or after_s > START_S + 2 * DAY_S:
            continue
        mine = [row for row in kept if begin_s <= START_S + row.second < after_s]
        truth = counted_by_hand(mine, made.bucket_s)
        found = {
            name: float(getattr(made, name)[at]) for name in ("low", "high", "mean", "inc", "good")
        }
        for name, value in found.items():
            assert value == pytest.approx(truth[name], rel=1e-9, nan_ok=True), (name, begin_s)
        assert made.windows[at] == truth["windows"]
        reasons = truth["reasons"]
        assert isinstance(reasons, Counter)
        assert made.reason[at] in reasons if reasons else made.reason[at] is None


NUMBER = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 4))


@st.composite
def windows(draw: st.DrawFn) -> list[Window]:
    """Minutes and hours of two days, some twice, some bad, some lost."""
    found = []
    for seq in range(1, draw(st.integers(0, 40)) + 1):
        period_s = draw(st.sampled_from([60, 60, 60, 10, 3600]))
        second = draw(st.integers(0, 2 * DAY_S // period_s - 1)) * period_s
        if draw(st.booleans()):  # crowded: several in one hour
            second = second % 7200 // period_s * period_s
        mean = draw(st.none() | NUMBER)
        wide = mean is not None and draw(st.booleans())
        found.append(
            Window(
                draw(st.sampled_from([VOLTS, ENERGY])),
                second,
                period_s,
                mean,
                None if mean is None or not wide else mean - 1,
                None if mean is None or not wide else mean + 2,
                draw(st.none() | NUMBER),
                draw(st.sampled_from([0.0, 0.25, 1.0])),
                draw(st.sampled_from([None, "no_data", "calibration"])),
                seq,
            )
        )
    return found


@settings(max_examples=12, deadline=None)
@given(rows=windows(), bucket_s=st.sampled_from([HOUR_S, 3 * HOUR_S, DAY_S]))
def test_layer_and_windows_say_what_every_window_says(rows: list[Window], bucket_s: int) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        (root / "windows").mkdir()
        write(root, rows)
        with open_lake("demo", root) as series:
            explorer = LakeExplorer(series, root, "demo", root / "layer")
            for built in (False, True):
                for point in (VOLTS, ENERGY):
                    asked = (START_S, START_S + 2 * DAY_S)
                    found = explorer.pieces(point, *asked, bucket_s, 9)
                    assert found.waiting == ()
                    check(envelope(found.pieces, *asked, bucket_s), rows, point)
                    if built:
                        fine = explorer.pieces(point, *asked, 600, 0)
                        check(envelope(fine.pieces, *asked, 600), rows, point)
                assert explorer.build(60).left == 0
    finally:
        shutil.rmtree(root)


_OPEN = ExitStack()


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    _OPEN.close()


def explorer_of(root: Path) -> LakeExplorer:
    """A new look at the lake, as each question of the console takes it."""
    series = _OPEN.enter_context(open_lake("demo", root))
    return LakeExplorer(series, root, "demo", root / "layer")


def minutes(point: Meter, first: int, after: int, mean: float, seq: int = 1) -> list[Window]:
    """Whole minutes [first, after) of the day, all the same."""
    return [Window(point, 60 * n, mean=mean, seq=seq) for n in range(first, after)]


def hours_of(root: Path) -> tuple[list[float | None], tuple[date, ...]]:
    """Means of the 24 hours of DAY, read from the layer only, and days it lacks."""
    found = explorer_of(root).pieces(VOLTS, START_S, START_S + DAY_S, HOUR_S, 1)
    made = envelope(found.pieces, START_S, START_S + DAY_S, HOUR_S)
    return [None if np.isnan(x) else float(x) for x in made.mean], found.waiting


def test_worked_example_of_an_hour() -> None:
    """
    Two minutes: 4.0 V for 60 s good; 6.0 V for 15 s good, the rest no data.

    mean = (4·60 + 6·15) / 75 = 330/75 = 4.4 V; good = 75 s of 3,600 s = 1/48.
    """
    nan = math.nan
    columns = [[4.0, 6.0], [4.0, 6.5], [4.0, 6.0], [60.0, 15.0], [nan, nan], [60.0, 15.0]]
    low, high, mean, mean_s, inc, good_s = (np.array(each) for each in columns)
    whole, reason = np.array([1, 1]), np.array([None, "no_data"], dtype=object)
    start, span = np.array([START_S, START_S + 60.0]), np.array([60.0, 60.0])
    pieces = Pieces(start, low, high, mean, mean_s, inc, good_s, span, whole, reason)
    made = envelope(pieces, START_S, START_S + HOUR_S, HOUR_S)
    assert (made.low[0], made.high[0], made.mean[0]) == (4.0, 6.5, pytest.approx(4.4))
    assert made.good[0] == pytest.approx(1 / 48)
    assert made.reason[0] == "no_data"
    # of an hour that runs for two minutes only these count: 75 s of 120 s
    running = envelope(pieces, START_S, START_S + HOUR_S, HOUR_S, now_s=START_S + 120)
    assert running.good[0] == pytest.approx(75 / 120)


def test_a_gap_is_a_gap_and_a_counter_is_added_up(tmp_path: Path) -> None:
    """ac1: 60 minutes of 2 kWh, an hour without windows, 30 minutes of 3 kWh: 120, nothing, 90."""
    rows = [Window(ENERGY, 60 * n, inc=2.0) for n in range(60)]
    rows += [Window(ENERGY, 7200 + 60 * n, inc=3.0) for n in range(30)]
    write(tmp_path, rows)
    assert explorer_of(tmp_path).build(60).left == 0
    found = explorer_of(tmp_path).pieces(ENERGY, START_S, START_S + DAY_S, HOUR_S, 0)
    made = envelope(found.pieces, START_S, START_S + DAY_S, HOUR_S)
    assert made.inc[:3].tolist() == pytest.approx([120.0, math.nan, 90.0], nan_ok=True)
    assert made.windows[:4].tolist() == [60, 0, 30, 0]
    assert made.good[:3].tolist() == pytest.approx([1.0, 0.0, 0.5])
    assert np.isnan(made.mean).all()
    assert form_of(quantities()[ENERGY.quantity]) == "counter"
    day = envelope(found.pieces, START_S, START_S + DAY_S, DAY_S)
    assert day.inc.tolist() == [210.0]


def test_late_data_make_a_day_stale_and_nothing_stale_is_read(tmp_path: Path) -> None:
    write(tmp_path, minutes(VOLTS, 0, 120, 4.0))
    assert explorer_of(tmp_path).build(60).ready == 1
    assert hours_of(tmp_path)[0][:3] == [4.0, 4.0, None]
    write(tmp_path, minutes(VOLTS, 60, 180, 5.0, seq=2), name="late")
    assert explorer_of(tmp_path).progress().left == 1
    assert hours_of(tmp_path)[0][:3] == [4.0, 5.0, 5.0]  # summed up on the way
    waiting = explorer_of(tmp_path).pieces(VOLTS, START_S, START_S + DAY_S, HOUR_S, 0)
    assert (waiting.waiting, len(waiting.pieces)) == ((DAY,), 0)  # never the old figure
    assert explorer_of(tmp_path).build(60).left == 0
    assert hours_of(tmp_path) == ([4.0, 5.0, 5.0, *[None] * 21], ())


def test_a_month_is_merged_and_a_changed_day_of_it_made_anew(tmp_path: Path) -> None:
    days = range(-4, 27)  # 2026-03-01 … 03-31
    for day in days:
        write(tmp_path, [Window(VOLTS, DAY_S * day + 60 * n, mean=4.0 + day) for n in range(3)])
    assert explorer_of(tmp_path).build(60).left == 0
    layer = tmp_path / "layer" / "demo"
    assert [path.name for path in layer.glob("*.parquet")] == ["2026-03.parquet"]
    changed = [Window(VOLTS, 60 * n, mean=9.0, seq=2) for n in range(3)]
    write(tmp_path, changed, name="late")
    assert explorer_of(tmp_path).progress().left == 1
    explorer = explorer_of(tmp_path)
    explorer.build(-1)  # the day, not the month
    assert sorted(path.name for path in layer.glob("*.parquet")) == [
        "2026-03-05.parquet",
        "2026-03.parquet",
    ]
    month = (START_S - 4 * DAY_S, START_S + 27 * DAY_S)
    truth = [9.0 if day == 0 else 4.0 + day for day in days]
    for _ in range(2):  # beside the month, and merged into it
        found = explorer_of(tmp_path).pieces(VOLTS, *month, HOUR_S, 0)
        assert found.pieces.mean.tolist() == truth
        explorer_of(tmp_path).build(60)
    assert [path.name for path in layer.glob("*.parquet")] == ["2026-03.parquet"]
    shutil.rmtree(tmp_path / "windows" / "plant=demo" / f"day={DAY}")
    explorer_of(tmp_path).build(60)
    found = explorer_of(tmp_path).pieces(VOLTS, *month, HOUR_S, 0)
    assert len(found.pieces) == 30


@pytest.mark.parametrize("damage", ["index", "file", "folder", "other lake"])
def test_the_layer_may_be_lost_or_damaged_at_any_time(tmp_path: Path, damage: str) -> None:
    write(tmp_path, minutes(VOLTS, 0, 60, 4.0))
    explorer_of(tmp_path).build(60)
    layer = tmp_path / "layer" / "demo"
    if damage == "index":
        (layer / "index.json").write_text('{"form": 1, "lake"')
    elif damage == "folder":
        shutil.rmtree(layer)
    elif damage == "other lake":
        text = (layer / "index.json").read_text()
        (layer / "index.json").write_text(text.replace(str(tmp_path), "/elsewhere"))
    else:
        for path in layer.glob("*.parquet"):
            path.unlink()
    assert hours_of(tmp_path)[0][:2] == [4.0, None]
    assert explorer_of(tmp_path).build(60).left == 0
    assert hours_of(tmp_path)[0][:2] == [4.0, None]


def test_only_one_builds(tmp_path: Path) -> None:
    write(tmp_path, minutes(VOLTS, 0, 60, 4.0))
    first, second = explorer_of(tmp_path), explorer_of(tmp_path)
    with first._layer.building() as mine:
        assert mine
        assert second.build(60).ready == 0
    assert second.build(60).ready == 1


def test_the_day_that_runs_is_never_summed_up(tmp_path: Path) -> None:
    write(tmp_path, minutes(VOLTS, 0, 60, 4.0))
    explorer = explorer_of(tmp_path)
    explorer.today = DAY
    assert explorer.build(60).days == 0
    found = explorer.pieces(VOLTS, START_S, START_S + DAY_S, HOUR_S, 1)
    assert (len(found.pieces), found.waiting) == (60, ())


def test_points_are_known_from_layer_and_lake(tmp_path: Path) -> None:
    write(tmp_path, [*minutes(VOLTS, 0, 2, 4.0), Window(ENERGY, DAY_S, inc=1.0)])
    for _ in range(2):
        found = explorer_of(tmp_path).points()
        assert {name: span.first for name, span in found.items()} == {
            str(ENERGY): DAY + timedelta(days=1),
            str(VOLTS): DAY,
        }
        explorer_of(tmp_path).build(60)
    assert explorer_of(tmp_path).span() == (DAY, DAY + timedelta(days=1))


def test_raw_samples_are_pieces_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, minutes(VOLTS, 0, 1, 4.0))
    folder = tmp_path / "raw" / "plant=demo" / f"day={DAY}"
    folder.mkdir(parents=True)
    stamps = [START_S * 10**6, START_S * 10**6 + 500_000]
    table = {
        "ts": pa.array(stamps, pa.timestamp("us", "UTC")),
        **{name: [value] * 2 for name, value in (("equipment", VOLTS.equipment), ("log", "x"))},
        "quantity": [VOLTS.quantity] * 2,
        "value": pa.array([4.25, None], pa.float64()),
        "q": pa.array([None, "stuck"], pa.string()),
        "gateway": ["gw1"] * 2,
        "seq": [1, 1],
    }
    pq.write_table(pa.table(table), folder / "a.parquet")
    found = explorer_of(tmp_path).samples(VOLTS, START_S, START_S + 1)
    assert found.start_s.tolist() == [START_S, START_S + 0.5]
    assert found.mean.tolist() == pytest.approx([4.25, math.nan], nan_ok=True)
    assert (found.good_s.tolist(), found.reason.tolist()) == ([1.0, 0.0], [None, "stuck"])
    assert len(explorer_of(tmp_path).samples(ENERGY, START_S, START_S + 1)) == 0


@given(
    start_s=st.integers(0, 4_000_000_000),
    length_s=st.integers(1, 40 * 366 * DAY_S),
    most=st.integers(10, MOST),
)
def test_buckets_are_bounded_and_begin_with_plant_time(
    start_s: int, length_s: int, most: int
) -> None:
    step_s = bucket_for(start_s, start_s + length_s, most)
    begin_s = floor_to(step_s, start_s)
    count = -(-(start_s + length_s - begin_s) // step_s)
    assert begin_s <= start_s < begin_s + step_s
    assert count <= most or step_s == LADDER[-1]
    if step_s % DAY_S == 0:
        assert (begin_s + 8 * HOUR_S) % DAY_S == 0  # Beijing midnight, all year: no summer time


def test_no_summer_time_in_the_days_of_a_year() -> None:
    """In 2026 clocks change in many places; the days of plant time are 24 h, each of them."""
    year = Period.year(2026)
    edges = [floor_to(DAY_S, s) for s in range(year.start_ns // 10**9, year.end_ns // 10**9, DAY_S)]
    assert edges == list(range(year.start_ns // 10**9, year.end_ns // 10**9, DAY_S))


def test_the_zone_of_the_host_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, minutes(VOLTS, 0, 60, 4.0))
    monkeypatch.setitem(os.environ, "TZ", "America/New_York")
    explorer_of(tmp_path).build(60)
    assert hours_of(tmp_path)[0][:2] == [4.0, None]


# --- InfluxDB


@pytest.fixture
def influx(influxd: servers.Server) -> InfluxExplorer:
    """Two days: whole minutes, minutes in part (``_good``), bad ones, hours of another meter."""
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    lines = []
    for row in INFLUX_ROWS:
        base, _, name = row.point.quantity.partition(".")
        line, _, unit = row.point.equipment.partition("/")
        ending = {60: "1m", 3600: "1h"}[row.period_s]
        fields = [f"{name}_n=6i"]
        for end, value in (
            ("", row.mean),
            ("_min", row.low),
            ("_max", row.high),
            ("_inc", row.inc),
        ):
            if value is not None:
                fields.append(f"{name}{end}={value}")
        if row.good != 1.0:
            fields.append(f"{name}_good={row.good}")
        if row.reason:
            fields.append(f'{name}_q="{row.reason}"')
        stamp = (START_S + row.second) * 10**9
        tags = f"{base}_{ending},plant=demo,line={line},unit={unit}"
        lines.append(f"{tags} {','.join(fields)} {stamp}")
    post(influxd, "/write?db=smelter&precision=ns", "\n".join(lines).encode())
    return InfluxExplorer(InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter")))


def _influx_rows() -> list[Window]:
    shares = itertools.cycle([1.0, 1.0, 0.25, 0.0])
    rows = []
    for n, good in zip(range(0, 2000, 3), shares, strict=False):
        mean = None if good == 0 else 4 + n / 1000
        wide = mean is not None and n % 2 == 0
        reason = None if good == 1 else "no_data"
        low, high = (mean - 1, mean + 1) if wide and mean is not None else (None, None)
        rows.append(Window(VOLTS, 60 * n, 60, mean, low, high, None, good, reason))
    rows += [Window(ENERGY, 3600 * n, 3600, inc=10.0 + n) for n in range(30)]
    return rows


INFLUX_ROWS = _influx_rows()


def test_influx_sums_up_as_by_hand(influx: InfluxExplorer) -> None:
    asked = (START_S, START_S + 2 * DAY_S)
    for point, bucket_s in ((VOLTS, 300), (VOLTS, 3 * HOUR_S), (ENERGY, HOUR_S)):
        found = influx.pieces(point, *asked, bucket_s, 0)
        check(envelope(found.pieces, *asked, bucket_s), INFLUX_ROWS, point)
    assert typical_s(influx.pieces(ENERGY, *asked, 60, 0).pieces) == HOUR_S
    assert set(influx.points()) == {str(VOLTS), str(ENERGY)}
    assert influx.events(["line1/pot001"], *asked, 10) == []
    assert influx.progress().left == influx.build(1).left == 0


def test_lake_of_the_built_plant(built: Built) -> None:
    """October of ac1: what the report counts, from the layer; its rollover is an event."""
    with tempfile.TemporaryDirectory() as folder, open_lake("demo", built.root / "lake") as series:
        explorer = LakeExplorer(series, built.root / "lake", "demo", Path(folder))
        assert explorer.build(120).left == 0
        month = (plant.OCTOBER.start_ns // 10**9, plant.OCTOBER.end_ns // 10**9)
        found = explorer.pieces(ENERGY, *month, HOUR_S, 0)
        total = float(envelope(found.pieces, *month, DAY_S).inc.sum())
        assert total == pytest.approx(built.truth.ac1, rel=1e-12)
        (event,) = explorer.events(["line1/ac1"], *month, 10)
        assert (event.kind, event.amount) == ("rollover", 2400.0)
        assert explorer.events(["line1/ac1"], month[0] - DAY_S, month[0], 10) == []
