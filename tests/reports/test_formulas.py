"""Formulas against worked figures from outside, and refused where they mean nothing."""

import json
import math
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from tests.reports.conftest import Smelter

CASES = tomllib.loads(
    (Path(__file__).parent.parent / "rules" / "formulas.toml").read_text("utf-8"),
    parse_float=Decimal,
)["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_worked_figure(case: dict[str, Any]) -> None:
    results = FORMULAS[case["formula"]](**case["given"])
    assert results.keys() == case["expected"].keys()
    for key, expected in case["expected"].items():
        digits = max(3, len(Decimal(expected).as_tuple().digits))
        assert float(results[key]) == pytest.approx(float(expected), rel=10 ** (1 - digits))


def test_every_formula_has_a_case_and_says_its_source() -> None:
    assert {case["formula"] for case in CASES} == FORMULAS.keys()
    for case in CASES:
        assert len(case["source"]) > 5
    for formula in FORMULAS.values():
        assert len(formula.symbols) == len(formula.parameters), formula.name
        assert "(t" in formula.text or "(k" in formula.text or "(MWh" in formula.text, formula.name
        assert " = " in formula.equation


def test_promised_names_and_keys() -> None:
    assert FORMULAS["anode_net"].parameters == ("anode_t", "loss_fraction")
    assert FORMULAS["anode_net"].results == ("net_anode_t",)
    assert FORMULAS["anode_co2"].parameters == ("net_anode_t", "sulphur_fraction", "ash_fraction")
    assert FORMULAS["anode_co2"].results == ("t_co2",)
    assert FORMULAS["pfc_default"].parameters == (
        "aluminium_t",
        "ef_cf4_kg_per_t",
        "ef_c2f6_kg_per_t",
        "gwp_cf4",
        "gwp_c2f6",
    )
    assert FORMULAS["pfc_default"].results == ("cf4_kg", "c2f6_kg", "t_co2e")


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1, "1", None, True, Decimal("NaN")])
def test_refuses_what_is_no_amount(formula: Any, bad: Any) -> None:
    for name in formula.parameters:
        values = dict.fromkeys(formula.parameters, Decimal("0.5")) | {name: bad}
        with pytest.raises(FormulaError, match=name):
            formula(**values)


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("anode_net", "loss_fraction"),
        ("anode_co2", "ash_fraction"),
        ("anode_co2", "sulphur_fraction"),
    ],
)
def test_a_percent_figure_is_no_fraction(formula: str, name: str) -> None:
    values = dict.fromkeys(FORMULAS[formula].parameters, Decimal("0.1")) | {name: 2}
    with pytest.raises(FormulaError, match="fraction"):
        FORMULAS[formula](**values)


def test_refuses_contradictions() -> None:
    with pytest.raises(FormulaError, match="stock_end_t"):
        FORMULAS["anode_stock"](stock_begin_t=1, received_t=1, stock_end_t=3)
    with pytest.raises(FormulaError, match="more than 1"):
        FORMULAS["anode_co2"](net_anode_t=1, sulphur_fraction=0.6, ash_fraction=0.6)
    with pytest.raises(FormulaError, match="aluminium_t"):
        FORMULAS["intensity"](t_co2e=1, aluminium_t=0)


amounts = st.decimals(0, 1_000_000, places=3)
shares = st.decimals(0, 1, places=4)


@given(amounts, shares)
def test_net_anode_lies_between_nothing_and_gross(anode_t: Decimal, loss: Decimal) -> None:
    net = FORMULAS["anode_net"](anode_t=anode_t, loss_fraction=loss)["net_anode_t"]
    assert 0 <= net <= anode_t
    assert net + anode_t * loss == anode_t  # exact: decimals, not binary floats


@given(amounts, amounts)
def test_pfc_is_proportional_to_metal(one: Decimal, two: Decimal) -> None:
    factors = {"ef_cf4_kg_per_t": 0.02, "ef_c2f6_kg_per_t": 0.0011, "gwp_cf4": 6630}
    pfc = FORMULAS["pfc_default"]
    parts = [pfc(aluminium_t=p, gwp_c2f6=11100, **factors)["t_co2e"] for p in (one, two, one + two)]
    assert parts[0] + parts[1] == parts[2]


def test_compute_prints_json(smelter: Smelter) -> None:
    code, said = smelter("compute", "anode_net", "anode_t=100", "loss_fraction=0.1518", "--json")
    assert (code, json.loads(said)) == (0, {"net_anode_t": 84.82})


def test_compute_reads_json_from_stdin_and_from_a_file(smelter: Smelter, tmp_path: Path) -> None:
    given_values = {"net_anode_t": 84.82, "sulphur_fraction": 0.02, "ash_fraction": 0.004}
    text = json.dumps(given_values)
    file = tmp_path / "in.json"
    file.write_text(text)
    expected = {"t_co2": pytest.approx(303.5425067)}
    for arguments in (["--input", "-"], [], ["--input", str(file)]):
        code, said = smelter("compute", "anode_co2", *arguments, stdin=text)
        assert (code, json.loads(said)) == (0, expected)


def test_compute_reads_json_as_an_argument(smelter: Smelter) -> None:
    code, said = smelter("compute", "anode_net", '{"anode_t": 100, "loss_fraction": 0.1518}')
    assert (code, json.loads(said)) == (0, {"net_anode_t": 84.82})
    code, said = smelter("compute", "anode_net", '{"anode_t": 100}', "loss_fraction=0.1518")
    assert (code, json.loads(said)) == (0, {"net_anode_t": 84.82})


@pytest.mark.parametrize(
    "arguments",
    [
        ["x=1", "anode_t=abc", "loss_fraction=15.18"],
        ['{"x": 1, "anode_t": "abc", "loss_fraction": 15.18}'],
    ],
)
def test_compute_says_all_that_is_wrong_at_once(smelter: Smelter, arguments: list[str]) -> None:
    code, said = smelter("compute", "anode_net", *arguments)
    assert code == 2
    assert "unknown parameter x" in said
    assert "anode_t: 'abc' is not a number" in said
    assert "loss_fraction: 15.18 is more than 1" in said
    assert "missing" not in said


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["anode_net"], "", "add anode_t=… loss_fraction=…"),
        (["anode_net", "anode_t=1"], "", "add loss_fraction=…"),
        (["anode_net", "anode_t=1", "loss_fraction=0.1", "x=1"], "", "unknown parameter x"),
        (["anode_net", "anode_t=abc", "loss_fraction=0.1"], "", "write name=number"),
        (["anode_net", "anode_t", "loss_fraction=0.1"], "", "write name=number"),
        (["anode_net", "anode_t=1", "anode_t=2", "loss_fraction=0.1"], "", "given twice"),
        (["anode_net", "anode_t=nan", "loss_fraction=0.1"], "", "not a finite number"),
        (["anode_net", "anode_t=-1", "loss_fraction=0.1"], "", "negative"),
        (["anode_net", "anode_t=1", "loss_fraction=15.18"], "", "write a fraction"),
        (["anode_net"], '{"anode_t": "1", "loss_fraction": 0.1}', "not a number"),
        (["anode_net"], '{"anode_t": true, "loss_fraction": 0.1}', "not a number"),
        (["anode_net"], "[1, 2]", "JSON object"),
        (["anode_net"], "{", "--input"),
        (["anode_net", '{"anode_t": 1,}'], "", '{"anode_t": 1,}: '),
        (["anode_net", "[100, 0.1518]"], "", "JSON object"),
        (["anode_net", '{"anode_t": 1}', "anode_t=1"], "", "given twice"),
        (["no_such"], "", "known: anode_stock"),
        ([], "", "known: anode_stock"),
        (["anode_net", "--input", "/no/such.json"], "", "such.json"),
    ],
)
def test_compute_refuses_with_what_to_write(
    smelter: Smelter, arguments: list[str], stdin: str, says: str
) -> None:
    code, said = smelter("compute", *arguments, stdin=stdin)
    assert code == 2
    assert says in said


def test_compute_lists_everything(smelter: Smelter) -> None:
    code, said = smelter("compute", "--list")
    assert code == 0
    assert all(name in said for name in FORMULAS)
    code, said = smelter("compute", "--list", "--json")
    table = json.loads(said)
    assert table["anode_net"]["parameters"] == ["anode_t", "loss_fraction"]
    assert "Source" in table["anode_net"]["text"]
