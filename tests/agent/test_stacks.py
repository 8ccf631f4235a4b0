"""Stacks behind the gateway: valid minutes, the running hour, the warning, the exceedance."""

import math

import numpy as np
import pytest

from agent.stacks.stacks import Stacks
from agent.wire.events import Happening
from drivers.model import Equipment, Frame, Group
from tests.agent.points import group, point
from tests.agent.stack_bench import (
    DUCT,
    GASES,
    HOT,
    HOUR,
    LIMIT,
    MINUTE,
    NAME,
    SECOND,
    START,
    TO_DRY,
    Bench,
    config,
    of,
)

WARNING, EXCEEDANCE = Happening.EXCEEDANCE_WARNING, Happening.EXCEEDANCE


def wet(dry: float) -> float:
    """What the hot, wet instrument shows for a dry standard concentration."""
    return dry / TO_DRY


def test_the_worked_vector_through_two_devices() -> None:
    bench = Bench(config(reference_o2=15.0))
    bench.run(0, 1)
    bench.flush(1)
    seen = bench.window(0)
    # 20·(393/273)·(101325/99500)/0.92 = 31.8688; ·6/(21 − 15.824/0.92) = 50.3191; 332111.74
    assert (seen["so2_dry"], seen["so2_converted"]) == ("31.8688", "50.3191")
    assert (seen["o2_dry"], seen["flow_standard"]) == ("17.2", "332111.7")
    assert (seen["pm_dry"], seen["nox_dry"]) == ("3.1869", "15.9344")
    assert (seen["so2_dry_n"], seen["so2_hour"], seen["so2_hour_n"]) == ("12i", "50.3191", "1i")
    assert seen["so2_hour_forecast"] == "50.3191"
    assert "so2_dry_q" not in seen
    assert "so2_dry_good" not in seen


def test_without_a_reference_the_converted_value_is_the_dry_one() -> None:
    bench = Bench()
    bench.run(0, 1)
    bench.flush(1)
    assert bench.window(0)["so2_converted"] == bench.window(0)["so2_dry"] == "31.8688"


def test_what_an_instrument_gives_dry_and_standard_is_left_as_it_is() -> None:
    bench = Bench(config(wet=["pm"], actual=["pm"]))
    bench.run(0, 1)
    bench.flush(1)
    seen = bench.window(0)
    assert (seen["so2_dry"], seen["pm_dry"], seen["o2_dry"]) == ("20", "3.1869", "15.824")


@pytest.mark.parametrize(("good", "valid"), [(12, True), (11, False)])
def test_twelve_readings_make_a_minute_at_five_seconds(good: int, valid: bool) -> None:
    bench = Bench()
    cems, duct = bench.groups
    for k in range(12):
        at_ns = START + k * 5 * SECOND
        bench.send(duct, at_ns, HOT)
        bench.send(cems, at_ns, HOT | ({} if k < good else {"so2": math.nan}))
    bench.flush(1)
    seen = bench.window(0)
    assert ("so2_dry" in seen) is valid
    assert seen["so2_dry_n"] == ("12i" if valid else "0i")
    assert seen.get("so2_dry_q") == (None if valid else '"no_data"')
    assert "nox_dry" in seen  # the other gas is judged by its own readings


@pytest.mark.parametrize(
    ("interval_s", "good", "valid"),
    [(1.0, 45, True), (1.0, 44, False), (10.0, 5, True), (10.0, 4, False), (30.0, 2, True)],
)
def test_three_quarters_of_the_readings(interval_s: float, good: int, valid: bool) -> None:
    """45/60 and 5/6 = 0.83 are enough, 44/60 and 4/6 = 0.67 are not; 12 only bind at ≤ 5 s."""
    bench = Bench(interval_s=interval_s)
    cems, duct = bench.groups
    for k in range(round(60 / interval_s)):
        at_ns = START + round(k * interval_s * SECOND)
        bench.send(duct, at_ns, HOT)
        bench.send(cems, at_ns, HOT | ({} if k < good else {"so2": math.nan}))
    bench.flush(1)
    seen = bench.window(0)
    assert ("so2_converted" in seen) is valid
    assert seen["so2_converted_n"] == (f"{good}i" if valid else "0i")


@pytest.mark.parametrize(
    ("state", "reason"),
    [(1, "calibration"), (2, "maintenance"), (3, "device_fault"), (4, "stopped"), (7, "uncertain")],
)
def test_what_the_instrument_says_of_itself_also_counts_for_another_device(
    state: int, reason: str
) -> None:
    bench = Bench()
    bench.run(0, 1, instrument_state=float(state))
    bench.flush(1)
    seen = bench.window(0)
    for name in ("so2_dry", "pm_converted", "o2_dry", "flow_standard"):  # duct: no state of its own
        assert name not in seen
        assert (seen[f"{name}_n"], seen[f"{name}_q"]) == ("0i", f'"{reason}"')
    assert seen["so2_hour_n"] == "0i"


def test_a_missing_temperature_spoils_what_needs_it_only() -> None:
    bench = Bench(config(actual=["pm"], wet=["pm"]))
    bench.run(0, 1, temperature=math.nan)
    bench.flush(1)
    seen = bench.window(0)
    assert "so2_dry" in seen
    assert "pm_dry" not in seen
    assert seen["pm_dry_q"] == '"no_data"'


def test_gas_that_is_air_is_not_converted_and_never_clipped() -> None:
    bench = Bench(config(reference_o2=15.0, wet=False))
    bench.run(0, 1, o2=20.8)
    bench.flush(1)
    seen = bench.window(0)
    assert "so2_dry" in seen
    assert "so2_converted" not in seen
    assert seen["so2_converted_q"] == '"out_of_range"'


def test_a_reading_is_held_for_three_intervals_and_no_longer() -> None:
    slow = of(("temperature", "pressure", "humidity"), "slow", 60.0)
    fast = of(("so2",), "fast", 5.0)
    bench = Bench(None, fast, slow)
    bench.run(0, 1)
    for number in range(1, 6):  # the slow one falls silent
        bench.minute(number, slow)
    for number in range(6):
        bench.hear(bench.stacks.passed(START + (number + 3) * MINUTE, bench.grace))
    # its last reading is of 0:00 and holds to 3:00; the reading of 3:00 itself is one of twelve
    assert [("so2_dry" in bench.window(n)) for n in range(5)] == [True, True, True, False, False]


def subscribed(names: tuple[str, ...], device: str) -> Group:
    points = (point(f"stack.{name}", NAME, device=device, mode="subscribe") for name in names)
    return group(*points, interval_s=5.0, device=device)


def test_a_subscription_that_stands_still_has_readings() -> None:
    of_all = subscribed((*GASES, *DUCT), "opc")
    bench = Bench(None, of_all)
    names = [p.quantity.field for p in of_all.points]
    for k in range(0, 130, 10):  # everything is repeated each 10 s, as the driver does
        at_ns = START + k * SECOND
        sent = Frame(
            *(of_all, at_ns, at_ns),
            np.array([HOT[name] for name in names]),
            np.zeros(len(names), dtype=np.uint8),
            index=np.arange(len(names)),
            times_ns=np.full(len(names), at_ns),
            complete_ns=at_ns,
        )
        bench.stacks.hear(sent)
        for windows in bench.minutes[of_all].add(sent):
            bench.hear(bench.stacks.take(of_all, windows))
    assert bench.window(0)["so2_dry"] == "31.8688"
    assert bench.window(1)["so2_dry_n"] == "12i"


def test_nox_from_no_and_no2() -> None:
    groups = of(("no", "no2"), "cems", 5.0), of(DUCT, "duct", 5.0)
    bench = Bench(config(nox_from="no+no2", wet=False, actual=False, limits=()), *groups)
    bench.run(0, 1, no=30.006, no2=10.0)
    for each in groups:
        bench.send(each, START + MINUTE, HOT | {"no": 1.0, "no2": 1.0})
    assert bench.window(0)["nox_dry"] == "56.005"  # 46.005 + 10


def test_what_a_device_tells_itself_is_not_derived() -> None:
    own = of((*GASES, "so2_dry"), "cems", 5.0), of(DUCT, "duct", 5.0)
    bench = Bench(None, *own)
    bench.run(0, 1, so2_dry=1.0)
    for each in own:
        bench.send(each, START + MINUTE, HOT | {"so2_dry": 1.0})
    assert "so2_dry" not in bench.window(0)
    assert "so2_converted" in bench.window(0)


# --- the hour


def test_forty_five_minutes_make_an_hour_that_exceeds() -> None:
    bench = Bench()
    at = bench.run(0, 15, so2=math.nan)
    at = bench.run(at, 45, so2=wet(40.0))
    bench.flush(at)
    (told,) = bench.of(EXCEEDANCE)
    assert told.amount == pytest.approx(40.0, abs=1e-3)
    assert (told.start_ns // SECOND, told.end_ns) == (START // SECOND, START + HOUR)
    assert str(told.equipment) == NAME
    assert "二氧化硫 09-21 22:00 小时均值 40 mg/m3，限值 35，有效 45 分钟" in told.text
    assert "so2: hourly mean 40 mg/m3, limit 35, 45 valid minutes" in told.text


def test_forty_four_minutes_make_none() -> None:
    bench = Bench()
    at = bench.run(0, 16, so2=math.nan)
    at = bench.run(at, 44, so2=wet(400.0))
    bench.flush(at)
    assert bench.of(EXCEEDANCE) == []
    assert bench.of(WARNING) == []  # that the hour cannot be valid is known from the first
    seen = bench.window(59)
    assert (seen["so2_hour_n"], seen["so2_hour_good"]) == ("44i", "0.7333333333333333")


def test_a_mean_that_just_equals_the_limit_is_none() -> None:
    bench = Bench(config(wet=False, actual=False))
    at = bench.run(0, 60, so2=35.0)
    bench.flush(at)
    assert bench.events == []


def test_calibration_minutes_are_no_part_of_the_mean() -> None:
    bench = Bench()
    at = bench.run(0, 50, so2=wet(20.0))
    at = bench.run(at, 10, so2=wet(500.0), instrument_state=1.0)  # span gas
    bench.flush(at)
    assert float(bench.window(59)["so2_hour"]) == pytest.approx(20.0, abs=1e-3)
    assert bench.events == []


def test_the_warning_comes_before_the_hour_is_lost_and_ends_with_it() -> None:
    """
    20 mg/m3 for 30 minutes, then 60: the hour ends at (30·20 + 30·60)/60 = 40, above 35.

    The level of the last ten minutes passes the limit's forecast when 20 + (60 − 20)·k/10 = L with
    (600 + 60·k + L·(30 − k))/60 > 35 → first at k = 5 (L = 40: 1900/60 = 31.7 no), k = 6 (L = 44:
    2016/60 = 33.6 no), k = 7 (L = 48: 2124/60 = 35.4 yes); three in a row: after minute k = 9.
    """
    bench = Bench()
    at = bench.run(0, 30, so2=wet(20.0))
    at = bench.run(at, 30, so2=wet(60.0))
    bench.flush(at)
    begun, ended = bench.of(WARNING)
    assert begun.end_ns is None
    assert begun.start_ns // SECOND == (START + 39 * MINUTE) // SECOND
    assert begun.amount == pytest.approx((600 + 9 * 60 + 56 * 21) / 60, abs=0.01)
    assert "限值 35" in begun.text
    assert "limit 35" in begun.text
    assert (ended.id, ended.end_ns) == (begun.id, START + HOUR)
    (over,) = bench.of(EXCEEDANCE)
    assert over.amount == pytest.approx(40.0, abs=1e-3)
    assert over.start_ns != begun.start_ns


def test_a_warning_ends_when_the_hour_can_be_kept() -> None:
    bench = Bench()
    at = bench.run(0, 8, so2=wet(60.0))
    at = bench.run(at, 52, so2=wet(5.0))
    bench.flush(at)
    begun, ended = bench.of(WARNING)
    assert begun.start_ns // SECOND == (START + 3 * MINUTE) // SECOND
    assert ended.id == begun.id
    assert ended.end_ns is not None
    assert ended.end_ns < START + 40 * MINUTE
    assert bench.of(EXCEEDANCE) == []


def test_a_level_that_swings_about_the_limit_does_not_flutter() -> None:
    noise = np.random.default_rng(5).normal(35.0, 2.0, 240)
    bench = Bench()
    for number, level in enumerate(noise.tolist()):
        bench.minute(number, so2=wet(level))
    begun = [event for event in bench.of(WARNING) if event.end_ns is None]
    assert len(begun) <= 4 * 2  # no more than twice an hour, four hours


def test_each_hour_has_its_own_warning() -> None:
    bench = Bench()
    bench.flush(bench.run(0, 120, so2=wet(50.0)))
    begun = [event for event in bench.of(WARNING) if event.end_ns is None]
    assert [event.start_ns // SECOND for event in begun] == [
        (START + k * MINUTE) // SECOND for k in (3, 63)
    ]
    assert len(bench.of(EXCEEDANCE)) == 2


def test_two_pollutants_over_in_one_hour_are_two_events_of_different_times() -> None:
    limits = [LIMIT, LIMIT | {"pollutant": "nox", "hour_mg_m3": 10.0}]
    bench = Bench(config(limits=limits))
    bench.flush(bench.run(0, 60, so2=wet(50.0), nox=wet(50.0)))
    told = bench.of(EXCEEDANCE)
    assert len({event.start_ns for event in told}) == len({event.id for event in told}) == 2


def test_a_limit_holds_from_its_first_to_its_last_day() -> None:
    """The hour of 2026-09-21 23:00 is the last under the old limit."""
    limits = [
        LIMIT | {"until": "2026-09-21", "hour_mg_m3": 100.0},
        LIMIT | {"from": "2026-09-22", "hour_mg_m3": 35.0},
    ]
    bench = Bench(config(limits=limits))
    bench.flush(bench.run(0, 180, so2=wet(50.0)))
    (over,) = bench.of(EXCEEDANCE)
    assert over.start_ns // SECOND == (START + 2 * HOUR) // SECOND


def test_an_hour_ends_though_its_devices_fell_silent() -> None:
    bench = Bench()
    bench.run(0, 50, so2=wet(50.0))
    grace = bench.grace
    for number in range(50, 64):
        now_ns = START + number * MINUTE
        for each in bench.groups:
            for windows in bench.minutes[each].close_until(now_ns, grace[each]):
                bench.hear(bench.stacks.take(each, windows))
        bench.hear(bench.stacks.passed(now_ns, grace))
    (over,) = bench.of(EXCEEDANCE)
    assert "有效 50 分钟" in over.text
    assert [event.end_ns is None for event in bench.of(WARNING)] == [True, False]


# --- over a restart, a new config


def remembered(bench: Bench) -> dict[int, dict[str, float]]:
    return {
        START + n * MINUTE: {"so2": float(value)}
        for n in range(200)
        if any(line.endswith(f" {START + n * MINUTE}") for line in bench.lines)
        and (value := bench.window(n).get("so2_converted")) is not None
    }


def test_the_hour_goes_on_from_what_the_log_holds() -> None:
    whole = Bench()
    whole.flush(whole.run(0, 60, so2=wet(30.0)))
    first = Bench()
    first.run(0, 31, so2=wet(30.0))
    second = Bench()
    known = {Equipment.parse(NAME): remembered(first)}
    assert len(known[Equipment.parse(NAME)]) == 30
    second.events += second.stacks.restore(known)
    second.run(30, 30, so2=wet(30.0))
    second.flush(60)
    keys = ("so2_hour", "so2_hour_n", "so2_hour_forecast")
    assert [second.window(59)[k] for k in keys] == [whole.window(59)[k] for k in keys]
    assert second.events == []


def test_an_hour_that_ended_while_nobody_looked_is_told_once() -> None:
    first = Bench()
    first.run(0, 59, so2=wet(50.0))
    second = Bench()
    told = second.stacks.restore({Equipment.parse(NAME): remembered(first)})
    assert told == []
    second.run(65, 2)  # the next hour
    (over,) = second.of(EXCEEDANCE)
    first.run(59, 2, so2=wet(50.0))
    assert first.of(EXCEEDANCE)[0].id == over.id
    assert [event.end_ns for event in second.of(WARNING)] == []


def test_a_stop_ends_the_warning() -> None:
    bench = Bench()
    bench.run(0, 6, so2=wet(50.0))
    (ended,) = bench.stacks.end_signs(START + 6 * MINUTE)
    assert (ended.kind, ended.end_ns) == (WARNING, START + 6 * MINUTE)
    assert bench.stacks.end_signs(START + 7 * MINUTE) == []


def test_a_new_limit_holds_at_once_and_a_stack_that_is_gone_ends() -> None:
    bench = Bench()
    bench.run(0, 6, so2=wet(30.0))
    assert bench.events == []
    stricter = config(limits=[LIMIT | {"hour_mg_m3": 10.0}])
    assert bench.stacks.exchange(bench.groups, START, [stricter]) == []
    bench.run(6, 5, so2=wet(30.0))
    assert len(bench.of(WARNING)) == 1
    assert bench.window(8)["so2_hour_n"] == "9i"  # the hour went on
    (ended,) = bench.stacks.exchange(bench.groups, START + 11 * MINUTE, [])
    assert ended.end_ns == START + 11 * MINUTE
    assert bench.stacks.equipment == ()


def test_a_stack_that_nobody_reads_is_left_alone() -> None:
    stacks = Stacks("demo", [config(equipment="gtc9/stack9")])
    assert stacks.exchange([of(GASES, "cems", 5.0)], START) == []
    assert stacks.equipment == ()
