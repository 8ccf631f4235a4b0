"""Marks of a stack: of persons, from the journal; of the instrument, from its state and flags."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from reports.basis import Basis
from reports.emissions.minutes import KINDS, StackMinutes
from reports.emissions.states import AUTOMATIC, Bools, Mark
from reports.journal.control import out_of_control
from reports.journal.journal import Journal, read_journal
from reports.journal.record import Judgement, Record
from reports.series.minutes import MINUTE_NS
from reports.site_stacks import Stack
from reports.values import Text

INVALID: Final = ("calibration", "maintenance", "fault", "force_majeure")  # no data from it
EXEMPT: Final = ("start_up", "shut_down")  # data count in amounts, not as exceedances
STOPPED: Final = "stopped"
DISPROVED: Final = Text(
    zh="生产信号显示同一时段正在生产", en="the production signal shows that it ran"
)


def marks_of(basis: Basis, stack: Stack) -> tuple[Mark, ...]:
    """Marks of persons that touch the period, by start; withdrawn ones are not among them."""
    period = basis.period
    journal = journal_of(basis)
    return tuple(
        person_mark(record, period.end_ns)
        for record in journal.marks(stack.equipment, period.start_ns, period.end_ns)
    )


def journal_of(basis: Basis) -> Journal:
    """Raises ConfigError when its chain is broken."""
    return read_journal(basis.site.journal)


def person_mark(record: Record, end_ns: int) -> Mark:
    """A record of the journal; one that lasts goes on to ``end_ns``."""
    contradicted = None
    if record.judgement is Judgement.CONTRADICTED:
        says = record.facts.get("judgement_zh", ""), record.facts.get("judgement_en", "")
        contradicted = Text(
            zh=says[0] or "所附轨迹不支持该标记",
            en=says[1] or "the trace kept with it speaks against",
        )
    return Mark(
        number=record.number,
        kind=record.what,
        start_ns=record.start_ns,
        end_ns=end_ns if record.end_ns is None else record.end_ns,
        pollutants=record.pollutants,
        author=record.author,
        reason=record.reason,
        evidence=tuple(each.name for each in record.evidence),
        contradicted=contradicted,
        supported=record.judgement is Judgement.SUPPORTED,
        unconfirmed=record.judgement is Judgement.NOT_TOLD and not record.excuses,
        usual=record.usual,
    )


def disproved(mark: Mark, piece: StackMinutes) -> Mark:
    """A mark that says "stopped" of a time most of which the source is known to have run."""
    if mark.kind != STOPPED or mark.contradicted is not None:
        return mark
    running = piece.running[covered(mark, piece)]
    ran = int((running == 1).sum())
    if ran * 2 <= len(running):
        return mark
    more = Text(
        zh=f"{DISPROVED.zh}（{len(running)} 分钟中 {ran} 分钟）",
        en=f"{DISPROVED.en} ({ran} of {len(running)} minutes)",
    )
    return replace(mark, contradicted=more)


def out_of_control_of(basis: Basis, stack: Stack) -> list[Mark]:
    """
    Times in which a failed or overdue check leaves data without worth; number 0 = overdue.

    Lost oxygen takes every pollutant that is converted; lost velocity or flow the amounts only.
    """
    spans = out_of_control(journal_of(basis), stack, basis.packs, basis.period)
    return [
        Mark(
            number=each.record,
            kind="out_of_control",
            start_ns=each.start_ns,
            end_ns=each.end_ns,
            pollutants=_concerned(stack, each.pollutants),
            says=each.why,
        )
        for each in spans
    ]


def _concerned(stack: Stack, names: tuple[str, ...]) -> tuple[str, ...]:
    converts = "o2" in names and stack.reference_o2 is not None
    return tuple(dict.fromkeys((*names, *(stack.pollutants if converts else ()))))


def covered(mark: Mark, piece: StackMinutes) -> slice:
    """Its minutes in a piece; a minute that it touches belongs to it."""
    start_ns = piece.period.start_ns
    first = max(0, (mark.start_ns - start_ns) // MINUTE_NS)
    after = min(len(piece.running), -((start_ns - mark.end_ns) // MINUTE_NS))
    return slice(first, max(first, after))


def excused(mark: Mark, piece: StackMinutes) -> Bools:
    """Its minutes in a piece, of all, but those that its own trace shows as usual."""
    found = np.zeros(len(piece.running), dtype=np.bool_)
    found[covered(mark, piece)] = True
    for start_ns, end_ns in mark.usual:
        found[covered(replace(mark, start_ns=start_ns, end_ns=end_ns), piece)] = False
    return found


def automatic_marks(piece: StackMinutes) -> list[Mark]:
    """What the instrument said of itself, as stretches; of several pollutants at once one mark."""
    found: dict[tuple[str, int, int], list[str]] = {}
    for name, minutes in piece.pollutants.items():
        edges = np.flatnonzero(np.diff(minutes.device)) + 1
        bounds = [0, *edges.tolist(), len(minutes.device)]
        for first, after in pairwise(bounds):
            kind = KINDS[int(minutes.device[first])]
            if kind:
                found.setdefault((kind, first, after), []).append(name)
    origin_ns = piece.period.start_ns
    return [
        Mark(
            number=AUTOMATIC,
            kind=kind,
            start_ns=origin_ns + first * MINUTE_NS,
            end_ns=origin_ns + after * MINUTE_NS,
            pollutants=() if len(names) == len(piece.pollutants) else tuple(names),
        )
        for (kind, first, after), names in sorted(found.items(), key=lambda item: item[0][1])
    ]


def joined(marks: Iterable[Mark]) -> list[Mark]:
    """Automatic marks of pieces; one that goes on over the edge is one."""
    found: list[Mark] = []
    open_at: dict[tuple[str, tuple[str, ...], int], int] = {}
    for mark in marks:
        at = open_at.pop((mark.kind, mark.pollutants, mark.start_ns), None)
        if at is None:
            at = len(found)
            found.append(mark)
        else:
            found[at] = replace(found[at], end_ns=mark.end_ns)
        open_at[mark.kind, mark.pollutants, mark.end_ns] = at
    return found
