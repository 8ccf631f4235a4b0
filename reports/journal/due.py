"""Which checks of a stack are due when: calibration, full path, verification, quarterly audit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from reports.journal.control import (
    AUTOMATIC,
    Test,
    automatic_near,
    due_after,
    months_later,
    tests_of,
)
from reports.journal.drift import channel, rule
from reports.journal.journal import Journal
from reports.periods import PLANT_TIME, Period
from reports.rules.packs import Legal, RulePack
from reports.site_stacks import Stack
from reports.values import Text

EXPIRY_DAYS: Final = 30  # so long before, gas that expires is shown
NEVER: Final = Text(zh="没有任何记录", en="none was ever recorded")


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do at a stack. ``due`` None: nothing was recorded from which it would follow."""

    id: str
    stack: str
    pollutants: tuple[str, ...]
    text: Text
    last: date | None
    due: date | None
    source: str = ""
    locator: str = ""
    confirmed: str = ""
    note: Text | None = None

    def overdue(self, on: date) -> bool:
        return self.due is None or self.due < on


def checks_due(
    journal: Journal, stack: Stack, packs: Mapping[str, RulePack], today: date
) -> list[Due]:
    """Everything of a working stack, by day; what was never recorded first."""
    if not stack.works_on(today):
        return []
    found = [
        due
        for pollutant in stack.pollutants
        for due in _of(journal, stack, packs, pollutant, today)
    ]
    found += _audits(journal, stack, packs, today)
    found += _gases(journal, stack, today)
    return sorted(found, key=lambda each: (each.due or date.min, each.id, each.pollutants))


def _of(
    journal: Journal,
    stack: Stack,
    packs: Mapping[str, RulePack],
    pollutant: str,
    today: date,
) -> Iterator[Due]:
    end_ns = int(
        datetime(today.year, today.month, today.day, 23, 59, tzinfo=PLANT_TIME).timestamp()
    )
    tests = [x for x in tests_of(journal, stack, pollutant) if x.end_ns <= end_ns * 10**9]
    good = [x for x in tests if x.good]
    yield from _automatic(stack, packs, pollutant, good)
    calibrations = [x for x in good if not x.verifies]
    text = Text(zh="零点和跨度校准", en="calibrate zero and span")
    if channel(pollutant):
        yield _next("calibration", stack, pollutant, text, calibrations, packs, today)
    full = [x for x in good if x.record.what == "full_path"]
    months = rule(packs, "calibration_full_path_months", today)
    if channel(pollutant) == "gas" and months is not None:
        text = Text(zh="全系统校准", en="calibrate the whole sample path")
        due = months_later(_day(full[-1]), int(months.number)) if full else None
        yield _made("full_path", stack, pollutant, text, full, due, months)
    verified = [x for x in good if x.verifies]
    text = Text(zh="参比方法校验", en="verify by the reference method")
    yield _next("verification", stack, pollutant, text, verified, packs, today)


def _automatic(
    stack: Stack, packs: Mapping[str, RulePack], pollutant: str, good: list[Test]
) -> Iterator[Due]:
    """Only where the instrument calibrates itself, as its records say."""
    mine = [x for x in good if x.record.what == AUTOMATIC]
    if not mine:
        return
    hours = rule(packs, "calibration_auto_hours", _day(mine[-1]))
    if hours is not None:
        due = _day(mine[-1]) + timedelta(hours=int(hours.number))
        text = Text(zh="自动校准", en="automatic calibration")
        yield _made(AUTOMATIC, stack, pollutant, text, mine, due, hours)


def _next(
    identity: str,
    stack: Stack,
    pollutant: str,
    text: Text,
    tests: list[Test],
    packs: Mapping[str, RulePack],
    today: date,
) -> Due:
    if not tests:
        name = (
            "verification_months"
            if identity == "verification"
            else f"calibration_{channel(pollutant)}_days"
        )
        return _made(identity, stack, pollutant, text, tests, None, rule(packs, name, today))
    automatic = automatic_near(tests, tests[-1].end_ns)
    found = due_after(tests[-1], pollutant, packs, automatic=automatic)
    day, legal = (None, None) if found is None else found
    return _made(identity, stack, pollutant, text, tests, day, legal)


def _made(
    identity: str,
    stack: Stack,
    pollutant: str,
    text: Text,
    tests: list[Test],
    due: date | None,
    legal: Legal | None,
) -> Due:
    return Due(
        id=identity,
        stack=stack.id,
        pollutants=(pollutant,),
        text=text,
        last=_day(tests[-1]) if tests else None,
        due=due,
        note=None if tests else NEVER,
        **_cited(legal),
    )


def _cited(legal: Legal | None) -> dict[str, str]:
    if legal is None:
        return {}
    return {
        "source": legal.source.title,
        "locator": legal.locator,
        "confirmed": legal.confirmed.value,
    }


def audit_id(quarter: Period) -> str:
    """What a document must serve to show that the quarter was audited: ``audit-2026Q3``."""
    return f"audit-{quarter.first.year}Q{(quarter.first.month + 2) // 3}"


def _audits(
    journal: Journal, stack: Stack, packs: Mapping[str, RulePack], today: date
) -> Iterator[Due]:
    """Of the last quarter that is over: within the first working days after it."""
    month = today.month - (today.month - 1) % 3
    after = date(today.year, month, 1)
    first = months_later(after, -3)
    legal = rule(packs, "audit_working_days", after)
    if legal is None or not stack.works_in(first, after):
        return
    quarter = Period(first, after)
    wanted = audit_id(quarter)
    here = ("", stack.equipment)  # a document that names no stack serves all of them
    papers = [x for x in journal.of("document") if x.equipment in here]
    if any(wanted in x.facts.get("serves", "").split() for x in papers):
        return
    name = wanted.removeprefix("audit-")
    yield Due(
        id=wanted,
        stack=stack.id,
        pollutants=(),
        text=Text(zh=f"{name} 季度数据审核", en=f"audit the data of {name}"),
        last=None,
        due=working_day(after, int(legal.number)),
        note=Text(
            zh=f"完成后登记文件，用于 {wanted}；节假日未扣除，实际时限不早于此",
            en=f"when done record its document, serving {wanted}; public holidays are not counted "
            "out, the real day is no earlier",
        ),
        **_cited(legal),
    )


def working_day(first: date, number: int) -> date:
    """The n-th day from Monday to Friday, ``first`` included."""
    day, left = first, number
    while True:
        left -= day.weekday() < 5
        if not left:
            return day
        day += timedelta(days=1)


def _gases(journal: Journal, stack: Stack, today: date) -> Iterator[Due]:
    """The bottle last used of each gas, when it expires soon."""
    latest = {
        (record.pollutants, record.facts["gas_bottle"]): record
        for record in journal.of("check")
        if record.equipment == stack.equipment
        and {"gas_bottle", "gas_expiry"} <= record.facts.keys()
    }
    newest = {key[0]: record for key, record in latest.items()}
    for pollutants, record in newest.items():
        expiry = date.fromisoformat(record.facts["gas_expiry"])
        if (expiry - today).days <= EXPIRY_DAYS:
            bottle = record.facts["gas_bottle"]
            text = Text(zh=f"更换标气（{bottle}）", en=f"replace the gas bottle {bottle}")
            yield Due("gas_bottle", stack.id, pollutants, text, None, expiry)


def _day(test: Test) -> date:
    return datetime.fromtimestamp(test.end_ns // 1_000_000_000, PLANT_TIME).date()
