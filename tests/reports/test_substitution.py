"""Missing figures, Chinese guide: only as the plan in force says, visibly, on both sides."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports.lodgings import Lodging, lodge
from reports.make import make_report
from reports.model import Content, How
from reports.periods import Period
from reports.trace.text import trace_text
from reports.trace.tracer import Tracer
from tests.reports.planned import KINDS, PLAN
from tests.reports.year import NOW, Y2026, YearOffice, month_rows, usual_year

CONSERVATIVE = PLAN.replace('code = "production_record"', 'code = "conservative_v1"').replace(
    'code = "stock_balance"', 'code = "conservative_v1"'
)
JUNE = Period.month(2026, 6)


def lodge_plan(office: YearOffice, text: str, on: date = date(2025, 12, 20)) -> None:
    """Put the plan into the office and hand it in for 2026."""
    assert text != PLAN or "conservative_v1" not in text
    (office.root / "plan.toml").write_text(text, "utf-8")
    for kind in KINDS:
        (office.root / f"{kind}.pdf").write_bytes(kind.encode())
    office.write_site(
        lambda site: (
            site
            if "plan.toml" in site
            else site.replace("# more\n", 'plan = "plan.toml"\n# more\n')
        )
    )
    written = make_report(
        "quality-plan", office.site_file, Y2026, office.root / "out", ("json",), "zh"
    )
    lodging = Lodging(
        number=0,
        report="quality-plan",
        period="2026",
        version=written.report.version,
        content_sha256=written.report.content_sha256,
        file=written.path.name,
        receipt="P-1",
        on=on,
        author="王敏",
        time=NOW,
    )
    lodge(office.root / "entries.jsonl", lodging, written.path.read_bytes())


@pytest.fixture
def office(tmp_path: Path) -> YearOffice:
    """Line1 lacks June's anode; line2 has June by the day, without the 10th and the 11th."""
    made = YearOffice(tmp_path)
    rows = usual_year(skip=lambda month, _line: month >= JUNE)
    rows = rows.replace("anode_consumed,line1,2026-03,,9400", "anode_consumed,line1,2026-03,,9600")
    rows = rows.replace(
        "aluminium_tapped,line2,2026-02,,10000", "aluminium_tapped,line2,2026-02,,8400"
    )
    rows += "aluminium_tapped,line1,2026-06,,19800,t,\nelectricity_ac,line1,2026-06,,1,MWh,\n"
    rows += "anode_consumed,line2,2026-06,,4700,t,\nelectricity_ac,line2,2026-06,,1,MWh,\n"
    for day in range(1, 31):
        if day not in {10, 11}:
            rows += f"aluminium_tapped,line2,2026-06-{day:02d},,330,t,\n"
    made.enter(rows)
    return made


def june(office: YearOffice) -> Content:
    return office.content(JUNE)


def test_without_a_plan_nothing_is_substituted(office: YearOffice) -> None:
    content = june(office)
    for line in ("line1.anode_consumed", "line2.aluminium"):
        assert content.line(line).how is How.MISSING
        assert content.line(line).value is None


def test_with_another_rule_nothing_is_substituted(office: YearOffice) -> None:
    lodge_plan(office, PLAN)
    line = june(office).line("line1.anode_consumed")
    assert line.how is How.MISSING
    assert any("库存" in text.zh and "质量控制计划" in text.zh for text in line.missing)


def test_no_rule_at_all_is_said_in_a_sentence(office: YearOffice) -> None:
    """The plan of the example has stock_balance for anode; here it says "none"."""
    begin = PLAN.index('figure = "*.anode_consumed"')
    code = PLAN.index('missing = { code = "', begin) + len('missing = { code = "')
    lodge_plan(office, PLAN[:code] + "none" + PLAN[PLAN.index('"', code) :])
    line = june(office).line("line1.anode_consumed")
    told = [text.en for text in line.missing]
    assert any("the quality plan lays down no substitute for this figure" in text for text in told)
    assert not any("(none)" in text for text in told)


def test_a_plan_lodged_after_the_month_does_not_help(office: YearOffice) -> None:
    lodge_plan(office, CONSERVATIVE, on=date(2026, 7, 1))
    assert june(office).line("line1.anode_consumed").how is How.MISSING
    lodge_again = YearOffice(office.root / "again")
    lodge_again.enter((office.root / "table1.csv").read_text("utf-8").partition("\n")[2])
    lodge_plan(lodge_again, CONSERVATIVE, on=date(2026, 6, 30))  # the last day is early enough
    assert june(lodge_again).line("line1.anode_consumed").how is How.SUBSTITUTED


def test_a_month_of_anode(office: YearOffice) -> None:
    """
    The highest use of five known months is March's, 9600 / 20000 = 0.48 t/t; x 19800 t = 9504 t.
    """
    lodge_plan(office, CONSERVATIVE)
    content = june(office)
    line = content.line("line1.anode_consumed")
    assert (line.how, line.method) == (How.SUBSTITUTED, "conservative_v1")
    assert (line.value, line.substituted) == (Decimal(9504), Decimal(1))
    assert "2026-03" in line.notes[0].en
    kinds = [given.kind for given in line.inputs]
    assert kinds == ["line", "entry", "entry", "legal"]
    assert "missing_data_method" in line.inputs[-1].ref
    traced = trace_text(Tracer(content, None).line(line.id))
    assert "= plan_conservative   [unverified]" in traced
    stamped = [text.zh for stamp in content.stamps for text in stamp.parameters]
    assert "缺失数据处理方法" in stamped  # its table was not seen
    told = [d.text.en for d in content.warnings if d.line == "line1.anode_consumed"]
    assert any("100.00 % of the period is missing" in text for text in told)
    emission = content.line("line1.emission").value
    assert emission is not None
    assert float(emission) == pytest.approx(9504 * 3.0354250666666667 + 19800 * 0.14481)


def test_missing_days_of_metal_on_both_sides(office: YearOffice) -> None:
    """
    28 days x 330 = 9240 t known. Mean days: Jan 10000/31 = 322.58, Feb 8400/28 = 300, Mar 322.58,
    Apr 333.33, May 322.58, June 330. Output takes 2 x 300: 9840 t; PFC takes 2 x 333.333: 9906.67.
    """
    lodge_plan(office, CONSERVATIVE)
    content = june(office)
    metal, high = content.line("line2.aluminium"), content.line("line2.aluminium_high")
    assert (metal.how, metal.method) == (How.SUBSTITUTED, "conservative_v1")
    assert metal.value == 9840
    assert metal.substituted == Decimal("0.0667")  # 2 of 30 days
    assert float(high.value or 0) == pytest.approx(9240 + 2 * 10000 / 30)
    assert high.method == "conservative_v1"
    assert float(content.line("line2.pfc").value or 0) == pytest.approx(
        (9240 + 2 * 10000 / 30) * 0.14481
    )
    assert content.line("plant.aluminium").value == 19800 + 9840
    intensity = float(content.line("line2.intensity").value or 0)
    emission = float(content.line("line2.emission").value or 0)
    assert intensity == pytest.approx(emission / 9840)
    assert "每缺一天计 300.00 t" in metal.notes[0].zh
    assert "每缺一天计 333.33 t" in metal.notes[0].zh


def test_a_substitute_is_never_on_the_unsafe_side(office: YearOffice) -> None:
    """Whatever the two days really were between the known extremes: emission and intensity hold."""
    lodge_plan(office, CONSERVATIVE)
    before = june(office)
    for tonnes in (300, 320, 333):
        whole = YearOffice(office.root / f"whole{tonnes}")
        rows = (office.root / "table1.csv").read_text("utf-8").partition("\n")[2]
        rows += "".join(f"aluminium_tapped,line2,2026-06-{d},,{tonnes},t,\n" for d in (10, 11))
        whole.enter(rows)
        true = june(whole)
        for name in ("emission", "intensity"):
            safe, real = (c.line(f"line2.{name}").value for c in (before, true))
            assert safe is not None
            assert real is not None
            assert safe >= real


def test_the_year_states_the_share(office: YearOffice) -> None:
    """June's 30 days of 365 for anode; two of them, 0.0667 x 30 / 365 = 0.0055, for metal."""
    lodge_plan(office, CONSERVATIVE)
    office.enter(
        "".join(
            month_rows(month, line, metal, anode, energy)
            for month in Y2026.months[6:]
            for line, metal, anode, energy in (
                ("line1", 20000, 9400, 270000),
                ("line2", 10000, 4700, 135000),
            )
        )
    )
    content = office.content()
    anode, metal = content.line("line1.anode_consumed"), content.line("line2.aluminium")
    assert (anode.substituted, anode.method) == (Decimal("0.0822"), "conservative_v1")
    assert metal.substituted == Decimal("0.0055")
    assert content.line("line1.anode_consumed@2026-06").how is How.SUBSTITUTED
    told = [doubt for doubt in content.warnings if "was substituted by" in doubt.text.en]
    assert [doubt.line for doubt in told] == ["line1.anode_consumed", "line2.aluminium"]
    assert all(doubt.text.en.startswith("2026-06: ") for doubt in told)
    with pytest.raises(KeyError):
        content.line("line2.aluminium_high")


def test_no_history_no_substitute(tmp_path: Path) -> None:
    office = YearOffice(tmp_path)
    january = Period.month(2026, 1)
    office.enter("aluminium_tapped,line1,2026-01,,20000,t,\n" + month_rows(january, "line2", 1, 1))
    lodge_plan(office, CONSERVATIVE)
    line = office.content(january).line("line1.anode_consumed")
    assert (line.how, line.value) == (How.MISSING, None)


def test_days_without_certificate_are_corrected_beside_the_figure(office: YearOffice) -> None:
    """
    truck1, class 0.5, has a certificate to 15 June: 15 of 30 days open. Line2's 4700 t of anode:
    2350 + 2350 x 1.005 = 4711.75 on the emission side, 2350 + 2350 x 0.995 = 4688.25 as output.
    """
    facts = "valid_until,body,certificate"
    office.enter_table(
        f"kind,line,period,value,unit,{facts}\n"
        "instrument_certificate,truck1,2025-06-16,0.1,%,2026-06-15,省计量院,J-1\n"
    )
    lodge_plan(office, PLAN)
    content = june(office)
    line = content.line("line2.anode_consumed")
    assert line.value == 4700  # shown, never applied
    (note,) = [text for text in line.notes if "truck1" in text.en]
    assert "15 of 30 days" in note.en
    assert "4711.75 t as emission, 4688.25 t as output" in note.en
    warned = [d.text.zh for d in content.warnings if d.line == "line2.anode_consumed"]
    assert any("truck1" in text and "15 天不在证书有效期内" in text for text in warned)
