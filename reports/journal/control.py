"""
When data are out of control: after a failed check or verification, and when a check is overdue.

The packs name intervals and control limits; from where to where a failed test reaches, no text
that could be read says. Our own choice: from the last good test of that pollutant to the next good
one, a verification being made good by a verification only. Everything is recorded in ``why``.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from reports.journal.drift import channel, cited, rule
from reports.journal.journal import Journal
from reports.journal.record import Record
from reports.journal.written import midnight_ns
from reports.periods import PLANT_TIME, Period
from reports.rules.packs import Legal, RulePack
from reports.site_stacks import Stack
from reports.values import Text

DAY_NS: Final = 86_400_000_000_000
AUTOMATIC: Final = "calibration_auto"
_OWN: Final = Text(
    zh="起止按本程序约定（未核实）：上次合格检查至下次合格检查",
    en="reach by our own choice (unverified): last good test to next good test",
)


@dataclass(frozen=True, slots=True)
class Interval:
    """Data of these pollutants in [start, end), ns, are out of control; ``record`` 0: overdue."""

    start_ns: int
    end_ns: int
    pollutants: tuple[str, ...]
    why: Text
    record: int = 0


@dataclass(frozen=True, slots=True)
class Test:
    """A check or verification as it counts: good, or the instrument was out of control."""

    record: Record
    good: bool
    lost: bool

    @property
    def end_ns(self) -> int:
        return self.record.start_ns if self.record.end_ns is None else self.record.end_ns

    @property
    def verifies(self) -> bool:
        return self.record.kind == "verification"


def tests_of(journal: Journal, stack: Stack, pollutant: str) -> list[Test]:
    """Those with a result that cover the pollutant (or parameter), by start; cleaning is none."""
    found = []
    for record in sorted(
        (*journal.of("check"), *journal.of("verification")), key=lambda x: (x.start_ns, x.number)
    ):
        result = record.facts.get("result", "")
        mine = record.equipment == stack.equipment and record.covers(pollutant)
        if mine and result and record.what != "cleaning":
            control = record.facts.get("out_of_control", "")
            lost = control == "yes" or (not control and result == "fail")
            found.append(Test(record, good=not lost, lost=lost))
    return found


def checked(stack: Stack, journal: Journal) -> tuple[str, ...]:
    """Pollutants of the stack, and parameters that any test of it names."""
    named = [
        name
        for record in (*journal.of("check"), *journal.of("verification"))
        if record.equipment == stack.equipment
        for name in record.pollutants
    ]
    return tuple(dict.fromkeys((*stack.pollutants, *named)))


def out_of_control(
    journal: Journal, stack: Stack, packs: Mapping[str, RulePack], period: Period
) -> list[Interval]:
    """
    Intervals that touch the period, cut to it, by start. ``pollutants`` may name a parameter.

    Overdue is judged from the first test of a pollutant that was recorded; before it nothing is
    known here.
    """
    found: list[Interval] = []
    for pollutant in checked(stack, journal):
        tests = tests_of(journal, stack, pollutant)
        found += _failed(tests, pollutant, packs, period)
        found += _overdue(tests, pollutant, packs, period)
    cut = [_cut(each, period) for each in found]
    return sorted(
        (each for each in cut if each.end_ns > each.start_ns),
        key=lambda each: (each.start_ns, each.pollutants),
    )


def _cut(each: Interval, period: Period) -> Interval:
    start_ns, end_ns = max(each.start_ns, period.start_ns), min(each.end_ns, period.end_ns)
    return Interval(start_ns, end_ns, each.pollutants, each.why, each.record)


def _failed(
    tests: Sequence[Test], pollutant: str, packs: Mapping[str, RulePack], period: Period
) -> list[Interval]:
    found = []
    for n, test in enumerate(tests):
        if not test.lost:
            continue
        before = [each.end_ns for each in tests[:n] if each.good]
        days = _days(pollutant, packs, _day(test.record.start_ns))
        interval = 0 if days is None else int(days.number)
        start_ns = before[-1] if before else test.record.start_ns - interval * DAY_NS
        found.append(
            Interval(
                start_ns, _made_good(tests, n, period), (pollutant,), _why(test), test.record.number
            )
        )
    return found


def _made_good(tests: Sequence[Test], n: int, period: Period) -> int:
    """End of the next good test; the test itself where it read well after adjusting."""
    test = tests[n]
    mends = (x for x in tests[n:] if x.good or x.record.facts.get("after") == "pass")
    after = [x.end_ns for x in mends if x.verifies or not test.verifies]
    return after[0] if after else max(period.end_ns, test.end_ns)


def _why(test: Test) -> Text:
    number, facts = test.record.number, test.record.facts
    source = facts.get("limit_source", "")
    what = ("校验", "verification") if test.verifies else ("校准检查", "check")
    return Text(
        zh=f"第 {number} 条{what[0]}不合格（{source}）；{_OWN.zh}",
        en=f"{what[1]}, record {number}, failed ({source}); {_OWN.en}",
    )


def _overdue(
    tests: Sequence[Test], pollutant: str, packs: Mapping[str, RulePack], period: Period
) -> list[Interval]:
    """From the day after a check was due to the next one, by calibration and by verification."""
    found = []
    for verifies in (False, True):
        mine = [each for each in tests if each.good and each.verifies == verifies]
        for n, test in enumerate(mine):
            automatic = automatic_near(tests, test.end_ns)
            due = due_after(test, pollutant, packs, automatic=automatic)
            if due is None:
                continue
            day, legal = due
            start_ns = midnight_ns(day + timedelta(days=1))
            end_ns = mine[n + 1].record.start_ns if n + 1 < len(mine) else period.end_ns
            if end_ns > start_ns:
                found.append(Interval(start_ns, end_ns, (pollutant,), _late(day, legal, verifies)))
    return found


def _late(day: date, legal: Legal, verifies: bool) -> Text:
    what = ("校验", "verification") if verifies else ("校准", "calibration")
    return Text(
        zh=f"{what[0]}应于 {day} 前完成，逾期（{cited(legal)}）",
        en=f"{what[1]} was due by {day} and is overdue ({cited(legal)})",
    )


def automatic_near(tests: Sequence[Test], time_ns: int) -> bool:
    """True when the instrument calibrated itself within a month of that time."""
    return any(
        each.record.what == AUTOMATIC and abs(each.record.start_ns - time_ns) <= 31 * DAY_NS
        for each in tests
    )


def due_after(
    test: Test, pollutant: str, packs: Mapping[str, RulePack], *, automatic: bool
) -> tuple[date, Legal] | None:
    """The last day for the next one, and by which rule; None where no rule says."""
    day = _day(test.end_ns)
    if not test.verifies:
        legal = _days(pollutant, packs, day)
        return None if legal is None else (day + timedelta(days=int(legal.number)), legal)
    legal = rule(packs, "verification_auto_months" if automatic else "verification_months", day)
    return None if legal is None else (months_later(day, int(legal.number)), legal)


def _days(pollutant: str, packs: Mapping[str, RulePack], day: date) -> Legal | None:
    """Days between calibrations; velocity and the like have no rule here."""
    group = channel(pollutant)
    return rule(packs, f"calibration_{group}_days", day) if group else None


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _day(time_ns: int) -> date:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, PLANT_TIME).date()
