"""What stands beside slopes: duct measurement, anode baking, soda ash, low-voltage effects."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reports.model import How
from reports.rules.packs import packs
from tests.reports.abroad import every_month, office
from tests.reports.test_international import RULES, number


def test_duct_measurement_is_divided_by_the_collection_efficiency(tmp_path: Path) -> None:
    """190 kg CF4, 9.5 kg C2F6 a month at 95 %: 200 and 10 kg; 200 * 6.63 + 10 * 11.1 = 1437 t."""
    plant = office(tmp_path)
    plant.year(0.1)
    plant.enter(
        every_month("cf4_measured", 190, "kg")
        + every_month("c2f6_measured", 9.5, "kg")
        + every_month("collection_efficiency", 95, "%")
    )
    content = plant.make()
    assert number(content, "line1.cf4.eu.duct@2026-05") == pytest.approx(200)
    assert number(content, "line1.pfc.eu.duct") == pytest.approx(12 * 1437)
    assert "line1.pfc.eu.duct" in {given.ref for given in content.line("line1.total.eu").inputs}


def test_baking_and_soda_ash_by_hand(tmp_path: Path) -> None:
    """
    Green 10 550, baked 10 000, tar 50 t a month: pitch (10 550 - 52.75 - 10 000 - 50) * 44/12 =
    1639.9167 t; packing 0.015 * 10 000 * (1 - 0.02 - 0.025) * 44/12 = 525.25 t a month.
    Soda ash 100 t a month: 100 * 0.4149 = 41.49 t; the US subpart counts none.
    """
    plant = office(tmp_path)
    plant.year(0.1)
    plant.enter(
        every_month("green_anode", 10550, "t", "plant")
        + every_month("baked_anode", 10000, "t", "plant")
        + every_month("waste_tar", 50, "t", "plant")
        + every_month("carbonate_consumed", 100, "t", "plant", "sodium_carbonate")
    )
    content = plant.make()
    for rule in ("ipcc_2006", "ipcc_2019", "us"):
        pitch = number(content, f"plant.pitch_co2.{rule}")
        assert pitch == pytest.approx(12 * 447.25 * 44 / 12)
        assert number(content, f"plant.packing_co2.{rule}") == pytest.approx(12 * 525.25)
    assert number(content, "plant.soda_ash_co2") == pytest.approx(12 * 41.49)
    parts = {rule: {g.ref for g in content.line(f"plant.total.{rule}").inputs} for rule in RULES}
    assert "plant.soda_ash_co2" in parts["ipcc_2006"]
    assert "plant.soda_ash_co2" not in parts["us"]
    assert "plant.pitch_co2.us" in parts["us"]
    assert not any("pitch" in ref for ref in parts["eu"])


def test_baking_that_was_declared_and_not_entered_is_missing(tmp_path: Path) -> None:
    plant = office(tmp_path)
    plant.year(0.1)
    assert plant.make().line("plant.pitch_co2.us").how is How.NONE
    plant.write_site(lambda text: text.replace("# more", "abroad = { bakes_anodes = true }"))
    content = plant.make()
    assert content.line("plant.pitch_co2.us").how is How.MISSING
    assert content.line("plant.total.us").value is None
    assert content.line("plant.total.eu").value is not None


def test_low_voltage_effects_are_named_and_come_on_top_once_their_factor_is_known(
    tmp_path: Path,
) -> None:
    """0.01 kg CF4 per t by an overlay: 240 000 * 0.01 * 6.63 = 15 912 t more by IPCC 2019."""
    plant = office(tmp_path)
    plant.year(0.1)
    before = plant.make()
    assert "ipcc_2019_aluminium.tier1_lvae_cf4_pfpb_m" in {a.id for a in before.absent}
    assert not [line.id for line in before.lines if "lvae" in line.id]
    pack = packs()["ipcc_2019_aluminium"]
    wanted = pack.parameters["tier1_lvae_cf4_pfpb_m"]
    entry = pack.parameters["slope_pfpb_m"].entries[0].model_copy(update={"value": Decimal("0.01")})
    known = replace(
        pack,
        parameters=pack.parameters
        | {"tier1_lvae_cf4_pfpb_m": wanted.model_copy(update={"entries": (entry,)})},
    )
    after = plant.make(packs_=packs() | {pack.name: known})
    more = number(after, "line1.total.ipcc_2019") - number(before, "line1.total.ipcc_2019")
    assert more == pytest.approx(15912)
    assert number(after, "line1.total.ipcc_2006") == number(before, "line1.total.ipcc_2006")
