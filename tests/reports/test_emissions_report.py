"""The emissions report: lines, tables, what is doubted, what it prints, and its trace."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from reports.chapters import Table
from reports.emissions.audit import audited, due_day
from reports.emissions.report import emissions
from reports.model import Content, How
from reports.periods import Period
from reports.pictures import Chart
from tests.reports.conftest import Smelter
from tests.reports.emitted import SITE, STACK, STACK1, STACK2, Smoke

GAS = {"stack.flow_standard": 400_000.0, "stack.o2_dry": 20.5}


def quarter_of_hours(root: Path) -> Smoke:
    """
    Two stacks, the first quarter of 2026 as hours: 20 mg/m3 and 400,000 Nm3/h are 8 kg an hour.

    DA001: three hours of 40 mg/m3 on 10 February from 08:00, one of 50 under a start-up mark on the
    11th; 30 hours missing from 20 March 00:00; stopped by a mark on 5 January. DA002 from 1 March.
    """
    second = STACK.replace("DA001", "DA002").replace("gtc1", "gtc2")
    second = second.replace("started = 2020-01-01", "started = 2026-03-01")
    smoke = Smoke(root, SITE + STACK + second)
    quarter = Period.quarter(2026, 1)
    for day in quarter.days:
        for hour in range(24):
            value = 20.0
            if day == date(2026, 2, 10) and 8 <= hour < 11:
                value = 40.0
            if day == date(2026, 2, 11) and hour == 8:
                value = 50.0
            missing = day == date(2026, 3, 20) or (day == date(2026, 3, 21) and hour < 6)
            start = f"{day}T{hour:02}:00"
            if not missing:
                so2 = {"stack.so2_dry": value, "stack.so2_converted": value}
                smoke.hours(STACK1, start, 1, so2 | GAS)
            if day >= date(2026, 3, 1):
                so2 = {"stack.so2_dry": 10.0, "stack.so2_converted": 10.0}
                smoke.hours(STACK2, start, 1, so2 | GAS)
    smoke.mark("stopped", "2026-01-05T00:00", "2026-01-06T00:00")
    smoke.mark("start_up", "2026-02-11T08:00", "2026-02-11T09:00")
    said = {"cause": "脱硫塔循环泵跳闸", "measures": "切换备用泵", "reported_to": "市生态环境局"}
    span = "2026-02-10T08:00", "2026-02-10T11:00"
    smoke.mark("equipment", *span, kind="exceedance", pollutants=("so2",), facts=said)
    smoke.build()
    return smoke


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    return quarter_of_hours(tmp_path_factory.mktemp("smoke"))


def content(smoke: Smoke, period: str) -> Content:
    return next(emissions(basis) for basis in smoke.basis(period))


@pytest.fixture(scope="module")
def quarter(smoke: Smoke) -> Content:
    return content(smoke, "2026-Q1")


def table(of: Content, identity: str) -> Table:
    blocks = [block for chapter in of.chapters for block in chapter.blocks]
    return next(x for x in blocks if isinstance(x, Table) and x.id == identity)


def value(of: Content, identity: str) -> float | None:
    known = of.line(identity).value
    return None if known is None else float(known)


def test_totals_of_a_quarter_by_hand(quarter: Content) -> None:
    # 2160 h - 24 stopped - 30 missing = 2106 measured; 2102 of them 8 kg, 3 of 16 kg, 1 of 20 kg
    assert value(quarter, "DA001.so2_valid_hours") == 2106
    # stand-in: capture 2106/2136 = 98.6 %, 30 h > 24 h: highest of 720 valid hours before the gap;
    # 720 valid hours before 20 March reach back to 18 February: 8 kg
    measured = 2102 * 8 + 3 * 16 + 20
    assert value(quarter, "DA001.so2_substituted") == pytest.approx(30 * 8 / 1000)
    # the stopped day measured nothing else than the running minutes: none
    assert value(quarter, "DA001.so2_total") == pytest.approx((measured + 30 * 8) / 1000)
    assert value(quarter, "DA002.so2_total") == pytest.approx(31 * 24 * 4 / 1000)
    both = (measured + 240 + 31 * 24 * 4) / 1000
    assert value(quarter, "plant.so2_total") == pytest.approx(both)
    assert value(quarter, "DA001.so2_capture") == pytest.approx(2106 / 2136)
    assert value(quarter, "DA001.stopped_hours") == 24
    assert value(quarter, "DA002.hours") == 31 * 24


def test_months_add_up_and_carry_the_method(quarter: Content) -> None:
    months = [value(quarter, f"DA001.so2_total@2026-0{n}") for n in (1, 2, 3)]
    assert sum(x or 0 for x in months) == pytest.approx(value(quarter, "DA001.so2_total"))
    march = quarter.line("DA001.so2_total@2026-03")
    assert (march.how, march.method) == (How.SUBSTITUTED, "M720")
    assert float(march.substituted or 0) == pytest.approx(30 / 744, abs=1e-6)
    assert quarter.line("DA001.so2_total").method == "M720"
    assert value(quarter, "DA002.so2_total@2026-01") == 0


def test_a_month_says_the_same_as_the_quarter(smoke: Smoke, quarter: Content) -> None:
    march = content(smoke, "2026-03")
    for figure in ("total", "capture", "exceeded_hours", "substituted_hours", "hour_mean"):
        alone, inside = f"DA001.so2_{figure}", f"DA001.so2_{figure}@2026-03"
        assert value(march, alone) == pytest.approx(value(quarter, inside))
    assert table(march, "captures").rows[0][:3] == table(quarter, "captures").rows[0][:3]


def test_exceedances_with_what_was_done_and_what_is_hidden(quarter: Content) -> None:
    assert value(quarter, "DA001.so2_exceeded_hours") == 3
    rows = table(quarter, "exceedances").rows
    assert len(rows) == 1
    assert [str(cell) for cell in (rows[0][0], *rows[0][2:5])] == [
        *("DA001", "2026-02-10 08:00", "2026-02-10 11:00", "3")
    ]
    said = rows[0][-1]
    assert "脱硫塔循环泵跳闸" in getattr(said, "zh", "")
    assert "市生态环境局" in getattr(said, "en", "")
    hidden = table(quarter, "hidden").rows
    assert [row[2] for row in hidden] == ["2026-02-11 08:00"]
    assert getattr(hidden[0][8], "en", "") == "start-up or shut-down mark"
    assert getattr(hidden[0][10], "zh", "") == "数据曲线支持"
    assert not [x for x in quarter.warnings if x.line.endswith("exceeded_hours")]


def test_what_was_not_explained_is_doubted(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    so2 = {"stack.so2_dry": 60.0, "stack.so2_converted": 60.0}
    smoke.hours(STACK1, "2026-03-01T00:00", 744, so2 | GAS)
    smoke.build()
    march = content(smoke, "2026-03")
    doubted = next(x for x in march.warnings if x.line == "DA001.so2_exceeded_hours")
    assert "744 hours" in doubted.text.en
    assert getattr(table(march, "exceedances").rows[0][-1], "zh", "") == "尚未说明"


@pytest.mark.parametrize(("hours", "listed"), [(19, 0), (20, 1)])
def test_a_day_needs_twenty_hours_to_be_held_against_its_limit(
    tmp_path: Path, hours: int, listed: int
) -> None:
    smoke = Smoke(tmp_path, SITE + STACK.replace("mg_m3 = 35", "mg_m3 = 35\nday_mg_m3 = 19"))
    so2 = {"stack.so2_dry": 20.0, "stack.so2_converted": 20.0}
    smoke.hours(STACK1, "2026-03-01T00:00", hours, so2 | GAS)
    smoke.build()
    march = content(smoke, "2026-03")
    tables = [b for c in march.chapters for b in c.blocks if isinstance(b, Table)]
    assert sum(len(t.rows) for t in tables if t.id == "days-above") == listed
    means = table(march, "days-DA001").rows[0]
    assert (means[1] is None) == (hours < 20)


def test_a_february_needs_23_days(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    so2 = {"stack.so2_dry": 20.0, "stack.so2_converted": 20.0}
    smoke.hours(STACK1, "2026-02-01T00:00", 22 * 24 + 20, so2 | GAS)  # 22 days and 20 hours
    smoke.hours(STACK1, "2025-02-01T00:00", 22 * 24 + 19, so2 | GAS)
    smoke.build()
    for month, valid in (("2026-02", 23), ("2025-02", 22)):
        row = table(content(smoke, month), "months-DA001").rows[0]
        assert str(row[2]).split(".", maxsplit=1)[0] == str(valid)
        assert (row[3] is None) == (valid < 23)


def test_too_much_missing_leaves_no_total(tmp_path: Path) -> None:
    smoke = Smoke(tmp_path)
    so2 = {"stack.so2_dry": 20.0, "stack.so2_converted": 20.0}
    smoke.hours(STACK1, "2026-01-01T00:00", 1600, so2 | GAS)  # of 2160: 74.07 %
    smoke.hours(STACK1, "2026-03-31T23:00", 1, so2 | GAS)
    smoke.build()
    quarter = content(smoke, "2026-Q1")
    line = quarter.line("DA001.so2_total")
    assert (line.value, line.how) == (None, How.MISSING)
    assert not quarter.complete
    assert "559" in line.missing[0].en
    texts = [x.text.en for x in quarter.warnings]
    assert any("below 75 %: 2026-Q1 74.12%" in text for text in texts)
    assert any("cannot be used for the emission total" in text for text in texts)


def test_the_audit_sheet_is_due_on_the_fifth_working_day(quarter: Content) -> None:
    # 1 April 2026 is a Wednesday: 1, 2, 3, 6, 7 April
    assert due_day(Period.quarter(2026, 1), 5) == date(2026, 4, 7)
    assert [(duty.id, duty.due) for duty in quarter.duties] == [("audit-2026-Q1", date(2026, 4, 7))]
    rows = {getattr(r[0], "en", ""): r[1] for r in table(quarter, "audit-DA001-2026-Q1").rows}
    counts = [str(rows[name]) for name in ("hours", "hours stopped", "valid hours")]
    assert counts == ["2160", "24", "2106"]
    assert rows["missing"] == 30
    assert rows["hours replaced, M720: highest of the 720 valid hours before the gap"] == 30
    assert [str(q) for q in audited(Period.year(2026))] == [f"2026-Q{n}" for n in (1, 2, 3, 4)]
    assert audited(Period.month(2026, 3)) == []


def test_every_hour_is_in_a_sheet_with_its_state_and_mark(quarter: Content) -> None:
    found = table(quarter, "sheet-hours-DA001")
    assert len(found.rows) == 2160
    names = [column.label.zh for column in found.columns]
    assert names[1:7] == [
        f"二氧化硫 {x}" for x in ("实测", "标干", "折算", "全部读数", "状态", "标记")
    ]
    rows = {row[0]: row for row in found.rows}
    assert rows["2026-02-10 08:00"][3:7] == (Decimal(40), Decimal(40), "N", "")
    assert rows["2026-02-11 08:00"][4:7] == (Decimal(50), "E", "#2")
    assert rows["2026-03-20 00:00"][4:7] == (None, "B", "")


def test_every_hour_is_in_a_picture_and_gaps_stay_gaps(quarter: Content) -> None:
    charts = [b for c in quarter.chapters for b in c.blocks if isinstance(b, Chart)]
    chart = next(c for c in charts if c.id == "hours-DA001-2026-Q1")
    curves = chart.picture
    assert curves.kind == "curves"
    assert len(curves.x) == 2160
    gap = 78 * 24  # 20 March
    assert set(curves.series[0].values[gap : gap + 30]) == {None}
    assert curves.series[0].values[gap + 30] == 20
    assert curves.thresholds[0].value == 35
    assert {event.label.en for event in curves.events} >= {"stopped", "start-up"}


def test_a_day_has_its_hours_and_minutes(smoke: Smoke) -> None:
    day = content(smoke, "2026-02-10")
    assert str(Period.parse("2026-02-10")) == day.period.name
    rows = table(day, "hours-DA001").rows
    assert [row[1] for row in rows[7:12]] == [20, 40, 40, 40, 20]
    assert value(day, "DA001.so2_total") == pytest.approx((21 * 8 + 3 * 16) / 1000)
    charts = [b.id for c in day.chapters for b in c.blocks if isinstance(b, Chart)]
    assert "minutes-DA001-2026-02-10" in charts
    assert "DA002.so2_total" not in {line.id for line in day.lines}  # it came into use in March


def test_the_command_writes_it_and_trace_finds_the_batches(
    smoke: Smoke, smelter: Smelter, tmp_path: Path
) -> None:
    site, out = str(smoke.root / "site.toml"), str(tmp_path)
    where = ("--site", site, "--out", out, "--format", "json,xlsx,pdf,html")
    code, said = smelter("report", "emissions", "--quarter", "2026-Q1", *where)
    assert (code, "sulphur dioxide, all stacks" in said) == (0, True)
    book = load_workbook(tmp_path / "emissions-2026-Q1-v1.zh.xlsx")
    assert any("DA001" in name for name in book.sheetnames)
    page = (tmp_path / "emissions-2026-Q1-v1.zh.html").read_text("utf-8")
    assert "2026 年第一季度" in page
    report = str(tmp_path / "emissions-2026-Q1")
    line = "DA001.so2_total@2026-02"
    code, said = smelter("trace", report, line, "--at", "2026-02-10T08:30", "--json")
    found = json.loads(said)
    meters = [x["meter"] for x in found["inputs"] if "meter" in x]
    dry = next(m for m in meters if m["id"] == "gtc1/stack1 stack.so2_dry@2026-02")
    assert dry["windows"] == 28 * 24  # of that month, not of the quarter
    assert (dry["gauge"], dry["coverage"]) == (True, 1.0)
    assert dry["batches"][0]["log"] == "3f9a000000000001"
    assert "so2_dry=40.0" in dry["window"]["line_protocol"]
    assert dry["window"]["verified"]


def test_trace_of_hours_above_leads_to_series_hours_and_inputs(
    smoke: Smoke, smelter: Smelter, tmp_path: Path
) -> None:
    where = ("--site", str(smoke.root / "site.toml"), "--out", str(tmp_path), "--format", "json")
    assert smelter("report", "emissions", "--month", "2026-02", *where)[0] == 0
    report = str(tmp_path / "emissions-2026-02")
    line = "DA001.so2_exceeded_hours"
    code, said = smelter("trace", report, line, "--at", "2026-02-10T08:30", "--lang", "zh")
    assert code == 0
    assert "= 3 小时" in said
    assert "2026-02-10 08:00 起 3 小时，最大 40.00 mg/m3" in said
    assert "N(C > L), C = Σ C'/n, C' = C·(273+t)/273·101325/(Ba+Ps)/(1-Xsw)" in said
    assert "standard_state, dry_basis" in said
    assert "so2_dry=40.0" in said
    assert "gw1 3f9a000000000001" in said
    assert "ambient_pa = 100,000 Pa   [stacks.DA001.ambient_pa]" in said
    assert "未知 mg/m3" not in said
    code, said = smelter("trace", report, "DA001.so2_total", "--lang", "zh")
    for name in (
        "area_m2 = 12.5",
        "velocity_coefficient = 1.05",
        "stack.flow_standard",
        "[官方文本]",
    ):
        assert name in said
    assert "[official]" not in said
    assert "Σ C·Q / 10^9" in said


def test_periods_and_sites_that_have_no_stack_are_refused(
    smoke: Smoke, smelter: Smelter, tmp_path: Path
) -> None:
    where = ("--site", str(smoke.root / "site.toml"), "--out", str(tmp_path))
    code, said = smelter("report", "emissions", "--year", "2019", *where)
    assert (code, "no stack was in use" in said) == (2, True)
    code, said = smelter("report", "emissions", "--quarter", "2026-03", *where)
    assert (code, "--quarter 2026-03" in said) == (2, True)
    code, said = smelter("report", "emissions", "--month", "2026-03", "--day", "2026-03-01", *where)
    assert (code, "exactly one of" in said) == (2, True)
    bare = Smoke(tmp_path / "bare", SITE + STACK[: STACK.index("[[stacks.limits]]")])
    bare.root.mkdir()
    bare.hours(STACK1, "2026-03-01T00:00", 1, GAS)
    bare.build()
    where = ("--site", str(bare.root / "site.toml"), "--out", str(tmp_path))
    code, said = smelter("report", "emissions", "--month", "2026-03", *where)
    assert (code, "DA001: no limits" in said) == (2, True)
