"""A simulated year of a stack: what is planted is there, nothing else is, and the truth adds up."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulators.months import LOCAL
from simulators.smoke import minutes_of
from simulators.smoke_files import SmokeYear, simulate_smoke, truth_json, write_smoke
from simulators.smoke_plan import BAKING, POT_GAS, Happening, SmokePlan, plan_of_year
from simulators.smoke_truth import capture, hour_text

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")


@pytest.fixture(scope="module")
def made() -> SmokeYear:
    return simulate_smoke(plan_of_year(2025))


@pytest.fixture(scope="module")
def told(made: SmokeYear) -> dict[str, Any]:
    found: dict[str, Any] = truth_json(made)["stacks"]["DA001"]
    return found


def days(count: int, *planted: str, stack: Any = POT_GAS) -> SmokeYear:
    """A few quiet days from 2025-03-01 with this planted in them."""
    begin = datetime(2025, 3, 1, tzinfo=LOCAL)
    happenings = tuple(Happening.parse(text) for text in planted)
    plan = SmokePlan(begin, begin + timedelta(days=count), 7, (stack,), happenings)
    return simulate_smoke(plan)


def hours_of(year: SmokeYear, name: str) -> dict[str, str]:
    one = year.truths[0].pollutants[name]
    return {
        hour_text(second)[:16]: str(state)
        for second, state in zip(year.truths[0].hour_s, one.state, strict=True)
        if state != "valid"
    }


def test_the_hours_above_the_limit_are_those_that_were_planted(told: dict[str, Any]) -> None:
    """Written down here by hand from the plan: pm, so2 and fluoride, hour by hour."""
    expected = {
        "pm": ["06-21T22", "06-21T23", "08-02T05"],
        "so2": [
            *("01-15T11", "02-04T16", "02-17T13", "02-17T14", "02-17T15", "09-30T23", "10-01T00"),
            *("12-09T14", "12-09T15", "12-09T16", "12-31T23"),
        ],
        "fluoride": ["06-21T22", "06-21T23", "12-16T04", "12-16T05"],
    }
    for name, hours in expected.items():
        found = told["pollutants"][name]["exceeded"]
        assert found == [f"2025-{hour}:00+08:00" for hour in hours]


def test_states_of_the_year_add_up(told: dict[str, Any]) -> None:
    """
    Of 8,760 hours: 12 × 2 of maintenance (10 Nov lies inside the fault: − 2), 288 of the fault,
    3 of calibrations after a failure, 1 after the drift, 1 with 44 minutes by calibration; gaps of
    19 + 42 h and 2 of the lost link; 102 h the source stood.
    """
    pm, so2 = (told["pollutants"][name]["states"] for name in ("pm", "so2"))
    assert sum(pm.values()) == sum(so2.values()) == 8760
    assert pm["stopped"] == so2["stopped"] == 102
    assert pm["missing"] == 19 + 42 + 2
    assert pm["excluded"] == 24 - 2 + 288 + 1 + 1 + 3
    assert so2["excluded"] == pm["excluded"]
    # 01-09 14:00 with 44 minutes, both ends of the lost link, the hour that lost 35 minutes
    assert pm["invalid"] == so2["invalid"] == 4
    # from the last good check, 03-04 02:15, to 03-06 10:35, whose hour the calibration took
    assert so2["out_of_control"] == 22 + 24 + 10
    assert "out_of_control" not in pm


def test_capture_by_hand(told: dict[str, Any]) -> None:
    """Fourth quarter: 2,208 h, 102 stopped; not valid 288 of the fault, 2 × 2 of maintenance, 1."""
    found = told["pollutants"]["pm"]["capture"]["2025-Q4"]
    assert found == pytest.approx((2208 - 102 - 293) / (2208 - 102), abs=1e-15)
    assert capture(np.array(["stopped"] * 3)) != capture(np.array(["valid"]))


@pytest.mark.parametrize(
    ("planted", "states"),
    [
        ("communication:DA001@2025-03-02T10:00+15", {}),
        ("communication:DA001@2025-03-02T10:00+16", {"2025-03-02T10:00": "invalid"}),
        ("calibration:DA001@2025-03-02T02:15+1", {"2025-03-02T02:00": "excluded"}),
        ("power_off:DA001@2025-03-02T10:00+60", {"2025-03-02T10:00": "missing"}),
        (
            "maintenance:DA001@2025-03-02T10:30+60",
            {f"2025-03-02T1{n}:00": "excluded" for n in (0, 1)},
        ),
        ("stop:DA001@2025-03-02T10:00+120", {f"2025-03-02T1{n}:00": "stopped" for n in (0, 1)}),
    ],
)
def test_one_thing_planted_makes_these_hours(planted: str, states: dict[str, str]) -> None:
    """45 valid minutes are enough, 44 are not; whose fault it was decides the word."""
    assert hours_of(days(3, planted), "so2") == states


def test_the_limit_itself_is_kept_and_a_little_more_is_not() -> None:
    for size, above in (("35.0", 0), ("35.001", 1)):
        year = days(2, f"level:DA001/so2@2025-03-01T08:00+60={size}")
        assert int(year.truths[0].pollutants["so2"].exceeds.sum()) == above


def test_what_an_analyser_sees_is_what_the_standard_turns_back() -> None:
    """(18), (19), (28) written out once more: hot, wet gas of a baking furnace and its oxygen."""
    air = "air:DA002@2025-03-01T12:00+30=20.9"
    year = days(1, air, stack=BAKING)
    stack = year.stacks[0]
    at = {name.partition("stack.")[2]: values for name, values in stack.shown.items()}
    wet, hot = at["humidity"] / 100, (273 + at["temperature"]) / 273
    pressed = 101_325 / (BAKING.ambient_pa + at["pressure"])
    good = stack.state == 0
    for name in ("so2", "nox"):
        dry = at[name] * hot * pressed / (1 - wet)
        np.testing.assert_allclose(dry[good], stack.true[name][good], rtol=1e-12)
        turned = dry * (21 - 15) / (21 - at["o2"] / (1 - wet))
        meaning = np.isfinite(stack.converted[name])
        assert int((~meaning).sum()) == 30
        both = good & meaning
        np.testing.assert_allclose(turned[both], stack.converted[name][both], rtol=1e-11)
    flow = at["velocity"] * 1.05 * 1.9 * 3600 / hot / pressed * (1 - wet)
    np.testing.assert_allclose(flow, stack.gas_nm3_h, rtol=1e-12)


def test_a_drift_is_in_what_is_shown_and_not_in_what_is_true() -> None:
    quiet = days(3).stacks[0]
    mended = "calibration:DA001@2025-03-03T09:00+30"
    drifted = days(3, "drift:DA001/so2@2025-03-02T15:00+1080=-0.14", mended)
    stack, point = drifted.stacks[0], "gtc1/stack1 stack.so2"
    np.testing.assert_array_equal(stack.true["so2"], quiet.true["so2"])
    inside = drifted.plan.happenings[0].inside(stack.time_s) & (stack.state == 0)
    np.testing.assert_allclose(stack.shown[point][inside], 0.86 * quiet.shown[point][inside])
    # found by the check of 03-03 02:00, the one before was good; mended 09:00 to 09:30
    first = [f"2025-03-02T{hour:02d}:00" for hour in range(2, 24)]
    assert list(hours_of(drifted, "so2")) == [
        *first,
        *(f"2025-03-03T{hour:02d}:00" for hour in range(10)),
    ]
    small = days(3, "drift:DA001/so2@2025-03-02T15:00+1080=-0.09", mended)
    assert "out_of_control" not in set(hours_of(small, "so2").values())


def test_substitution_takes_the_highest_amount_before_the_gap() -> None:
    """A quarter of 20 days with one gap of 6 h: the highest of the 180 h before it."""
    year = days(20, "power_off:DA001@2025-03-15T10:00+360")
    one = year.truths[0].pollutants["so2"]
    first = 14 * 24 + 10
    np.testing.assert_array_equal(one.state[first : first + 6], ["missing"] * 6)
    highest = max(one.amount_kg[first - 180 : first])  # all of them valid
    assert list(one.substituted_kg[first : first + 6]) == [highest] * 6
    assert np.isnan(np.delete(one.substituted_kg, range(first, first + 6))).all()
    assert highest >= one.emitted_kg[first : first + 6].max()


def test_amounts_are_near_what_really_left_the_stack(told: dict[str, Any]) -> None:
    """Valid hours alone miss what was lost; with the substituted ones it is not less than true."""
    for one in told["pollutants"].values():
        total = one["total"]
        assert total["measured_t"] < total["emitted_t"]
        assert total["emitted_t"] < total["measured_t"] + total["substituted_t"]
        months = sum(month["measured_t"] for month in one["months"].values())
        assert months == pytest.approx(total["measured_t"])


def test_the_same_seed_is_the_same_year_and_another_is_not(made: SmokeYear) -> None:
    again = minutes_of(made.plan, POT_GAS)
    for point, values in made.stacks[0].shown.items():
        np.testing.assert_array_equal(values, again.shown[point])
    other = minutes_of(replace(made.plan, seed=8), POT_GAS)
    assert not np.array_equal(other.true["so2"], again.true["so2"])


def test_the_import_file_holds_what_is_shown(tmp_path: Path) -> None:
    """A row a point and minute; none while the link is lost; a reason where there is no value."""
    lost = "communication:DA002@2025-03-01T05:00+10"
    off = "power_off:DA002@2025-03-01T06:00+20"
    begin = datetime(2025, 3, 1, tzinfo=LOCAL)
    happenings = (Happening.parse(lost), Happening.parse(off))
    plan = SmokePlan(begin, begin + timedelta(days=1), 7, (BAKING,), happenings)
    year = write_smoke(tmp_path, plan, "x")
    table = pq.read_table(tmp_path / "smoke-x.parquet")
    points = len(year.stacks[0].shown)
    assert points == 7  # two gases, oxygen, temperature, pressure, humidity, velocity
    assert table.num_rows == (1440 - 10) * points
    assert (
        table.num_rows == json.loads((tmp_path / "truth-smoke-x.json").read_text())["history_rows"]
    )
    words = table["quality"].to_pylist()
    assert words.count("no_data") == 20 * points == table["value"].null_count
    assert words.count("calibration") == 15 * points
    times = table["time"].to_pylist()
    assert times == sorted(times)
    so2 = [
        v
        for v, q in zip(table["value"].to_pylist(), table["quantity"].to_pylist(), strict=True)
        if q == "stack.so2"
    ]
    shown = year.stacks[0].shown["bake1/stack1 stack.so2"]
    kept = shown[year.stacks[0].there]
    np.testing.assert_array_equal(np.array(so2, dtype=float), kept)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("level:DA001@2025-03-01T08:00+60=35", "pollutant"),
        ("stop:DA001/so2@2025-03-01T08:00+60", "pollutant"),
        ("level:DA001/so2@2025-03-01T08:00+60", "SIZE"),
        ("stop:DA001@2025-03-01T08:00+60=3", "SIZE"),
        ("smoke:DA001@2025-03-01T08:00+60", "known"),
        ("stop:DA001@2025-03-01T08:00+0", "minute"),
        ("stop DA001", "write"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    text: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    with pytest.raises(ValueError, match=why):
        Happening.parse(text)


def test_planted_on_the_command_line(tmp_path: Path) -> None:
    planted = "level:DA001/pm@2025-05-05T05:00+60=11"
    command = [*SMELTER, "simulate", "--smoke", "2025", "--dir", str(tmp_path), "--lang", "en"]
    ended = subprocess.run(
        [*command, "--smoke-planted", planted], capture_output=True, encoding="utf-8", check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "DA001 pm: 1 h above" in ended.stdout
    assert "DA001 so2: 0 h above" in ended.stdout
    truth = json.loads((tmp_path / "history" / "truth-smoke-2025.json").read_text("utf-8"))
    found = truth["stacks"]["DA001"]["pollutants"]["pm"]["exceeded"]
    assert found == ["2025-05-05T05:00+08:00"]
    assert (tmp_path / "site.toml").exists()
    wrong = subprocess.run(
        [*command, "--smoke-planted", "level:DA009/pm@2025-05-05T05:00+60=11"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert wrong.returncode == 2
    assert "DA009" in wrong.stderr
