"""carbon-annual: the year is its months; lines that come and go; last year; what was lodged."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.assembly import Assembly
from reports.carbon.auxiliary import grid_factor
from reports.chapters import Table
from reports.lodgings import Lodging, lodge
from reports.make import make_report
from reports.model import Content, How
from reports.periods import Period
from reports.rules.packs import Confirmed, packs
from reports.trace.tracer import Tracer, verified
from reports.values import Text
from reports.versions import read_report
from tests.reports.planned import KINDS, PLAN
from tests.reports.year import NOW, USUAL, Y2026, YearOffice, month_rows, usual_year

Y2025 = Period.year(2025)
SUMMED = ("aluminium", "anode_consumed", "anode_net", "anode_co2", "pfc", "emission")


@pytest.fixture
def office(tmp_path: Path) -> YearOffice:
    return YearOffice(tmp_path)


def value(content: Content, line: str) -> float:
    found = content.line(line).value
    assert found is not None, line
    return float(found)


def table(content: Content, identity: str) -> Table:
    found = [
        block
        for chapter in content.chapters
        for block in chapter.blocks
        if isinstance(block, Table) and block.id == identity
    ]
    assert len(found) == 1, identity
    return found[0]


def rows_of(content: Content, identity: str, lang: str = "en") -> dict[str, tuple[Any, ...]]:
    """Rows of a table by their first cell, texts in one language."""
    rows = [
        [cell.of(lang) if isinstance(cell, Text) else cell for cell in row]
        for row in table(content, identity).rows
    ]
    return {str(row[0]): tuple(row[1:]) for row in rows}


def has(content: Content, identity: str) -> bool:
    blocks = [block for chapter in content.chapters for block in chapter.blocks]
    return any(isinstance(block, Table) and block.id == identity for block in blocks)


def hand_in(
    office: YearOffice,
    name: str,
    period: Period,
    on: date,
    receipt: str = "R-1",
    backdated: str = "",
) -> Content:
    """Make and lodge a report as an officer does."""
    out = office.root / "out"
    written = make_report(name, office.site_file, period, out, ("json",), "zh")
    lodging = Lodging(
        number=0,
        report=name,
        period=str(period),
        version=written.report.version,
        content_sha256=written.report.content_sha256,
        file=written.path.name,
        receipt=receipt,
        on=on,
        author="王敏",
        time=NOW,
        backdated=backdated,
    )
    lodge(office.root / "entries.jsonl", lodging, written.path.read_bytes())
    return written.report.content


def test_a_year_by_hand(office: YearOffice) -> None:
    """
    12 months of 20000 + 10000 t of metal and 9400 + 4700 t of anode.

    Metal 360000 t; anode 169200 t; 169200 x 0.8482 x 0.976 x 44/12 = 513593.92128 tCO2;
    360000 x 0.14481 = 52131.6 tCO2e; together 565725.52128; / 360000 = 1.57145978.
    """
    office.enter(usual_year())
    content = office.content()
    assert content.complete
    expected = {
        "plant.aluminium": 360000.0,
        "plant.anode_consumed": 169200.0,
        "plant.anode_co2": 513593.92128,
        "plant.pfc": 52131.6,
        "plant.emission": 565725.52128,
        "plant.intensity": 565725.52128 / 360000,
        "line1.emission@2026-03": 31429.19560,
        "line2.aluminium": 120000.0,
        "line1.electricity_ac": 3240000.0,
        "line1.specific_energy": 13500.0,
    }
    found = {key: value(content, key) for key in expected}
    assert found == pytest.approx(expected, rel=1e-9)
    assert content.line("plant.intensity").rounded == Decimal("1.5715")
    # 9400 x 3.0354250666 = 28532.99562..., 28533.00 a month; + 2896.20 = 31429.20; 12 times
    year = content.line("line1.emission")
    assert year.sum_of_rounded == 12 * Decimal("31429.20")
    assert year.rounded == Decimal("377150.35")
    assert [given.ref for given in year.inputs][2] == "line1.emission@2026-03"


@settings(max_examples=12, deadline=None)
@given(
    metal=st.lists(st.decimals(15000, 22000, places=2, allow_nan=False), min_size=24, max_size=24),
    rate=st.lists(st.decimals("0.43", "0.53", places=3), min_size=24, max_size=24),
)
def test_a_year_is_the_sum_of_its_months(
    tmp_path_factory: pytest.TempPathFactory, metal: list[Decimal], rate: list[Decimal]
) -> None:
    office = YearOffice(tmp_path_factory.mktemp("year"))
    rows, places = "", [(m, x) for x in ("line1", "line2") for m in Y2026.months]
    for (month, line), tonnes, per_t in zip(places, metal, rate, strict=True):
        rows += month_rows(month, line, tonnes, (tonnes * per_t).quantize(Decimal("0.01")), 1000)
    office.enter(rows)
    content = office.content()
    for scope in ("line1", "line2", "plant"):
        for name in SUMMED:
            months = [content.line(f"{scope}.{name}@{m}") for m in Y2026.months]
            year = content.line(f"{scope}.{name}")
            assert year.value == sum((line.value or Decimal(0) for line in months), Decimal(0))
            assert year.sum_of_rounded == sum(
                (line.rounded or Decimal(0) for line in months), Decimal(0)
            )
    for name in SUMMED:
        parts = [content.line(f"{line}.{name}").value or Decimal(0) for line in USUAL]
        whole = content.line(f"plant.{name}").value or Decimal(0)
        assert abs(whole - sum(parts, Decimal(0))) < Decimal("1e-15")  # 28 digits, another order
    mean = content.line("plant.intensity").value or Decimal(0)
    least, most = (
        f(content.line(f"{line}.intensity").value or Decimal(0) for line in USUAL)
        for f in (min, max)
    )
    assert least <= mean <= most


def test_months_of_the_year_are_the_monthly_reports(office: YearOffice) -> None:
    office.enter(usual_year() + "fuel_consumed,plant,2026-05,,0,t,\n".replace(",,", ",diesel,"))
    year, may = office.content(), office.content(Period.month(2026, 5))
    for line in may.lines:
        assert year.line(f"{line.id}@2026-05").value == line.value, line.id


def test_a_missing_month_makes_the_year_missing_and_says_which(office: YearOffice) -> None:
    office.enter(usual_year(skip=lambda month, line: (str(month), line) == ("2026-04", "line1")))
    content = office.content()
    assert not content.complete
    year = content.line("line1.emission")
    assert (year.value, year.how, year.sum_of_rounded) == (None, How.MISSING, None)
    assert any("line1 in 2026-04" in text.en for text in year.missing)
    assert content.line("plant.emission").value is None
    assert content.line("line2.emission").value is not None
    assert content.line("line1.emission@2026-03").value is not None
    assert content.line("line1.electricity_ac").how is How.MISSING
    with pytest.raises(KeyError):  # eleven months of it are no year of it
        content.line("line1.indirect_co2")
    assert content.line("line2.indirect_co2").value is not None


@pytest.mark.parametrize(
    ("stopped", "days_in_june", "ran"),
    [("2026-06-01", 0, 5), ("2026-06-02", 1, 6), ("2026-06-30", 29, 6), ("2026-07-01", 30, 6)],
)
def test_a_line_that_stops(office: YearOffice, stopped: str, days_in_june: int, ran: int) -> None:
    """On the 1st it did not run in June at all; on the 30th it ran for 29 days."""
    office.write_site(
        lambda text: text.replace(
            "started = 2010-01-01", f"started = 2010-01-01\nstopped = {stopped}"
        )
    )
    months = [str(m) for m in Y2026.months[:ran]]
    rows = usual_year(
        skip=lambda month, line: (
            line == "line2" and (str(month) not in months or str(month) == "2026-06")
        )
    )
    for day in range(1, days_in_june + 1):
        rows += f"aluminium_tapped,line2,2026-06-{day:02d},,300,t,\n"
    if days_in_june:
        rows += f"anode_consumed,line2,2026-06,,{days_in_june * 141},t,\n"
        rows += f"electricity_ac,line2,2026-06,,{days_in_june * 4050},MWh,\n"
    office.enter(rows)
    content = office.content()
    assert content.complete, content.reasons()
    assert value(content, "line2.aluminium") == 5 * 10000 + 300 * days_in_june
    july = content.line("line2.aluminium@2026-07")
    assert (july.how, july.value) == (How.NONE, None)
    assert "did not run" in july.notes[0].en
    note = f"stopped on {stopped}: counted until then"
    assert note in [text.en for text in content.line("line2.aluminium").notes]
    assert rows_of(content, "line_changes")["Potline 2"] == ("2", note)
    (master,) = [line for line in content.potlines if line.id == "line2"]
    assert master.days == 31 + 28 + 31 + 30 + 31 + days_in_june


def test_a_line_that_stands_still_in_between(office: YearOffice) -> None:
    """Stopped from 2 February to 30 April: 1 day of February, none of March and April."""
    pause = "started = 2010-01-01\npauses = [{ stopped = 2026-02-02, restarted = 2026-05-01 }]"
    office.write_site(lambda text: text.replace("started = 2010-01-01", pause))
    still = {"2026-02", "2026-03", "2026-04"}
    rows = usual_year(skip=lambda month, line: line == "line2" and str(month) in still)
    rows += "aluminium_tapped,line2,2026-02-01,,320,t,\nanode_consumed,line2,2026-02,,150,t,\n"
    office.enter(rows + "electricity_ac,line2,2026-02,,4300,MWh,\n")
    content = office.content()
    assert content.complete, content.reasons()
    assert value(content, "line2.aluminium") == 9 * 10000 + 320
    assert content.line("line2.emission@2026-03").how is How.NONE
    assert [line.days for line in content.potlines] == [365, 365 - 27 - 31 - 30]
    note = content.line("line2.aluminium").notes[0]
    assert note.zh == "2026-02-02 停运，2026-05-01 重启"


def test_a_line_that_starts_on_the_last_day(office: YearOffice) -> None:
    office.write_site(lambda text: text.replace("started = 2010-01-01", "started = 2026-12-31"))
    rows = usual_year(skip=lambda _month, line: line == "line2")
    december = Period.month(2026, 12)
    office.enter(rows + month_rows(december, "line2", 150, 75, 2100))
    content = office.content()
    assert content.complete
    assert value(content, "line2.aluminium") == 150
    assert [line.days for line in content.potlines] == [365, 1]


def test_a_line_sold_in_the_middle_of_a_month(office: YearOffice) -> None:
    """Sold on 10 March: 9 days of March are ours, the 10th is another's."""
    office.write_site(
        lambda text: text.replace("started = 2010-01-01", "started = 2010-01-01\nsold = 2026-03-10")
    )
    rows = usual_year(skip=lambda month, line: line == "line2" and month.first >= date(2026, 3, 1))
    rows += "".join(f"aluminium_tapped,line2,2026-03-{d:02d},,333,t,\n" for d in range(1, 10))
    rows += "anode_consumed,line2,2026-03,,1405,t,\nelectricity_ac,line2,2026-03,,40500,MWh,\n"
    office.enter(rows)
    content = office.content()
    assert content.complete, content.reasons()
    assert value(content, "line2.aluminium") == 20000 + 9 * 333
    notes = content.line("line2.aluminium@2026-03").notes
    assert "2026-03-10 出让，自该日起数据属另一报告主体，计至前一日" in notes[0].zh
    assert [line.days for line in content.potlines] == [365, 31 + 28 + 9]
    assert rows_of(content, "disclosed_changes", "zh") == {"二系列": (notes[0].zh,)}


def test_a_day_after_the_sale_is_refused_at_import(office: YearOffice) -> None:
    office.write_site(
        lambda text: text.replace("started = 2010-01-01", "started = 2010-01-01\nsold = 2026-03-10")
    )
    with pytest.raises(ConfigError):
        office.enter("aluminium_tapped,line2,2026-03-10,,333,t,\n")


def test_an_acquired_line_counts_from_its_day(office: YearOffice) -> None:
    office.write_site(
        lambda text: text.replace(
            "started = 2010-01-01", "started = 2010-01-01\nacquired = 2026-12-01"
        )
    )
    rows = usual_year(skip=lambda month, line: line == "line2" and str(month) != "2026-12")
    office.enter(rows)
    content = office.content()
    assert content.complete
    assert value(content, "line2.aluminium") == 10000
    assert "购入" in content.line("line2.aluminium").notes[0].zh


def test_an_impossible_intensity_is_refused(office: YearOffice) -> None:
    """
    1 t of aluminium takes 3 x 12.011 / (4 x 26.9815) = 0.333865 t of carbon = 1.224173 t of CO2.

    With 0.14481 of PFC the floor is 1.368983. 8480 t of anode for 21050 t give 1.36763: refused;
    8490 t give 1.36908: below what lines reach, warned.
    """
    usual = {"line1": (21050, 8480, 270000), "line2": USUAL["line2"]}
    office.enter(usual_year(usual=usual))
    content = office.content()
    line = content.line("line1.intensity")
    assert (line.value, line.how) == (None, How.MISSING)
    assert "refused: intensity 1.3676 is below the Faraday floor 1.3690" in line.missing[0].en
    assert content.line("line1.intensity@2026-01").how is How.MISSING
    assert content.line("line2.intensity").value is not None
    whole = content.line("plant.intensity")  # no better than its parts
    assert (whole.value, whole.missing) == (None, line.missing)
    assert not content.complete
    other = YearOffice(office.root / "other")
    other.enter(usual_year(usual=usual | {"line1": (21050, 8490, 270000)}))
    content = other.content()
    assert content.line("line1.intensity").rounded == Decimal("1.3691")
    warned = {doubt.line: doubt.text.en for doubt in content.warnings}
    assert "practical floor" in warned["line1.intensity"]


def test_doubts_that_repeat_are_told_once_with_their_months(office: YearOffice) -> None:
    rows = usual_year(usual={"line1": (20000, 11600, 270000), "line2": USUAL["line2"]})
    office.enter(rows)
    told = [d for d in office.content().warnings if "0.5800 t of anode per t" in d.text.en]
    assert [d.text.en[:18] for d in told] == ["0.5800 t of anode ", "2026-01…2026-12: 0"]


def test_last_year_and_a_movement_of_six_percent(office: YearOffice) -> None:
    """
    Anode 6 % up at line 1, all else equal: 9400 -> 9964 t a month.

    Movement of line1.emission: 12 x 564 t x 3.0354250666 = 20543.75685 tCO2e, all of it anode rate:
    377150.347 -> 397694.104, +5.447 %. Anode +6 % must be explained, plant emission +3.63 % not.
    """
    office.now = NOW
    office.enter(usual_year(Y2025))
    hand_in(office, "carbon-annual", Y2025, date(2026, 3, 30), "R-2025")
    office.enter(usual_year(Y2026, {"line1": (20000, 9964, 270000), "line2": USUAL["line2"]}))
    content = office.content()
    rows = rows_of(content, "last_year")
    anode = rows["Potline 1: Anode consumed"]
    assert anode[:4] == ("t", 119568, 112800, 6768)
    assert float(anode[4]) == pytest.approx(6.0)
    assert anode[5] == "explain"
    assert rows["plant: Emission of the electrolysis process"][5] is None  # 3.63 %
    asked = {doubt.line for doubt in content.warnings if "a reason is needed" in doubt.text.en}
    assert asked == {"line1.anode_consumed", "line1.anode_co2", "line1.emission", "line1.intensity"}
    effects = rows_of(content, "effects")
    moved = [float(x or 0) for x in effects["Potline 1: Emission of the electrolysis process"]]
    assert moved == pytest.approx([0, 20543.756851, 0, 0, 20543.756851], abs=1e-5)
    found = [b.text.zh for c in content.chapters for b in c.blocks if b.block == "paragraph"]
    assert any("回执 R-2025" in text for text in found)


def test_an_entry_note_explains_a_movement(office: YearOffice) -> None:
    office.enter(usual_year(Y2025))
    hand_in(office, "carbon-annual", Y2025, date(2026, 3, 30))
    rows = usual_year(Y2026, {"line1": (20000, 9964, 270000), "line2": USUAL["line2"]})
    rows = rows.replace(
        "anode_consumed,line1,2026-05,,9964,t,",
        "anode_consumed,line1,2026-05,,9964,t,变动说明：阳极换为低密度块",
    )
    office.enter(rows)
    content = office.content()
    assert not any("a reason is needed" in doubt.text.en for doubt in content.warnings)
    reason = rows_of(content, "last_year")["Potline 1: Emission of the electrolysis process"][5]
    assert "阳极换为低密度块" in reason


def test_a_change_of_the_plan_file_explains_a_movement(office: YearOffice) -> None:
    office.enter(usual_year(Y2025))
    hand_in(office, "carbon-annual", Y2025, date(2026, 3, 30))
    rows = usual_year(Y2026, {"line1": (20000, 9964, 270000), "line2": USUAL["line2"]})
    office.enter(rows)
    (office.root / "plan.toml").write_text(
        PLAN + "\n[[change]]\non = 2026-01-01\n"
        'text = { zh = "改用短周期阳极", en = "shorter anode cycle" }\n'
        'reason = { zh = "试验", en = "a trial" }\nfigures = ["line1.anode_consumed"]\n',
        "utf-8",
    )
    for kind in KINDS:
        (office.root / f"{kind}.pdf").write_bytes(kind.encode())
    office.write_site(lambda text: text.replace("# more\n", 'plan = "plan.toml"\n# more\n'))
    content = office.content()
    assert not any("a reason is needed" in doubt.text.en for doubt in content.warnings)
    reason = rows_of(content, "last_year", "zh")["一系列 铝电解工序排放量"][5]
    assert reason == "2026-01-01 改用短周期阳极：试验"


@pytest.mark.parametrize(("limit", "asked"), [("5.99", True), ("6", False), ("7", False)])
def test_the_threshold_is_the_sites(office: YearOffice, limit: str, asked: bool) -> None:
    """Anode moves by exactly 6 %: explained beyond the threshold, not at it."""
    office.write_site(lambda text: text.replace("# more\n", f"movement_percent = {limit}\n"))
    office.enter(usual_year(Y2025))
    hand_in(office, "carbon-annual", Y2025, date(2026, 3, 30))
    office.enter(usual_year(Y2026, {"line1": (20000, 9964, 270000), "line2": USUAL["line2"]}))
    warned = [d.line for d in office.content().warnings if "a reason is needed" in d.text.en]
    assert ("line1.anode_consumed" in warned) is asked


def test_months_without_any_potline_are_not_stated(office: YearOffice) -> None:
    """Both lines start on 1 March: January and February are nobody's, and not zero."""
    office.write_site(
        lambda text: text.replace("2015-06-01", "2026-03-01").replace("2010-01-01", "2026-03-01")
    )
    office.enter(usual_year(skip=lambda month, _line: month.first < date(2026, 3, 1)))
    content = office.content()
    assert content.complete, content.reasons()
    january = content.line("plant.emission@2026-01")
    assert (january.how, january.value) == (How.NONE, None)
    assert value(content, "plant.aluminium") == 10 * 30000


def test_a_trial_of_a_running_year_says_which_months_it_holds(office: YearOffice) -> None:
    """Ten months are entered: their sum, and never taken for the year."""
    office.enter(usual_year(skip=lambda month, _line: month.first >= date(2026, 11, 1)))
    assert not office.content().complete  # without the trial, November is missing
    content = office.content(preliminary=True)
    assert content.complete
    assert value(content, "plant.aluminium") == 10 * 30000
    said = [doubt.text.en for doubt in content.warnings]
    assert any("hold 2026-01 to 2026-10 only" in text for text in said)
    with pytest.raises(KeyError):
        content.line("plant.aluminium@2026-11")


def test_the_archived_report_serves_when_none_was_lodged(office: YearOffice) -> None:
    office.enter(usual_year(Y2025) + usual_year(Y2026))
    out = office.root / "out"
    make_report("carbon-annual", office.site_file, Y2025, out, ("json",), "zh")
    written = make_report("carbon-annual", office.site_file, Y2026, out, ("json",), "zh")
    assert table(written.report.content, "last_year").rows
    assert not has(office.content(), "last_year")  # no folder of reports: nothing to compare


def test_effects_always_add_up_to_the_movement(office: YearOffice) -> None:
    """Everything moves: the five columns still add up to the difference of the two emissions."""
    office.enter(usual_year(Y2025))
    before = hand_in(office, "carbon-annual", Y2025, date(2026, 3, 30))
    office.enter(usual_year(Y2026, {"line1": (21000, 9300, 270000), "line2": (9000, 4400, 130000)}))
    content = office.content()
    for label, cells in rows_of(content, "effects").items():
        scope = {"Potline 1": "line1", "Potline 2": "line2", "plant": "plant"}[
            label.partition(":")[0]
        ]
        moved = value(content, f"{scope}.emission") - value(before, f"{scope}.emission")
        assert float(sum(cells[:4])) == pytest.approx(moved, abs=1e-3)
        assert float(cells[4]) == pytest.approx(moved, abs=1e-3)


def test_lodged_months_late_and_changed_since(office: YearOffice) -> None:
    """January is due on 12 March (31 January + 40 days), lodged on it; February a day late."""
    office.enter(usual_year())
    months = Y2026.months
    hand_in(office, "carbon-monthly", months[0], date(2026, 3, 12), "R-01")
    hand_in(office, "carbon-monthly", months[1], date(2026, 4, 10), "R-02")  # due 2026-04-09
    content = office.content()
    rows = rows_of(content, "lodged_months")
    assert rows["2026-01"] == ("v1", "R-01", "2026-03-12", "2026-03-12", "in time", "the same")
    assert rows["2026-02"][4] == "late"
    assert rows["2026-03"][4] == "not lodged"
    assert any("after 2026-04-09" in doubt.text.en for doubt in content.warnings)
    assert not [
        1
        for c in content.chapters
        for b in c.blocks
        if getattr(b, "id", "") == "lodged_differences"
    ]


def test_every_difference_to_a_lodged_month_is_listed(office: YearOffice) -> None:
    office.enter(usual_year())
    hand_in(office, "carbon-monthly", Y2026.months[0], date(2026, 3, 1))
    office.revise(1, "20010")
    content = office.content()
    rows = [
        tuple(cell.of("en") if isinstance(cell, Text) else cell for cell in row)
        for row in table(content, "lodged_differences").rows
    ]
    changed = {row[1]: [float(str(cell)) for cell in row[3:]] for row in rows}
    assert changed["line1 Liquid aluminium"] == [20000, 20010, 10]
    assert "plant Emission of the electrolysis process" in changed
    assert "line2 Liquid aluminium" not in changed
    said = [doubt.text.en for doubt in content.warnings]
    assert f"2026-01: {len(rows)} figures differ from what was lodged; see the table" in said


def test_a_fuel_withdrawn_after_lodging_is_listed(office: YearOffice) -> None:
    """30 t of diesel were lodged for January and withdrawn since: the year has no such line."""
    office.enter(usual_year() + "fuel_consumed,plant,2026-01,diesel,30,t,\n")
    hand_in(office, "carbon-monthly", Y2026.months[0], date(2026, 3, 1))
    office.revise(73, None)
    rows = table(office.content(), "lodged_differences").rows
    found = {cell.en: row[3:] for row in rows if isinstance(cell := row[1], Text)}
    assert found["plant diesel: consumed"] == (Decimal(30), None, None)


def test_disclosure_names_the_annex_nobody_saw(office: YearOffice) -> None:
    office.write_site(
        lambda text: text.replace(
            "# more\n",
            '# more\n[enterprise]\naddress = { zh = "河南省某市某路 1 号", en = "1 Road, Henan" }\n'
            'production_site = { zh = "同上", en = "as above" }\n',
        )
    )
    office.enter(usual_year())
    content = office.content()
    assert "cn_ets_aluminium_2024.annex_d_form" in [x.id for x in content.absent]
    (chapter,) = [c for c in content.chapters if c.title.zh == "信息公开表"]
    assert chapter.blocks[0].block == "paragraph"
    assert "类推" in chapter.blocks[0].text.zh
    assert [row[0] for row in table(content, "disclosed_processes").rows] == ["1", "2"]


def test_the_day_the_report_is_due(office: YearOffice) -> None:
    office.enter(usual_year(Y2025))
    (duty,) = office.content(Y2025).duties
    assert (duty.id, str(duty.due)) == ("report", "2026-03-31")
    assert office.content(Y2026).duties == ()  # nobody published it yet
    assert "cn_calendar.report_due" in [x.id for x in office.content(Y2026).absent]


def test_trace_of_year_and_month(office: YearOffice) -> None:
    office.enter(usual_year())
    content = office.content()
    tree = Tracer(content, None).line("plant.intensity")
    assert tree["recomputed"] is True
    assert verified(tree)
    month = tree["inputs"][0]["inputs"][3]
    assert month["line"] == "plant.emission@2026-04"
    assert month["inputs"][0]["line"] == "line1.emission@2026-04"
    assert Tracer(content, None).line("line1.anode_co2@2026-12")["recomputed"] is True


def test_on_paper_in_both_languages(office: YearOffice) -> None:
    office.enter(usual_year())
    out = office.root / "paper"
    for lang in ("zh", "en"):
        written = make_report(
            "carbon-annual", office.site_file, Y2026, out, ("json", "xlsx", "pdf"), lang
        )
        assert {path.suffix for path in written.files} == {".json", ".xlsx", ".pdf"}
        assert all(path.stat().st_size > 10_000 for path in written.files)
    text = (out / "carbon-annual-2026-v1.json").read_text("utf-8")
    assert read_report(out / "carbon-annual-2026-v1.json").version == 1
    assert json.loads(text)["content"]["title"]["zh"] == "铝冶炼企业温室气体排放年度报告"


SMELTER = Callable[..., tuple[int, str]]


def test_the_command_in_chinese_from_a_gbk_table(office: YearOffice, smelter: SMELTER) -> None:
    rows = "项目,工序,期间,数值,单位\n" + "".join(
        f"铝液产量,{line},{m},{metal},t\n阳极消耗量,{line},{m},{anode},t\n工序交流电量,{line},{m},{mwh},MWh\n"
        for m in Y2025.months
        for line, (metal, anode, mwh) in USUAL.items()
    )
    office.enter_table(rows, encoding="gbk")
    where = ("--site", str(office.site_file), "--out", str(office.root / "out"))
    code, said = smelter("report", "carbon-annual", *where, "--year", "2025", "--format", "json")
    assert code == 0, said
    assert "565,725.52 tCO2e" in said
    assert "2026-03-31" in said
    assert smelter("report", "carbon-annual", *where, "--month", "2025-03")[0] == 2
    assert smelter("report", "carbon-annual", *where, "--year", "2023")[0] == 2  # before the guide


def test_bought_electricity_has_its_co2_in_a_year_before_its_factor_was_published(
    tmp_path: Path,
) -> None:
    """2025: no factor yet, so the newest one, of 2023: Henan 0.5897 t/MWh x 12 x 400000 MWh."""
    office = YearOffice(tmp_path)
    year = Period.year(2025)
    bought = "".join(f"electricity_purchased,plant,{month},,400000,MWh,\n" for month in year.months)
    office.enter(usual_year(year) + bought)
    line = office.content(year).line("plant.electricity_purchased_co2")
    assert line.value == 12 * 400000 * Decimal("0.5897")
    assert [
        note.en for note in line.notes if "of 2023" in note.en and "not that of 2025" in note.en
    ]


def test_the_factor_of_the_own_year_comes_before_a_newer_one() -> None:
    """2022: the national factor of that year, 0.5366, which nobody read in its announcement."""
    assembly = Assembly(Period.month(2022, 6), packs())
    found = grid_factor(assembly, "henan")
    assert (found.number, found.data_year, found.confirmed) == (
        Decimal("0.5366"),
        2022,
        Confirmed.SECONDARY,
    )
    assert grid_factor(Assembly(Period.month(2025, 6), packs()), "atlantis").number == Decimal(
        "0.5306"
    )


def test_a_month_recorded_later_is_said_beside_its_day(office: YearOffice) -> None:
    office.enter(usual_year())
    hand_in(
        office, "carbon-monthly", Period.month(2026, 1), date(2026, 3, 12), backdated="平台停机"
    )
    content = office.content()
    rows = rows_of(content, "lodged_months")
    assert "in time (recorded later)" in rows["2026-01"]
    texts = [b.text.en for c in content.chapters for b in c.blocks if b.block == "paragraph"]
    assert any("recorded later, on 2027-01-20" in text and "平台停机" in text for text in texts)
