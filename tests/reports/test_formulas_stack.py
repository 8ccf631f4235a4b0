"""Stack formulas: the names that were promised, boundaries, refusals, properties, the command."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.rules.packs import packs
from tests.reports.conftest import Smelter
from tests.reports.test_formulas import SAMPLES

PROMISED = {  # parameters a caller gives; those after them are filled in by rule
    "standard_state": "c_mg_m3 temperature_c ambient_pa static_pa",
    "dry_basis": "c moisture_fraction",
    "reference_oxygen": "c o2_dry_percent o2_ref_percent",
    "ppm_to_mg": "ppm gas",
    "nox_from_no": "no_mg_m3",
    "dry_standard_flow": "area_m2 velocity_m_s velocity_coefficient temperature_c ambient_pa "
    "static_pa moisture_fraction",
    "mass_rate": "c_mg_m3 flow_m3_h",
    "minute_validity": "valid_readings expected_readings spacing_s",
    "hour_validity": "valid_minutes",
    "day_validity": "valid_hours",
    "month_validity": "valid_days month_number",
    "capture_rate": "hours stopped invalid",
    "substitution": "reason gap_h capture_percent",
    "relative_accuracy": "pairs",
    "excess_air": "o2_dry_percent",
    "zero_drift": "shown true_value full_scale instrument",
    "span_drift": "shown true_value full_scale instrument",
    "effective_transmission_rate": "expected sent due valid",
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names(name: str) -> None:
    formula = FORMULAS[name]
    needed = [each for each in formula.parameters if each not in formula.optional]
    assert needed == PROMISED[name].split()
    assert list(formula.parameters[: len(needed)]) == needed


@pytest.mark.parametrize("name", PROMISED)
def test_rules_that_are_filled_in_are_in_the_packs(name: str) -> None:
    formula = FORMULAS[name]
    for rule in formula.rules(SAMPLES[name]).values():
        pack, _, parameter = rule.partition(".")
        assert parameter in packs()[pack].parameters, rule


def test_the_vector_as_a_chain() -> None:
    """G = 20·529200·1e-6 = 10.584: what state and moisture take from C they give to Q."""
    state = {"temperature_c": 120, "ambient_pa": 100_000, "static_pa": -500}
    standard = FORMULAS["standard_state"](c_mg_m3=20, **state)["c_mg_m3"]
    dry = FORMULAS["dry_basis"](c=standard, moisture_fraction=Decimal("0.08"))["c"]
    flow = FORMULAS["dry_standard_flow"](
        area_m2=Decimal("12.5"),
        velocity_m_s=Decimal("11.2"),
        velocity_coefficient=Decimal("1.05"),
        moisture_fraction=Decimal("0.08"),
        **state,
    )
    assert round(dry, 4) == Decimal("31.8688")
    assert flow["actual_m3_per_h"] == 529_200
    made = FORMULAS["mass_rate"](c_mg_m3=dry, flow_m3_h=flow["flow_m3_h"])
    assert round(made["kg_per_h"], 20) == Decimal("10.584")


def test_excess_air_is_reference_oxygen_in_other_words() -> None:
    """αs = 21/(21 − O2ref): with O2ref 9, αs = 1.75; both give C·12/(21 − O2)."""
    by_alpha = FORMULAS["reference_excess_air"](c=30, o2_dry_percent=15, alpha_ref=1.75)
    by_oxygen = FORMULAS["reference_oxygen"](c=30, o2_dry_percent=15, o2_ref_percent=9)
    assert round(by_alpha["c"], 20) == round(by_oxygen["c"], 20) == 60


# --- validity, at each edge

MINUTE = {"least_readings": 12, "most_spacing_s": 5, "least_share_percent": 75}


@pytest.mark.parametrize(
    ("n", "expected", "spacing", "verdict", "rule"),
    [
        (12, 12, 5, "valid", "count"),
        (11, 12, 5, "invalid", "count"),  # 92 %, but fewer than 12
        (44, 60, 1, "invalid", "count"),  # 12 and more, but 73 %
        (45, 60, 1, "valid", "count"),
        (6, 6, 10, "valid", "share"),
        (5, 6, 10, "valid", "share"),  # 83 %
        (4, 6, 10, "invalid", "share"),  # 67 %
        (3, 4, 15, "valid", "share"),  # 75 %
        (0, 1, 60, "invalid", "share"),
        (1, 1, 60, "valid", "share"),
    ],
)
def test_a_minute(n: int, expected: int, spacing: int, verdict: str, rule: str) -> None:
    found = FORMULAS["minute_validity"].run(
        valid_readings=n, expected_readings=expected, spacing_s=spacing, **MINUTE
    )
    assert (found["verdict"], found["rule"]) == (verdict, rule)


@pytest.mark.parametrize(
    ("formula", "name", "value", "rule", "least", "verdict", "flag"),
    [
        ("hour_validity", "valid_minutes", 45, "least_minutes", 45, "valid", "N"),
        ("hour_validity", "valid_minutes", 44, "least_minutes", 45, "invalid", "D"),
        ("day_validity", "valid_hours", 20, "least_hours", 20, "valid", "N"),
        ("day_validity", "valid_hours", 19, "least_hours", 20, "invalid", "N"),  # 79 %
        ("day_validity", "valid_hours", 18, "least_hours", 20, "invalid", "N"),  # just 75 %
        ("day_validity", "valid_hours", 17, "least_hours", 20, "invalid", "D"),
    ],
)
def test_hours_and_days(
    formula: str, name: str, value: int, rule: str, least: int, verdict: str, flag: str
) -> None:
    found = FORMULAS[formula].run(**{name: value, rule: least, "least_share_percent": 75})
    assert (found["verdict"], found["flag"]) == (verdict, flag)


@pytest.mark.parametrize(
    ("days", "month", "verdict"),
    [("25", "1", "valid"), ("24", "12", "invalid"), ("23", "2", "valid"), ("22", "02", "invalid")],
)
def test_months_take_their_rule(smelter: Smelter, days: str, month: str, verdict: str) -> None:
    code, said = smelter(
        *("compute", "month_validity", f"valid_days={days}", f"month_number={month}"),
        *("--on", "2026-10-01"),
    )
    assert code == 0
    assert f"verdict = {verdict}" in said


def test_the_rules_of_an_hour_come_with_their_source(smelter: Smelter) -> None:
    code, said = smelter("compute", "hour_validity", "valid_minutes=44", "--lang", "zh")
    assert code == 0
    assert "verdict = invalid" in said
    assert "cn_hj212.hour_minutes@2017-05-01 = 45" in said
    assert "官方文本" in said


def test_what_is_only_recalled_says_so(smelter: Smelter) -> None:
    code, said = smelter(
        "compute", "zero_drift", "shown=3", "true_value=0", "full_scale=100", "instrument=gas"
    )
    assert code == 0
    assert "verdict = adjust" in said  # 3 %: above 2.5, below 5
    assert "[unverified:" in said or "[未核实" in said


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ("2.5", "within"),
        ("-2.5", "within"),
        ("2.51", "adjust"),
        ("5", "adjust"),
        ("-5.01", "out_of_control"),
    ],
)
def test_drift_at_its_edges(shown: str, verdict: str) -> None:
    limits = {"limit_percent": Decimal("2.5"), "control_percent": 5}
    found = FORMULAS["zero_drift"].run(
        shown=Decimal(shown), true_value=0, full_scale=100, instrument="gas", **limits
    )
    assert found["verdict"] == verdict


# --- stand-ins

RULES = {
    "high_capture_percent": 90,
    "least_capture_percent": 75,
    "short_gap_h": 24,
    "window_short_h": 180,
    "window_long_h": 720,
    "window_low_h": 2160,
}


@pytest.mark.parametrize(
    ("reason", "gap", "capture", "method"),
    [
        ("out_of_control", 24, 90, "max180-before-calibration"),
        ("out_of_control", 25, 90, "max720-before-calibration"),
        ("out_of_control", 1, "89.99", "max2160-before-calibration"),
        ("invalid", 24, 95, "max180-before-gap"),
        ("invalid", 25, 95, "max720-before-gap"),
        ("invalid", 2, 75, "max2160-before-gap"),
        ("invalid", 2, "74.99", "none"),
        ("out_of_control", 2, 10, "none"),
    ],
)
def test_method_codes(reason: str, gap: int, capture: Any, method: str) -> None:
    found = FORMULAS["substitution"].run(
        reason=reason, gap_h=gap, capture_percent=Decimal(capture), **RULES
    )
    assert found["method"] == method
    assert ("window_h" in found) is (method != "none")
    assert "kg_per_h" not in found


@given(
    st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_the_greatest_of_the_last_hours(hours: list[Decimal], window: int) -> None:
    rows = [{"kg_per_h": each} for each in hours]
    found = FORMULAS["substitution"].run(
        reason="invalid",
        gap_h=1,
        capture_percent=95,
        before=rows,
        **(RULES | {"window_short_h": window}),
    )
    assert found["kg_per_h"] == max(hours[max(len(hours) - window, 0) :])
    assert found["hours_used"] == min(window, len(hours))


# --- tests against a reference


def pairs(reference: list[Decimal], cems: list[Decimal]) -> list[dict[str, Decimal]]:
    rows = zip(reference, cems, strict=True)
    return [{"reference_value": one, "cems_value": other} for one, other in rows]


@given(
    st.lists(
        st.tuples(st.decimals(10, 500, places=1), st.decimals(-20, 20, places=1)),
        min_size=9,
        max_size=9,
    )
)
def test_relative_accuracy_by_definition(rows: list[tuple[Decimal, Decimal]]) -> None:
    """With floats and the textbook's other form of the variance; t of 8 is 2.306."""
    reference = [float(r) for r, _ in rows]
    d = [float(x) for _, x in rows]
    mean = sum(d) / 9
    variance = max(sum(x * x for x in d) - 9 * mean * mean, 0.0) / 8
    confidence = 2.306 * (variance / 9) ** 0.5
    found = FORMULAS["relative_accuracy"](
        pairs=pairs([r for r, _ in rows], [r - x for r, x in rows])
    )
    wanted = (abs(mean) + confidence) / (sum(reference) / 9) * 100
    assert float(found["ra_percent"]) == pytest.approx(wanted, rel=1e-6, abs=1e-5)


def test_a_perfect_instrument_has_no_error() -> None:
    same = [Decimal(n) for n in (10, 20, 30, 40, 50, 60)]
    assert FORMULAS["relative_accuracy"](pairs=pairs(same, same))["ra_percent"] == 0


def test_pairs_from_a_file(smelter: Smelter, tmp_path: Path) -> None:
    case = SAMPLES["relative_accuracy"]["pairs"]
    file = tmp_path / "pairs.csv"
    lines = [f"{row['reference_value']},{row['cems_value']}" for row in case]
    file.write_text("reference_value,cems_value\n" + "\n".join(lines) + "\n")
    code, said = smelter("compute", "relative_accuracy", str(file), "--json")
    assert code == 0
    found = json.loads(said[said.index('{"') :])
    assert found["ra_percent"] == pytest.approx(4.8776, abs=1e-4)
    file.write_text("reference_value,cems_value\n1,1\n2,2\n")
    code, said = smelter("compute", "relative_accuracy", str(file), "--lang", "zh")
    assert code == 2
    assert "须有 6 至 31 对" in said


# --- refusals

REFUSED = [
    ("reference_oxygen", {"o2_dry_percent": Decimal("20.51")}, "never clip", "不得截断"),
    ("reference_oxygen", {"o2_dry_percent": 22}, "not meaningful", "折算无意义"),
    ("reference_oxygen", {"o2_dry_percent": Decimal("0.172")}, "17.2 for 17.2 %", "17.2 % 写作"),
    ("reference_oxygen", {"o2_ref_percent": 21}, "must be below", "须低于"),
    ("excess_air", {"o2_dry_percent": 21}, "not meaningful", "折算无意义"),
    ("reference_excess_air", {"alpha_ref": Decimal("0.9")}, "below 1", "小于 1"),
    ("dry_basis", {"moisture_fraction": 8}, "0.02 for 2 %", "写作 0.02"),
    ("dry_basis", {"moisture_fraction": 1}, "no dry part", "无法换算"),
    ("standard_state", {"ambient_pa": Decimal("101.325")}, "101325 for 101.325 kPa", "kPa 写作"),
    ("standard_state", {"static_pa": 100_000}, "no static pressure", "不像烟道静压"),
    ("standard_state", {"temperature_c": 700}, "not K", "不是 K"),
    ("ppm_to_mg", {"gas": "so3"}, "is unknown", "无效"),
    ("hour_validity", {"valid_minutes": 61}, "more than the 60", "多于应有的 60"),
    ("hour_validity", {"valid_minutes": Decimal("44.5")}, "not whole", "不是整数"),
    ("hour_validity", {"least_minutes": None}, "number of the standard", "不设缺省值"),
    ("day_validity", {"valid_hours": 25}, "more than the 24", "多于应有的 24"),
    ("month_validity", {"month_number": 13}, "no month", "不是月份"),
    ("month_validity", {"valid_days": 32}, "no month has", "没有这么多日"),
    ("minute_validity", {"valid_readings": 13}, "more than the 12", "多于应有的 12"),
    ("capture_rate", {"invalid": 1801}, "more than the 2160", "多于总小时"),
    ("capture_rate", {"stopped": 2160, "invalid": 0}, "no capture rate", "没有捕集率"),
    ("substitution", {"capture_percent": Decimal("0.93")}, "looks like a fraction", "像是小数"),
    ("substitution", {"reason": "lost"}, "is unknown", "无效"),
    ("zero_drift", {"true_value": 500}, "beyond full scale", "超出满量程"),
    ("span_drift", {"control_percent": 1}, "below the drift allowed", "小于漂移限值"),
    ("effective_transmission_rate", {"sent": 1001}, "more than the 1000", "多于应有的 1000"),
]


@pytest.mark.parametrize(("formula", "wrong", "en", "zh"), REFUSED)
def test_refused_with_what_to_write(formula: str, wrong: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(FormulaError) as caught:
        FORMULAS[formula](**(SAMPLES[formula] | wrong))
    assert en in caught.value.en
    assert zh in caught.value.zh


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_air_is_refused_in_the_command_too(smelter: Smelter, lang: str) -> None:
    given = "c=30", "o2_dry_percent=20.9", "o2_ref_percent=15"
    code, said = smelter("compute", "reference_oxygen", *given, "--lang", lang)
    assert code == 2
    assert ("折算无意义" if lang == "zh" else "not meaningful") in said


# --- properties


@given(
    st.decimals("0.1", 500, places=1),
    st.decimals(3, 20, places=1),
    st.decimals(3, 18, places=1),
)
def test_conversion_there_and_back(c: Decimal, o2: Decimal, reference: Decimal) -> None:
    """What is at the reference already stays; gas with more air is raised, with less lowered."""
    assume(o2 != reference)
    run = FORMULAS["reference_oxygen"]
    there = run(c=c, o2_dry_percent=o2, o2_ref_percent=reference)["c"]
    assert (there > c) == (o2 > reference)
    back = run(c=there, o2_dry_percent=reference, o2_ref_percent=o2)["c"] if o2 < 21 else c
    assert round(back, 15) == c
    assert run(c=c, o2_dry_percent=o2, o2_ref_percent=o2)["c"] == c


@given(st.integers(1, 2208), st.data())
def test_the_capture_rate_is_between_nothing_and_all(hours: int, data: st.DataObject) -> None:
    stopped = data.draw(st.integers(0, hours - 1))
    invalid = data.draw(st.integers(0, hours - stopped))
    rate = FORMULAS["capture_rate"](hours=hours, stopped=stopped, invalid=invalid)
    assert 0 <= rate["capture_percent"] <= 100
    assert (rate["capture_percent"] == 100) == (invalid == 0)
