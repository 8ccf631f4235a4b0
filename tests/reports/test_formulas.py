"""Formulas against worked figures from outside, and refused where they mean nothing."""

import math
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports.compute_signals import COMPUTABLE
from reports.formulas import FORMULAS, GROUPS
from reports.formulas.numbers import FormulaError, celsius, exact
from reports.formulas.parameters import PARAMETERS, meaning
from reports.formulas.stack_names import duct_pascal, gas_celsius

CASES = tomllib.loads(
    (Path(__file__).parent.parent / "rules" / "formulas.toml").read_text("utf-8"),
    parse_float=Decimal,
)["case"]
SAMPLES: dict[str, dict[str, Any]] = {case["formula"]: case["given"] for case in CASES[::-1]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_worked_figure(case: dict[str, Any]) -> None:
    results = FORMULAS[case["formula"]](**case["given"])
    assert results.keys() == case["expected"].keys()
    for key, expected in case["expected"].items():
        digits = max(3, len(Decimal(expected).as_tuple().digits))
        assert float(results[key]) == pytest.approx(float(expected), rel=10 ** (1 - digits))


def test_every_formula_has_a_case_and_says_its_source() -> None:
    assert SAMPLES.keys() == FORMULAS.keys()
    for case in CASES:
        assert len(case["source"]) > 5
    for formula in FORMULAS.values():
        assert len(formula.symbols) == len(formula.parameters), formula.name
        assert re.search(
            r"\((t|k|m|u|MWh|GJ|CNY|%|fraction|all|any|same|piec|one)", formula.text
        ), formula.name
        assert re.search(r"Source:\s", formula.text), formula.name
        assert " = " in formula.equation
        assert not re.search(r"[\u4e00-\u9fff；]", formula.equation), formula.name  # both languages


def test_every_name_is_explained_once_in_both_languages() -> None:
    used = {n for f in COMPUTABLE.values() for n in (*f.parameters, *f.results, *f.extras)}
    columns = {name for known in PARAMETERS.values() for name in (*known.columns, *known.gaps)}
    for name in used | columns:
        known = meaning(name)
        assert known.unit
        assert not known.zh.isascii(), name
        assert known.en.isascii(), name
    assert used | columns >= PARAMETERS.keys()
    assert sum(len(group.formulas) for group in GROUPS) == len(FORMULAS)


PROMISED = {
    "anode_net": ("anode_t loss_fraction", "net_anode_t"),
    "anode_co2": ("net_anode_t sulphur_fraction ash_fraction", "t_co2"),
    "pfc_default": (
        "aluminium_t ef_cf4_kg_per_t ef_c2f6_kg_per_t gwp_cf4 gwp_c2f6",
        "cf4_kg c2f6_kg t_co2e",
    ),
    "pfc_slope": (
        "aluminium_t aem_min_per_cell_day slope_kg_per_t_per_min c2f6_fraction gwp_cf4 gwp_c2f6",
        "cf4_kg c2f6_kg t_co2e",
    ),
    "pfc_overvoltage": (
        (
            "aluminium_t aeo_mv current_efficiency_percent overvoltage_coefficient c2f6_fraction "
            "gwp_cf4 gwp_c2f6"
        ),
        "cf4_kg c2f6_kg t_co2e",
    ),
    "prebake_co2": ("net_anode_t_per_t aluminium_t sulphur_fraction ash_fraction", "t_co2"),
    "pitch_co2": ("green_anode_t hydrogen_fraction baked_anode_t waste_tar_t", "t_co2"),
    "packing_co2": ("packing_t_per_t baked_anode_t sulphur_fraction ash_fraction", "t_co2"),
    "fuel_co2": ("quantity ncv_gj_per_unit carbon_tc_per_gj oxidation_fraction", "t_co2"),
    "carbonate_co2": ("mass_t ef_t_per_t purity_fraction", "t_co2"),
    "allowance": (
        "emission_t aluminium_t balance_t_per_t slope clip_fraction",
        "allowance_t position_t alpha x intensity_t_per_t",
    ),
    "balance_value": ("lines", "balance_t_per_t"),
    "pre_allocation": ("previous_emission_t share", "pre_allocation_t"),
    "meter_correction": ("value accuracy_class_percent kind", "value"),
    "cbam_default": ("base_t_per_t year", "t_per_t"),
    "cbam_certificates": ("see_t_per_t benchmark_t_per_t free_share", "certificates_per_t"),
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names_and_keys(name: str) -> None:
    parameters, results = PROMISED[name]
    formula = FORMULAS[name]
    needed = tuple(each for each in formula.parameters if each not in formula.optional)
    assert needed == tuple(parameters.split())
    assert formula.results == tuple(results.split())


MAY_FALL = {  # a shortfall, or a change in either direction
    "position_t",
    "inventory_change_t",
    "voltage_change_mv",
    "saving_kwh_per_t",
    "shown",  # a zero that drifted down
    "true_value",
}
MAY_BE_NONE = {
    ("meter_correction", "found_error_percent"),  # not calibrated, the usual case
    ("standard_coal", "m3_gas"),  # one of three quantities is given
    ("standard_coal", "gj_heat"),
    ("relative_accuracy", "least_pairs"),  # any test that has a scatter
    ("substitution", "before"),  # only the way is asked for
    ("part75_substitution", "potential_value"),  # only below the least availability
}
BELOW_ZERO = {celsius, gas_celsius, duct_pascal}  # one degree below zero, one pascal of suction


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1, "1", None, True, Decimal("NaN")])
def test_refuses_what_is_no_amount(formula: Any, bad: Any) -> None:
    for name in formula.parameters:
        if PARAMETERS[name].check is exact and bad == -1 and name in MAY_FALL:
            continue
        if PARAMETERS[name].check in BELOW_ZERO and bad == -1:
            continue
        if bad is None and (formula.name, name) in MAY_BE_NONE:
            continue
        with pytest.raises(FormulaError, match=name) as caught:
            formula(**SAMPLES[formula.name] | {name: bad})
        assert not caught.value.zh.isascii()
        assert caught.value.of("zh") == caught.value.zh
        assert caught.value.of("en") == str(caught.value)
        assert str(caught.value).isascii()


FRACTIONS = [
    (formula.name, name)
    for formula in FORMULAS.values()
    for name in formula.parameters
    if PARAMETERS[name].unit in {"fraction", "kg/kg"}
]


@pytest.mark.parametrize(("formula", "name"), FRACTIONS)
def test_a_percent_figure_is_no_fraction(formula: str, name: str) -> None:
    with pytest.raises(FormulaError, match=f"{name}: 15.18 is more than 1; write a fraction"):
        FORMULAS[formula](**SAMPLES[formula] | {name: Decimal("15.18")})


@pytest.mark.parametrize("value", ["0.95", "0.5", "1", "1.0"])
def test_a_fraction_is_no_current_efficiency_in_percent(value: str) -> None:
    # 1.16 * 5 / 0.95 would be 6.1 kg CF4 per t, a hundred times the 0.061 of the workbook
    with pytest.raises(FormulaError, match="a hundred times") as caught:
        FORMULAS["pfc_overvoltage"](
            **SAMPLES["pfc_overvoltage"] | {"current_efficiency_percent": Decimal(value)}
        )
    assert "100 倍" in caught.value.zh


@pytest.mark.parametrize(("value", "good"), [("50", 0), ("50.1", 1), ("100", 1), ("100.1", 0)])
def test_a_current_efficiency_lies_between_50_and_100_percent(value: str, good: int) -> None:
    given = SAMPLES["pfc_overvoltage"] | {"current_efficiency_percent": Decimal(value)}
    if good:
        assert FORMULAS["pfc_overvoltage"](**given)["cf4_kg"] > 0
    else:
        with pytest.raises(FormulaError, match="not between 50 and 100"):
            FORMULAS["pfc_overvoltage"](**given)


@pytest.mark.parametrize(
    ("formula", "name", "value", "says"),
    [
        ("meter_correction", "accuracy_class_percent", "0.005", "0.5 for class 0.5"),
        ("meter_correction", "accuracy_class_percent", "0", "0.5 for class 0.5"),
        ("meter_correction", "accuracy_class_percent", "50", "no accuracy class"),
        ("meter_correction", "kind", "anode", "write emission | output"),
        ("prebake_co2", "net_anode_t_per_t", "410", "0.41 for 410 kg"),
        ("packing_co2", "packing_t_per_t", "15", "write t per t"),
        ("soderberg_co2", "paste_t_per_t", "500", "write t per t"),
        ("soderberg_co2", "tar_kg_per_t", "600", "more is taken away"),
        ("fuel_co2", "carbon_tc_per_gj", "20.2", "0.0202 for 20.2 tC/TJ"),
        ("carbonate_co2", "ef_t_per_t", "440", "more than 1"),
        ("mass_balance_co2", "f_ratio", "0.2729", "about 3.66"),
        ("mass_balance_co2", "carbon_out_t", "99", "more carbon comes out"),
        ("anode_balance_co2", "sold_anode_t", "1000", "more carbon comes out"),
        ("coke_calcination_co2", "calcined_coke_t", "800", "more carbon comes out"),
        ("pitch_co2", "baked_anode_t", "999", "more than the green anodes"),
        ("stock_consumed", "stock_end", "999", "check the ledger"),
        ("anode_stock", "stock_end_t", "9999", "stock_end_t"),
        ("anode_co2", "ash_fraction", "0.99", "more than 1"),
        ("intensity", "aluminium_t", "0", "more than zero"),
        ("allowance", "aluminium_t", "0", "more than zero"),
        ("allowance", "balance_t_per_t", "0", "more than zero"),
        ("cbam_see", "activity_t", "0", "more than zero"),
        ("cross_check", "other_value", "0", "more than zero"),
        ("pfc_measured", "collection_efficiency_fraction", "0", "more than zero"),
        ("steam_heat", "enthalpy_kj_per_kg", "2.8", "kJ per kg"),
        ("hot_water_heat", "temperature_c", "19.9", "between 20 and 250"),
        ("cbam_default", "year", "26", "no year"),
        ("cbam_default", "year", "2026.5", "no year"),
        ("balance_value", "x_clip_fraction", "0", "no meaning"),
    ],
)
def test_refuses_what_cannot_be_meant(formula: str, name: str, value: str, says: str) -> None:
    number: Any = value if name == "kind" else Decimal(value)
    with pytest.raises(FormulaError, match=says.replace("|", r"\|")) as caught:
        FORMULAS[formula](**SAMPLES[formula] | {name: number})
    assert not caught.value.zh.isascii()


def test_a_table_names_every_bad_row() -> None:
    rows = [
        {"process": "A", "aluminium_t": 100, "intensity_t_per_t": Decimal("1.5")},
        {"process": "B", "aluminium_t": -1, "intensity_t_per_t": 0},
        {"process": "A", "intensity_t_per_t": Decimal("1.5")},
    ]
    with pytest.raises(FormulaError) as caught:
        FORMULAS["balance_value"](lines=rows, x_clip_fraction=Decimal("0.2"))
    english = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in english] == [
        "lines[2].aluminium_t",
        "lines[2].intensity_t_per_t",
        "lines[3].aluminium_t",
        "lines[3].process",
    ]
    assert len(caught.value.zh.splitlines()) == 4
    assert "第 1 行" in caught.value.zh


@pytest.mark.parametrize("rows", [[], "lines.csv", {}, [1]])
def test_a_table_is_rows(rows: Any) -> None:
    with pytest.raises(FormulaError, match="lines"):
        FORMULAS["balance_value"](lines=rows, x_clip_fraction=Decimal("0.2"))


def test_an_uncertain_sum_of_nothing_is_refused() -> None:
    rows = [{"value": value, "uncertainty_percent": 1} for value in (1, -1)]
    with pytest.raises(FormulaError, match="parts"):
        FORMULAS["uncertainty_sum"](parts=rows)
