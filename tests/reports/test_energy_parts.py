"""The energy report where parts of the plant begin or end, or some of it is not known."""

from pathlib import Path

import pytest

from reports.periods import Period
from tests.reports.energy import METAL, USUAL, number, office

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
