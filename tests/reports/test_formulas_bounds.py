"""``smelter compute`` refuses what no plant can have, and never prints what is no JSON."""

import json
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports.formulas import FORMULAS
from reports.formulas.bounds import BOUNDS, check_bounds
from reports.formulas.numbers import FormulaError
from reports.formulas.parameters import PARAMETERS
from tests.reports.conftest import Smelter

CASES = tomllib.loads(
    (Path(__file__).parent.parent / "rules" / "formulas.toml").read_text("utf-8"),
    parse_float=Decimal,
)["case"]
SAMPLES: dict[str, dict[str, Any]] = {case["formula"]: case["given"] for case in CASES[::-1]}


def arguments(formula: str, **changed: object) -> list[str]:
    """The worked example of the formula, with some values changed, as JSON."""
    given = SAMPLES[formula] | changed
    return [formula, json.dumps(given, default=float)]


SLIPS = [
    ("anode_co2", "ash_fraction", 0.4, "write 0.004 for 0.4 %"),
    ("anode_co2", "sulphur_fraction", 0.11, "it lies in 0 – 0.1"),
    ("anode_net", "loss_fraction", 0.8482, "write 0.1518 for 15.18 %"),
    ("pitch_co2", "hydrogen_fraction", 0.5, "write 0.005 for 0.5 %"),
    ("packing_co2", "packing_t_per_t", 0.5, "write 0.015 for 15 kg per t"),
    ("soderberg_co2", "pitch_hydrogen_fraction", 0.33, "write 0.033 for 3.3 %"),
    ("prebake_co2", "net_anode_t_per_t", 0.0041, "write 0.41 for 410 kg per t"),
    ("fuel_co2", "ncv_gj_per_unit", 42652, "write 42.652 (GJ/t) for 42652 kJ/kg"),
    ("fuel_co2", "oxidation_fraction", 0.0098, "write 0.98 for 98 %"),
    ("fuel_co2", "carbon_tc_per_gj", 0.0000202, "0.0202 for 20.2 tC/TJ"),
    ("fuel_co2_carbon", "carbon_tc_per_unit", 70, "write 0.7 for 70 %"),
    ("pfc_slope", "slope_kg_per_t_per_min", 143, "write 0.143 for 143 g"),
    ("pfc_slope", "gwp_cf4", 6.63, "t CO2e per t, e.g. 6630"),
    ("pfc_slope", "gwp_c2f6", 0, "t CO2e per t, e.g. 6630"),
    ("pfc_default", "ef_cf4_kg_per_t", 20, "0.02 for 20 g"),
    ("cbam_default", "base_t_per_t", 3000, "write 3 for 3000 kg per t"),
    ("cbam_certificates", "benchmark_t_per_t", 1423, "write 1.423 for 1423 kg per t"),
    ("allowance", "balance_t_per_t", 1570, "write 1.57 for 1570 kg per t"),
    ("anode_net", "anode_t", 1e-30, "too small to have been measured"),
]


@pytest.mark.parametrize(("formula", "name", "value", "says"), SLIPS)
def test_a_slip_of_the_unit_is_refused(
    smelter: Smelter, formula: str, name: str, value: float, says: str
) -> None:
    code, said = smelter("compute", *arguments(formula, **{name: value}))
    assert code == 2
    assert f"{name}: " in said
    assert says in said


def test_it_is_refused_in_chinese(smelter: Smelter) -> None:
    code, said = smelter("compute", *arguments("anode_co2", ash_fraction=0.4), "--lang", "zh")
    assert code == 2
    assert "ash_fraction：0.4 不可能（应在 0 – 0.1 之间）；0.4 % 写作 0.004" in said


def test_no_worked_example_is_refused() -> None:
    for case in CASES:
        for name, value in case["given"].items():
            if isinstance(value, int | Decimal):
                check_bounds(name, Decimal(value))


@pytest.mark.parametrize("name", BOUNDS)
def test_both_ends_belong_to_it(name: str) -> None:
    bounds = BOUNDS[name]
    assert name in PARAMETERS
    assert bounds.low < bounds.high
    check_bounds(name, bounds.low)
    check_bounds(name, bounds.high)
    with pytest.raises(FormulaError, match=f"{name}: .* cannot be"):
        check_bounds(name, bounds.high * Decimal("1.001"))
    assert not bounds.zh.isascii() or "如" in bounds.zh
    assert bounds.en.isascii()


def test_cells_of_a_table_are_judged_too(smelter: Smelter, tmp_path: Path) -> None:
    rows = [{"process": "A", "aluminium_t": 100, "intensity_t_per_t": 1570}]
    code, said = smelter("compute", "balance_value", json.dumps(rows), "x_clip_fraction=0.2")
    assert code == 2
    assert "lines[1].intensity_t_per_t: 1570 cannot be" in said
    file = tmp_path / "lines.csv"
    file.write_text("process,aluminium_t,intensity_t_per_t\nA,100,1570\n")
    code, said = smelter("compute", "balance_value", str(file), "x_clip_fraction=0.2")
    assert code == 2
    assert "lines.csv:2: intensity_t_per_t: 1570 cannot be" in said


# --- what is infinite


@pytest.mark.parametrize("value", ["1e400", "1e309", "1e16", "1e999999"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_more_than_any_plant_has_is_refused(smelter: Smelter, value: str, more: list[str]) -> None:
    code, said = smelter("compute", "anode_net", f"anode_t={value}", "loss_fraction=0.1518", *more)
    assert code == 2
    assert "anode_t: " in said
    assert "more than any plant has" in said


def test_the_largest_amount_is_computed(smelter: Smelter) -> None:
    code, said = smelter("compute", "anode_net", "anode_t=1e15", "loss_fraction=0.5", "--json")
    assert (code, json.loads(said)) == (0, {"net_anode_t": 5 * 10**14})


@pytest.mark.parametrize(
    "text",
    [
        '{"anode_t": 1e400, "loss_fraction": 0.1}',
        '{"anode_t": 1e99999999999999999999, "loss_fraction": 0.1}',
        '{"anode_t": Infinity, "loss_fraction": 0.1}',
        '{"anode_t": NaN, "loss_fraction": 0.1}',
        '{"anode_t": ' + "9" * 5000 + ', "loss_fraction": 0.1}',
    ],
)
def test_json_of_no_finite_size_is_refused(smelter: Smelter, text: str) -> None:
    code, said = smelter("compute", "anode_net", text)
    assert code == 2
    assert "Infinity" not in said.splitlines()[-1]


def test_a_result_that_cannot_be_is_refused(smelter: Smelter) -> None:
    given = ["activity_t=1e-14", "attributed_t_co2e=1e15", "precursor_t_co2e=0"]
    code, said = smelter("compute", "cbam_see", *given)
    assert code == 2
    assert "t_per_t: a result of 1.000e+29 cannot be; check the numbers and their units" in said


# --- how numbers are written


@pytest.mark.parametrize("text", ["1_000", "１_000", "١٠٠", "1,000", "100t"])
def test_a_number_is_written_plainly(smelter: Smelter, text: str) -> None:
    code, said = smelter("compute", "anode_net", f"anode_t={text}", "loss_fraction=0.1518")
    assert code == 2
    assert "is not a number; write name=number" in said


@pytest.mark.parametrize("text", ["１００", "１００．０", " 100 ", "1e2", "+100"])
def test_full_width_digits_are_digits(smelter: Smelter, text: str) -> None:
    code, said = smelter("compute", "anode_net", f"anode_t={text}", "loss_fraction=0.1518")
    assert (code, said) == (0, "net_anode_t = 84.82\n")


def test_a_doubled_key_or_column_is_refused(smelter: Smelter, tmp_path: Path) -> None:
    text = '{"anode_t": 100, "loss_fraction": 0.1, "anode_t": 200}'
    for given, stdin in (([text], ""), ([], text)):
        code, said = smelter("compute", "anode_net", *given, stdin=stdin)
        assert code == 2
        assert "anode_t is given twice" in said
    file = tmp_path / "lines.csv"
    file.write_text("process,aluminium_t,aluminium_t,intensity_t_per_t\nA,1,2,1.5\n")
    code, said = smelter("compute", "balance_value", str(file), "x_clip_fraction=0.2")
    assert code == 2
    assert "lines.csv:1: the first line has aluminium_t twice" in said


# --- sets of warming potentials


@pytest.mark.parametrize(("cf4", "c2f6"), [(6630, 12400), (7390, 11100), (7000, 12000)])
def test_warming_potentials_of_two_sets_are_refused(smelter: Smelter, cf4: int, c2f6: int) -> None:
    code, said = smelter("compute", *arguments("pfc_slope", gwp_cf4=cf4, gwp_c2f6=c2f6))
    assert code == 2
    assert f"gwp_cf4, gwp_c2f6: CF4 {cf4} and C2F6 {c2f6} are no set" in said
    assert "ar5 6630 / 11100" in said


@pytest.mark.parametrize("name", ["sar", "tar", "ar4", "ar5", "ar5_feedback", "ar6"])
def test_every_whole_set_is_accepted(smelter: Smelter, name: str) -> None:
    given = [f"{key}={value}" for key, value in SAMPLES["pfc_slope"].items() if "gwp" not in key]
    rules = [f"gwp_cf4=gwp.cf4_{name}", f"gwp_c2f6=gwp.c2f6_{name}"]
    assert smelter("compute", "pfc_slope", *given, *rules)[0] == 0
    mixed = [rules[0], "gwp_c2f6=gwp.c2f6_tar" if name != "tar" else "gwp_c2f6=gwp.c2f6_sar"]
    assert smelter("compute", "pfc_slope", *given, *mixed)[0] == 2


# --- notes beside a result


def test_a_note_goes_to_standard_error_and_the_result_to_standard_output() -> None:
    given = {"emission_t": 1400, "aluminium_t": 1000, "balance_t_per_t": 1.57}
    text = json.dumps(given | {"slope": 0.15, "clip_fraction": 0.03})
    program = [str(Path(sys.executable).with_name("smelter")), "compute", "allowance", text]
    done = subprocess.run(
        [*program, "--lang", "zh"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["intensity_t_per_t"] == 1.4
    assert "强度 1.4000 低于实际可达的 1.4334 tCO2e/t" in done.stderr


def test_a_whole_range_that_balances_is_said(smelter: Smelter) -> None:
    # E = 200 each, clipped at +20 % and -20 %: from 2/0.8 = 2.5 to 8/1.2 = 6.666667
    rows = [
        {"process": "A", "aluminium_t": 100, "intensity_t_per_t": 2},
        {"process": "B", "aluminium_t": 25, "intensity_t_per_t": 8},
    ]
    code, said = smelter("compute", "balance_value", json.dumps(rows), "x_clip_fraction=0.2")
    note, printed = said.splitlines()
    assert code == 0
    assert "any value in 2.500000 – 6.666667 t CO2e per t balances" in note
    assert json.loads(printed) == {
        "balance_t_per_t": pytest.approx(4.583333, rel=1e-6),
        "low_t_per_t": 2.5,
        "high_t_per_t": pytest.approx(6.666667, rel=1e-6),
    }


@pytest.mark.parametrize(("emission", "warned"), [(1433, True), (1434, False)])
def test_an_intensity_no_line_reaches_is_warned_of(
    smelter: Smelter, emission: int, warned: bool
) -> None:
    # 1.224183 / 0.95 + (0.02 * 6630 + 0.0011 * 11100) / 1000 = 1.288614 + 0.14481 = 1.433424
    given = ["balance_t_per_t=1.57", "slope=0.15", "clip_fraction=0.03", "aluminium_t=1000"]
    code, said = smelter("compute", "allowance", f"emission_t={emission}", *given)
    assert code == 0
    assert ("is below 1.4334 t CO2e per t" in said) is warned
    assert "allowance_t = " in said


def test_promised_results_are_always_there() -> None:
    assert FORMULAS["balance_value"].results == ("balance_t_per_t",)
    assert FORMULAS["balance_value"].extras == ("low_t_per_t", "high_t_per_t")
