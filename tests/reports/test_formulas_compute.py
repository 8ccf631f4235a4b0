"""``smelter compute`` from outside: name=value, JSON, tables, rules by name, both languages."""

import json
from pathlib import Path

import pytest

from reports.formulas import FORMULAS
from reports.formulas_page import page
from tests.reports.conftest import Smelter

ROOT = Path(__file__).resolve().parent.parent.parent


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
