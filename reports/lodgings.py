"""
What was handed in, when, and under which receipt: ``lodgings.jsonl`` beside the ledger of entries.

Append-only and hash-chained like the ledger; a copy of each lodged report lies in ``lodged/``
beside it, named by its digest, so that it stays readable whatever becomes of the original.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lodging:
    """One handing-in of one version of a report."""

    number: int
    report: str  # carbon-monthly …
    period: str  # 2026-10, 2026
    version: int
    content_sha256: str
    file: str  # name of the report file
    receipt: str  # what the platform answered
    on: date  # the day it was handed in, plant time
    author: str
    time: datetime  # when this was recorded
    note: str = ""
    prev: str = ""

    def text(self) -> str:
        """The line of the file, without newline."""
        raise NotImplementedError

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Lodgings:
    """All of a plant, oldest first; ``folder`` holds the copies."""

    folder: Path
    lodgings: tuple[Lodging, ...] = ()

    def latest(self, report: str, period: str) -> Lodging | None:
        """The newest one of that report and period."""
        fitting = [x for x in self.lodgings if (x.report, x.period) == (report, period)]
        return fitting[-1] if fitting else None


def read_lodgings(ledger: Path) -> Lodgings:
    """Those beside the ledger of entries; none when nothing was ever lodged."""
    return Lodgings(ledger.parent / "lodged")
