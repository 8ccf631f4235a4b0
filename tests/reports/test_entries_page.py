"""docs/entries.md says what is true: every kind, unit, range, item, column, purpose and sheet."""

from pathlib import Path

import pytest

from reports.entries.asked import PURPOSES, SHEETS, period_words, place_words
from reports.entries.kinds import FACTS, KINDS, EntryKind, Items
from reports.entries.table import COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "entries.md").read_text("utf-8")
ITEMS: list[Items] = [kind.items for kind in KINDS.values() if kind.items is not None]


def plausible(kind: EntryKind) -> str:
    if kind.high is not None:
        return f"{kind.low:f} – {kind.high:f} {kind.unit}"
    return "" if kind.per_capacity is None else f"≤ {kind.per_capacity} × capacity 产能"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_the_row_of_a_kind(kind: EntryKind) -> None:
    units = ", ".join(f"`{unit}`" for unit in kind.units)
    items = "" if kind.items is None else f"{kind.items.what.zh} {kind.items.what.en}"
    early = "; ahead 可提前" if kind.ahead else "; early 期初即可" if kind.early else ""
    period = f"{period_words(kind)}{early}"
    cells = (f"`{kind.id}`", kind.zh, units, period, place_words(kind), items, plausible(kind))
    assert f"| {' | '.join(cells)} |" in PAGE


def test_items_facts_columns_purposes_and_sheets() -> None:
    for items in ITEMS:
        for item, name in items.names.items():
            assert f"`{item}` {name.zh}" in PAGE
    for fact in FACTS.values():
        assert fact.zh.partition("（")[0] in PAGE
    for column in COLUMNS:
        assert column.zh.partition("（")[0] in PAGE
    for purpose in PURPOSES:
        assert f"`{purpose}`" in PAGE
    for sheet in SHEETS.values():
        assert f"### {sheet}" in PAGE
