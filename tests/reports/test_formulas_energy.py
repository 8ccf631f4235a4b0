"""Formulas of pots, tariff, heat, water, coal and green power: names, refusals, properties."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.compute_signals import COMPUTABLE
from reports.formulas import FORMULAS
from reports.formulas.faraday import KG_ALUMINIUM_PER_KA_H, KWH_PER_T_PER_V
from reports.formulas.numbers import FormulaError
from tests.reports.test_formulas import SAMPLES

efficiencies = st.decimals("0.5", 1, places=4)
volts = st.decimals(3, 6, places=3)
megawatt_hours = st.decimals(0, 100_000, places=3)

PROMISED = {
    "faraday_mass": ("current_ka hours pots current_efficiency", "aluminium_t"),
    "current_efficiency": (
        "tapped_t inventory_change_t current_ka hours pots",
        "current_efficiency",
    ),
    "dc_specific_energy": ("voltage_v current_efficiency", "kwh_per_t"),
    "ae_overvoltage": ("ae_per_cell_day minutes ae_voltage_v voltage_v", "aeo_mv"),
    "heat_loss": ("current_ka voltage_v external_v current_efficiency", "kw"),
    "energy_level": ("indicator value day", "level"),
    "ladder_surcharge": ("index_kwh_per_t day nonhydro_share incentive_share", "cny_per_kwh"),
    "normal_flow": ("actual_m3_per_h temperature_c pressure_kpa", "nm3_per_h"),
    "heat_recovered": ("flow_nm3_per_h cp_kj_per_nm3_k inlet_c outlet_c", "kw"),
    "heat_exchanger": (
        "flow_nm3_per_h cp_kj_per_nm3_k gas_in_c gas_out_c water_kg_per_s water_in_c",
        "kw water_out_c effectiveness ntu ua_kw_per_k",
    ),
    "water_reuse": ("reused_m3 fresh_m3", "ratio"),
    "green_certificates": ("mwh_by_month", "issued carry"),
    "standard_coal": ("kwh m3_gas gj_heat basis", "tce basis"),
    "anode_effects": ("trace", "events"),
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names_and_keys(name: str) -> None:
    parameters, results = PROMISED[name]
    formula = COMPUTABLE[name]
    count = len(parameters.split())
    assert formula.parameters[:count] == tuple(parameters.split())
    assert set(formula.parameters[count:]) <= set(formula.optional)
    assert formula.results == tuple(results.split())


def test_faraday_s_constant() -> None:
    # 26.98154 * 3600 / (3 * 96485.33) = 97133.544 / 289455.99
    assert round(KG_ALUMINIUM_PER_KA_H, 6) == Decimal("0.335573")
    assert round(KWH_PER_T_PER_V, 2) == Decimal("2979.98")


REFUSALS = [
    ("faraday_mass", {"current_efficiency": 94}, "0.94 for 94 %", "94 % 写作 0.94"),
    ("dc_specific_energy", {"current_efficiency": 94}, "0.94 for 94 %", "94 % 写作 0.94"),
    ("heat_loss", {"current_efficiency": 95}, "0.94 for 94 %", "94 % 写作 0.94"),
    ("faraday_mass", {"current_ka": 400_000}, "400 for 400000 A", "400000 A 写作 400"),
    ("current_efficiency", {"current_ka": 400_000}, "400 for 400000 A", "400000 A 写作 400"),
    ("dc_specific_energy", {"voltage_v": 4000}, "4 for 4000 mV", "4000 mV 写作 4"),
    ("ae_overvoltage", {"ae_voltage_v": 30_000}, "4 for 4000 mV", "4000 mV 写作 4"),
    ("voltage_worth", {"current_efficiency": 0}, "more than zero", "必须大于 0"),
    ("current_efficiency", {"tapped_t": 999}, "current efficiency above 1", "电流效率大于 1"),
    ("current_efficiency", {"inventory_change_t": -901}, "lost 1 t more", "多于出铝量"),
    ("current_efficiency", {"hours": 0}, "more than zero", "必须大于 0"),
    ("current_efficiency_uncertainty", {"inventory_change_t": -30000}, "above zero", "须大于 0"),
    ("ae_overvoltage", {"ae_voltage_v": Decimal("3.9")}, "below the normal", "低于正常槽电压"),
    ("ae_overvoltage", {"minutes": 14401}, "more than 1440 minutes", "超过 1440 分钟"),
    ("heat_loss", {"voltage_v": 2}, "that make the metal", "单位 V"),
    ("pseudo_resistance", {"voltage_v": 1}, "back e.m.f.", "没有表观电阻"),
    ("pseudo_resistance", {"current_ka": 0}, "more than zero", "必须大于 0"),
    ("rectifier_efficiency", {"dc_mwh": 1001}, "transformer ratio", "互感器变比"),
    ("liquid_ac", {"start_mwh": 13501}, "more is excluded", "多于整流交流电量"),
    ("energy_level", {"indicator": "dc"}, "liquid_ac | ", "可写 liquid_ac"),
    ("energy_level", {"value": Decimal("13.0")}, "check the unit", "核对单位"),
    ("energy_level", {"day": "2024"}, "write e.g. 2026-10-01", "不是日期"),
    ("energy_level", {"day": "2023-02-29"}, "is no day", "不是日期"),
    ("energy_level", {"day": "2026-13-01"}, "is no day", "不是日期"),
    ("energy_level", {"limit_2": None}, "limit_2: a limit of the standard is a rule", "法规"),
    ("energy_level", {"limit_1": 13001}, "grow from 1 to 3", "依次增大"),
    ("ladder_surcharge", {"index_kwh_per_t": Decimal("13.67")}, "e.g. 13450", "单位应为 kWh/t"),
    ("ladder_surcharge", {"nonhydro_share": 20}, "more than 1; write a fraction", "请填写小数"),
    ("ladder_surcharge", {"threshold_kwh_per_t": None}, "is a rule", "法规"),
    ("ladder_surcharge", {"reading": "mine"}, "above_base | above_incentive", "无效"),
    ("normal_flow", {"pressure_kpa": Decimal(-2)}, "looks like gauge pressure", "像是表压"),
    ("normal_flow", {"pressure_kpa": 0}, "looks like gauge pressure", "像是表压"),
    ("normal_flow", {"pressure_kpa": Decimal("49.9")}, "looks like gauge", "绝对压力"),
    ("normal_flow", {"pressure_kpa": 101325}, "101.325 for 101325 Pa", "101.325"),
    ("normal_flow", {"temperature_c": -274}, "write degrees C", "摄氏度"),
    ("heat_recovered", {"outlet_c": 131}, "are swapped", "接反"),
    ("heat_exchanger", {"gas_out_c": 131}, "are swapped", "接反"),
    ("heat_exchanger", {"gas_out_c": 40}, "which cannot be", "不高于进水"),
    ("heat_exchanger", {"water_kg_per_s": Decimal("0.3")}, "would leave with 155.9", "155.9"),
    ("heat_exchanger", {"water_kg_per_s": 0}, "more than zero", "必须大于 0"),
    ("heat_exchanger", {"water_in_c": -1}, "below freezing", "低于冰点"),
    ("fouling", {"clean_flow_nm3_per_h": 0}, "more than zero", "必须大于 0"),
    ("orc_net", {"orc_efficiency": Decimal("8.8")}, "write a fraction", "请填写小数"),
    ("water_reuse", {"reused_m3": 0, "fresh_m3": 0}, "a missing value is no zero", "分母为 0"),
    ("solid_utilisation", {"used_t": 107000001}, "stock_used_t", "往年贮存"),
    ("green_certificates", {"start_carry_mwh": 1}, "a remainder is below 1", "小于 1"),
    ("green_share", {"traded_mwh": 1000}, "counted twice", "重复计算"),
    ("standard_coal", {"m3_gas": 1}, "exactly one", "只须给出其中一项"),
    ("standard_coal", {"kwh": None}, "exactly one", "只须给出其中一项"),
    ("standard_coal", {"basis": None}, "write equivalent or coal_rate", "两种口径"),
    ("standard_coal", {"basis": "coal"}, "equivalent | coal_rate", "无效"),
    ("standard_coal", {"kgce_per_unit": None}, "is a rule", "法规"),
    ("standard_coal", {"kwh": None, "m3_gas": 1}, "for electricity only", "只用于电力"),
]


@pytest.mark.parametrize(("formula", "wrong", "en", "zh"), REFUSALS)
def test_refused_with_what_to_write(formula: str, wrong: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(FormulaError) as caught:
        FORMULAS[formula](**SAMPLES[formula] | wrong)
    assert en in str(caught.value)
    assert zh in caught.value.zh


# --- pots


@given(st.decimals(50, 660, places=1), st.integers(1, 8784), st.integers(1, 800), efficiencies)
def test_metal_and_current_efficiency_are_a_round_trip(
    current: Decimal, hours: int, pots: int, efficiency: Decimal
) -> None:
    line = {"current_ka": current, "hours": hours, "pots": pots}
    metal = FORMULAS["faraday_mass"](**line, current_efficiency=efficiency)["aluminium_t"]
    found = FORMULAS["current_efficiency"](
        **line, tapped_t=metal * Decimal("0.9"), inventory_change_t=metal * Decimal("0.1")
    )["current_efficiency"]
    assert abs(found - efficiency) < Decimal("1e-20")


@given(volts, volts, efficiencies, efficiencies)
def test_less_volts_and_more_efficiency_never_cost_more(
    one: Decimal, two: Decimal, worse: Decimal, better: Decimal
) -> None:
    dc = FORMULAS["dc_specific_energy"]
    assume(worse <= better)
    low, high = sorted([one, two])
    assert (
        dc(voltage_v=low, current_efficiency=better)["kwh_per_t"]
        <= dc(voltage_v=high, current_efficiency=worse)["kwh_per_t"]
    )


@given(volts, efficiencies, st.decimals(-50, 50, places=1))
def test_worth_of_a_millivolt_is_the_difference_of_two_voltages(
    volt: Decimal, efficiency: Decimal, change: Decimal
) -> None:
    dc = FORMULAS["dc_specific_energy"]
    before, after = (
        dc(voltage_v=v, current_efficiency=efficiency)["kwh_per_t"]
        for v in (volt, volt + change / 1000)
    )
    worth = FORMULAS["voltage_worth"](
        voltage_change_mv=change,
        current_efficiency=efficiency,
        aluminium_t=1,
        price_cny_per_kwh=1,
    )
    assert abs(worth["kwh_per_t"] - (after - before)) < Decimal("1e-18")
    assert worth["value_cny"] == worth["kwh_per_t"]


@given(
    st.tuples(*[st.decimals(11_000, 16_000, places=3)] * 2),
    st.tuples(volts, volts),
    st.tuples(efficiencies, efficiencies),
    st.tuples(*[st.decimals(0, 80, places=3)] * 4),
)
def test_the_reasons_of_a_change_add_up_to_the_last_digit(
    energy: tuple[Decimal, ...],
    volt: tuple[Decimal, ...],
    efficiency: tuple[Decimal, ...],
    parts: tuple[Decimal, ...],
) -> None:
    found = FORMULAS["energy_change"](
        before_kwh_per_t=energy[0],
        after_kwh_per_t=energy[1],
        voltage_before_v=volt[0],
        voltage_after_v=volt[1],
        current_efficiency_before=efficiency[0],
        current_efficiency_after=efficiency[1],
        aeo_before_mv=parts[0],
        aeo_after_mv=parts[1],
        stopped_before_mv=parts[2],
        stopped_after_mv=parts[3],
    )
    total = found.pop("change_total")
    assert total == energy[1] - energy[0]
    assert sum(found.values()) == total  # exact, not nearly
    dc = FORMULAS["dc_specific_energy"]
    by_formula = [
        dc(voltage_v=v, current_efficiency=e)["kwh_per_t"]
        for v, e in zip(volt, efficiency, strict=True)
    ]
    left = total - (by_formula[1] - by_formula[0])  # what the two factors do not explain
    assert abs(found["change_other"] - left) < Decimal("1e-10")


@given(st.decimals(0, 1, places=3), st.decimals(0, 5, places=2))
def test_the_uncertainty_of_an_inventory_shrinks_with_the_metal_tapped(
    inventory: Decimal, share: Decimal
) -> None:
    uncertainty = FORMULAS["current_efficiency_uncertainty"]
    rest = {
        "inventory_change_t": 0,
        "current_efficiency": Decimal("0.93"),
        "inventory_uncertainty_t": inventory,
        "tapped_uncertainty_percent": share,
        "current_uncertainty_percent": Decimal("0.2"),
    }
    day = uncertainty(tapped_t=3, **rest)["uncertainty_percent"]
    month = uncertainty(tapped_t=90, **rest)["uncertainty_percent"]
    assert Decimal("0.2") <= month <= day


# --- tariff


@given(st.decimals(12_000, 15_000, places=3), st.decimals(0, 1, places=4))
def test_the_ladder_counts_every_started_step(index: Decimal, share: Decimal) -> None:
    rules = SAMPLES["ladder_surcharge"] | {"index_kwh_per_t": index}
    plain = FORMULAS["ladder_surcharge"](**rules)["cny_per_kwh"]
    steps = plain * 100
    assert steps == int(steps)
    assert (steps - 1) * 20 < max(Decimal(0), index - 13650) <= steps * 20
    shares = {"nonhydro_share": share, "incentive_share": Decimal("0.2")}
    literal = FORMULAS["ladder_surcharge"](**rules | shares)["cny_per_kwh"]
    other = FORMULAS["ladder_surcharge"](**rules | shares | {"reading": "above_incentive"})
    assert literal <= other["cny_per_kwh"] <= plain  # the literal reading is the kinder one
    assert (share >= Decimal("0.2") and plain > 0) or literal == plain


@pytest.mark.parametrize(
    ("index", "steps"),
    [("13320", 1), ("13320.000000000002", 1), ("13320.0000004", 1), ("13320.000001", 2)],
)
def test_the_rest_of_a_division_starts_no_step(index: str, steps: int) -> None:
    """20 kWh/t above 13 300 are one step of 20; a millionth more is the next one."""
    rules = SAMPLES["ladder_surcharge"] | {
        "index_kwh_per_t": Decimal(index),
        "threshold_kwh_per_t": Decimal(13300),
    }
    assert FORMULAS["ladder_surcharge"](**rules)["cny_per_kwh"] == steps * Decimal("0.01")


@given(st.decimals(11_000, 15_000, places=2), st.decimals(11_000, 15_000, places=2))
def test_a_better_figure_never_has_a_worse_level(one: Decimal, two: Decimal) -> None:
    levels = [
        FORMULAS["energy_level"](**SAMPLES["energy_level"] | {"value": value})["level"] or 4
        for value in sorted([one, two])
    ]
    assert levels[0] <= levels[1]


# --- heat


def lmtd(gas_in: Decimal, gas_out: Decimal, water_in: Decimal, water_out: Decimal) -> Decimal:
    hot, cold = gas_in - water_out, gas_out - water_in
    return hot if hot == cold else (hot - cold) / (hot / cold).ln()


@given(
    st.integers(1000, 100_000),
    st.integers(100, 400),
    st.integers(1, 90),
    st.decimals("0.1", 100, places=1),
    st.integers(0, 90),
)
def test_an_exchanger_agrees_with_the_mean_temperature_difference(
    flow: int, gas_in: int, drop: int, water: Decimal, water_in: int
) -> None:
    given_values = {
        "flow_nm3_per_h": flow,
        "cp_kj_per_nm3_k": Decimal("1.31"),
        "gas_in_c": gas_in,
        "gas_out_c": gas_in - drop,
        "water_kg_per_s": water,
        "water_in_c": water_in,
    }
    try:
        found = FORMULAS["heat_exchanger"](**given_values)
    except FormulaError:
        rise = flow * Decimal("1.31") / 3600 * drop / (water * Decimal("4.186"))
        assert gas_in - drop <= water_in or water_in + rise >= gas_in
        return
    assert 0 < found["effectiveness"] < 1
    assert water_in < found["water_out_c"] < gas_in
    mean = lmtd(Decimal(gas_in), Decimal(gas_in - drop), Decimal(water_in), found["water_out_c"])
    assert abs(found["ua_kw_per_k"] * mean / found["kw"] - 1) < Decimal("1e-8")
    water_heat = water * Decimal("4.186") * (found["water_out_c"] - water_in)
    assert abs(water_heat / found["kw"] - 1) < Decimal("1e-20")


@given(st.integers(10, 100_000), st.integers(-40, 400), st.decimals(60, 200, places=2))
def test_normal_flow_is_the_gas_law(flow: int, temperature: int, pressure: Decimal) -> None:
    found = FORMULAS["normal_flow"](
        actual_m3_per_h=flow, temperature_c=temperature, pressure_kpa=pressure
    )["nm3_per_h"]
    back = found * (Decimal("273.15") + temperature) / Decimal("273.15")
    assert abs(back * Decimal("101.325") / pressure - flow) < Decimal("1e-18") * flow


# --- certificates, water


@given(st.lists(megawatt_hours, min_size=1, max_size=36), st.decimals(0, "0.999", places=3))
def test_no_kilowatt_hour_of_green_power_is_lost(months: list[Decimal], carried: Decimal) -> None:
    run = COMPUTABLE["green_certificates"].run(mwh_by_month=months, start_carry_mwh=carried)
    issued = [row["certificates"] for row in run["issued"]]
    assert all(each == int(each) and each >= 0 for each in issued)
    assert sum(issued) + run["carry"] == sum(months) + carried
    assert all(0 <= row["carry"] < 1 for row in run["issued"])
    again, carry = [], carried  # month by month, as a person does it
    for month in months:
        one = COMPUTABLE["green_certificates"].run(mwh_by_month=[month], start_carry_mwh=carry)
        again.append(one["issued"][0]["certificates"])
        carry = one["carry"]
    assert (again, carry) == (issued, run["carry"])


def test_months_of_certificates_may_be_written_in_three_ways() -> None:
    certificates = COMPUTABLE["green_certificates"]
    table = [{"month": "2026-01", "mwh": Decimal("1.7")}, {"month": "2026-02", "mwh": 2}]
    expected = certificates.run(mwh_by_month=table)
    # 1.7: 1 and 0.7 left; 2.7: 2 and 0.7 left
    assert expected["issued"] == [
        {"month": "2026-01", "certificates": 1, "carry": Decimal("0.7")},
        {"month": "2026-02", "certificates": 2, "carry": Decimal("0.7")},
    ]
    by_month = {"2026-01": Decimal("1.7"), "2026-02": 2}
    assert certificates.run(mwh_by_month=by_month) == expected
    numbered = certificates.run(mwh_by_month=[Decimal("1.7"), 2])
    assert [row["month"] for row in numbered["issued"]] == ["1", "2"]
    assert numbered["carry"] == expected["carry"]


@pytest.mark.parametrize(
    ("months", "en", "zh"),
    [
        ([], "at least one row", "至少一行"),
        ("2026", "at least one row", "至少一行"),
        ([1, -1], "mwh_by_month[2].mwh", "mwh_by_month[2].mwh"),
        ([{"month": "2026-01", "mwh": None}], "mwh_by_month[1].mwh", "不是数字"),
        ({"2026-02": 1, "2026-01": 1}, "in order of time", "先后排列"),
        ([{"month": "2026-01", "mwh": 1}] * 2, "stands in row 1 already", "与第 1 行重复"),
    ],
)
def test_bad_months_are_refused(months: object, en: str, zh: str) -> None:
    with pytest.raises(FormulaError) as caught:
        COMPUTABLE["green_certificates"].run(mwh_by_month=months)
    assert en in str(caught.value)
    assert zh in caught.value.zh


@given(megawatt_hours, st.decimals(0, 1, places=3), megawatt_hours)
def test_the_certificates_that_are_missing_close_the_gap(
    used: Decimal, required: Decimal, green: Decimal
) -> None:
    missing = FORMULAS["certificate_gap"](
        energy_mwh=used, required_fraction=required, green_mwh=green
    )["gap_certificates"]
    assert green + missing >= used * required
    assert missing == 0 or green + missing - 1 < used * required


@given(megawatt_hours, megawatt_hours)
def test_water_that_is_reused_and_fresh_water_make_the_whole(one: Decimal, two: Decimal) -> None:
    assume(one + two > 0)
    water = FORMULAS["water_reuse"]
    there = water(reused_m3=one, fresh_m3=two)["ratio"]
    back = water(reused_m3=two, fresh_m3=one)["ratio"]
    assert abs(there + back - 1) < Decimal("1e-20")
