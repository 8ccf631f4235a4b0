"""``smelter compute`` from outside: name=value, JSON, tables, rules by name, both languages."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reports.compute_signals import COMPUTABLE
from reports.formulas import FORMULAS, Formula
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


# --- what a person sees


def test_compute_without_values_shows_what_it_wants(smelter: Smelter) -> None:
    code, said = smelter("compute", "pfc_slope")
    assert code == 2
    assert "missing; add aluminium_t=… aem_min_per_cell_day=…" in said
    assert "min/(cell·d)" in said
    assert "anode-effect minutes per cell-day" in said
    code, said = smelter("compute", "pfc_slope", "--lang", "zh")
    assert code == 2
    assert "缺少参数；请加 aluminium_t=…" in said
    assert "阳极效应分钟数（每槽日）" in said


def test_compute_lists_one_formula(smelter: Smelter) -> None:
    code, said = smelter("compute", "meter_correction", "--list", "--lang", "zh")
    assert code == 0
    assert "emission | output" in said
    assert "检定示值误差（可不写）" in said
    assert "Source: CETS-VG" in said
    code, said = smelter("compute", "balance_value", "--list", "--json")
    found = json.loads(said)
    assert found["parameters"] == ["lines", "x_clip_fraction"]
    assert found["optional"] == ["x_clip_fraction"]
    assert found["names"]["balance_t_per_t"] == {
        "unit": "tCO2e/t",
        "zh": "平衡值",
        "en": "balance value",
    }


def test_the_page_of_formulas_is_current(smelter: Smelter) -> None:
    printed = (ROOT / "docs" / "formulas.md").read_text("utf-8")
    assert printed == page(), "smelter compute --list --markdown > docs/formulas.md"
    assert smelter("compute", "--list", "--markdown") == (0, printed)


OVERVOLTAGE = [
    "pfc_overvoltage",
    "aluminium_t=1000",
    "aeo_mv=5",
    "overvoltage_coefficient=1.16",
    "c2f6_fraction=0.121",
    "gwp_cf4=6500",
    "gwp_c2f6=9200",
]


def test_compute_prints_the_workbook_example(smelter: Smelter) -> None:
    # worksheet 8 of the GHG Protocol workbook: 61.0526 kg, 7.38737 kg, 464.806 t
    code, said = smelter("compute", *OVERVOLTAGE, "current_efficiency_percent=95", "--json")
    found = {"cf4_kg": 61.0526, "c2f6_kg": 7.38737, "t_co2e": 464.806}
    assert (code, json.loads(said)) == (0, pytest.approx(found, rel=1e-5))


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", "0.95 looks like a fraction; write percent here"),
        ("zh", "0.95 像是小数；此处须填百分数"),
    ],
)
def test_compute_refuses_in_the_language_of_the_run(smelter: Smelter, lang: str, says: str) -> None:
    code, said = smelter("compute", *OVERVOLTAGE, "current_efficiency_percent=0.95", "--lang", lang)
    assert code == 2
    assert says in said


def test_compute_takes_a_word(smelter: Smelter) -> None:
    given = ["meter_correction", "value=1000", "accuracy_class_percent=0.5"]
    assert smelter("compute", *given, "kind=output") == (0, "value = 995\n")
    code, said = smelter("compute", *given, "kind=metal", "--lang", "zh")
    assert code == 2
    assert "kind：'metal' 无效；可写 emission | output" in said


# --- tables

TABLE = "process,aluminium_t,intensity_t_per_t\nA,100,1.5\nB,100,1.6\nC,50,2.6\n"
BALANCE = pytest.approx(481 / 284)  # (150*1.5 + 160*1.6) / (310 - 0.2*130): C is clipped
CLIP = "x_clip_fraction=0.2"


def test_compute_reads_a_table_however_it_is_given(smelter: Smelter, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(TABLE)
    rows = [
        {"process": "A", "aluminium_t": 100, "intensity_t_per_t": 1.5},
        {"process": "B", "aluminium_t": 100, "intensity_t_per_t": 1.6},
        {"process": "C", "aluminium_t": 50, "intensity_t_per_t": 2.6},
    ]
    (tmp_path / "lines").write_text(TABLE)
    as_json = tmp_path / "lines.json"
    as_json.write_text(json.dumps({"lines": rows}))
    for arguments, stdin in (
        ([str(file), CLIP, "--json"], ""),
        ([str(tmp_path / "lines"), CLIP, "--json"], ""),
        ([f"lines={file}", CLIP, "--json"], ""),
        (["--input", str(file), CLIP], ""),
        (["--input", str(as_json), CLIP], ""),
        (["--input", "-", CLIP], TABLE),
        ([json.dumps({"lines": rows}), CLIP], ""),
        ([json.dumps(rows), CLIP], ""),
        ([], json.dumps({"lines": rows, "x_clip_fraction": 0.2})),
    ):
        code, said = smelter("compute", "balance_value", *arguments, stdin=stdin)
        assert (code, json.loads(said)) == (0, {"balance_t_per_t": BALANCE}), arguments


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_table_may_be_chinese(smelter: Smelter, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "lines.csv"
    text = "工序编号；铝液产量；排放强度；备注\n一系列；１００；１．５；好\n二系列；100；1.6；\n"
    file.write_bytes(text.replace("；", ";").encode(encoding))
    code, said = smelter("compute", "balance_value", str(file), CLIP, "--json")
    assert (code, json.loads(said)) == (0, {"balance_t_per_t": pytest.approx(481 / 310)})


def test_a_table_fills_the_clip_in_from_the_rules(smelter: Smelter, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(TABLE)
    code, said = smelter("compute", "balance_value", str(file), "--on", "2026-01-01", "--json")
    cited, printed = said.splitlines()
    assert (code, json.loads(printed)) == (0, {"balance_t_per_t": BALANCE})
    assert cited.startswith("cn_allowance_aluminium.x_clip@2026-01-01 = 20 %")


def test_every_bad_row_is_named(smelter: Smelter, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(
        "process,aluminium_t,intensity_t_per_t\n"
        "A,-1,1.5\n\n# a note\nB,many,0\nC,100,\nD,100,nan\nE,100,1.5\nE,100,1.5\n"
    )
    code, said = smelter("compute", "balance_value", str(file), CLIP)
    assert code == 2
    for line in (
        "lines.csv:2: aluminium_t: -1 is negative",
        "lines.csv:5: aluminium_t: 'many' is not a number",
        "lines.csv:5: intensity_t_per_t: must be more than zero",
        "lines.csv:6: intensity_t_per_t: empty; write a number",
        "lines.csv:7: intensity_t_per_t: NaN is not a finite number",
    ):
        assert line in said
    code, said = smelter("compute", "balance_value", str(file), CLIP, "--lang", "zh")
    assert "lines.csv:6: intensity_t_per_t：空白；请填写数字" in said
    file.write_text(TABLE + "C,50,2.6\n")
    code, said = smelter("compute", "balance_value", str(file), CLIP)
    assert code == 2
    assert "lines[4].process: C stands in row 3 already" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("process,aluminium_t\nA,1\n", "lines.csv:1: the first line lacks the columns intensity"),
        ("process,aluminium_t,intensity_t_per_t\n", "no rows in it"),
        ("", "no rows in it"),
    ],
)
def test_a_table_that_is_none(smelter: Smelter, tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "lines.csv"
    file.write_text(content)
    code, said = smelter("compute", "balance_value", str(file), CLIP)
    assert code == 2
    assert says in said


def test_a_table_where_there_is_none(smelter: Smelter) -> None:
    code, said = smelter("compute", "balance_value", "no_such.csv", CLIP)
    assert code == 2
    assert "no_such.csv: No such file" in said
    assert "missing; add lines=…" not in said
    code, said = smelter("compute", "anode_net", "lines.csv")
    assert code == 2
    assert "write name=number" in said


class _Events(NamedTuple):
    events: list[dict[str, Any]]
    worst: str


def pairs(lines: list[dict[str, Any]]) -> _Events:
    """A formula that answers with a table."""
    return _Events([{"process": r["process"], "value": r["aluminium_t"]} for r in lines], "A")


def test_a_result_may_be_a_table(
    smelter: Smelter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMPUTABLE, "pairs", Formula(pairs, ("x",), "x = x", "表", "a table"))
    file = tmp_path / "lines.csv"
    file.write_text(TABLE)
    code, said = smelter("compute", "pairs", str(file))
    assert (code, said) == (0, "events:\nprocess\tvalue\nA\t100\nB\t100\nC\t50\nworst = A\n")
    code, said = smelter("compute", "pairs", str(file), "--json")
    assert json.loads(said)["events"][2] == {"process": "C", "value": 50}


# --- rules by name


@pytest.mark.parametrize(
    ("year", "t_per_t"), [("2026", 3.3), ("2027", 3.6), ("2028", 3.9), ("2030", 3.9)]
)
def test_a_default_takes_the_mark_up_of_its_year(
    smelter: Smelter, year: str, t_per_t: float
) -> None:
    code, said = smelter("compute", "cbam_default", "base_t_per_t=3.0", f"year={year}", "--json")
    cited, printed = said.splitlines()
    assert (code, json.loads(printed)) == (0, {"t_per_t": pytest.approx(t_per_t)})
    assert "eu_cbam_values.mark_up@" in cited
    assert "[secondary, official text not read: " in cited


def test_a_default_of_a_year_without_a_rule_is_refused(smelter: Smelter) -> None:
    code, said = smelter("compute", "cbam_default", "base_t_per_t=3.0", "year=2025")
    assert code == 2
    assert "eu_cbam_values.mark_up: no value on 2025-01-01" in said
    code, said = smelter(
        "compute", "cbam_default", "base_t_per_t=3", "year=2025", "mark_up_fraction=0.1", "--json"
    )
    assert (code, json.loads(said)) == (0, {"t_per_t": pytest.approx(3.3)})


def test_any_parameter_may_name_a_rule(smelter: Smelter) -> None:
    code, said = smelter(
        "compute",
        "anode_net",
        "anode_t=100",
        "loss_fraction=cn_ets_aluminium_2024.anode_loss_rate",
        "--on",
        "2026-10-01",
        "--lang",
        "zh",
    )
    assert code == 0
    cited, printed = said.splitlines()
    assert printed == "net_anode_t = 84.82"  # 15.18 % as a fraction
    assert "cn_ets_aluminium_2024.anode_loss_rate@" in cited


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("cn_ets_aluminium_2024.no_such", "no parameter 'no_such'"),
        ("no_such.anode_loss_rate", "or name=pack.parameter for a rule"),
        ("cn_ets_aluminium_2024.pfc_method", "is a name, not a number"),
    ],
)
def test_a_rule_that_is_none_is_refused(smelter: Smelter, value: str, says: str) -> None:
    code, said = smelter("compute", "anode_net", "anode_t=100", f"loss_fraction={value}")
    assert code == 2
    assert says in said


def test_a_day_that_is_none_is_refused(smelter: Smelter) -> None:
    code, said = smelter("compute", "cbam_default", "base_t_per_t=3", "year=2026", "--on", "2026")
    assert (code, said) == (2, "--on 2026: 2026-10-01\n")


def test_a_number_without_name_is_told_which_parameter_it_may_be(smelter: Smelter) -> None:
    code, said = smelter("compute", "standard_state", "20", "120", "101325", "-500")
    assert code == 2
    assert "'-500': write name=number, e.g. static_pa=-500" in said
    assert "loss_fraction" not in said
    code, said = smelter("compute", "dry_basis", "moisture")
    assert (code, "e.g. c_mg_m3=20" in said or "e.g. c=" in said) == (2, True)
    code, said = smelter("compute", "standard_state", "--foo")
    assert (code, "no such option: --foo" in said) == (2, True)
    given = ("c_mg_m3=20", "temperature_c=120", "ambient_pa=101325", "static_pa=-500")
    assert smelter("compute", "standard_state", *given)[0] == 0
