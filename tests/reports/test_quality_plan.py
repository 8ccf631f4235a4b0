"""``quality-plan``: what it prints, what it misses, how it differs from plans before it."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from drivers.model import ConfigError
from reports.chapters import Cell, Column, Table
from reports.model import Change, Content
from reports.render.pdf import render_pdf
from reports.values import Text
from reports.versions import read_report
from tests.reports import planned
from tests.reports.conftest import Office, Smelter


def tables(content: Content) -> dict[str, Table]:
    blocks = (block for chapter in content.chapters for block in chapter.blocks)
    return {block.id: block for block in blocks if isinstance(block, Table)}


def row(table: Table, key: str) -> tuple[Cell, ...]:
    (found,) = [each for each in table.rows if each[0] == key]
    return found


@pytest.fixture
def filed(kept: Office) -> Office:
    """An office with a whole plan and certificates."""
    planned.plan(kept)
    kept.enter(planned.CERTIFICATES, "certificates.csv")
    return kept


def test_a_whole_plan_is_complete_before_its_year(filed: Office, smelter: Smelter) -> None:
    out = filed.root / "out"
    arguments = ("report", "quality-plan", "--site", str(filed.site_file), "--year", "2027")
    code, said = smelter(*arguments, "--out", str(out), "--format", "json", "--lang", "en")
    assert code == 0, said
    assert (
        "Parameters in the plan: 16" in said
    )  # 8 of line1, 7 of line2 without aux meter, 1 of the plant
    assert "Instruments in use: 6" in said
    assert "file the quality plan of 2027: by 2026-12-31" in said
    code, said = smelter("report", "carbon-annual", *arguments[2:], "--out", str(out))
    assert code == 2, said  # a report of what was is not made ahead


@pytest.mark.parametrize(
    ("year", "due"),
    [(2025, date(2025, 6, 30)), (2026, None), (2027, date(2026, 12, 31)), (2028, None)],
)
def test_the_day_by_which_the_plan_of_a_year_is_filed(
    filed: Office, year: int, due: date | None
) -> None:
    """The first plan was due in its own year; of 2026 and 2028 no notice was read."""
    duties = planned.made(filed, "quality-plan", year).report.content.duties
    assert [duty.due for duty in duties] == ([] if due is None else [due])


def test_certificates_fill_the_plan(filed: Office) -> None:
    """Calibrated 2026-03-10, interval 12 months: until 2027-03-10, the certificate a day less."""
    content = planned.made(filed, "quality-plan", 2027).report.content
    metering = row(tables(content)["plan_metering"], "line1.electricity_ac ← em_ac1")
    assert metering[-2:] == ("2026-03-10", "2027-03-09")
    assert not content.warnings
    ledger = row(tables(content)["plan_instruments"], "truck1")
    assert ledger[-2] == "2027-03-09"


def test_the_first_page_says_that_annex_b_was_not_seen(filed: Office) -> None:
    report = planned.made(filed, "quality-plan", 2027).report
    assert [absent.id for absent in report.content.absent] == ["cn_ets_aluminium_2024.annex_b_form"]
    for lang, words in (("zh", "附录B"), ("en", "AnnexBofthealuminiumguide")):
        pages = PdfReader(BytesIO(render_pdf(report, lang))).pages
        assert words in pages[0].extract_text().replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            'figure = "*.anode_consumed"',
            'figure = "line1.anode_consumed"',
            "plant.plan_parameters",
            "the plan has no parameter for line2.anode_consumed",
        ),
        (
            'measures = ["line2/ac1", "line2.electricity_ac"]',
            'measures = ["line2.electricity_ac"]',
            "plant.plan_instruments",
            "no instrument stands for the meter line2/ac1 meter.energy_import",
        ),
        (
            'measures = ["line2/ac1", "line2.electricity_ac"]',
            'measures = ["line2/ac1", "line1.electricity_ac"]',
            "plant.plan_instruments",
            "line2.electricity_ac is measured, but by no instrument",
        ),
        (
            'kind = "metering"',
            'kind = "other"',
            "plant.plan_drawings",
            "the metering diagram is missing",
        ),
    ],
)
def test_a_gap_is_named(filed: Office, old: str, new: str, line: str, says: str) -> None:
    assert old in planned.PLAN
    planned.plan(filed, planned.PLAN.replace(old, new))
    content = planned.made(filed, "quality-plan", 2027).report.content
    assert content.missing == (line,)
    assert [text.en for text in content.line(line).missing] == [says]


def test_a_fuel_that_is_burned_needs_a_parameter(filed: Office) -> None:
    filed.enter(
        "项目,工序,期间,数值,单位,品种\nfuel_consumed,plant,2026-10,12,t,diesel\n", "fuel.csv"
    )
    content = planned.made(filed, "quality-plan", 2027).report.content
    burned, heat_value = content.line("plant.plan_parameters").missing
    assert burned.en == "the plan has no parameter for plant.fuel_consumed.diesel"
    assert burned.zh == "计划中没有参数 plant.fuel_consumed.diesel"
    assert heat_value.en == "the plan has no parameter for plant.fuel_ncv.diesel"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("interval_months = 12", "interval_months = 13", "longer than the 12 allowed"),
        ("years = 10", "years = 9", "fewer than the 10 of"),  # GB/T 32150-2025, in force 2027
        ("years = 10", "years = 4", "fewer than the 5 of"),  # decree 775
    ],
)
def test_less_than_the_law_asks_for_is_doubted(
    filed: Office, old: str, new: str, says: str
) -> None:
    planned.plan(filed, planned.PLAN.replace(old, new, 1))
    content = planned.made(filed, "quality-plan", 2027).report.content
    assert says in content.warnings[0].text.en


def test_an_instrument_without_certificate_is_doubted(kept: Office) -> None:
    planned.plan(kept)
    kept.enter(planned.HEAD + planned.certificate("ladle1"), "certificates.csv")
    content = planned.made(kept, "quality-plan", 2027).report.content
    assert len(content.warnings) == 5  # of six instruments
    assert "没有录入检定/校准证书" in content.warnings[0].text.zh


# --- differences


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    """Version 1.0 is not version 1, and a CN code has no decimals."""
    columns = (Column(label=Text(zh="列", en="column")),)
    cells = ("1.0", "76011000", Decimal(7), Decimal("0.1"), None)
    title = Text(zh="表", en="table")
    table = Table(id="t", title=title, columns=columns, rows=(cells,))
    text = table.model_dump_json()
    assert '["1.0","76011000",7.0,0.1,null]' in text
    assert Table.model_validate_json(text).rows == (cells,)


def cells(changes: tuple[Change, ...]) -> dict[str, tuple[object, object]]:
    return {change.ref: (change.before, change.after) for change in changes}


def test_one_changed_meter_is_what_differs(filed: Office) -> None:
    """Another serial number and another class: two cells of the ledger, one of the metering."""
    planned.made(filed, "quality-plan", 2027)
    text = planned.PLAN.replace('serial = "E-1002"', 'serial = "E-7777"')
    at = text.index('serial = "E-7777"')
    text = text[:at] + text[at:].replace("percent = 0.5", "percent = 0.2", 1)
    planned.plan(filed, text)
    report = planned.made(filed, "quality-plan", 2027).report
    assert report.version == 2
    found = cells(report.changes)
    assert set(found) == {
        "plan_instruments/em_ac2/2",
        "plan_instruments/em_ac2/5",
        "plan_metering/line1.electricity_ac ← em_ac2/2",
    }
    before, after = found["plan_instruments/em_ac2/5"]
    assert (str(before), str(after)) == ("0.5", "0.2")
    labels = {change.ref: change.label for change in report.changes}
    label = labels["plan_instruments/em_ac2/2"]
    assert label is not None
    assert label.zh == "计量器具台账：em_ac2：型号与出厂编号"


def test_a_new_instrument_is_a_row_of_its_own(filed: Office) -> None:
    planned.made(filed, "quality-plan", 2027)
    more = planned.LINE2_METER.replace("em_l2", "em_l3").replace("line2/ac1", "line2/ac9")
    planned.plan(filed, planned.PLAN + more)
    report = planned.made(filed, "quality-plan", 2027).report
    by_ref = {change.ref: change for change in report.changes}
    assert by_ref["plan_instruments/em_l3"].before is None
    assert by_ref["plan_instruments/em_l3"].after is not None
    assert by_ref["plant.plan_instruments"].after == "7 "


def test_the_same_plan_is_no_new_version(filed: Office) -> None:
    planned.made(filed, "quality-plan", 2027)
    again = planned.made(filed, "quality-plan", 2027)
    assert not again.fresh
    assert again.report.version == 1


def test_against_the_plan_of_the_year_before(filed: Office) -> None:
    planned.hand_in(filed, 2026, date(2026, 1, 5))
    planned.plan(filed, planned.PLAN.replace("东门", "西门"))
    since = tables(planned.made(filed, "quality-plan", 2027).report.content)["plan_since"]
    assert since.title.zh == "与 2026 v1（2026-01-05 报送）相比"
    shown = [[getattr(cell, "zh", cell) for cell in each] for each in since.rows]
    assert shown == [
        ["监测设备与频次：line1.anode_consumed ← truck1：安装位置", "东门", "西门"],
        ["监测设备与频次：line2.anode_consumed ← truck1：安装位置", "东门", "西门"],
    ]


def test_against_what_was_lodged_for_the_same_year(filed: Office) -> None:
    planned.hand_in(filed, 2027, date(2026, 12, 20))
    planned.plan(filed, planned.PLAN.replace("东门", "西门"))
    report = planned.made(filed, "quality-plan", 2027).report
    assert report.lodged is not None
    assert report.lodged.on == date(2026, 12, 20)
    assert len(report.since_lodged) == 2


def test_the_plan_in_the_report_reads_back_as_it_was(filed: Office) -> None:
    written = planned.made(filed, "quality-plan", 2027)
    plan = read_report(written.path).content.plan
    assert plan is not None
    instrument = plan.instrument_of("ladle1")
    assert instrument is not None
    assert str(instrument.accuracy_class_percent) == "0.5"


def test_a_site_without_plan_is_told_what_to_write(kept: Office) -> None:
    with pytest.raises(ConfigError, match=r"plan.example.toml"):
        planned.made(kept, "quality-plan", 2027)


def test_pages_in_both_languages(filed: Office, tmp_path: Path) -> None:
    written = planned.made(filed, "quality-plan", 2027)
    for lang, wanted in (
        ("zh", ("数据质量控制计划", "计量器具台账", "抬包电子秤", "省电力计量中心", "能源计量部")),
        ("en", ("Dataqualitycontrolplan", "Ladlescale", "ProvincialMeteringCentre")),
    ):
        pages = PdfReader(BytesIO(render_pdf(written.report, lang))).pages
        text = "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")
        assert [words for words in wanted if words not in text] == []


def test_a_parameter_without_a_rule_for_missing_data_is_warned_of(filed: Office) -> None:
    """The guide wants a conservative rule of the plan; "none" is no rule."""
    figure = 'figure = "*.anode_consumed"'
    begin = planned.PLAN.index(figure)
    code = planned.PLAN.index('missing = { code = "', begin) + len('missing = { code = "')
    end = planned.PLAN.index('"', code)
    planned.plan(filed, planned.PLAN[:code] + "none" + planned.PLAN[end:])
    content = planned.made(filed, "quality-plan", 2027).report.content
    (doubt,) = content.warnings
    assert "1 parameters have no rule for missing data" in doubt.text.en
    assert "*.anode_consumed" in doubt.text.en
    assert "没有保守的替代方法" in doubt.text.zh
