"""
Every duty of a plant under the Chinese ETS on a day: due when, by which text, done or overdue.

Duties begin with the first month that was entered; what was due before is not known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Final

from reports.carbon.lodging_day import lodging_due
from reports.chapters import days_left
from reports.duties.milestones import CALENDAR, OURS, THEIRS
from reports.entered import entered
from reports.entries.certificates import certificates
from reports.entries.kinds import Group
from reports.entries.ledger import Ledger
from reports.journal.due import Due, checks_due
from reports.journal.journal import read_journal
from reports.lodgings import Lodging, Lodgings
from reports.periods import Period
from reports.plan.plan import Instrument, Plan
from reports.rules.packs import Legal, RuleAbsentError, RuleError, RulePack
from reports.site import Site
from reports.site_stacks import Stack
from reports.values import Text

CERTIFICATE_DAYS: Final = 90  # so long before it runs out a certificate is shown
CHECK_DAYS: Final = 31  # so long before a check of a stack is shown
SURRENDERED: Final = "allowance_surrendered"


class State(StrEnum):
    """How a duty stands."""

    OVERDUE = "overdue"
    OPEN = "open"
    EVENT = "event"  # others act; nothing for the plant to do
    UNDATED = "undated"  # the day is not published yet
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty. ``due`` is the last day; ``source`` and ``confirmed`` say where that stands."""

    id: str
    period: str  # month, or compliance year, 2026-10, 2025; or the instrument
    text: Text
    due: date | None
    state: State
    source: str
    locator: str
    confirmed: str  # "" where no law says so but the plant's own plan
    note: Text | None = None

    def left(self, on: date) -> int | None:
        """Days left; 0 on the last day, negative when it has passed."""
        return None if self.due is None else days_left(self.due, on)


@dataclass(frozen=True, slots=True)
class Office:
    """What the duties are read from."""

    site: Site
    ledger: Ledger
    lodgings: Lodgings
    packs: Mapping[str, RulePack]
    plan: Plan | None


def duties(office: Office, on: date) -> tuple[Duty, ...]:
    """All of them: overdue first, then by day; then undated, then done."""
    found = [*_months(office, on), *_years(office, on), *_certificates(office, on)]
    found += _stack_checks(office, on)
    order = {State.OVERDUE: 0, State.OPEN: 1, State.EVENT: 1, State.UNDATED: 2, State.DONE: 3}
    return tuple(sorted(found, key=lambda d: (order[d.state], d.due or date.max, d.id, d.period)))


def begins(office: Office, on: date) -> Period:
    """The first month that was entered, else the month of ``on``."""
    months = [
        entry.figure.period.whole_month
        for entry in office.ledger.current().values()
        if entry.figure.kind.group is Group.MONTHLY and entry.figure.period.first <= on
    ]
    return min(months, default=Period.month(on.year, on.month))


def _law(office: Office, month: Period, pack: str, name: str) -> Legal:
    return office.packs[pack].at(name, month.first)


def _months(office: Office, on: date) -> Iterator[Duty]:
    """A lodging for each month, from the first one entered to the one that runs."""
    month = begins(office, on)
    while month.first <= on:
        if any(line.runs_in(month.first, month.after) for line in office.site.potline):
            due = lodging_due(partial(_law, office, month), month)
            if due is not None:
                text = Text(zh=f"{month} 月度存证", en=f"lodge {month}")
                lodged = office.lodgings.latest("carbon-monthly", str(month))
                yield _handed_in("lodge", str(month), text, due, lodged, on)
        month = Period.month(month.after.year, month.after.month)


def _handed_in(
    identity: str,
    period: str,
    text: Text,
    due: tuple[date, Legal],
    lodged: Lodging | None,
    on: date,
) -> Duty:
    day, legal = due
    note, state = None, State.OVERDUE if day < on else State.OPEN
    if lodged is not None and lodged.on <= on:
        state = State.DONE
        late = lodged.on > day
        note = Text(
            zh=f"{lodged.on} 已报送，回执 {lodged.receipt}{'（逾期）' if late else ''}",
            en=f"handed in on {lodged.on}, receipt {lodged.receipt}{' (late)' if late else ''}",
        )
    return _duty(identity, period, text, day, state, legal, note)


def _duty(
    identity: str,
    period: str,
    text: Text,
    due: date,
    state: State,
    legal: Legal,
    note: Text | None,
) -> Duty:
    return Duty(
        identity,
        period,
        text,
        due,
        state,
        legal.source.title,
        legal.locator,
        legal.confirmed.value,
        note,
    )


def _years(office: Office, on: date) -> Iterator[Duty]:
    """The days of each compliance year that fall after the first month entered."""
    first = begins(office, on)
    for number in range(first.first.year - 1, on.year + 1):
        year = Period.year(number)
        for name, words in (*OURS.items(), *THEIRS.items()):
            text = Text(zh=f"{number} 年度{words.zh}", en=f"{number}: {words.en}")
            try:
                legal = office.packs[CALENDAR].at(name, year.first)
            except RuleAbsentError as error:
                if name in OURS:
                    yield _undated(name, year, text, error)
                continue
            except RuleError:
                continue
            if legal.day < first.first:
                continue
            if name in THEIRS:
                yield _event(office, name, year, text, legal, on)
            elif name == "surrender_due":
                yield _surrender(office, year, text, legal, on)
            else:
                yield _report(office, name, year, text, legal, on)


def _undated(name: str, year: Period, text: Text, error: RuleAbsentError) -> Duty:
    wanted = error.wanted
    note = Text(
        zh=f"日期尚未公布；公布后以补充规则录入 {wanted.id}",
        en=f"not published yet; enter {wanted.id} as an overlay when it is",
    )
    return Duty(
        name, str(year), text, None, State.UNDATED, wanted.source.title, wanted.locator, "", note
    )


def _report(office: Office, name: str, year: Period, text: Text, legal: Legal, on: date) -> Duty:
    """Annual report, or the quality plan of the year the calendar names."""
    if name == "report_due":
        lodged = office.lodgings.latest("carbon-annual", str(year))
        return _handed_in(name, str(year), text, (legal.day, legal), lodged, on)
    of = str(office.packs[CALENDAR].at("plan_year", year.first).number)
    lodged = office.lodgings.latest("quality-plan", of)
    text = Text(
        zh=f"填报 {of} 年度数据质量控制计划", en=f"file the data quality control plan of {of}"
    )
    return _handed_in(name, str(year), text, (legal.day, legal), lodged, on)


def _surrender(office: Office, year: Period, text: Text, legal: Legal, on: date) -> Duty:
    """Done when as much was surrendered as was verified; without a verified figure, anything."""
    given = [
        entry.figure.amount
        for entry in office.ledger.current().values()
        if entry.figure.kind.id == SURRENDERED and entry.figure.period == year
    ]
    total = sum(given, Decimal(0))
    owed = _verified(office, year)
    done = bool(given) and (owed is None or total >= owed)
    state = State.DONE if done else State.OVERDUE if legal.day < on else State.OPEN
    note = None
    if given or owed is not None:
        due = "—" if owed is None else f"{owed}"
        note = Text(
            zh=f"已清缴 {total} t，应清缴 {due} t", en=f"{total} t surrendered, {due} t owed"
        )
    return _duty("surrender_due", str(year), text, legal.day, state, legal, note)


def _verified(office: Office, year: Period) -> Decimal | None:
    """Verified emission of all processes that ran in the year; None when one is not there."""
    running = [line for line in office.site.potline if line.runs_in(year.first, year.after)]
    found = [entered(office.ledger, "emission_verified", line.id, year) for line in running]
    known = [entry.figure.amount for entry in found if entry is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(found) else None


_ENTERED: Final = {
    "verification_due": "emission_verified",
    "pre_allocation_due": "allowance_pre_allocated",
    "allocation_due": "allowance_allocated",
    "issue_due": "allowance_allocated",
}


def _event(office: Office, name: str, year: Period, text: Text, legal: Legal, on: date) -> Duty:
    """Others act; when the day has passed and its figure is not entered, that is said."""
    kind = _ENTERED.get(name)
    entries = [
        entry
        for entry in office.ledger.current().values()
        if entry.figure.kind.id == kind and entry.figure.period == year
    ]
    passed = legal.day < on
    note, state = None, State.EVENT
    if entries:
        note, state = Text(zh="结果已录入", en="its figure is entered"), State.DONE
    elif passed and kind is None:
        state = State.DONE
    elif passed:
        note = Text(zh=f"已过日期；收到结果后请录入 {kind}", en=f"passed; enter {kind} when known")
    return _duty(name, str(year), text, legal.day, state, legal, note)


def _stack_checks(office: Office, on: date) -> Iterator[Duty]:
    """Calibrations, verifications and audits of the stacks, once a journal is kept."""
    journal = read_journal(office.site.journal)
    if not journal.all:
        return
    for stack in office.site.stacks:
        found = checks_due(journal, stack, office.packs, on)
        late = [each for each in found if each.overdue(on)]
        if len(late) > 1:
            yield _late_checks(stack, late)
            found = [each for each in found if each not in late]
        for each in found:
            left = None if each.due is None else days_left(each.due, on)
            if left is not None and left > CHECK_DAYS:
                continue
            of = " ".join((stack.id, *each.pollutants))
            text = Text(zh=f"{of} {each.text.zh}", en=f"{of}: {each.text.en}")
            state = State.OVERDUE if each.overdue(on) else State.OPEN
            cited = (each.source, each.locator, each.confirmed)
            yield Duty(each.id, stack.id, text, each.due, state, *cited, each.note)


def _late_checks(stack: Stack, late: Sequence[Due]) -> Duty:
    """All overdue checks of a stack in one row: how many of what, and the oldest day."""
    counts: dict[str, int] = {}
    texts = {each.id: each.text for each in late}
    for each in late:
        counts[each.id] = counts.get(each.id, 0) + 1
    zh = "、".join(f"{texts[name].zh} {count}" for name, count in counts.items())
    en = ", ".join(f"{texts[name].en}: {count}" for name, count in counts.items())
    days = [each.due for each in late if each.due is not None]
    never = len(late) - len(days)
    note = Text(
        zh=f"{zh}" + (f"；其中 {never} 项没有任何记录" if never else "") + "；逐项见 journal due",
        en=f"{en}" + (f"; of {never} nothing was ever recorded" if never else "")
        + "; one by one: journal due",
    )  # fmt: skip
    text = Text(
        zh=f"{stack.id} 逾期的校准、校验、审核 {len(late)} 项",
        en=f"{stack.id}: {len(late)} checks overdue",
    )
    first = late[0]
    cited = (first.source, first.locator, first.confirmed)
    return Duty(
        "stack_checks", stack.id, text, min(days, default=None), State.OVERDUE, *cited, note
    )


def _certificates(office: Office, on: date) -> Iterator[Duty]:
    """Instruments of the plan whose certificate is missing, has run out or soon will."""
    if office.plan is None:
        return
    for instrument in office.plan.instrument:
        if instrument.in_place(on):
            duty = _certificate(office.ledger, instrument, on)
            if duty is not None:
                yield duty


def _certificate(ledger: Ledger, instrument: Instrument, on: date) -> Duty | None:
    known = [each for each in certificates(ledger, instrument.id) if each.calibrated <= on]
    name = instrument.name
    text = Text(
        zh=f"{name.zh}（{instrument.id}）检定/校准", en=f"calibrate {name.en} ({instrument.id})"
    )
    due, note = None, Text(zh="没有录入任何证书", en="no certificate was ever entered")
    if known:
        last = known[-1]
        due = last.valid_until if last.passed else last.calibrated
        note = Text(
            zh=f"证书 {last.number}，{'有效期至' if last.passed else '结论不合格，'} {due}",
            en=f"certificate {last.number}, {'valid until' if last.passed else 'failed on'} {due}",
        )
        if last.passed and days_left(due, on) > CERTIFICATE_DAYS:
            return None
    overdue = due is None or due < on or not known[-1].passed
    return Duty(
        "certificate",
        instrument.id,
        text,
        due,
        State.OVERDUE if overdue else State.OPEN,
        instrument.regulation or "plan.toml",
        "",
        "",
        note,
    )
