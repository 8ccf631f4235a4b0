"""The energy report of a plant computed by hand: 744 hours of October, 185 t, two pots at 4 V."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports.model import Content, How
from reports.periods import Period
from reports.rules.packs import Confirmed, Legal, RulePack, RuleUnit, Stretch, packs
from tests.reports.energy import METAL, OCTOBER, USUAL, EnergyOffice, Value, number, office
from tests.reports.plant import HOUR_NS


@pytest.fixture
def plant(tmp_path: Path) -> EnergyOffice:
    made = office(tmp_path)
    made.store()
    return made


def values(content: Content, scope: str, names: str) -> list[float | None]:
    return [number(content, f"{scope}.{name}") for name in names.split()]


def test_kilowatt_hours_per_tonne_by_the_meter_tree(plant: EnergyOffice) -> None:
    """
    3250, 3200, 100 and 25 kWh in each of 744 hours: 2418, 2380.8, 74.4 and 18.6 MWh; 185 t.

    2380.8 / 185 = 12 869.19 kWh/t DC; 2418 / 185 = 13 070.27 AC; with 74.4 and 18.6 it is
    2511 / 185 = 13 572.97, without desulphurisation 2492.4 / 185 = 13 472.43.
    """
    content = plant.report()
    for scope in ("line1", "plant"):
        tree = "electricity_rectifier electricity_dc electricity_aux electricity_fgd"
        assert values(content, scope, tree) == pytest.approx([2418, 2380.8, 74.4, 18.6])
        per_tonne = "dc_specific liquid_ac liquid_comprehensive_ac"
        assert values(content, scope, per_tonne) == pytest.approx(
            [2380800 / 185, 2418000 / 185, 2511000 / 185]
        )
        without = number(content, f"{scope}.liquid_comprehensive_ac_without_fgd")
        assert without == pytest.approx(2492400 / 185)
    assert content.complete
    assert content.line("line1.electricity_start").how is How.NONE
    note = content.line("line1.liquid_ac").notes[0]
    assert "6.2.1" in note.zh
    assert "was not read" in note.en
    assert {use.id for use in content.absent} >= {"cn_energy_levels.liquid_ac_exclusions"}


def test_voltage_current_and_efficiencies(plant: EnergyOffice) -> None:
    """
    8 V over 2 pots at 400 kA: 400 * 2 * 744 = 595 200 kAh, 8 * 400 * 744 / 1000 = 2380.8 MWh.

    4 V, 400 kA; 0.335573 * 595.2 = 199.733 t by Faraday: 185 t are 92.62 %; the pots gained 1.2 t:
    186.2 / 199.733 = 93.22 %. Rectifiers 2380.8 / 2418 = 98.46 %.
    """
    plant.enter(
        "metal_in_pots_begin,line1,2026-10,,40,t,\nmetal_in_pots_end,line1,2026-10,,41.2,t,\n"
    )
    content = plant.report()
    names = "charge mean_voltage mean_current pot_days rectifier_efficiency"
    expected = [595200, 4.0, 400.0, 62.0, 2380.8 / 2418]
    assert values(content, "line1", names) == pytest.approx(expected)
    theory = 26.98154 * 3600 / (3 * 96485.33) * 595.2
    assert number(content, "line1.current_efficiency_tapping") == pytest.approx(185 / theory)
    inventory = number(content, "line1.current_efficiency_inventory")
    assert inventory == pytest.approx(186.2 / theory)
    # u_tap 0.3 % of 185 t, u_inv 5 % of 41.2 t twice, u_I 0.2 %
    metal = ((0.003 * 185) ** 2 + 2 * (0.05 * 41.2) ** 2) ** 0.5 / 186.2
    unsure = number(content, "line1.current_efficiency_inventory_uncertainty")
    assert unsure == pytest.approx(186.2 / theory * (metal**2 + 0.002**2) ** 0.5)


def test_levels_distances_and_the_benchmark(plant: EnergyOffice) -> None:
    """
    13 070.27 is above 13 000 (level 2) and below 13 350: level 3, benchmark missed by 70.27.

    70.27 kWh/t of 185 t are 2418 - 13 * 185 = 13 MWh, 7670 CNY at 0.5 and 0.09 of the ladder.
    Comprehensive 13 572.97 is level 3 as well: 2511 - 13.35 * 185 = 41.25 MWh from 13 350.
    """
    content = plant.report()
    assert number(content, "line1.level_liquid_ac") == 3
    names = "distance_liquid_ac distance_liquid_ac_mwh distance_liquid_ac_cny"
    assert values(content, "line1", names) == pytest.approx([13000 / 185, 13.0, 7670.0])
    assert number(content, "plant.level_liquid_comprehensive_ac") == 3
    missed = number(content, "plant.distance_liquid_comprehensive_ac_mwh")
    assert missed == pytest.approx(41.25)
    tables = [b for c in content.chapters for b in c.blocks if getattr(b, "id", "") == "benchmark"]
    verdicts = {row[-1] for row in tables[0].rows}  # type: ignore[union-attr]
    assert {text.zh for text in verdicts} == {"介于标杆与基准之间"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("metal", "level"),
    # 2418 MWh over 12 950, 13 000, 13 350 kWh/t: each limit is met at its value and not above it
    [(2418000 / 12950, 1), (186.71, 2), (186, 2), (2418000 / 13350, 3), (181.12, 0)],
)
def test_a_limit_is_met_at_its_value(tmp_path: Path, metal: float, level: int) -> None:
    made = office(tmp_path, f"aluminium_tapped,line1,2026-10,,{metal + 1e-9:.9f},t,\n")
    made.store()
    assert number(made.report(), "line1.level_liquid_ac") == level


def test_the_ladder_counts_without_desulphurisation_and_every_started_step(
    plant: EnergyOffice,
) -> None:
    """
    13 472.43 - 13 300 = 172.43 kWh/t: 9 started steps of 20, 0.09 CNY/kWh on 2511 MWh.

    10 kWh/t less are 162.43, still 9 steps: 1.85 MWh at 0.5 + 0.09 are 1091.5 CNY.
    0.03 fixed by a notice stands beside it.
    """
    plant.enter("ladder_notice,plant,2026-10,,0.03,元/kWh,\n")
    content = plant.report()
    names = "ladder_surcharge ladder_cost ten_kwh_worth ladder_notice ladder_notice_cost"
    expected = [0.09, 225990.0, 1091.5, 0.03, 75330.0]
    assert values(content, "plant", names) == pytest.approx(expected)


def test_ten_kwh_over_the_edge_of_a_step_are_worth_the_surcharge_too(tmp_path: Path) -> None:
    """
    2492.4 MWh over 185.1 t are 13 465.15: 165.15 above, 9 steps; 10 less are 8 steps.

    Before 2511 MWh at 0.59 are 1 481 490 CNY; after 2511 - 1.851 = 2509.149 MWh at 0.58 are
    1 455 306.42: 26 183.58 less, of which 925.5 at the price of 0.5.
    """
    made = office(tmp_path, METAL.replace("185", "185.1"))
    made.store()
    content = made.report()
    assert number(content, "plant.ten_kwh_worth") == pytest.approx(26183.58)
    assert number(content, "plant.ladder_cost_after_ten") == pytest.approx(200731.92)


def test_both_readings_of_the_renewable_clause(plant: EnergyOffice) -> None:
    """
    Green 1004.4 of 2511 MWh are 40 %, the incentive weight entered is 33 %.

    Above the base of 15 %: 25 points, 0.09 * 0.75 = 0.0675. Above the weight: 7 points, 0.0837.
    """
    plant.more_packs["cn_ladder_tariff"] = with_weight(Decimal(33))
    plant.enter("green_traded,plant,2026-10,,1004.4,MWh,\n")
    content = plant.report()
    names = "green_share ladder_surcharge ladder_surcharge_incentive"
    assert values(content, "plant", names) == pytest.approx([0.4, 0.0675, 0.0837])
    assert any("hydro" in note.en for note in content.line("plant.ladder_surcharge").notes)


def with_weight(percent: Decimal) -> RulePack:
    pack = packs()["cn_ladder_tariff"]
    known = pack.wanted("incentive_weight")
    legal = Legal(
        pack=pack.name, name="incentive_weight", what=known.what, zh=known.zh, value=percent,
        unit=RuleUnit.PERCENT, applies_from=date(2026, 1, 1), source=known.source,
        locator="test", confirmed=Confirmed.SITE, seen="", seen_zh="",
    )  # fmt: skip
    return replace(pack, overlays={"incentive_weight": (Stretch(legal, None),)})


def test_a_certificate_that_came_with_a_trade_counts_once(plant: EnergyOffice) -> None:
    """300 own, 500 traded, 200 retired of which 150 came with the trade: 850 of 2511 MWh."""
    plant.enter(
        "green_own,plant,2026-10,,300,MWh,\ngreen_traded,plant,2026-10,,500,MWh,\n"
        "gec_retired,plant,2026-10,2026-08,200,MWh,\ngec_bundled,plant,2026-10,2026-08,150,MWh,\n"
    )
    content = plant.report()
    assert number(content, "plant.green_certificates") == 50
    # own power is no purchase: the total is by meters, 2418 + 74.4 + 18.6
    assert number(content, "plant.green_share") == pytest.approx(850 / 2511)
    doubts = [doubt.text for doubt in content.warnings if "certificates" in doubt.line]
    assert "only 0 received" in doubts[0].en  # nobody entered that they were received
    assert "多于取得的" in doubts[0].zh


def test_more_bundled_than_retired_is_no_figure(plant: EnergyOffice) -> None:
    plant.enter(
        "gec_retired,plant,2026-10,2026-08,10,MWh,\ngec_bundled,plant,2026-10,2026-08,11,MWh,\n"
    )
    line = plant.report().line("plant.green_certificates")
    assert line.how is How.MISSING
    assert "gec_bundled" in line.missing[0].en


def test_the_oldest_certificates_are_used_first_and_lapse_after_two_years(
    plant: EnergyOffice,
) -> None:
    """Of September 2024: they lapse on 1 October 2026, within the period."""
    plant.enter(
        "gec_held,plant,2026-09,2024-09,100,MWh,\ngec_held,plant,2026-09,2026-08,50,MWh,\n"
        "gec_retired,plant,2026-10,2026-08,30,MWh,\n"
    )
    content = plant.report()
    said = " ".join(doubt.text.en for doubt in content.warnings)
    assert "100 MWh of 2024-09 (until 2026-10-01)" in said
    assert "lapsed" in said
    table = next(
        b for c in content.chapters for b in c.blocks if getattr(b, "id", "") == "certificates"
    )
    left = [row[3] for row in table.rows]  # type: ignore[union-attr]
    assert left == [0, 20]


def test_ingot_coal_water_solids_and_recycled_metal(plant: EnergyOffice) -> None:
    """
    Ingot: (13 572.97 * 170 + 10 MWh) / 168 t = 13 793.97 kWh/t.

    Coal: (2418 + 74.4 + 18.6 + 10) MWh * 0.1229 = 309.83 tce, with 2 万Nm3 gas * 12.143 = 24.29.
    Water 950 of 1000; red mud (40 + 10) / (100 + 10); recycled 15 / (15 + 185).
    """
    plant.write_site(lambda text: text.replace("# plant", 'fuels = ["natural_gas"]'))
    plant.enter(
        "electricity_cast,plant,2026-10,,10,MWh,\ningot_qualified,plant,2026-10,,168,t,\n"
        "aluminium_cast_received,plant,2026-10,,170,t,\n"
        "gas_consumed,plant,2026-10,natural_gas,2,万Nm3,\n"
        "water_fresh,plant,2026-10,,50,m3,\nwater_reused,plant,2026-10,,950,m3,\n"
        "solid_generated,plant,2026-10,赤泥,100,t,\nsolid_used,plant,2026-10,赤泥,40,t,\n"
        "solid_stock_used,plant,2026-10,赤泥,10,t,\nrecycled_metal,plant,2026-10,,15,t,\n"
    )
    content = plant.report()
    ingot = (2511000 / 185 * 170 + 10000) / 168
    assert number(content, "plant.ingot_comprehensive_ac") == pytest.approx(ingot)
    coal = 2521 * 0.1229 + 2 * 12.143
    assert number(content, "plant.comprehensive_energy") == pytest.approx(coal)
    per_ingot = number(content, "plant.ingot_comprehensive_energy")
    assert per_ingot == pytest.approx(coal * 1000 / 168)
    names = "water_reuse solids_赤泥 recycled_metal_share"
    assert values(content, "plant", names) == pytest.approx([0.95, 50 / 110, 0.075])
    assert "当量值" in content.line("plant.comprehensive_energy").notes[0].zh


def test_nothing_is_taken_for_zero(tmp_path: Path) -> None:
    """No metal entered: what divides by it is missing, with the reason, in both languages."""
    made = office(tmp_path, "")
    made.store()
    content = made.report()
    line = content.line("line1.liquid_ac")
    assert (line.value, line.how) == (None, How.MISSING)
    assert "no entry of liquid aluminium" in line.missing[0].en
    assert "缺少" in line.missing[0].zh
    assert not content.complete


def test_an_unknown_auxiliary_makes_no_comprehensive_figure(tmp_path: Path) -> None:
    made = office(tmp_path)
    made.write_site(lambda text: text.replace('aux_meters = ["line1/aux1"]\n', ""))
    made.store()
    content = made.report()
    for scope in ("line1", "plant"):
        assert content.line(f"{scope}.liquid_comprehensive_ac").how is How.NONE
    assert number(content, "line1.liquid_ac") == pytest.approx(2418000 / 185)


def test_october_is_read_and_nothing_of_september(plant: EnergyOffice) -> None:
    assert str(OCTOBER) == "2026-10"
    september = plant.report(Period.month(2026, 9))
    assert not september.complete
    assert "meter line1/ac1 meter.energy_import has no reading" in " ".join(
        text.en for text in september.reasons()
    )
    assert set(USUAL)


def test_anode_effects_by_what_the_agent_sends(plant: EnergyOffice) -> None:
    """
    0.5 s a minute in one hour of pot001: 30 s; 12 V·s a minute in the same hour: 720 V·s.

    Two pots over 31 days are 62 cell-days: 0.5 / 62 min, one event 1 / 62, 720 / 62 / 86.4 mV.
    """
    quantities = ("pot.ae_seconds", "pot.ae_overvoltage")
    points: dict[str, Value] = {
        f"line1/{pot} {quantity}": 0.0 for pot in ("pot001", "pot002") for quantity in quantities
    }
    points["line1/pot001 pot.ae_seconds"] = lambda hour: 0.5 if hour == 100 else 0.0
    points["line1/pot001 pot.ae_overvoltage"] = lambda hour: 12.0 if hour == 100 else 0.0
    plant.store({**USUAL, **points}, more=[effect(100), effect(-1)])
    content = plant.report()
    for scope in ("line1", "plant"):
        names = "ae_minutes ae_frequency ae_overvoltage"
        expected = [0.5 / 62, 1 / 62, 720 / 62 / 86.4]
        assert values(content, scope, names) == pytest.approx(expected)


def effect(hour: int) -> tuple[int, str]:
    """An anode effect of pot001 that began in that hour of October."""
    at_ns = OCTOBER.start_ns + hour * HOUR_NS
    tags = "plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot001"
    return at_ns, f'event,{tags} id="ae-{hour}",text="",end={at_ns + 10**9}i,amount=30 {at_ns}'


def test_without_signals_anode_effects_are_those_entered(plant: EnergyOffice) -> None:
    """Weighted by pot-days over two months: (30 * 0.1 + 31 * 0.2) / 61 of the same two pots."""
    rows = METAL.replace("2026-10", "2026-09")
    for month, minutes in (("2026-09", 0.1), ("2026-10", 0.2)):
        rows += f"anode_effect_minutes,line1,{month},,{minutes},min/cell-day,\n"
    plant.enter(rows)
    plant.store(USUAL, Period.month(2026, 9))
    assert number(plant.report(), "line1.ae_minutes") == 0.2
    both = plant.report(Period.parse("2026-09-01_2026-10-31"))
    assert number(both, "line1.ae_minutes") == pytest.approx((30 * 0.1 + 31 * 0.2) / 61)


def test_a_month_by_signals_and_one_by_entry_are_weighted_and_not_lost(
    plant: EnergyOffice,
) -> None:
    """October 0.5 min over 62 cell-days by signals, September 0.2 a cell-day over 60 by entry."""
    points: dict[str, Value] = {f"line1/{pot} pot.ae_seconds": 0.0 for pot in ("pot001", "pot002")}
    points["line1/pot001 pot.ae_seconds"] = lambda hour: 0.5 if hour == 100 else 0.0
    plant.store(points)
    plant.store(USUAL, Period.month(2026, 9))
    plant.enter(
        METAL.replace("2026-10", "2026-09")
        + "anode_effect_minutes,line1,2026-09,,0.2,min/cell-day,\n"
    )
    content = plant.report(Period.parse("2026-09-01_2026-10-31"))
    assert number(content, "line1.ae_minutes@2026-10") == pytest.approx(0.5 / 62)
    assert content.line("line1.ae_time").how is How.NONE
    mean = (0.5 + 0.2 * 60) / 122
    assert number(content, "line1.ae_minutes") == pytest.approx(mean)


def test_a_role_entered_in_one_month_only_makes_no_figure_of_both(tmp_path: Path) -> None:
    """DC in October only: 2380.8 MWh over the metal of two months would be far too little."""
    made = office(tmp_path, METAL + METAL.replace("2026-10", "2026-09"))
    made.write_site(lambda text: text.replace('dc_meters = ["line1/dc1"]\n', ""))
    both = Period.parse("2026-09-01_2026-10-31")
    made.store({key: value for key, value in USUAL.items() if "series" not in key}, both)
    made.enter("electricity_dc,line1,2026-10,,2380.8,MWh,\n")
    content = made.report(both)
    assert number(content, "line1.dc_specific@2026-10") == pytest.approx(2380800 / 185)
    line = content.line("line1.electricity_dc")
    assert line.how is How.NONE
    assert "2026-09" in line.notes[0].en
    assert content.line("line1.dc_specific").how is How.NONE
