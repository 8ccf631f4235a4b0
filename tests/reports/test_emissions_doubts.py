"""Hours nobody judged are never printed as none above; checks, marks and points are doubted."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np

from reports.chapters import Paragraph, Table
from reports.charts.draw import svg
from reports.emissions.hours import State
from reports.emissions.report import emissions
from reports.model import Content, How
from reports.pictures import Axis, Chart, Curves, Event, Series
from reports.values import Text
from tests.reports.emitted import SITE, STACK, STACK1, STACK2, Smoke

HIGH = {
    "stack.so2_dry": 60.0,
    "stack.so2_converted": 60.0,
    "stack.flow_standard": 400_000.0,
    "stack.temperature": 90.0,
    "stack.humidity": 8.0,
}
AIR = HIGH | {"stack.o2_dry": 20.9}
BARE_AIR = {name: v for name, v in AIR.items() if name != "stack.so2_converted"}


def content(smoke: Smoke, period: str) -> Content:
    return next(emissions(basis) for basis in smoke.basis(period))


def texts(of: Content, line: str) -> Iterator[str]:
    return (x.text.en for x in of.warnings if x.line == line)


def test_hours_of_days_without_a_limit_are_unknown_not_none(tmp_path: Path) -> None:
    smoke = Smoke(
        tmp_path, SITE + STACK.replace("from = 2020-01-01\nsource", "from = 2027-01-01\nsource")
    )
    smoke.hours(STACK1, "2026-03-01T00:00", 744, HIGH)
    smoke.build()
    hours = smoke.of("2026-03")
    assert int(hours.without_limit("so2").sum()) == 744
    assert np.isnan(hours.limits("so2")).all()
    march = content(smoke, "2026-03")
    line = march.line("DA001.so2_exceeded_hours")
    assert (line.value, line.how) == (None, How.MISSING)
    assert "未判定：无有效限值" in line.missing[0].zh
    assert "no limit in force (744 valid hours" in line.missing[0].en
    assert march.line("plant.exceeded_hours").value is None
    doubt = next(texts(march, "DA001.so2_exceeded_hours"))
    assert "744 valid hours (2026-03-01 to 2026-03-31) not judged: no limit in force" in doubt
    printed = march.model_dump_json()
    assert "No hour that was judged was above" not in printed
    assert "（本期未生效）" in printed  # the limit of 2027 is not shown as that of the period


def test_a_limit_from_within_the_period_judges_what_it_can(tmp_path: Path) -> None:
    smoke = Smoke(
        tmp_path, SITE + STACK.replace("from = 2020-01-01\nsource", "from = 2026-03-31\nsource")
    )
    smoke.hours(STACK1, "2026-03-01T00:00", 744, HIGH)
    smoke.build()
    march = content(smoke, "2026-03")
    assert march.line("DA001.so2_exceeded_hours").value == 24
    assert any("720 valid hours" in text for text in texts(march, "DA001.so2_exceeded_hours"))


def test_hours_that_cannot_be_converted_are_captured_by_mass_only(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path, SITE + STACK.replace("wet = true", "wet = true\nreference_o2 = 15"))
    smoke.hours(STACK1, "2026-03-01T00:00", 734, HIGH)
    smoke.hours(STACK1, "2026-03-31T14:00", 10, BARE_AIR)
    smoke.build()
    so2 = smoke.of("2026-03").pollutants["so2"]
    assert int(so2.not_convertible.sum()) == 10
    assert (so2.state == State.VALID).all()
    march = content(smoke, "2026-03")
    assert march.line("DA001.so2_valid_hours").value == 734
    assert float(march.line("DA001.so2_capture").value or 0) == 734 / 744
    assert march.line("DA001.so2_substituted_hours").value == 0  # the mass is there: 60 x 400,000
    assert abs(float(march.line("DA001.so2_total").value or 0) - 744 * 24 / 1000) < 1e-9
    assert any("10 valid hours cannot be converted" in x.text.en for x in march.warnings)


def test_a_year_without_data_is_one_reason_a_stack(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    smoke.hours(STACK1, "2026-03-01T00:00", 24, HIGH)
    smoke.build()
    year = content(smoke, "2023")
    for name in ("so2_exceeded_hours", "so2_total", "so2_capture", "so2_substituted_hours"):
        assert (year.line(f"DA001.{name}").how, name) == (How.MISSING, name)
    assert year.line("plant.exceeded_hours").value is None
    assert year.line("DA001.stopped_hours").value is None
    assert [text.en for text in year.reasons()] == [
        "DA001: no data at all in 2023, its figures are unknown"
    ]
    stopped = next(iter(year.reasons().values()))
    assert "DA001.so2_total" in stopped
    assert not [x for x in stopped if "@" in x]  # months stand in the year
    assert len(year.warnings) <= 3


def test_months_without_data_are_told_as_a_range(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    smoke.hours(STACK1, "2026-01-01T00:00", 31 * 24, HIGH)
    smoke.build()
    year = content(smoke, "2026")
    assert [x.en for x in year.line("DA001.so2_exceeded_hours@2026-05").missing] == [
        "DA001: no data at all in 2026-02 to 2026-12, its figures are unknown"
    ]
    assert year.line("DA001.so2_exceeded_hours@2026-01").value == 744


def test_data_of_a_stack_that_is_out_of_use_are_doubted(tmp_path: Path) -> None:
    more = STACK.replace("DA001", "DA002").replace("gtc1", "gtc2")
    stopped = more.replace("started = 2020-01-01", "started = 2020-01-01\nstopped = 2025-06-01")
    smoke = Smoke(tmp_path, SITE + STACK + stopped)
    for equipment in (STACK1, STACK2):
        smoke.hours(equipment, "2026-03-01T00:00", 744, HIGH)
    smoke.build()
    march = content(smoke, "2026-03")
    doubt = next(texts(march, "DA002.hours"))
    assert "data although out of use: 744 hours with readings, 744 with flow" in doubt
    assert "744 hours of pollutants above the limit" in doubt
    assert march.line("DA002.so2_total").value == 0
    assert "out of use" not in "".join(texts(march, "DA001.hours"))


def test_a_journal_without_a_calibration_is_doubted(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    smoke.hours(STACK1, "2026-01-01T00:00", 90 * 24, HIGH)
    smoke.build()
    said = list(texts(content(smoke, "2026-Q1"), "DA001.so2_capture"))
    # 90 days, one calibration in 7 days: 12
    assert any(
        "no calibration from 2026-01-01 to 2026-03-31" in x and "12 were due" in x for x in said
    )
    good = {"result": "pass"}
    smoke.mark("zero_span", "2026-01-05T08:00", "2026-01-05T09:00", kind="check", facts=good)
    said = list(texts(content(smoke, "2026-Q1"), "DA001.so2_capture"))
    assert not any("no calibration" in x for x in said)


def test_points_that_never_brought_anything_are_doubted(tmp_path: Path) -> None:
    points = (
        'production = "line1/series potline.current"\n'
        'controls = ["gtc1/scrubber1 scrubber.running"]\n'
    )
    smoke = Smoke(tmp_path, SITE + STACK.replace("started =", f"{points}started ="))
    smoke.hours(STACK1, "2026-03-01T00:00", 744, HIGH)
    smoke.build()
    said = list(texts(content(smoke, "2026-03"), "DA001.stopped_hours"))
    assert ["line1/series potline.current" in x for x in said] == [True, False]
    assert "gtc1/scrubber1 scrubber.running" in said[1]


def test_a_contradicted_mark_hangs_on_the_hours_it_would_excuse(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    smoke.hours(STACK1, "2026-03-01T00:00", 744, HIGH)
    against = {
        "judgement": "contradicted",
        "judgement_zh": "仍在测量",
        "judgement_en": "it measured",
    }
    smoke.mark("calibration", "2026-03-02T08:00", "2026-03-02T10:00", facts=against)
    smoke.build()
    march = content(smoke, "2026-03")
    assert "mark #1 is contradicted and excuses nothing: it measured" in list(
        texts(march, "DA001.so2_exceeded_hours")
    )
    assert not list(texts(march, "DA001.stopped_hours"))


def test_rules_of_hj_75_on_fluoride_are_said_to_be_our_analogy(tmp_path: Path) -> None:
    fluoride = STACK.replace('pollutant = "so2"', 'pollutant = "fluoride"')
    smoke = Smoke(tmp_path, SITE + fluoride)
    high = {f"stack.fluoride_{kind}": 60.0 for kind in ("dry", "converted")}
    smoke.hours(STACK1, "2026-03-01T00:00", 700, high)
    smoke.build()
    march = content(smoke, "2026-03")
    tables = {b.id: b for c in march.chapters for b in c.blocks if isinstance(b, Table)}
    for name in ("captures", "substitution-DA001"):
        note = tables[name].note
        assert note is not None
        assert "比照适用" in note.zh
        assert "our own analogy" in note.en


def test_coverage_counts_what_is_there_and_a_quarter_of_nothing_is_a_sentence(
    tmp_path: Path,
) -> None:
    smoke = Smoke(tmp_path)
    smoke.hours(STACK1, "2026-01-01T00:00", 372, HIGH)  # half of January, by the hour
    smoke.build()
    year = content(smoke, "2026")
    january = next(m for m in year.meters if m.id == "gtc1/stack1 stack.so2_dry@2026-01")
    assert (january.measured_s, january.period_s) == (Decimal(372 * 3600), 744 * 3600)
    assert january.is_gauge
    blocks = [b for c in year.chapters for b in c.blocks]
    assert [b.id for b in blocks if isinstance(b, Chart)] == ["hours-DA001-2026-Q1"]
    said = [b.text.en for b in blocks if isinstance(b, Paragraph)]
    assert sum("there is nothing to draw" in text for text in said) == 3
    listed = next(b for b in blocks if isinstance(b, Table) and b.id == "sheet-not-valid-DA001")
    assert [str(x) for x in listed.rows[0][1:5]] == ["2026-01-16 12:00", "8388", "B", ""]


def test_kinds_of_marks_have_colours_of_their_own() -> None:
    names = ("maintenance", "calibration", "fault", "out of control", "stopped")
    axis = Axis(label=Text(zh="二氧化硫", en="SO2"), unit="mg/m3")
    curves = Curves(
        scale="number",
        across=axis,
        x=tuple(map(Decimal, range(10))),
        panels=(axis,),
        series=(Series(name=axis.label, values=tuple(map(Decimal, range(10)))),),
        events=tuple(
            Event(label=Text(zh=name, en=name), start=Decimal(n), end=Decimal(n + 1))
            for n, name in enumerate(names)
        ),
    )
    drawn = svg(Chart(id="x", title=axis.label, picture=curves), "en", 500)
    bands = re.findall(r'<rect[^>]*fill="(#[0-9a-f]{6})" fill-opacity="0.3"', drawn)
    assert len(set(bands)) == len(names)
