"""Records of the journal as a page shows them, and the list of them."""

import re
from collections.abc import Sequence
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures.stacks import span, stack_named
from reports.console.office import Office
from reports.emissions.figures import label_of
from reports.emissions.words import SUPPORT
from reports.journal.control import AUTOMATIC
from reports.journal.forms import FORMS, As, find_form, word_name
from reports.journal.journal import Journal, read_journal
from reports.journal.record import MINUTE_NS, Judgement, Record
from reports.journal.words import fact_name, fact_text, moment_text

MOST: Final = 500  # records of one answer
OWN: Final = "judgement"


def shown(office: Office, record: Record, journal: Journal | None) -> dict[str, Any]:
    """One record with names in the language of the visitor."""
    form = FORMS[record.kind]
    stack = office.site.stack(record.equipment) if record.equipment else None
    gone = None if journal is None else journal.withdrawn.get(record.number)
    return {
        "number": record.number,
        "kind": record.kind,
        "kind_name": form.name.of(language()),
        "what": record.what,
        "name": word_name(record.kind, record.what).of(language()),
        "stack": "" if stack is None else stack.id,
        "equipment": record.equipment,
        "start": moment_text(record.start_ns),
        "end": None if record.end_ns is None else moment_text(record.end_ns),
        "start_s": record.start_ns // 1_000_000_000,
        "end_s": None if record.end_ns is None else record.end_ns // 1_000_000_000,
        "pollutants": [
            {"id": name, "name": label_of(name).of(language()) if _is_stack(name) else name}
            for name in record.pollutants
        ],
        "facts": _facts(record),
        "given": {key: _typed(record, key) for key in record.facts if not key.startswith(OWN)},
        "reason": record.reason,
        "author": record.author,
        "confirmed_by": record.confirmed_by,
        "at": f"{record.at:%Y-%m-%d %H:%M}",
        "evidence": [
            {"kind": each.kind, "name": each.name, "sha256": each.sha256}
            for each in record.evidence
        ],
        "withdraws": record.withdraws,
        "withdrawn_by": None if gone is None else gone.number,
        "counts": record.withdraws is None and gone is None,
        "verdict": _verdict(record),
    }


def _is_stack(name: str) -> bool:
    from drivers.quantities import quantities

    return f"stack.{name}" in quantities()


def _facts(record: Record) -> list[dict[str, str]]:
    own = [fact.id for fact in FORMS[record.kind].facts]
    return [
        {"id": key, "name": fact_name(record.kind, key), "text": fact_text(_typed(record, key))}
        for key in dict.fromkeys((*own, *record.facts))
        if record.facts.get(key) and not key.startswith(OWN)
    ]


def _typed(record: Record, key: str) -> str:
    """A fact as a person would type it."""
    text = record.facts[key]
    timed = any(x.id == key and x.how is As.MOMENT for x in FORMS[record.kind].facts)
    return text[:16].replace("T", " ") if timed else text


def _verdict(record: Record) -> dict[str, Any] | None:
    """What the trace of a mark says, and what of it does not excuse."""
    if record.kind != "mark" or record.withdraws is not None:
        return None
    key = record.judgement.value
    if record.judgement is Judgement.NOT_TOLD and not record.excuses:
        key = "unconfirmed"
    says = record.facts.get("judgement_zh", ""), record.facts.get("judgement_en", "")
    return {
        "judgement": key,
        "text": SUPPORT[key].of(language()),
        "says": say(*says),
        "excuses": record.excuses,
        "usual_minutes": sum(after - first for first, after in record.usual) // MINUTE_NS,
    }


def records(  # noqa: PLR0913 - each is a filter of the list
    office: Office,
    *,
    kind: str = "",
    stack: str = "",
    period: str = "",
    every: bool = False,
    after: int = 0,
    limit: int = MOST,
    newest_first: bool = False,
) -> dict[str, Any]:
    """Records with a number above ``after``; ``next`` is where to go on, None at the end."""
    journal = read_journal(office.site.journal)
    form = find_form(kind) if kind else None
    if kind and form is None:
        raise ConfigError([f"kind {kind}: {' | '.join(FORMS)}"])
    where = stack_named(office, stack).equipment if stack else None
    within = span(period) if period else None
    found = [
        each
        for each in (journal.all if every else journal.records)
        if each.number > after
        and (every or not _by_itself(each))
        and (form is None or each.kind == form.kind)
        and (where is None or each.equipment in {where, ""})
        and (within is None or each.touches(within.start_ns, within.end_ns))
    ]
    if newest_first:
        found.sort(key=lambda each: (each.start_ns, each.number), reverse=True)
    page = found[: min(limit, MOST)]
    more = len(found) > len(page) and bool(page)
    return {
        "head": journal.head,
        "total": len(journal.all),
        "records": [shown(office, each, journal) for each in page],
        "next": page[-1].number if more else None,
    }


def one(office: Office, number: int) -> dict[str, Any]:
    """A record by its number. Raises ConfigError."""
    journal = read_journal(office.site.journal)
    if not 1 <= number <= len(journal.all):
        raise ConfigError([say(f"没有第 {number} 条", f"there is no record {number}")])
    return shown(office, journal.all[number - 1], journal)


_AS_CONSOLE: Final = (  # what the command says of its options, as the page has it
    (r"要更正，先撤回：smelter journal withdraw (\d+)", r"要更正，请打开第 \1 条，选“更正”"),
    (
        r"to correct it withdraw that first: smelter journal withdraw (\d+)",
        r"to correct it open record \1 and choose Correct",
    ),
    (r"\s*[（(]--[a-z-]+[）)]", ""),
    (r"--trace ", ""),
)


def plain(problems: Sequence[str]) -> list[str]:
    """Each mistake by itself, without options of the command."""
    found = []
    for problem in problems:
        for part in problem.split(" | "):
            for pattern, words in _AS_CONSOLE:
                part = re.sub(pattern, words, part)  # noqa: PLW2901 - step by step
            found.append(part)
    return found


def _by_itself(record: Record) -> bool:
    """A check that the instrument made alone and passed: hundreds a year, and nothing to see."""
    passed = record.facts.get("result") == "pass" and record.facts.get("out_of_control") != "yes"
    return record.what == AUTOMATIC and passed
