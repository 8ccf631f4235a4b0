"""Factor codes, units, sentinels and odd values of HJ 212."""

import re

import pytest

from drivers.hj212.codes import answers, commands, data_flags, results, systems
from drivers.hj212.factors import factors, find_factor, is_foreign, largest, old_codes, suffixes
from drivers.hj212.frame import Frame, decode_frame
from drivers.hj212.values import Value, is_not_calculable, read_number
from tests.drivers.hj212_samples import MN, packet


def hour(body: str, *, flag: int = 5, cn: str = "2061") -> Frame:
    head = f"QN=20160801085857223;ST=31;CN={cn};PW=123456;MN={MN};Flag={flag};"
    return decode_frame(packet(f"{head}CP=&&DataTime=20160801080000;{body}&&"))


def value(body: str, suffix: str, *, flag: int = 5, cn: str = "2061") -> Value:
    return next(v for v in hour(body, flag=flag, cn=cn).values if v.suffix == suffix)


# --- tables


@pytest.mark.parametrize(
    ("code", "old", "unit", "total"),
    [
        ("a21026", "02", "mg/m3", "kg"),
        ("a21002", "03", "mg/m3", "kg"),
        ("a34013", "01", "mg/m3", "kg"),
        ("a21018", "06", "mg/m3", "kg"),
        ("a00000", "B02", "m3/s", "m3"),
        ("a19001", "S01", "%", ""),
        ("a01011", "S02", "m/s", ""),
        ("a01012", "S03", "°C", ""),
        ("a01013", "S08", "kPa", ""),
        ("a01014", "S05", "%", ""),
        ("a01017", "S04", "kPa", ""),
        ("a34038", "09", "mg/m3", "kg"),
    ],
)
def test_codes_of_a_stack(code: str, old: str, unit: str, total: str) -> None:
    factor = factors()[code]
    assert (factor.old, factor.unit, factor.total_unit) == (old, unit, total)
    assert old_codes()[old] == code
    assert find_factor(old) is factor


def test_all_of_table_b2_is_there_with_both_names() -> None:
    air = [factor for code, factor in factors().items() if code[0] == "a"]
    assert len(air) == 121
    for factor in factors().values():
        assert re.search(r"[\u4e00-\u9fff]", factor.zh) or factor.code == "a19001"
        assert not re.search(r"[\u4e00-\u9fff]", factor.en)
        assert factor.width == "" or largest(factor.width), factor.code
    olds = [factor.old for factor in air if factor.old]
    assert len(olds) == len(set(olds))


def test_codes_with_running_numbers() -> None:
    inlet_nox, furnace = find_factor("g12003"), find_factor("i33312")
    assert inlet_nox is not None
    assert inlet_nox.unit == "mg/m3"
    assert find_factor("g32001") is inlet_nox  # the same factor behind SCR
    assert furnace is not None
    assert furnace.unit == "°C"
    assert find_factor("SB12") is not None
    assert find_factor("p99101") is not None
    assert find_factor("d20105") is not None
    assert find_factor("I33400") is find_factor("i33400")
    for unknown in ("a99998", "g99999", "x", "", "SB1234", "d1", "a2102"):
        assert find_factor(unknown) is None
    assert is_foreign("w01018")
    assert is_foreign("LA")
    assert not is_foreign("a21026")


def test_code_tables() -> None:
    assert set(data_flags()) == set("NFMSDCTB")
    assert set(answers()) == {*map(str, range(1, 10)), "100"}
    assert set(results()) == {*map(str, range(1, 7)), "100"}
    assert {"31", "32", "51", "91", "44", "45"} <= set(systems())
    air_path = "1000 1011 1012 1013 1061 1062 1063 1064 1072 2011 2012 2021 2022 2031 2041 2051 "
    air_path += "2061 2081 3011 3012 3013 3019 3020 3021 9011 9012 9013 9014"
    new = "1001 1002 1014 2013 2052 2062 2111 3022 3024 9015"
    assert {*air_path.split(), *new.split()} <= set(commands())
    assert all((commands()[cn].since == 2025) for cn in new.split())
    assert all((commands()[cn].since == 2017) for cn in air_path.split())
    for command in commands().values():
        for way in (command.up, command.down):
            assert way is None or way.kind in {"request", "upload", "notice", "answer"}
    assert {"Rtd", "Min", "Avg", "Max", "Cou", "ZsAvg", "RawAvg", "EFlag"} <= set(suffixes())


# --- values


def test_units_follow_the_suffix() -> None:
    body = "a21026-Cou=12.5,a21026-Avg=1.50,a21026-ZsAvg=2.10,a21026-Flag=N"
    assert value(body, "Cou").unit == "kg"
    assert value(body, "Avg").unit == "mg/m3"
    assert value(body, "ZsAvg").unit == "mg/m3"
    assert value("SB1-RT=1.5", "RT", cn="2041").unit == "h"
    assert value("i33001-Info=145", "Info", cn="3020").unit == "°C"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.30", 12.3),
        ("-0.5", -0.5),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1_0", None),
        ("1,5", None),
        ("0x10", None),
        ("１２", None),
        ("9" * 40, None),
        ("--1", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("code", "suffix", "text", "sentinel"),
    [
        ("a21026", "ZsAvg", "99999.99", True),  # N5.2
        ("a21002", "ZsRtd", "9999.99", True),  # N4.2 of 2025, the standard's own example
        ("a21002", "ZsRtd", "99999.9", True),  # N5.1 of 2017
        ("a34013", "ZsAvg", "9999.9", True),  # N4.1 of 2025
        ("a21018", "ZsAvg", "99.999", True),  # N2.3
        ("a21018", "ZsAvg", "99.9", False),  # not the largest of its type
        ("a21026", "ZsAvg", "999", False),
        ("a21026", "ZsAvg", "99999.98", False),
        ("a21026", "Avg", "99999.99", False),  # measured, not converted
        ("a19001", "Avg", "999.9", False),
    ],
)
def test_the_largest_value_of_the_type(
    code: str, suffix: str, text: str, *, sentinel: bool
) -> None:
    assert is_not_calculable(find_factor(code), suffix, text) is sentinel
    found = value(f"{code}-{suffix}={text},{code}-Flag=N", suffix, flag=9)
    assert found.not_calculable is sentinel
    assert found.number == (None if sentinel else float(text))
    assert found.text == text


def test_the_sentinel_is_reported_and_the_packet_stays_good() -> None:
    frame = hour("a21002-ZsAvg=9999.99,a21002-Avg=20.1,a21002-Flag=N", flag=9)
    assert frame.ok
    assert frame.clean
    (remark,) = frame.defects
    assert remark.code == "not_calculable"
    assert [v.number for v in frame.values] == [None, 20.1]


def test_a_flag_is_of_its_factor_only() -> None:
    frame = hour("a21026-Avg=1,a21026-Flag=D;a34013-Avg=2,a34013-Flag=C;a19001-Avg=3")
    assert [v.flag for v in frame.values] == ["D", "C", ""]


def remarks(body: str, cn: str = "2061") -> list[str]:
    return [each.code for each in hour(body, cn=cn).defects if each.severity == "remark"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a01013-Avg=-0.50,a01013-Flag=N", []),
        ("a01013-Avg=101.3,a01013-Flag=N", []),  # absolute, some do
        ("a01013-Avg=-500,a01013-Flag=N", ["pressure_pa"]),
        ("a01013-Avg=101325,a01013-Flag=N", ["pressure_pa"]),
        ("a00000-Avg=92.3,a00000-Flag=N", []),
        ("a00000-Avg=332111,a00000-Flag=N", ["flow_m3_h"]),
        ("a19001-Avg=25.1,a19001-Flag=N", ["implausible"]),
        ("a21026-Avg=-3,a21026-Flag=N", ["implausible"]),
        ("a21026-Min=1,a21026-Avg=2,a21026-Max=3,a21026-Flag=N", []),
        ("a21026-Min=1,a21026-Avg=2,a21026-Max=1.9,a21026-Flag=N", ["min_avg_max"]),
        ("a21026-ZsMin=2.1,a21026-ZsAvg=2,a21026-Flag=N", ["min_avg_max"]),
        # 10 m3/s × 3600 s = 36,000 m3; 5 % of it are 1,800
        ("a00000-Cou=37700,a00000-Avg=10,a00000-Flag=N", []),
        ("a00000-Cou=37900,a00000-Avg=10,a00000-Flag=N", ["total_differs"]),
        ("a00000-Cou=1,a00000-Avg=0,a00000-Flag=N", []),
    ],
)
def test_odd_values(body: str, expected: list[str]) -> None:
    assert remarks(body) == expected


@pytest.mark.parametrize(
    ("cn", "time", "start"),
    [
        ("2061", "20160801080000", True),
        ("2061", "20160801085900", False),
        ("2031", "20160801000000", True),
        ("2031", "20160801080000", False),
        ("2051", "20160801084100", True),
        ("2011", "20160801085857", True),
    ],
)
def test_the_time_of_a_period_is_its_start(cn: str, time: str, *, start: bool) -> None:
    head = f"QN=20160801085857223;ST=31;CN={cn};PW=123456;MN={MN};Flag=5;"
    frame = decode_frame(packet(f"{head}CP=&&DataTime={time};a21026-Avg=1,a21026-Flag=N&&"))
    assert ("data_time_not_start" not in {each.code for each in frame.defects}) is start
