"""Making pictures: thinned series, round scales, what is refused, and every maker."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reports.charts.of_energy import (
    duration_curve,
    energy_flow,
    level,
    months_with_levels,
    stacked_months,
    waterfall,
)
from reports.charts.of_pots import (
    Effect,
    Trace,
    exchanger_trend,
    pot_floor,
    pot_heat_map,
    pot_trace,
)
from reports.charts.scales import round_range, tick_text, ticks_of, time_ticks
from reports.charts.thinning import envelope, exceeded, figure
from reports.pictures import Axis, Curves, Flow, HeatMap, Node, Sankey, Series, place
from tests.reports.pictured import heat, line, text, tips, tree, words

D = Decimal


def test_thinning_loses_no_peak_and_no_gap() -> None:
    values: list[float | None] = [4.0] * 1000
    values[123] = 31.0
    values[500:600] = [None] * 100
    thin = envelope(values, 100)
    assert len(thin.starts) == 100
    assert max(v for v in thin.highs if v is not None) == 31
    assert thin.means[50:60] == (None,) * 10
    assert thin.means[12] == D("6.7")  # (9 × 4 + 31) / 10


def test_figures_are_short() -> None:
    assert figure(4.123456789) == D("4.1235")
    assert figure(13210.4) == D(13210)
    assert figure(1234567.0) == D(1234600)
    assert figure(0.1 + 0.2) == D("0.3")
    assert figure(float("nan")) is None
    assert figure(None) is None


def test_duration_reads_what_is_exceeded() -> None:
    """Of 1, 2, 3, 4, 5: the highest at 0 %, the median at 50 %, the lowest at 100 %."""
    assert exceeded([3, 1, None, 5, 2, 4], [0, 25, 50, 90, 100]) == (
        D(5),
        D(4),
        D(3),
        D("1.4"),
        D(1),
    )
    assert exceeded([None], [0, 100]) == (None, None)


# --- scales


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9), st.booleans(), st.integers(2, 8))
def test_ticks_are_round_and_hold_all_values(values: list[float], zero: bool, count: int) -> None:
    low, high, step = round_range(values, zero=zero, ticks=count)
    slack = (abs(low) + abs(high)) * 1e-9
    assert low - slack <= min(values) <= max(values) <= high + slack
    assert len(ticks_of(low, high, step)) <= 2.5 * count + 3


def test_ticks_say_as_many_decimals_as_they_need() -> None:
    assert [tick_text(v, 0.05) for v in (4.0, 4.05)] == ["4.00", "4.05"]
    assert tick_text(-0.0001, 0.5) == "0.0"
    assert tick_text(-1500, 500) == "−1,500"


@pytest.mark.parametrize(
    ("hours", "lang", "first", "second"),
    [
        (24, "zh", "10月5日", "06:00"),
        (24, "en", "5 Oct", "06:00"),
        (24 * 28, "zh", "10月5日", "10月12日"),
        (24 * 400, "zh", "2027年1月", "4月"),
    ],
)
def test_times_are_marked_where_people_look(hours: int, lang: str, first: str, second: str) -> None:
    begin = place("2026-10-05")
    ticks = time_ticks(begin, begin + hours * 3600, 5, lang)
    assert [tick.text for tick in ticks][:2] == [first, second]


# --- refusals


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: line([D(1)], x=(D(1), D(2))), "not as many values"),
        (lambda: line([D(1), D(2)], x=(D(2), D(1))), "ascend"),
        (lambda: line([D(1)], scale="time", x=("2026-10-05T00:00+08:00",)), "offset"),
        (lambda: line([D(1)], panels=()), "at least 1"),
        (
            lambda: line([D(1)], series=(Series(name=text("a"), values=(D(1),), panel=1),)),
            "panel 1",
        ),
        (
            lambda: line([D(1)], series=(Series(name=text("a"), values=(D(1),), low=(D(0),)),)),
            "two sides",
        ),
        (lambda: line([D(0)] * 5001), "thin the series"),
        (lambda: heat([[D(1)], [D(1), D(2)]]), "rows of 1"),
        (lambda: flows(("a", "b", D(1)), ("b", "a", D(1))), "circle"),
        (lambda: flows(("a", "c", D(1))), "no such node"),
        (lambda: flows(("a", "b", D(-1))), "less than nothing"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(ValidationError, match=says):
        make()


def flows(*of: tuple[str, str, Decimal]) -> Sankey:
    return Sankey(
        measure=Axis(label=text("能")),
        nodes=tuple(Node(id=i, name=text(i)) for i in "ab"),
        flows=tuple(Flow(source=a, target=b, value=v) for a, b, v in of),
    )


# --- makers


def test_the_trace_of_a_pot_shows_its_effects_and_cuts_the_peak() -> None:
    start = datetime(2026, 10, 5)  # noqa: DTZ001 - plant wall clock
    volts: list[float | None] = [4.0] * 1440
    volts[600] = 30.0
    volts[700:760] = [None] * 60
    begun = start + timedelta(minutes=600)
    effect = Effect(begun, begun + timedelta(seconds=42), 31.26)
    chart = pot_trace(Trace("line1/pot007", start, volts, [18.5] * 1440), [effect])
    root = tree(chart)
    (tip,) = [t for t in tips(root) if t.startswith("阳极效应")]
    assert tip == "阳极效应：2026-10-05 10:00:00 – 2026-10-05 10:00:42\n42 秒，峰值 31.3 V"
    assert "30" not in words(root)  # the axis ends at 6 V
    assert isinstance(chart.picture, Curves)
    assert len(chart.picture.x) == 720
    assert len(pot_trace(Trace("p", start, volts, []), []).picture.panels) == 1  # type: ignore[union-attr]


def test_a_trace_is_named_after_what_it_shows() -> None:
    """Nothing of resistance, effects or cut volts where there are none."""
    start, calm = datetime(2026, 10, 5), [4.0] * 1440  # noqa: DTZ001
    plain = pot_trace(Trace("p", start, calm, []), [])
    assert (plain.title.en, plain.title.zh) == ("p: voltage", "p 槽电压")
    assert plain.caption is not None
    assert "cut off" not in plain.caption.en
    high = pot_trace(Trace("p", start, [*calm[1:], 30.0], calm), [])
    assert high.title.en == "p: voltage and resistance"
    assert high.caption is not None
    assert high.caption.en.endswith("cut off above 6 V.")
    assert high.caption.zh.endswith("6 V 以上截断。")


def test_an_exchanger_shows_its_alarm_its_cleanings_and_missing_days() -> None:
    days = [date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 5)]
    name = text("1号换热器", "exchanger 1")
    chart = exchanger_trend("ua", name, days, [D(1), D("0.95"), D("0.7")], D("0.8"), [days[2]])
    assert isinstance(chart.picture, Curves)
    assert chart.picture.series[0].values == (D(1), D("0.95"), None, None, D("0.7"))
    assert {"报警 0.8", "清洗"} <= set(words(tree(chart)))
    assert {"alarm 0.8", "Cleaned"} <= set(words(tree(chart, "en")))


def test_pots_are_named_by_number_and_days_by_month_where_there_are_several() -> None:
    axis = Axis(label=text("槽电压", "voltage"), unit="V")
    pots = ["line1/pot007", "line1/pot008"]
    days = [date(2026, 10, 31), date(2026, 11, 1)]
    chart = pot_heat_map("h", text("图"), axis, pots, days, [[4.0, float("nan")], [4.1, 4.2]])
    assert isinstance(chart.picture, HeatMap)
    assert chart.picture.y == ("007", "008")
    assert chart.picture.x == ("10-31", "11-1")
    assert chart.picture.cells == ((D(4), None), (D("4.1"), D("4.2")))
    floor = pot_floor("f", text("图"), axis, [f"line1/pot{n:03d}" for n in range(1, 91)], range(90))
    assert isinstance(floor.picture, HeatMap)
    assert floor.picture.y == ("001", "041", "081")
    assert floor.picture.cells[2][10:] == (None,) * 30


def test_energy_is_drawn_from_figures() -> None:
    axis = Axis(label=text("单耗", "specific"), unit="kWh/t")
    months = months_with_levels(
        "m",
        text("图"),
        axis,
        ["2026-01", "2026-02"],
        [(text("一系列", "line 1"), [13000, None])],
        [level(text("1 级", "level 1"), D(13000)), level(text("无"), None)],
    )
    assert {"1月", "1 级"} <= set(words(tree(months)))
    assert {"2026-01", "level 1"} <= set(words(tree(months, "en")))
    falls = waterfall(
        "w", text("图"), axis, [(text("前"), 100), (text("变"), -10), (text("后"), 90)]
    )
    assert "−10" in words(tree(falls))
    curve = duration_curve("d", text("图"), axis, [(text("甲"), [1.0, 2.0, None])])
    assert isinstance(curve.picture, Curves)
    assert curve.picture.series[0].values[::50] == (D(2), D("1.5"), D(1))
    parts = stacked_months(
        "s", text("图"), axis, ["2026-01"], [(text("甲"), [1]), (text("乙"), [2])]
    )
    assert "2026-01 乙: 2 kWh/t" in tips(tree(parts, "en"))
    flow = energy_flow("e", text("图"), axis, {("grid", "supply"): 5, ("own", "supply"): None})
    assert flow is not None
    assert "未计量：自发绿电 → 用电合计" in words(tree(flow))
    assert energy_flow("e", text("图"), axis, {("grid", "supply"): None}) is None
