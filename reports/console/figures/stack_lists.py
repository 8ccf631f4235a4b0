"""Exceedances and what was done, capture rates, checks due: lists of the stacks page."""

from datetime import date
from typing import Any

from drivers.language import language
from drivers.quantities import quantities
from reports.console.figures.stacks import (
    STATE_WORDS,
    bench,
    captured,
    limit_of,
    span,
    stack_named,
    states_of,
)
from reports.console.office import Office
from reports.emissions.exceedances import exceedances
from reports.emissions.figures import label_of
from reports.emissions.hours import stack_hours
from reports.emissions.rules import stand_in
from reports.emissions.words import STATES, UNEXPLAINED
from reports.journal.due import Due, checks_due
from reports.journal.journal import read_journal
from reports.journal.record import Record
from reports.journal.words import moment_text
from reports.periods import plant_now
from reports.rules.overlay import load_packs
from reports.rules.places import place_text


def exceeded(office: Office, period: str, stack: str = "") -> dict[str, Any]:
    """Exceedances of a period by time, with what was done; hidden ones say what hides them."""
    asked = span(period)
    stacks = [stack_named(office, stack)] if stack else list(office.site.stacks)
    journal = read_journal(office.site.journal)
    rows: list[dict[str, Any]] = []
    with bench(office.site, asked) as basis:
        for each in stacks:
            if not each.works_in(asked.first, asked.after):
                continue
            made = stack_hours(basis, each)
            for one in exceedances(made, each):
                done = [journal.all[number - 1] for number in one.handled]
                why = STATES.get(one.why)
                rows.append(
                    {
                        "stack": each.id,
                        "pollutant": one.pollutant,
                        "name": label_of(one.pollutant).of(language()),
                        "start": moment_text(one.start_ns),
                        "end": moment_text(one.end_ns),
                        "start_ns": one.start_ns,
                        "hours": one.hours,
                        "limit": one.limit,
                        "highest": one.highest,
                        "mean": one.mean,
                        "source": one.source,
                        "judged": one.judged,
                        "why": "" if why is None else why.of(language()),
                        "hidden_by": max(one.hidden_by, 0),
                        "marks": list(one.marks),
                        "done": [_done(record) for record in done],
                        "point": limit_of(each, one.pollutant, asked.first)["point"],
                    }
                )
    rows.sort(key=lambda row: (row["start_ns"], row["stack"], row["pollutant"]))
    return {"period": str(asked), "rows": rows, "unexplained": UNEXPLAINED.of(language())}


def _done(record: Record) -> dict[str, Any]:
    names = ("cause", "measures", "reported_to", "reported_at", "not_reported")
    facts = {name: record.facts.get(name, "") for name in names}
    facts["reported_at"] = facts["reported_at"][:16].replace("T", " ")
    return {"number": record.number, "author": record.author, **facts}


def captures(office: Office, period: str) -> dict[str, Any]:
    """Capture rate of each stack and pollutant, with how many hours were above the limit."""
    asked = span(period)
    rows: list[dict[str, Any]] = []
    with bench(office.site, asked) as basis:
        least = stand_in(basis.packs, asked.first).capture_least
        for stack in office.site.stacks:
            if not stack.works_in(asked.first, asked.after):
                continue
            made = stack_hours(basis, stack)
            for name in stack.pollutants:
                states = states_of(made, name)
                rows.append(
                    {
                        "stack": stack.id,
                        "pollutant": name,
                        "name": label_of(name).of(language()),
                        **captured(made, made.pollutants[name]),
                        "above": states.count("above"),
                        "counts": {key: states.count(key) for key in STATE_WORDS if key in states},
                    }
                )
    return {
        "period": str(asked),
        "rows": rows,
        "least": least.fraction,
        "least_source": f"{least.source.title} · {place_text(least.locator, language())}",
        "least_confirmed": least.confirmed.value,
        "words": {key: text.of(language()) for key, text in STATE_WORDS.items()},
    }


def due(office: Office, on: str = "", days: int = 31) -> dict[str, Any]:
    """Calibrations, verifications and audits due within so many days, overdue ones first."""
    today = date.fromisoformat(on) if on else plant_now().date()
    journal, packs = read_journal(office.site.journal), load_packs(office.site)
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for stack in office.site.stacks:
        for each in checks_due(journal, stack, packs, today):
            if each.due is not None and (each.due - today).days > days:
                continue
            key = (each.id, each.stack, each.last, each.due, each.text.zh, each.source)
            row = found.setdefault(key, _due_row(each, today))
            row["pollutants"] += each.pollutants
            row["names"] += [label_of(x).of(language()) for x in each.pollutants if _known(x)]
    rows = list(found.values())
    rows.sort(key=lambda row: (row["due"] is not None, row["due"] or today, row["stack"]))
    return {"on": today, "rows": rows, "late": sum(row["overdue"] for row in rows)}


def _known(pollutant: str) -> bool:
    return f"stack.{pollutant}" in quantities()


def _due_row(each: Due, today: date) -> dict[str, Any]:
    """One kind of check of a stack; pollutants that share its days are added."""
    return {
        "id": each.id,
        "stack": each.stack,
        "pollutants": [],
        "names": [],
        "text": each.text.of(language()),
        "last": each.last,
        "due": each.due,
        "days_left": None if each.due is None else (each.due - today).days,
        "overdue": each.overdue(today),
        "note": "" if each.note is None else each.note.of(language()),
        "source": each.source,
        "locator": place_text(each.locator, language()),
        "confirmed": each.confirmed,
    }
