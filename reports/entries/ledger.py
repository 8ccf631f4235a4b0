"""
The ledger of entered figures, ``entries.jsonl``: append-only and hash-chained.

A figure is never overwritten: a revision is a new line that names the one it takes the place of.
Import is all or nothing: the new ledger is written beside the old one, synced, and renamed, under a
lock that other processes respect (``reports/chain.py``).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from reports.chain import NO_HASH, canonical_line, line_hash, locked, read_chain, write_chain
from reports.entries.kinds import KINDS, EntryKind
from reports.periods import PLANT_TIME, Period

Key = tuple[str, str, Period, str]  # kind, line, period, item


@dataclass(frozen=True, slots=True)
class Document:
    """A file that proves a figure: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Document":
        return cls(path.name, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True, slots=True)
class Figure:
    """What a person states; ``value`` and ``unit`` as written. No value = withdrawn."""

    kind: EntryKind
    line: str
    period: Period
    value: Decimal | None
    unit: str
    voucher: str = ""  # number of the paper document
    note: str = ""
    document: Document | None = None
    source: Document | None = None  # the table it was imported from …
    sheet: str = ""
    row: int = 0  # … and where in it
    item: str = ""  # which fuel, carbonate, instrument … where a kind has several
    more: tuple[tuple[str, str], ...] = ()  # further facts by name: sample …

    @property
    def key(self) -> Key:
        return self.kind.id, self.line, self.period, self.item

    def fact(self, name: str) -> str:
        """A further fact by name, "" when it was not given."""
        return dict(self.more).get(name, "")

    @property
    def amount(self) -> Decimal:
        """The value in the unit of the kind. Only for a figure that was not withdrawn."""
        if self.value is None:
            raise ValueError(f"{self.kind.id} {self.line} {self.period} was withdrawn")
        return self.value * self.kind.units[self.unit]


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure in the ledger: numbered from 1, with author, reason and time."""

    number: int
    figure: Figure
    author: str
    reason: str
    time: datetime
    revises: int | None
    prev: str

    def text(self) -> str:
        """The line of the ledger, without newline. The same entry always gives the same bytes."""
        figure = self.figure
        table: dict[str, Any] = {
            "n": self.number,
            "prev": self.prev,
            "time": self.time.astimezone(PLANT_TIME).isoformat(timespec="seconds"),
            "author": self.author,
            "reason": self.reason,
            "kind": figure.kind.id,
            "line": figure.line,
            "period": str(figure.period),
            "value": None if figure.value is None else format(figure.value, "f"),
            "unit": figure.unit,
        }
        table |= {
            key: value
            for key, value in (
                ("voucher", figure.voucher),
                ("note", figure.note),
                ("document", _document(figure.document)),
                ("source", _document(figure.source)),
                ("sheet", figure.sheet),
                ("row", figure.row),
                ("item", figure.item),
                ("more", dict(figure.more)),
                ("revises", self.revises),
            )
            if value
        }
        return canonical_line(table)

    @property
    def hash(self) -> str:
        return line_hash(self.text())


def _document(document: Document | None) -> dict[str, str] | None:
    return None if document is None else {"name": document.name, "sha256": document.sha256}


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries of a plant, oldest first."""

    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> str:
        """Hash of the last line: whoever keeps it can tell later that nothing was changed."""
        return self.entries[-1].hash if self.entries else NO_HASH

    def current(self) -> dict[Key, Entry]:
        """The entries that count: not revised, not withdrawn, by kind, line, period and item."""
        last = {entry.figure.key: entry for entry in self.entries}
        return {key: entry for key, entry in last.items() if entry.figure.value is not None}

    def added(
        self,
        figures: list[Figure],
        *,
        author: str,
        reason: str,
        time: datetime,
    ) -> "Ledger":
        """The longer ledger, with ``figures`` at its end; one that is there already is revised."""
        entries, current = list(self.entries), self.current()
        prev = self.head
        for figure in figures:
            old = current.get(figure.key)
            revises = None if old is None else old.number
            made = Entry(len(entries) + 1, figure, author, reason, time, revises, prev)
            entries.append(made)
            prev = made.hash
        return Ledger(tuple(entries))


def read_ledger(path: Path) -> Ledger:
    """
    The ledger of ``path``; empty when there is no file yet.

    Raises ConfigError naming the line when the chain is broken or a line is not ours.
    """
    return Ledger(read_chain(path, _entry))


def _entry(table: dict[str, Any]) -> Entry:
    document, source = (
        Document(**table[key]) if table.get(key) else None for key in ("document", "source")
    )
    figure = Figure(
        kind=KINDS[table["kind"]],
        line=table["line"],
        period=Period.parse(table["period"]),
        value=None if table["value"] is None else Decimal(table["value"]),
        unit=table["unit"],
        voucher=table.get("voucher", ""),
        note=table.get("note", ""),
        document=document,
        source=source,
        sheet=table.get("sheet", ""),
        row=table.get("row", 0),
        item=table.get("item", ""),
        more=tuple(table.get("more", {}).items()),
    )
    return Entry(
        number=table["n"],
        figure=figure,
        author=table["author"],
        reason=table["reason"],
        time=datetime.fromisoformat(table["time"]),
        revises=table.get("revises"),
        prev=table["prev"],
    )


def change_ledger(path: Path, change: Callable[[Ledger], Ledger]) -> Ledger:
    """
    ``change`` the ledger of ``path`` as one step that happens wholly or not at all.

    ``change`` gets the ledger as it is under the lock and returns the longer one, or raises.
    """
    with locked(path):
        before = read_ledger(path)
        after = change(before)
        if after.entries[: len(before.entries)] != before.entries:
            raise ValueError("a ledger only grows")
        if after != before:
            write_chain(path, after.entries)
    return after
