"""A mark stretched over minutes that ran as usual hides no hour above the limit."""

import json
from pathlib import Path

import pytest

from reports.emissions.hours import StackHours, exceedances, stack_hours
from reports.emissions.report import emissions
from reports.emissions.states import State
from reports.journal.journal import read_journal
from tests.reports.conftest import Smelter
from tests.reports.emitted import SITE, STACK1, Smoke, Values
from tests.reports.noted import SCRUBBER, WORKS

HOT: Values = {
    "stack.so2": 90.0,
    "stack.velocity": 11.2,
    "stack.instrument_state": 0.0,
    "stack.temperature": 80.0,
    "stack.pressure": -200.0,
    "stack.humidity": 5.0,
}
CHECKS: Values = {
    **HOT,
    "stack.so2": (None, 0.0, "calibration"),
    "stack.instrument_state": 1.0,
}
SERVED: Values = {
    **HOT,
    "stack.so2": (None, 0.0, "maintenance"),
    "stack.instrument_state": 2.0,
}
SIGNED = ("--author", "王敏", "--reason", "周校准", "--stack", "DA001")


@pytest.fixture
def smoke(tmp_path: Path) -> Smoke:
    """2026-10-05: calibrates 02:00-02:15, maintained 08:00-13:00, else SO2 far above 35 mg/m3."""
    made = Smoke(tmp_path, site=SITE + WORKS)
    for start, count, values in (
        ("00:00", 120, HOT), ("02:00", 15, CHECKS), ("02:15", 345, HOT),
        ("08:00", 300, SERVED), ("13:00", 660, HOT),
    ):  # fmt: skip
        made.minutes(STACK1, f"2026-10-05T{start}", count, values)
    made.minutes(SCRUBBER, "2026-10-05T00:00", 1440, {"scrubber.running": 1.0})
    made.minutes("line1/all", "2026-10-05T00:00", 1440, {"potline.current": 400.0})
    made.build()
    (tmp_path / "any.txt").write_text("any\n", "utf-8")
    return made


def add(smelter: Smelter, smoke: Smoke, what: str, start: str, end: str, *more: str) -> str:
    times = ("--start", f"2026-10-05 {start}", "--end", f"2026-10-05 {end}")
    paper = ("--evidence", str(smoke.root / "any.txt"), "--site", str(smoke.root / "site.toml"))
    code, said = smelter("journal", "add", "mark", "--what", what, *times, *SIGNED, *paper, *more)
    assert code == 0, said
    return said


def hours(smoke: Smoke) -> StackHours:
    for basis in smoke.basis("2026-10-05"):
        return stack_hours(basis, basis.site.stacks[0])
    raise AssertionError


def judged_above(found: StackHours) -> int:
    return sum(x.hours for x in exceedances(found, found.stack) if x.judged)


def test_a_calibration_stretched_by_a_quarter_hides_no_hour(smelter: Smelter, smoke: Smoke) -> None:
    """15 minutes calibrating, 14 as usual: 45 of 60 stay valid, the hour is above the limit."""
    said = add(smelter, smoke, "calibration", "02:00", "02:29")
    assert "the trace does not tell" in said
    assert "excuses nothing until a second person confirms it" in said
    before = hours(smoke)
    assert State(int(before.pollutants["so2"].state[2])) is State.VALID
    assert judged_above(before) == 19  # 24 less the five of maintenance
    # the second person's word excuses what the trace leaves open, never what it shows as usual
    said = add(smelter, smoke, "calibration", "02:00", "02:28", "--confirmed-by", "赵工")
    assert "the 13 minutes that ran as usual are not excused" in said
    after = hours(smoke)
    assert after.pollutants["so2"].minutes[2] == 45
    assert judged_above(after) == 19


def test_maintenance_stretched_by_59_minutes_excuses_its_own_hours(
    smelter: Smelter, smoke: Smoke
) -> None:
    """300 of 359 minutes are shown (84 %): supported, but 13:00-13:59 is judged all the same."""
    said = add(smelter, smoke, "maintenance", "08:00", "13:59")
    assert "the trace supports it" in said
    assert "the 59 minutes that ran as usual are not excused" in said
    [record] = read_journal(smoke.root / "journal.jsonl").records
    assert record.facts["judgement_usual"] == "2026-10-05T13:00+08:00/2026-10-05T13:59+08:00"
    found = hours(smoke)
    states = [State(int(x)) for x in found.pollutants["so2"].state[7:14]]
    assert states == [State.VALID, *[State.EXCLUDED] * 5, State.VALID]
    assert judged_above(found) == 19
    for basis in smoke.basis("2026-10-05"):
        doubts = json.dumps([x.text.en for x in emissions(basis).warnings])
    assert "mark #1 (maintenance): its trace shows 59 minutes as usual" in doubts


def test_a_shut_down_does_not_excuse_the_full_production_before_it(
    smelter: Smelter, tmp_path: Path
) -> None:
    """Full to 10:50, down at once: of 10:00-11:30 the first 50 minutes are full production."""
    made = Smoke(tmp_path, site=SITE + WORKS)
    made.minutes(STACK1, "2026-10-05T06:00", 480, HOT)
    made.minutes("line1/all", "2026-10-05T06:00", 290, {"potline.current": 400.0})
    made.minutes("line1/all", "2026-10-05T10:50", 190, {"potline.current": 0.0})
    made.build()
    (tmp_path / "any.txt").write_text("any\n", "utf-8")
    said = add(smelter, made, "shut_down", "10:00", "11:30")
    assert "the 50 minutes that ran as usual are not excused" in said
    assert not hours(made).pollutants["so2"].exempt[10]


def test_a_mark_of_a_time_of_which_the_store_holds_nothing_stands_with_a_doubt(
    smelter: Smelter, smoke: Smoke
) -> None:
    times = ("--start", "2026-10-03 02:00", "--end", "2026-10-03 04:00")
    paper = ("--evidence", str(smoke.root / "any.txt"), "--site", str(smoke.root / "site.toml"))
    code, said = smelter("journal", "add", "mark", "--what", "fault", *times, *SIGNED, *paper)
    assert (code, "excuses nothing" in said) == (0, False), said
    [record] = read_journal(smoke.root / "journal.jsonl").records
    assert record.excuses
    for basis in smoke.basis("2026-10-03_2026-10-05"):
        content = emissions(basis)
    assert "mark #1 (fault): the trace does not tell" in [x.text.en for x in content.warnings]
