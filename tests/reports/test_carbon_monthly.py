"""carbon-monthly: figures by hand, missing is said, versions are kept, doubts are raised."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.make import refuse_unless_due
from reports.model import How, Report
from reports.render.view import view
from reports.values import Text
from reports.versions import read_report
from tests.reports import plant
from tests.reports.conftest import Built, Office, Smelter

HEAD = "kind,line,period,value,unit\n"
MONTH = ("--month", "2026-10")


def value(office: Office, line: str) -> float:
    found = office.content().line(line).value
    assert found is not None
    return float(found)


def test_figures_by_hand(kept: Office, built: Built) -> None:
    """
    Line 1: 9876.40 t of anode, 21050.25 t of metal; line 2 by its stock, 4700.5 t and 10012.5 t.

    0.8482 * 0.976 * 44/12 = 3.0354250667 t CO2 per t of anode; 0.14481 t CO2e per t of metal.
    """
    content = kept.content()
    expected = {
        "line1.aluminium": 21050.25,
        "line1.anode_consumed": 9876.40,
        "line1.anode_net": 9876.40 * 0.8482,
        "line1.anode_co2": 9876.40 * 3.0354250666666667,
        "line1.pfc": 21050.25 * 0.14481,
        "line1.cf4": 421.005,
        "line1.c2f6": 23.155275,
        "line1.emission": 9876.40 * 3.0354250666666667 + 21050.25 * 0.14481,
        "line2.anode_consumed": 4700.5,
        "line2.emission": 4700.5 * 3.0354250666666667 + 10012.5 * 0.14481,
        "plant.aluminium": 31062.75,
        "plant.emission": (9876.40 + 4700.5) * 3.0354250666666667 + 31062.75 * 0.14481,
        "line1.electricity_ac": (built.truth.ac1 + built.truth.ac2) / 1000,
        "line2.electricity_ac": built.truth.line2 / 1000,
        "line1.electricity_aux": built.truth.aux1 / 1000,
        "plant.electricity_purchased": 412005.0,
        "line1.indirect_co2": (built.truth.ac1 + built.truth.ac2) / 1000 * 0.5897,
    }
    found = {key: float(content.line(key).value or 0) for key in expected}
    assert found == pytest.approx(expected, rel=1e-12)
    assert content.line("plant.intensity").rounded == Decimal("1.5693")
    assert content.complete
    assert content.warnings == ()


def test_electricity_does_not_move_the_emission(kept: Office) -> None:
    emission = kept.content().line("plant.emission")
    assert {given.ref for given in emission.inputs} == {"line1.emission", "line2.emission"}
    used = [
        given.ref
        for line in ("line1", "line2")
        for given in kept.content().line(f"{line}.emission").inputs
    ]
    assert not any("electricity" in ref or "heat" in ref for ref in used)


def test_rounding_is_half_up_at_the_end_and_both_sums_are_shown(office: Office) -> None:
    """421.005 kg is 421.01; two halves give another sum rounded than exact."""
    office.enter(
        HEAD
        + "aluminium_tapped,line1,2026-10,10000.125,t\naluminium_tapped,line2,2026-10,5000.125,t\n"
        + "anode_consumed,line1,2026-10,4700,t\nanode_consumed,line2,2026-10,2350,t\n"
    )
    total = office.content().line("plant.aluminium")
    assert total.value == Decimal("15000.250")
    assert total.rounded == Decimal("15000.25")
    assert total.sum_of_rounded == Decimal("15000.26")
    assert office.content().line("line1.aluminium").rounded == Decimal("10000.13")


def test_missing_entries_are_said_and_never_zero(office: Office) -> None:
    office.enter(HEAD + "anode_consumed,line1,2026-10,9876.4,t\n")
    content = office.content()
    assert not content.complete
    metal = content.line("line1.aluminium")
    assert (metal.how, metal.value) == (How.MISSING, None)
    assert "铝液产量" in metal.missing[0].zh
    assert content.line("line1.anode_co2").value is not None
    total = content.line("plant.emission")
    assert total.value is None
    assert total.sum_of_rounded is None
    said = " ".join(text.en for text in total.missing)
    assert "liquid aluminium for line1" in said
    assert "liquid aluminium for line2" in said
    assert "anode consumed for line2" in said
    assert content.line("line1.electricity_ac").value is not None


def test_days_must_be_whole(office: Office) -> None:
    rows = [f"aluminium_tapped,line1,2026-10-{day:02d},679.5,t\n" for day in range(1, 32)]
    office.enter(HEAD + "".join(rows[:6] + rows[8:]))
    line = office.content().line("line1.aluminium")
    assert line.value is None
    assert "2 days missing: 2026-10-07, 2026-10-08" in line.missing[0].en
    assert line.coverage is not None
    assert float(line.coverage.share) == pytest.approx(29 / 31, abs=1e-4)
    office.enter(HEAD + "".join(rows[6:8]), "rest.csv")
    assert value(office, "line1.aluminium") == pytest.approx(31 * 679.5)


def test_a_line_that_started_in_the_month_needs_its_days_only(office: Office) -> None:
    text = office.site_file.read_text("utf-8").replace(
        "started = 2010-01-01", "started = 2026-10-30"
    )
    office.site_file.write_text(text, "utf-8")
    office.enter(
        HEAD
        + "aluminium_tapped,line2,2026-10-30,300,t\naluminium_tapped,line2,2026-10-31,310,t\n"
        + "anode_consumed,line2,2026-10,290,t\n"
    )
    content = office.content()
    assert value(office, "line2.aluminium") == 610
    assert [line.days for line in content.potlines] == [31, 2]


def test_a_stopped_line_is_not_missing(office: Office) -> None:
    text = office.site_file.read_text("utf-8")
    office.site_file.write_text(
        text.replace("started = 2010-01-01", "started = 2010-01-01\nstopped = 2026-10-01"), "utf-8"
    )
    office.enter(
        HEAD + "aluminium_tapped,line1,2026-10,21050,t\nanode_consumed,line1,2026-10,9876,t\n"
    )
    content = office.content()
    assert content.complete
    assert [line.id for line in content.potlines] == ["line1"]


def test_what_to_lodge_names_value_voucher_and_document(kept: Office) -> None:
    content = kept.content()
    (table,) = [
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if block.block == "table" and block.id == "lodging"
    ]
    rows = [[cell.zh if isinstance(cell, Text) else cell for cell in row] for row in table.rows]
    metal = rows[0]
    digest = hashlib.sha256("磅单汇总\n".encode()).hexdigest()[:16]
    assert metal[:7] == [
        *("必存", "一系列", "铝液产量", Decimal("21050.25"), "t", "录入", "CL-2026-10-1"),
    ]
    assert metal[7] == f"weighing.txt {digest}"
    assert rows[2][5:] == ["计量", None, "计量数据（见“计量与覆盖率”）"]
    assert "cn_ets_aluminium_2024.lodging_list" in [each.id for each in content.absent]


def test_a_sold_line_counts_its_meter_until_the_day(office: Office, built: Built) -> None:
    """Sold on the 11th: ten days of 24 hours of 182500.5 kWh are ours, 43800.12 MWh."""
    text = office.site_file.read_text("utf-8").replace(
        "started = 2010-01-01", "started = 2010-01-01\nsold = 2026-10-11"
    )
    office.site_file.write_text(text, "utf-8")
    line = office.content().line("line2.electricity_ac")
    assert line.value == Decimal("43800.12")
    assert line.coverage is not None
    assert line.coverage.share == 1
    (meter,) = [m for m in office.content().meters if m.equipment == "line2/ac1"]
    assert meter.end is not None
    assert meter.end.time == "2026-10-11 00:00:00"


def test_a_laboratory_figure_is_named_but_not_used(kept: Office) -> None:
    before = value(kept, "line1.anode_co2")
    facts = "sample,method,laboratory,accreditation,tested_on"
    row = "anode_sulphur,line1,2026-10,1.5,%,Y-1,YS/T 63.20,河南省有色检测中心,CMA 1,2026-10-20"
    kept.enter(f"{HEAD.strip()},{facts}\n{row}\n", "lab.csv")
    line = kept.content().line("line1.anode_co2")
    assert float(line.value or 0) == before
    assert "1.5 % (entry 8) not used" in line.notes[0].en


def test_stock_and_consumption_are_compared(kept: Office) -> None:
    kept.enter(HEAD + "anode_consumed,line2,2026-10,4690,t\n", "more.csv")
    line = kept.content().line("line2.anode_consumed")
    assert line.value == 4690
    assert "10.5 t off" in line.notes[0].en


def test_a_stock_that_cannot_be_is_said(office: Office) -> None:
    office.enter(
        HEAD
        + "anode_stock_begin,line1,2026-10,10,t\nanode_received,line1,2026-10,10,t\n"
        + "anode_stock_end,line1,2026-10,30,t\n"
    )
    line = office.content().line("line1.anode_consumed")
    assert line.how is How.MISSING
    assert "stock_end_t" in line.missing[0].en


def test_electricity_by_entry_where_there_is_no_meter(office: Office) -> None:
    text = office.site_file.read_text("utf-8").replace('ac_meters = ["line2/ac1"]', "")
    office.site_file.write_text(text, "utf-8")
    assert office.content().line("line2.electricity_ac").how is How.MISSING
    office.enter(HEAD + "electricity_ac,line2,2026-10,13578.5,万kWh\n")
    line = office.content().line("line2.electricity_ac")
    assert (line.how, line.value) == (How.ENTERED, Decimal(135785))


def test_an_entry_beside_a_meter_is_compared(kept: Office) -> None:
    kept.enter(HEAD + "electricity_ac,line2,2026-10,140000,MWh\n", "bill.csv")
    line = kept.content().line("line2.electricity_ac")
    assert line.how is How.METERED
    assert "off the meters" in line.notes[0].en


def test_a_meter_without_any_reading_is_missing(office: Office) -> None:
    text = office.site_file.read_text("utf-8").replace('"line2/ac1"', '"line2/ac9"')
    office.site_file.write_text(text, "utf-8")
    line = office.content().line("line2.electricity_ac")
    assert line.value is None
    assert "line2/ac9" in line.missing[0].en


@pytest.mark.parametrize(
    ("metal", "anode", "line", "says"),
    [
        (21050, 8704, "line1.intensity", "below the practical floor"),  # 1.3999 < 1.4332
        (21050, 8200, "line1.anode_consumed", "usual is"),
        (15000, 9876, "line1.intensity", "above 1.883"),
        (31000, 14000, "line1.aluminium", "Faraday"),
        (16000, 7500, "line1.specific_energy", "kWh per t"),
    ],
)
def test_doubts(office: Office, metal: int, anode: int, line: str, says: str) -> None:
    office.enter(
        f"{HEAD}aluminium_tapped,line1,2026-10,{metal},t\nanode_consumed,line1,2026-10,{anode},t\n"
    )
    doubts = {doubt.line: doubt.text.en for doubt in office.content().warnings}
    assert says in doubts[line]


def test_stamp_names_the_document_to_open(kept: Office) -> None:
    stamps = {stamp.confirmed: stamp for stamp in kept.content().stamps}
    assert len(stamps) == len(kept.content().stamps) == 2  # one text, two kinds of confirmation
    for stamp in stamps.values():
        assert "CETS-AG-04.01-V01-2024" in stamp.source.title
        assert "321号" in stamp.source.where
    assert "阳极损失率" in [text.zh for text in stamps["secondary"].parameters]
    names = [text.zh for stamp in stamps.values() for text in stamp.parameters]
    assert "月度存证时限" not in names  # read in the notice itself
    assert str(kept.content().duties[0].due) == "2026-12-10"


def test_two_runs_give_the_same_bytes_in_two_places(kept: Office, smelter: Smelter) -> None:
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), *MONTH)
    for name in ("one", "two"):
        code, said = smelter(*arguments, "--out", str(kept.root / name))
        assert code == 0, said
    one, two = (sorted((kept.root / name).iterdir()) for name in ("one", "two"))
    assert [path.name for path in one] == [
        "carbon-monthly-2026-10-v1.json",
        "carbon-monthly-2026-10-v1.zh.pdf",
        "carbon-monthly-2026-10-v1.zh.xlsx",
    ]
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
    before = {path: path.stat().st_mtime_ns for path in one}
    code, said = smelter(*arguments, "--out", str(kept.root / "one"))
    assert "same as the version that is there" in said
    assert {path: path.stat().st_mtime_ns for path in one} == before


def test_changed_inputs_make_a_new_version_with_its_differences(
    kept: Office, smelter: Smelter
) -> None:
    out = kept.root / "out"
    arguments = [*("report", "carbon-monthly", "--site", str(kept.site_file)), *MONTH]
    arguments += ["--out", str(out), "--format", "json"]
    assert smelter(*arguments)[0] == 0
    first = (out / "carbon-monthly-2026-10-v1.json").read_bytes()
    where = ("--site", str(kept.site_file), "--author", "李强", "--reason", "磅单更正")
    assert smelter("entries", "revise", "1", "21000.25", *where)[0] == 0
    assert smelter(*arguments)[0] == 0
    assert (out / "carbon-monthly-2026-10-v1.json").read_bytes() == first
    report = read_report(out / "carbon-monthly-2026-10-v2.json")
    assert report.version == 2
    assert report.previous_sha256 == json.loads(first)["content_sha256"]
    changed = {change.ref: (change.before, change.after) for change in report.changes}
    assert changed["line1.aluminium"] == ("21,050.25 t", "21,000.25 t")
    assert "plant.emission" in changed
    assert "line1.anode_co2" not in changed
    assert changed["line1 aluminium_tapped 2026-10"][1] == "21000.25 t (#8)"


def test_exit_codes(office: Office, smelter: Smelter) -> None:
    site, out = ("--site", str(office.site_file)), ("--out", str(office.root / "out"))
    arguments = ("report", "carbon-monthly", *site, *out)
    code, said = smelter(*arguments, *MONTH, "--format", "json")
    assert code == 1
    assert "not complete" in said
    assert (office.root / "out" / "carbon-monthly-2026-10-v1.json").exists()
    assert smelter("report", "nonsense", *site, *out, *MONTH)[0] == 2
    assert smelter(*arguments, "--month", "October")[0] == 2
    assert smelter(*arguments, "--month", "2026-10-05")[0] == 2
    assert smelter(*arguments, *MONTH, "--format", "docx")[0] == 2
    assert smelter(*arguments, *MONTH, "--lang", "fr")[0] == 2
    code, said = smelter(*arguments, "--month", "2023-12")  # before the guide
    assert code == 2
    assert "no value on 2023-12-01" in said
    code, said = smelter(*arguments, "--month", "2001-01")
    assert "no potline ran" in said
    office.site_file.write_text("plant = 1", "utf-8")
    assert smelter(*arguments, *MONTH)[0] == 2


def test_a_month_that_is_not_over_is_refused_or_marked(kept: Office, smelter: Smelter) -> None:
    out = kept.root / "out"
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), "--out", str(out))
    code, said = smelter(*arguments, "--month", "2026-11")
    assert code == 2
    assert "not over; add --preliminary" in said
    code, said = smelter(*arguments, *MONTH, "--preliminary")
    assert code == 2
    assert "leave --preliminary out" in said
    assert not out.exists()
    code, said = smelter(*arguments, "--month", "2026-11", "--preliminary")
    assert code == 1  # nothing is entered for November
    assert "preliminary: the period is not over" in said
    report = read_report(out / "carbon-monthly-2026-11-v1.json")
    assert report.content.warnings[0].text.zh == "试算：该期间尚未结束"
    (told, *_) = view(report, "zh")["warnings"]
    assert told["text"] == "试算：该期间尚未结束"


def test_a_month_is_over_at_midnight_of_the_plant() -> None:
    end = datetime(2026, 10, 31, 16, tzinfo=UTC)
    refuse_unless_due(plant.OCTOBER, end, preliminary=False)
    with pytest.raises(ConfigError):
        refuse_unless_due(plant.OCTOBER, end - timedelta(seconds=1), preliminary=False)


def test_a_report_of_an_earlier_program_still_reads(kept: Office, smelter: Smelter) -> None:
    """A later program knows one field more, with a default; what the file says is hashed."""
    out = kept.root / "out"
    arguments = [*("report", "carbon-monthly", "--site", str(kept.site_file)), *MONTH]
    assert smelter(*arguments, "--out", str(out), "--format", "json")[0] == 0
    file = out / "carbon-monthly-2026-10-v1.json"
    table = json.loads(file.read_bytes())
    del table["content"]["duties"]  # as if the program that wrote it had not known them
    text = json.dumps(table["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    table["content_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(table), "utf-8")
    assert read_report(file).content.duties == ()
    table["content"]["duties"] = []
    file.write_text(json.dumps(table), "utf-8")
    with pytest.raises(ConfigError, match="changed after it was written"):
        read_report(file)


def test_a_changed_report_file_is_refused(kept: Office, smelter: Smelter) -> None:
    out = kept.root / "out"
    arguments = [*("report", "carbon-monthly", "--site", str(kept.site_file)), *MONTH]
    arguments += ["--out", str(out), "--format", "json"]
    assert smelter(*arguments)[0] == 0
    path = out / "carbon-monthly-2026-10-v1.json"
    path.write_text(path.read_text("utf-8").replace("31062.75", "31062.76"), "utf-8")
    code, said = smelter(*arguments)
    assert code == 2
    assert "was changed after it was written" in said


def test_report_json_is_canonical_and_of_the_published_schema(
    kept: Office, smelter: Smelter
) -> None:
    out = kept.root / "out"
    arguments = ("report", "carbon-monthly", "--site", str(kept.site_file), *MONTH)
    code, said = smelter(*arguments, "--out", str(out), "--format", "json", "--json")
    answer = json.loads(said)
    assert code == 0
    text = Path(answer["report"]).read_text("utf-8")
    table = json.loads(text)
    assert json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1) + "\n" == text
    assert table["schema"] == "smelter.report/2"
    schema = Path(__file__).parents[2] / "docs" / "report-schema.json"
    published = json.loads(schema.read_text("utf-8"))
    assert published == Report.model_json_schema(mode="serialization")
    assert Report.model_validate_json(text).text() == text
    assert answer["plant.aluminium"] == plant_aluminium()


def plant_aluminium() -> float:
    rows = [line.split(",") for line in plant.ENTRIES.splitlines() if "铝液产量" in line]
    return sum(float(row[3]) for row in rows)
