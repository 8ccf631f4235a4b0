"""What a record of the journal would change: which hours lose or gain their validity."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from drivers.language import language
from reports.basis import Basis
from reports.chain import write_chain
from reports.console.figures.stacks import NS_PER_S, STATE_WORDS, bench, states_of
from reports.console.office import Office
from reports.emissions.figures import label_of
from reports.emissions.hours import stack_hours
from reports.emissions.states import HOUR_NS, StackHours, day_of
from reports.journal.journal import Journal
from reports.journal.record import Record
from reports.journal.words import moment_text
from reports.periods import Period, plant_now
from reports.site_stacks import Stack

VALID: Final = frozenset({"valid", "above", "no_limit", "exempt", "not_convertible"})
ACTS: Final = frozenset({"mark", "check", "verification"})  # kinds that can move an hour
REACH: Final = timedelta(days=31)  # of a check, to either side: what it makes good or loses
LONGEST: Final = timedelta(days=366)
SHOWN: Final = 400  # rows


def effect(office: Office, after: Journal, records: Sequence[Record]) -> dict[str, Any] | None:
    """
    Hours that differ, joined, by stack and pollutant; None for a record that can move none.

    ``records`` are what is added or taken back.
    """
    moving = [each for each in records if each.kind in ACTS]
    if not moving:
        return None
    period, whole = _period(moving)
    named = {each.equipment for each in moving}
    stacks = [x for x in office.site.stacks if named & {"", x.equipment}]
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory(dir=_room(office)) as folder:
        site = office.site.model_copy(update={"entries": Path(folder) / office.site.entries.name})
        write_chain(site.journal, after.all)
        with bench(office.site, period) as basis:
            other = Basis(site, period, basis.ledger, basis.series, basis.packs, basis.lodgings)
            for stack in stacks:
                if stack.works_in(period.first, period.after):
                    rows += _rows(stack, stack_hours(basis, stack), stack_hours(other, stack))
    return {
        "period": str(period),
        "whole": whole,
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
        "lost": sum(row["hours"] for row in rows if row["lost"]),
        "gained": sum(row["hours"] for row in rows if row["gained"]),
        "excused": sum(row["hours"] for row in rows if row["was"] == "above"),
        "exceeded": sum(row["hours"] for row in rows if row["is"] == "above"),
    }


def _room(office: Office) -> Path:
    office.data.mkdir(parents=True, exist_ok=True)
    return office.data


def _period(records: Sequence[Record]) -> tuple[Period, bool]:
    """The days they can touch, up to today; False when that is more than is looked at."""
    today = plant_now().date()
    first = min(day_of(each.start_ns) for each in records)
    last = max(today if x.end_ns is None else day_of(x.end_ns - 1) for x in records)
    if any(each.kind != "mark" for each in records):
        first, last = first - REACH, max(first, last) + REACH
    last = max(first, min(last, today))
    if last - first > LONGEST:
        return Period.between(last - LONGEST, last), False
    return Period.between(first, last), True


def _rows(stack: Stack, before: StackHours, after: StackHours) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in stack.pollutants:
        was, now = states_of(before, name), states_of(after, name)
        n = 0
        while n < len(was):
            end = n + 1
            while end < len(was) and (was[end], now[end]) == (was[n], now[n]):
                end += 1
            if was[n] != now[n]:
                found.append(_row(stack, before, name, (n, end), (was[n], now[n])))
            n = end
    return found


def _row(
    stack: Stack, hours: StackHours, name: str, at: tuple[int, int], states: tuple[str, str]
) -> dict[str, Any]:
    start_ns = int(hours.start_ns[at[0]])
    was, now = states
    return {
        "stack": stack.id,
        "pollutant": name,
        "name": label_of(name).of(language()),
        "start": moment_text(start_ns),
        "end": moment_text(start_ns + (at[1] - at[0]) * HOUR_NS),
        "start_s": start_ns // NS_PER_S,
        "hours": at[1] - at[0],
        "was": was,
        "is": now,
        "was_text": STATE_WORDS[was].of(language()),
        "is_text": STATE_WORDS[now].of(language()),
        "lost": was in VALID and now not in VALID,
        "gained": was not in VALID and now in VALID,
    }
