"""Texts of single items: the inputs of a line, a rule's value, a change, runs of entries."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from reports.citations import EntryUse, LegalUse
from reports.entries.kinds import KINDS
from reports.model import Change, Line
from reports.render.labels import VALUES, exact_text, input_text, label, unit_text
from reports.values import Text
from reports.words import short_text

INPUTS_SHOWN: Final = 8


def input_texts(line: Line, labels: dict[str, str], lang: str) -> list[str]:
    """Each input; a month of daily entries as one."""
    if len(line.inputs) <= INPUTS_SHOWN or line.formula:
        return [input_text(line, given, lang, labels) for given in line.inputs]
    first, last = line.inputs[0], line.inputs[-1]
    count = len(line.inputs)
    begin, end = labels.get(first.ref, first.ref), labels.get(last.ref, last.ref)
    return [
        f"Σ {count} 项：{begin} 至 {end}" if lang == "zh" else f"Σ of {count}: {begin} to {end}"
    ]


def legal_value(legal: LegalUse, lang: str) -> str:
    """Value and unit of a rule as people write them."""
    value: Decimal | date | str = legal.value
    if isinstance(value, Decimal):
        return f"{short_text(value)} {unit_text(legal.unit, lang)}".strip()
    return label(VALUES, str(value), lang)


def changed(change: Change, labels: dict[str, str], lang: str) -> str:
    """What a change is about: the name of the line or rule, or whose entry it is."""
    if change.label is not None:
        return change.label.of(lang)
    if change.what != "entry":
        return labels.get(change.ref, change.ref)
    words = [kind_text(word, lang) for word in change.ref.split(" ")]
    return f"{'录入' if lang == 'zh' else 'entry'} {' '.join(words)}"


def kind_text(kind: str, lang: str) -> str:
    """The name of an entry kind, or the word itself."""
    known = KINDS.get(kind)
    if known is None:
        return kind
    return known.zh if lang == "zh" else known.en


def shown(value: Decimal | Text | str | None, lang: str) -> str:
    """Before or after of a change."""
    if isinstance(value, Text):
        return value.of(lang)
    if isinstance(value, Decimal):
        return exact_text(value)
    return "—" if value is None else value


def runs(entries: Sequence[EntryUse]) -> list[list[EntryUse]]:
    """Entries as rows of the printed table: days of one table that follow one another are a run."""
    found: list[list[EntryUse]] = []
    for entry in entries:
        last = found[-1][-1] if found else None
        if last is not None and _same_table(last, entry):
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def _same_table(one: EntryUse, other: EntryUse) -> bool:
    same = (
        *("kind", "line", "item", "more", "unit", "author", "reason", "time"),
        *("source", "document", "revises"),
    )
    return one.number + 1 == other.number and all(
        getattr(one, name) == getattr(other, name) for name in same
    )


def span(first: str, last: str) -> str:
    """``first – last``, or one of them when they are the same."""
    return first if first == last else f"{first} – {last}"
