"""The energy report where parts of the plant begin or end, or some of it is not known."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports.chapters import Block, Table
from reports.energy.exchangers import Day, State, state_table
from reports.model import Content, How, Report
from reports.periods import Period
from reports.pictures import Bars, Chart
from reports.render.xlsx import render_xlsx
from reports.site_energy import Exchanger
from reports.values import Text
from tests.reports.energy import METAL, USUAL, EnergyOffice, Value, number, office
from tests.reports.spreadsheet import Spreadsheet

SEPTEMBER = Period.month(2026, 9)
BOTH = Period.parse("2026-09-01_2026-10-31")
SECOND = """
[[potline]]
id = "line2"
name = { zh = "二系列", en = "Potline 2" }
process = "2"
capacity_t_per_year = 2500
design_current_ka = 400
design_voltage_v = 4.0
pots = 2
rectifiers = 4
started = 2015-06-01
stopped = 2026-10-01
ac_meters = ["line2/ac1"]
dc_meters = ["line2/dc1"]
"""


def test_a_line_that_stops_takes_its_metal_along(tmp_path: Path) -> None:
    """
    Line 1 from 40 to 41.2 t, line 2 (September only) from 50 to 49: the plant gains 1.2 - 1 t.

    The first month's begin of two lines less the last month's end of one would be 41.2 - 90.
    """
    september = METAL.replace("2026-10", "2026-09")
    made = office(tmp_path, METAL + september)
    made.write_site(lambda text: text + SECOND)
    made.enter(
        september.replace("line1", "line2")
        + "metal_in_pots_begin,line1,2026-09,,40,t,\nmetal_in_pots_end,line1,2026-09,,39,t,\n"
        "metal_in_pots_begin,line1,2026-10,,39,t,\nmetal_in_pots_end,line1,2026-10,,41.2,t,\n"
        "metal_in_pots_begin,line2,2026-09,,50,t,\nmetal_in_pots_end,line2,2026-09,,49,t,\n"
    )
    made.store(USUAL, BOTH)
    made.store({k.replace("line1", "line2"): v for k, v in USUAL.items()}, SEPTEMBER)
    content = made.report(BOTH)
    assert number(content, "plant.metal_change") == pytest.approx(0.2)
    assert number(content, "line2.metal_change") == pytest.approx(-1)
    # Faraday: 0.335573 kg of 400 kA x 2 pots over 1464 + 720 h
    theory = 26.98154 * 3600 / (3 * 96485.33) * 800 * 2184 / 1000
    found = number(content, "plant.current_efficiency_inventory")
    assert found == pytest.approx((3 * 185 + 0.2) / theory)


def test_purchased_heat_is_energy_too_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    """
    October 744 h x 3375 kWh = 2511 MWh x 0.1229 = 308.602 tce; 1000 GJ x 0.03412 = 34.12 tce.

    September 720 h x 3375 kWh = 2430 MWh = 298.647 tce, without an entry of heat: named.
    """
    made = office(tmp_path, METAL + METAL.replace("2026-10", "2026-09"))
    made.enter("heat_purchased,plant,2026-10,,1000,GJ,\n")
    made.store(USUAL, BOTH)
    one, two = made.report(), made.report(BOTH)
    assert number(one, "plant.tce.heat_purchased") == pytest.approx(34.12)
    coal = 2511 * 0.1229 + 34.12
    assert number(one, "plant.comprehensive_energy") == pytest.approx(coal)
    left = one.line("plant.comprehensive_energy").notes[1]
    assert "purchased heat" not in left.en
    assert left.zh.startswith("未计入：燃料")
    whole = two.line("plant.comprehensive_energy")
    assert float(whole.value or 0) == pytest.approx(coal + 2430 * 0.1229)
    assert "no entry of heat_purchased for 2026-09)" in whole.notes[1].en
    assert "外购热力（2026-09 未录入" in whole.notes[1].zh


def months(tmp_path: Path, overvoltage: str = "") -> EnergyOffice:
    """September and October of the usual line, 160 t and 185 t."""
    made = office(tmp_path, METAL + METAL.replace("2026-10", "2026-09").replace("185", "160"))
    if overvoltage:
        made.enter(overvoltage)
    made.store(USUAL, BOTH)
    return made


def blocks(content: Content, name: str) -> list[Block]:
    return [b for c in content.chapters for b in c.blocks if getattr(b, "id", "").startswith(name)]


def test_unknown_anode_effects_have_no_part_and_the_voltage_names_them(tmp_path: Path) -> None:
    content = months(tmp_path).report()
    part = content.line("line1.change_anode_effects")
    assert (part.value, part.how) == (None, How.NONE)
    assert "效应过电压未知" in part.notes[0].zh
    assert "anode effects not told apart" in content.line("line1.change_voltage").label.en
    names = "voltage current_efficiency stopped_pots rectifier auxiliary other"
    parts = [content.line(f"line1.change_{name}").value or 0 for name in names.split()]
    assert content.line("line1.change_total").value == sum(parts)
    (table,) = blocks(content, "change-reasons")
    assert isinstance(table, Table)
    assert {row[4] for row in table.rows} == {None}  # printed as a dash
    assert content.complete
    (picture,) = blocks(content, "change-line1")
    assert isinstance(picture, Chart)
    assert isinstance(picture.picture, Bars)
    labels = [name.en for name in picture.picture.x if isinstance(name, Text)]
    assert "voltage, with effects" in labels
    assert "anode effects" not in labels
    # the steps lead from the first total to the last one, of one and the same figure
    (steps,) = (series.values for series in picture.picture.series)
    found = content.line("line1.liquid_comprehensive_ac").value or Decimal(0)
    assert steps[-1] == pytest.approx(found, abs=Decimal("0.01"))
    assert sum(step or 0 for step in steps[:-1]) == pytest.approx(found, abs=Decimal("0.1"))


def test_known_anode_effects_have_their_part(tmp_path: Path) -> None:
    """5 mV and 7 mV: 0.002 V x 2979.98 / (CE x eta), about 6.5 kWh/t."""
    rows = "".join(
        f"anode_effect_overvoltage,line1,{month},,{mv},mV,\n"
        for month, mv in (("2026-09", 5), ("2026-10", 7))
    )
    content = months(tmp_path, rows).report()
    assert number(content, "line1.change_anode_effects") == pytest.approx(6.5, abs=0.8)
    assert content.line("line1.change_voltage").label.en == "Change by working voltage"


def test_other_lines_in_the_two_periods_are_said_at_the_plant(tmp_path: Path) -> None:
    made = months(tmp_path)
    same = made.report()
    assert not same.line("plant.change_total").notes
    made.write_site(lambda text: text + SECOND)
    made.enter(METAL.replace("2026-10", "2026-09").replace("line1", "line2"))
    made.store({k.replace("line1", "line2"): v for k, v in USUAL.items()}, SEPTEMBER)
    content = made.report()
    for name in ("total", "voltage"):
        assert "(Potline 2)" in content.line(f"plant.change_{name}").notes[0].en
    assert "系列构成" in content.line("plant.change_total").notes[0].zh
    assert not content.line("line1.change_total").notes


def test_no_formula_of_nothing_stands_where_only_the_plant_has_a_figure(tmp_path: Path) -> None:
    """Cast-house electricity is entered for the plant: 10 MWh, and no sum of empty cells."""
    made = months(tmp_path)
    made.enter("electricity_cast,plant,2026-10,,10,MWh,\n")
    content = made.report()
    report = Report(
        schema="smelter.report/2", written=date(2026, 11, 23), version=1, previous_sha256="",
        changes=(), site="site.toml", content_sha256=content.digest(), content=content,
    )  # fmt: skip
    sheet = Spreadsheet(render_xlsx(report, "zh"))
    sums = 0
    for name, cell in sheet.formulas():
        cached = sheet.cached[name][cell].value
        shown = f"{name}!{cell} {sheet.book[name][cell].value}"
        assert sheet.value(name, cell) == pytest.approx(cached, rel=1e-12), shown
        sums += "SUM(" in str(sheet.book[name][cell].value)
    assert sums  # where the lines have figures the plant is a live sum


HEAT = 'exchangers = [{ equipment = "gtc1/hx1", started = 2026-10-16, name = { zh = "一号换热器",\
 en = "Exchanger of potline 1" } }, { equipment = "gtc1/hx2" }]'


def test_heat_is_known_by_the_time_for_which_each_exchanger_worked(tmp_path: Path) -> None:
    """
    hx1 works 16 days (384 h), known in 192 of them; hx2 31 days (744 h), known in all.

    (192 + 744) / (384 + 744) = 82.97 %; 100 kW over 192 and 744 h are 69.12 and 267.84 GJ. What
    flowed through hx1 before it began is not counted.
    """
    made = office(tmp_path)
    made.write_site(lambda text: text.replace("# plant", HEAT))
    flow: dict[str, Value] = {
        "gtc1/hx1 heat_recovery.heat_flow": lambda h: 100.0 if h < 24 or 360 <= h < 552 else None,
        "gtc1/hx2 heat_recovery.heat_flow": 100.0,
    }
    made.store({**USUAL, **flow})
    content = made.report()
    one = content.line("plant.heat_recovered.gtc1/hx1")
    assert one.coverage is not None
    assert one.coverage.share == Decimal("0.5")
    assert number(content, one.id) == pytest.approx(69.12)
    whole = content.line("plant.heat_recovered")
    assert whole.coverage is not None
    assert float(whole.coverage.share) == pytest.approx(936 / 1128, abs=1e-4)
    assert number(content, "plant.heat_recovered") == pytest.approx(69.12 + 267.84)
    assert content.line("line1.pots_running").decimals == 1  # a mean, 287.4 of 288


def test_an_exchanger_with_a_name_is_called_by_it() -> None:
    day = Day(date(2026, 10, 3), 24, Decimal("0.6"), Decimal("1.5"), Decimal(30), Decimal(9000))
    said = Text(zh="清洁", en="clean")
    titles = []
    for name in (Text(zh="一号换热器", en="Exchanger of potline 1"), None):
        exchanger = Exchanger(equipment="gtc1/hx1", name=name)
        state = State(exchanger, (day,), Decimal(30), Decimal(9000), said, (Decimal(1),), 0)
        title = state_table(state).title
        assert title is not None
        titles += [title.en, title.zh]
    assert titles == [
        *("Exchanger of potline 1", "一号换热器", "Exchanger gtc1/hx1", "换热器 gtc1/hx1")
    ]


def test_heat_of_two_months_is_known_by_their_hours(tmp_path: Path) -> None:
    """September none of 720 h but one, October all of 744: 745 / 1464 and not the lower of two."""
    made = office(tmp_path, METAL + METAL.replace("2026-10", "2026-09"))
    made.write_site(
        lambda text: text.replace("# plant", 'exchangers = [{ equipment = "gtc1/hx2" }]')
    )
    flow: dict[str, Value] = {
        "gtc1/hx2 heat_recovery.heat_flow": lambda h: 100.0 if h == 0 or h >= 720 else None
    }
    made.store({**USUAL, **flow}, BOTH)
    content = made.report(BOTH)
    for name in ("heat_recovered.gtc1/hx2", "heat_recovered"):
        coverage = content.line(f"plant.{name}").coverage
        assert coverage is not None
        assert float(coverage.share) == pytest.approx(745 / 1464, abs=2e-4)
