"""Pictures: values are pixels, gaps are gaps, words are safe; same numbers, same bytes."""

import re
import time
from datetime import datetime
from decimal import Decimal
from functools import cache
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from reports.charts.draw import svg
from reports.charts.of_energy import level
from reports.pictures import Axis, Bars, Chart, Sankey, Series
from reports.render.pdf import render_pdf, unprintable
from reports.render.view import view
from reports.render.xlsx import render_xlsx
from reports.values import Text
from tests.reports import pictured
from tests.reports.pictured import SVG, WIDTH, bars, heat, line, paths, text, tips, tree, words
from tests.reports.specimen import RARE, pages

D = Decimal
EVIL = '</text><script>alert(1)</script>" onload="x" & <b> \x0b'


# --- every kind


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("chart", pictured.charts(), ids=lambda chart: f"{chart.id}")
def test_a_picture_is_xml_the_same_each_time_and_speaks_the_language(
    chart: Chart, lang: str
) -> None:
    drawn = svg(chart, lang, WIDTH)
    again = Chart.model_validate_json(chart.model_dump_json())
    assert svg(again, lang, WIDTH) == drawn
    root = tree(chart, lang)
    assert root.get("aria-label") == chart.title.of(lang)
    said = " ".join(words(root))
    assert bool(re.search("[\u4e00-\u9fff]", said)) == (lang == "zh")
    for node in root.iter():
        for name in ("x", "y", "cx", "cy", "x1", "x2", "y1", "y2"):
            assert "nan" not in (node.get(name) or "")


@pytest.mark.parametrize("chart", pictured.charts(), ids=lambda chart: f"{chart.id}")
def test_words_stay_on_the_page(chart: Chart) -> None:
    root = tree(chart)
    height = float((root.get("viewBox") or "").split()[3])
    for node in root.iter(f"{SVG}text"):
        assert 0 <= float(node.get("x", "")) <= WIDTH
        assert 0 <= float(node.get("y", "")) <= height


# --- values are pixels


def test_a_bar_twice_as_high_is_twice_as_high() -> None:
    found = tips(tree(bars([D(10), D(20), D(5)])))
    ten, twenty, five = (
        float(found[f"x{n} 甲: {v} t"].get("height", "")) for n, v in enumerate((10, 20, 5))
    )
    assert twenty == pytest.approx(2 * ten, abs=0.02)
    assert five == pytest.approx(ten / 2, abs=0.02)


def test_a_curve_goes_through_its_values() -> None:
    (path,) = paths(tree(line([D(0), D(10), D(5)])))
    (x0, y0), (x1, y1), (x2, y2) = (
        tuple(map(float, pair.split())) for pair in path.removeprefix("M").split("L")
    )
    assert y0 - y1 == pytest.approx(2 * (y0 - y2), abs=0.02)  # 10 is twice as far up as 5
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.02)


def test_stacked_bars_stand_on_one_another() -> None:
    chart = pictured.stacked()
    found = tips(tree(chart))
    below, above = found["Q1 电解: 90 GWh"], found["Q1 动力: 8 GWh"]
    top = float(above.get("y", "")) + float(above.get("height", ""))
    assert top == pytest.approx(float(below.get("y", "")), abs=0.02)
    assert not [name for name in found if name.startswith("Q3")]  # nothing known of Q3


def test_negative_bars_hang_from_zero() -> None:
    found = tips(tree(bars([D(10), D(-10)])))
    up, down = found["x0 甲: 10 t"], found["x1 甲: −10 t"]
    bottom = float(up.get("y", "")) + float(up.get("height", ""))
    assert bottom == pytest.approx(float(down.get("y", "")), abs=0.02)


def test_a_waterfall_arrives_at_its_last_total() -> None:
    """13250 − 80 + 45 − 12 + 7 = 13210: the last step ends where the last total does."""
    found = tips(tree(pictured.waterfall()))
    other, last = found["其他 直流电耗: 7 kWh/t"], found["2026年 直流电耗: 13,210 kWh/t"]
    assert float(other.get("y", "")) == pytest.approx(float(last.get("y", "")), abs=0.02)


def test_an_axis_that_does_not_begin_at_zero_says_so() -> None:
    assert "纵轴不从 0 起" in words(tree(pictured.waterfall()))
    assert "纵轴不从 0 起" not in words(tree(pictured.stacked()))


def test_a_sankey_band_is_as_wide_as_its_flow() -> None:
    found = tips(tree(pictured.sankey()))

    def wide(name: str) -> float:
        path = found[name].get("d", "")
        y1 = float(re.findall(r"M[\d.]+ ([\d.]+)", path)[0])
        return float(path.rstrip("Z").rsplit(" ", 1)[1]) - y1

    aux, stack = wide("网电 → 动力用电: 420 GWh"), wide("烟气 → 烟气余热排空: 1,020 GWh")
    assert stack / aux == pytest.approx(1020 / 420, rel=0.01)


def test_a_flow_nobody_measured_is_named_and_not_drawn() -> None:
    root = tree(pictured.sankey(), "en")
    assert "not measured: grid → desulphurisation" in words(root)
    assert not [tip for tip in tips(root) if "desulphurisation" in tip]


def test_equal_cells_have_equal_colours_and_the_extremes_the_ends_of_the_scale() -> None:
    chart = heat([[D(1), D(2)], [D(3), D(1)]])
    strokes = {
        p.get("stroke"): p.get("d") for p in tree(chart).iter(f"{SVG}path") if p.get("stroke")
    }
    assert strokes == {"#f2f5e9": "M0 0.5h1M1 1.5h1", "#f6a94c": "M1 0.5h1", "#7f1d1d": "M0 1.5h1"}


def test_a_scale_with_a_middle_reaches_as_far_to_both_sides() -> None:
    strokes = {
        p.get("d"): p.get("stroke")
        for p in tree(heat([[D(-1), D(0), D(3)]], middle=D(0))).iter(f"{SVG}path")
        if p.get("stroke")
    }
    assert strokes["M1 0.5h1"] == "#f4f4f0"  # the middle is pale
    assert strokes["M2 0.5h1"] == "#8c1d18"


# --- what is not there


def test_a_gap_is_a_gap_and_no_line_through_zero() -> None:
    drawn = paths(tree(line([D(5), D(5), None, D(5), D(5)])))
    assert len(drawn) == 2
    assert len({y for path in drawn for y in re.findall(r" ([\d.]+)", path)}) == 1


def test_a_single_value_between_gaps_is_a_dot() -> None:
    root = tree(line([D(5), D(5), None, D(7), None]))
    seen = [c for c in root.iter(f"{SVG}circle") if c.get("fill-opacity") is None]
    assert len(seen) == 1


def test_cells_that_are_not_there_show_the_ground() -> None:
    chart = heat([[D(1), None, D(2)]])
    drawn = "".join(p.get("d") or "" for p in tree(chart).iter(f"{SVG}path"))
    assert "M1 " not in drawn
    assert "无数据" in words(tree(chart))


@pytest.mark.parametrize(
    "chart",
    [
        bars([]),
        bars([None, None]),
        line([]),
        line([None, None]),
        heat([[None]]),
        Chart(
            id="s",
            title=text("流"),
            picture=Sankey(measure=Axis(label=text("能")), nodes=(), flows=()),
        ),
    ],
)
def test_nothing_is_said_to_be_nothing(chart: Chart) -> None:
    assert words(tree(chart)) == ["无数据"]
    assert words(tree(chart, "en")) == ["no data"]


# --- hostile and long words


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_words_are_words(lang: str) -> None:
    evil = text(EVIL)
    axis = Axis(label=evil, unit=EVIL)
    chart = Chart(
        id="evil",
        title=evil,
        picture=Bars(
            x=(evil, EVIL),
            axis=axis,
            series=(Series(name=evil, values=(D(1), D(2))), Series(name=evil, values=(D(1), None))),
            thresholds=tuple(x for x in (level(evil, D(1)),) if x),
        ),
    )
    root = tree(chart, lang)
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
        *("svg", "text", "tspan", "rect", "line", "title", "circle", "path", "g")
    }
    assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]


@given(st.text(max_size=60))
def test_any_word_gives_xml(word: str) -> None:
    name = Text(zh=word, en=word)
    chart = bars([D(1), D(2)], series=(Series(name=name, values=(D(1), D(2))),), x=(name, word))
    tree(chart)


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=3)), max_size=30))
def test_any_values_stay_inside_the_panel(values: list[Decimal | None]) -> None:
    for shape in tips(tree(bars(values))).values():
        assert float(shape.get("height", "")) <= 150.5
    for path in paths(tree(line(values))):
        assert all(0 <= float(y) <= 190 for y in re.findall(r" ([\d.]+)", path))


# --- size and speed


def test_400_pots_of_a_month_are_small_and_quick() -> None:
    chart = pictured.pots(400, 31)
    begun = time.perf_counter()
    drawn = svg(chart, "zh", WIDTH)
    assert time.perf_counter() - begun < 1
    assert len(drawn.encode()) < 200_000
    worst = heat([[D((x * 7 + y * 11) % 97) for x in range(31)] for y in range(400)])
    assert len(svg(worst, "zh", WIDTH).encode()) < 200_000  # no two neighbours alike


# --- on paper and in the workbook


@cache
def pdf(lang: str) -> str:
    return "".join(pages(render_pdf(pictured.report(), lang)))


def test_paper_shows_the_words_of_pictures_in_both_languages() -> None:
    chinese, english = pdf("zh"), pdf("en")
    for chart in pictured.charts():
        assert chart.title.zh.replace(" ", "") in chinese.replace(" ", "")
        assert chart.title.en.replace(" ", "") in english.replace(" ", "")
    for word in ("阳极效应", "未计量：网电", "电解反应", "时间占比"):  # inside of the SVG
        assert word in chinese.replace(" ", "")
    assert "heat recovered" in english
    assert not [c for c in unprintable(view(pictured.report(), "zh")) if RARE not in c]


@cache
def workbook(lang: str) -> bytes:
    return render_xlsx(pictured.report(), lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_workbook_has_the_numbers_and_charts_of_its_own(lang: str) -> None:
    content = workbook(lang)
    assert content == render_xlsx(pictured.report(), lang)
    book = load_workbook(BytesIO(content))
    counts = {
        chart.id: len(book[sheet]._charts)  # type: ignore[attr-defined]
        for chart in pictured.charts()[:6]
        for sheet in book.sheetnames
        if sheet == sheet_name(chart.title.of(lang))
    }
    assert counts == {  # two panels, two charts; flows stay a table
        "pot_line1_pot007": 2,
        "months": 1,
        "steps": 1,
        "stacked": 1,
        "sankey": 0,
        "duration": 1,
    }
    sheet = book[sheet_name(pictured.waterfall().title.of(lang))]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3, max_row=9)]
    assert [row[1] for row in cells] == [13250, -80, 45, -12, None, 7, 13210]
    assert [row[2] for row in cells] == [
        None,
        13170,
        13170,
        13203,
        None,
        13203,
        None,
    ]  # hidden base
    assert cells[0][3] == 13250


def test_the_workbook_keeps_times_as_times_and_colours_as_rules() -> None:
    book = load_workbook(BytesIO(workbook("en")))
    trace = book[sheet_name(pictured.pot().title.en)]
    times = [row[0].value for row in trace.iter_rows(min_row=5, max_row=6)]
    assert times == [datetime(2026, 10, 5, 0, 0), datetime(2026, 10, 5, 0, 5)]  # noqa: DTZ001
    gap = [row[1].value for row in trace.iter_rows(min_row=5 + 150, max_row=5 + 159)]
    assert gap == [None] * 10
    pots = book[sheet_name(pictured.pots().title.en)]
    assert [str(r.sqref) for r in pots.conditional_formatting] == ["B3:AF42"]


def sheet_name(title: str) -> str:
    return re.sub(r"[:/]", " ", title)[:31].strip()
