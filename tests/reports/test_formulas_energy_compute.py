"""``smelter compute`` for energy: rules of the day filled in and cited, anode effects of traces."""

import json
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.compute_signals import COMPUTABLE
from reports.formulas.numbers import FormulaError
from tests.reports.conftest import Smelter

SECONDARY = "[secondary, official text not read: "


def answer(smelter: Smelter, *arguments: str) -> tuple[dict[str, Any], str]:
    """What was printed as JSON, and what was cited."""
    code, said = smelter("compute", *arguments, "--json")
    assert code == 0, said
    *cited, printed = said.splitlines()
    return json.loads(printed), "\n".join(cited)


# --- rules of the day

LIMITS = {  # table 1 and 2 of GB 21346-2022 as transcribed
    "liquid_ac": (12950, 13000, 13350),
    "liquid_comprehensive_ac": (13250, 13350, 13700),
    "ingot_comprehensive_ac": (13300, 13400, 13750),
    "ingot_comprehensive_energy": (1670, 1680, 1720),
    "alumina_bayer_process": (310, 360, 430),
    "alumina_bayer_comprehensive": (340, 390, 460),
}


@pytest.mark.parametrize("indicator", LIMITS)
def test_levels_take_the_limits_of_the_day(smelter: Smelter, indicator: str) -> None:
    for level, limit in enumerate(LIMITS[indicator], 1):
        for value, expected in ((str(limit), level), (f"{limit}.01", (level + 1) % 4)):
            given_values = [f"indicator={indicator}", f"value={value}", "day=2024-01-01"]
            found, cited = answer(smelter, "energy_level", *given_values)
            assert found == {"level": expected}, (indicator, value)
            assert f"cn_energy_levels.{indicator}_{level}@2024-01-01 = {limit} " in cited
            assert cited.count(SECONDARY) == 3


def test_a_level_before_the_standard_is_no_level(smelter: Smelter) -> None:
    values = ["energy_level", "indicator=liquid_ac", "value=13000", "day=2023-12-31"]
    code, said = smelter("compute", *values)
    assert code == 2
    assert (
        "cn_energy_levels.liquid_ac_1: no value on 2023-12-31; it applies from 2024-01-01" in said
    )
    code, said = smelter("compute", *values, "--lang", "zh")
    assert code == 2
    assert "2023-12-31 没有取值；自 2024-01-01 起适用" in said


def test_limits_may_be_given_by_hand(smelter: Smelter) -> None:
    values = ["indicator=liquid_ac", "value=14000", "day=2020-01-01"]
    limits = ["limit_1=12650", "limit_2=12750", "limit_3=13700"]  # those of 2013, read anew
    found, cited = answer(smelter, "energy_level", *values, *limits)
    assert (found, cited) == ({"level": 0}, "")


@pytest.mark.parametrize(
    ("day", "index", "surcharge"),
    [
        ("2022-01-01", "13650", 0),
        ("2022-12-31", "13670", 0.01),
        ("2022-12-31", "13671", 0.02),
        ("2023-01-01", "13450", 0),
        ("2023-01-01", "13650", 0.1),
        ("2024-12-31", "13451", 0.01),
        ("2025-01-01", "13300", 0),
        ("2025-01-01", "13320", 0.01),
        ("2025-01-01", "13321", 0.02),
        ("2026-10-01", "13450", 0.08),
    ],
)
def test_the_ladder_of_the_day(smelter: Smelter, day: str, index: str, surcharge: float) -> None:
    given_values = [f"index_kwh_per_t={index}", f"day={day}"]
    shares = ["nonhydro_share=0", "incentive_share=0"]
    found, cited = answer(smelter, "ladder_surcharge", *given_values, *shares)
    assert found == {"cny_per_kwh": surcharge}
    for name in ("threshold", "step_width", "step_surcharge", "relief_base_share"):
        assert f"cn_ladder_tariff.{name}@" in cited


def test_there_was_no_such_ladder_in_2021(smelter: Smelter) -> None:
    code, said = smelter("compute", "ladder_surcharge", "index_kwh_per_t=13800", "day=2021-12-31")
    assert code == 2
    assert "cn_ladder_tariff.threshold: no value on 2021-12-31" in said


@pytest.mark.parametrize(
    ("reading", "surcharge"), [("above_base", 0.045), ("above_incentive", 0.0485)]
)
def test_both_readings_of_the_renewable_clause(
    smelter: Smelter, reading: str, surcharge: float
) -> None:
    # 13400 - 13300 = 5 steps; 25 % is 10 points above 15 %, 3 above 22 %
    shares = ["nonhydro_share=0.25", "incentive_share=0.22", f"reading={reading}"]
    values = ["index_kwh_per_t=13400", "day=2025-06-01"]
    assert answer(smelter, "ladder_surcharge", *values, *shares)[0] == {"cny_per_kwh": surcharge}


@pytest.mark.parametrize(
    ("given_values", "tce", "basis", "rule"),
    [
        (["kwh=1000000", "basis=equivalent"], 122.9, "equivalent", "electricity_equivalent"),
        (["kwh=3200000", "basis=coal_rate"], 976, "coal_rate", "electricity_coal_rate"),
        (["m3_gas=10000"], 12.143, "equivalent", "natural_gas"),
        (["m3_gas=10000", "basis=equivalent"], 12.143, "equivalent", "natural_gas"),
        (["gj_heat=1000"], 34.12, "equivalent", "heat"),
    ],
)
def test_coal_says_its_basis_and_cites_one_factor(
    smelter: Smelter, given_values: list[str], tce: float, basis: str, rule: str
) -> None:
    found, cited = answer(smelter, "standard_coal", *given_values, "--on", "2026-10-01")
    assert found == {"tce": tce, "basis": basis}
    assert cited.startswith(f"cn_energy_conversion.{rule}@")
    assert len(cited.splitlines()) == 1


def test_electricity_without_a_basis_is_refused(smelter: Smelter) -> None:
    code, said = smelter("compute", "standard_coal", "kwh=1000", "--lang", "zh")
    assert code == 2
    assert "电力折标有两种口径" in said


def test_a_percent_is_no_efficiency(smelter: Smelter) -> None:
    values = ["current_ka=400", "hours=24", "pots=300", "current_efficiency=94"]
    code, said = smelter("compute", "faraday_mass", *values)
    assert code == 2
    assert "0.94 for 94 % (not 94)" in said
    code, said = smelter("compute", "faraday_mass", *values, "--lang", "zh")
    assert code == 2
    assert "94 % 写作 0.94（不是 94）" in said


def test_certificates_from_a_table(smelter: Smelter, tmp_path: Path) -> None:
    file = tmp_path / "months.csv"
    file.write_text("月份,电量\n2026-01,10.4\n2026-02,3.9\n", "gbk")
    found, _ = answer(smelter, "green_certificates", str(file))
    assert [row["certificates"] for row in found["issued"]] == [10, 4]
    assert found["carry"] == pytest.approx(0.3)


# --- anode effects in a trace


@pytest.fixture
def trace(tmp_path: Path) -> Callable[..., str]:
    def write(*pieces: tuple[int, str], header: str = "time_s,voltage_v") -> str:
        """Seconds one by one; each piece holds for so many of them."""
        lines, second = [header], 0
        for count, cells in pieces:
            for _ in range(count):
                lines.append(f"{second},{cells}")
                second += 1
        file = tmp_path / "trace.csv"
        file.write_text("\n".join(lines) + "\n")
        return str(file)

    return write


def events(smelter: Smelter, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(smelter, "anode_effects", *arguments)[0]["events"]
    return found


def test_an_anode_effect(smelter: Smelter, trace: Callable[..., str]) -> None:
    # 120 s at 30 V, of which 26 V are above the target: 3120 V·s
    found = events(smelter, trace((100, "4.0"), (120, "30"), (300, "4.0")))
    assert found == [
        {
            "start": 100,
            "end": 220,
            "duration_s": 120,
            "peak_v": 30,
            "mean_v": 30,
            "overvoltage_vs": 3120,
            "gap_s": 0,
            "ignitions": 1,
            "ending": "below",
        }
    ]


def test_what_is_no_anode_effect(smelter: Smelter, trace: Callable[..., str]) -> None:
    assert events(smelter, trace((60, "4.0"), (2, "30"), (60, "4.0"))) == []  # too short
    assert events(smelter, trace((60, "4.0"), (60, "7.99"), (60, "4.0"))) == []  # too low
    header = "time,voltage,mode,link"
    stopped = trace((60, "4.0,1,0"), (60, "30,0,0"), (60, "4.0,1,0"), header=header)
    assert events(smelter, stopped) == []
    lost = trace((60, "4.0,1,0"), (60, "30,1,1"), (60, "4.0,1,0"), header=header)
    assert events(smelter, lost) == []


def test_a_gap_inside_is_stated(smelter: Smelter, trace: Callable[..., str]) -> None:
    for blank in ("", "0"):
        header = "time,voltage,link"
        pieces = [(60, "4.0,0"), (50, "30,0"), (10, f"{blank},1"), (60, "30,0"), (300, "4.0,0")]
        (found,) = events(smelter, trace(*pieces, header=header))
        assert (found["duration_s"], found["gap_s"]) == (120, 10)
        assert found["overvoltage_vs"] == 110 * 26


def test_reignition_and_parameters(smelter: Smelter, trace: Callable[..., str]) -> None:
    file = trace((60, "4.0"), (30, "30"), (100, "4.0"), (30, "30"), (300, "4.0"))
    (found,) = events(smelter, file)
    assert (found["ignitions"], found["duration_s"], found["end"]) == (2, 60, 220)
    assert len(events(smelter, file, "merge_s=60")) == 2
    assert events(smelter, file, "threshold_v=31") == []
    assert events(smelter, file, "hold_s=40") == []
    (found,) = events(smelter, file, "target_v=5")
    assert found["overvoltage_vs"] == 60 * 25


def test_an_effect_that_lasts_has_no_end(smelter: Smelter, trace: Callable[..., str]) -> None:
    (found,) = events(smelter, trace((60, "4.0"), (30, "30")))
    assert (found["end"], found["ending"]) == (None, "lasts")


@pytest.mark.parametrize("zone", ["", "+08:00"])
def test_times_are_written_as_they_came(smelter: Smelter, tmp_path: Path, zone: str) -> None:
    rows = [("4.0", n) for n in range(10)] + [("30", n) for n in range(10, 20)]
    rows += [("4.0", n) for n in range(20, 60)]
    file = tmp_path / "trace.csv"
    lines = [f"2026-10-01T08:00:{second:02}{zone},{volt}" for volt, second in rows]
    file.write_text("\n".join(["time,voltage", *lines]))
    (found,) = events(smelter, str(file))
    assert (found["start"], found["end"]) == (
        f"2026-10-01T08:00:10{zone}",
        f"2026-10-01T08:00:20{zone}",
    )


BAD_TRACES = [
    ("time_s,voltage_v\n1,4\n1,4\n", "trace[2].time_s: not after the row before", "不晚于上一行"),
    ("time_s,voltage_v\nnoon,4\n", "trace[1].time_s: 'noon' is no time", "不是时间"),
    ("time_s,voltage_v\n1,-4\n", "negative", "负数"),
    ("time_s,voltage_v\n1,4000\n", "4 for 4000 mV", "4000 mV 写作 4"),
    ("time_s,voltage_v\n1,four\n", "'four' is not a number", "不是数字"),
    ("time_s,volts\n1,4\n", "lacks the columns voltage_v", "缺少列 voltage_v"),
    ("time_s,voltage_v\n", "no rows in it", "没有数据行"),
]


@pytest.mark.parametrize(("text", "en", "zh"), BAD_TRACES)
def test_a_bad_trace_is_refused(
    smelter: Smelter, tmp_path: Path, text: str, en: str, zh: str
) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    code, said = smelter("compute", "anode_effects", str(file))
    assert (code, en in said) == (2, True), said
    code, said = smelter("compute", "anode_effects", str(file), "--lang", "zh")
    assert (code, zh in said) == (2, True), said


@pytest.mark.parametrize(
    ("wrong", "en", "zh"),
    [
        ({"target_v": 8}, "must be below threshold_v", "须低于判定电压"),
        ({"threshold_v": 0}, "more than zero", "必须大于 0"),
        ({"hold_s": -1}, "negative", "负数"),
        ({"trace": []}, "at least one row", "至少一行"),
        ({"trace": "trace.csv"}, "at least one row", "至少一行"),
    ],
)
def test_senseless_limits_are_refused(wrong: dict[str, Any], en: str, zh: str) -> None:
    rows = [{"time_s": n, "voltage_v": 4} for n in range(5)]
    with pytest.raises(FormulaError) as caught:
        COMPUTABLE["anode_effects"].run(**{"trace": rows} | wrong)
    assert en in str(caught.value)
    assert zh in caught.value.zh


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=12))
def test_no_effect_lasts_longer_than_the_pot_was_high(pieces: list[tuple[int, bool]]) -> None:
    volts = [30 if high else 4 for count, high in pieces for _ in range(count)]
    rows = [{"time_s": n, "voltage_v": volt} for n, volt in enumerate(volts)]
    found = COMPUTABLE["anode_effects"].run(trace=rows)["events"]
    burned = sum(each["duration_s"] for each in found)
    runs = [(high, len(list(run))) for high, run in groupby(volts, lambda volt: volt == 30)]
    dips = sum(length for high, length in runs if not high and length <= 3)  # not over by over_s
    assert burned <= volts.count(30) + dips + 3  # the last sample may hold a little longer
    longest = max((count for count, high in pieces if high), default=0)
    assert longest <= 3 or found
    assert all(each["overvoltage_vs"] <= 26 * each["duration_s"] for each in found)


@pytest.mark.parametrize("given", ["280.2,293.1", "280.2，293.1", "[280.2,293.1]"])
def test_a_list_of_numbers_is_a_table_of_one_column(smelter: Smelter, given: str) -> None:
    """280 and 0.2 left; 293.1 + 0.2 = 293.3: 293 and 0.3 left."""
    found, _ = answer(smelter, "green_certificates", f"mwh_by_month={given}")
    assert [row["certificates"] for row in found["issued"]] == [280, 293]
    assert found["carry"] == 0.3


@pytest.mark.parametrize(
    ("formula", "given", "says"),
    [
        ("green_certificates", "mwh_by_month=[280.2,", 'or mwh_by_month=\'[{"month"'),
        ("green_certificates", "mwh_by_month=none.csv", "write mwh_by_month=file.csv"),
        ("uncertainty_sum", "parts=1,2", "write parts=file.csv"),
    ],
)
def test_what_is_no_table_is_told_how_to_write_one(
    smelter: Smelter, formula: str, given: str, says: str
) -> None:
    code, said = smelter("compute", formula, given)
    assert code == 2
    assert says in said
    code, said = smelter("compute", formula, given, "--lang", "zh")
    assert code == 2
    assert "请写" in said
