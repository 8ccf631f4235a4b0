"""
What a report prints: chapters of blocks, in both languages, in the order of the page.

A block names lines of the report by id, or holds a table of its own. XLSX, PDF and page are made
from these; a maker of a report says here what a reader sees, and never how it looks.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from drivers.config import Strict
from reports.pictures import Chart
from reports.values import Number, Text


class Signed(Strict):
    """A number with the signs of what it is: ``of`` is the id of a line or of a rule."""

    of: str
    value: Number | None


Cell = Number | Text | Signed | str | None  # None = not there


class Paragraph(Strict):
    """Running text."""

    block: Literal["paragraph"] = "paragraph"
    text: Text
    tone: Literal["plain", "note", "warning"] = "plain"


class Facts(Strict):
    """Names and values beside one another."""

    block: Literal["facts"] = "facts"
    facts: tuple[tuple[Text, Text | Signed | str], ...]


class Grid(Strict):
    """
    Places down, figures across: lines ``place.name``.

    ``sums`` adds a row with the sums of the rounded figures of the places above the last one.
    """

    block: Literal["grid"] = "grid"
    title: Text | None = None
    places: tuple[tuple[str, Text], ...]  # scope id and its name; the last one may be the total
    names: tuple[str, ...]
    sums: bool = False


class Months(Strict):
    """Figures down, months and the year across: the lines ``id@month`` and ``id``."""

    block: Literal["months"] = "months"
    title: Text | None = None
    lines: tuple[str, ...]  # ids without month
    months: tuple[str, ...]


class Details(Strict):
    """Lines one after the other, with formula, inputs, coverage, notes."""

    block: Literal["details"] = "details"
    title: Text | None = None
    lines: tuple[str, ...]


class Column(Strict):
    """Head of a column; ``total`` adds its numbers up below (a live sum in the workbook)."""

    label: Text
    unit: str = ""
    decimals: int | None = None  # of numbers; None = as many as each has
    total: bool = False
    width: int = 16  # in characters, about


SHEET = "sheet-"  # ids of tables that are too long for paper: in workbook and JSON only


class Table(Strict):
    """Rows that are no lines: instruments, cross-checks, deadlines, differences."""

    block: Literal["table"] = "table"
    id: str  # what versions are compared by; the sheet is named by the title
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()  # a last row that is stated, where no column is summed
    note: Text | None = None

    @property
    def on_paper(self) -> bool:
        """False for one that is too long to be printed."""
        return not self.id.startswith(SHEET)


class Standard(Strict):
    """A part that every report shows in the same way, from the report's own lists."""

    block: Literal["standard"] = "standard"
    part: Literal[
        "potlines", "legals", "absent", "entries", "meters", "changes", "duties", "signatures"
    ]


Block = Annotated[
    Paragraph | Facts | Grid | Months | Details | Table | Chart | Standard,
    Field(discriminator="block"),
]


class Chapter(Strict):
    """A numbered heading and its blocks; ``front`` stands before the first page break."""

    title: Text
    front: bool = False
    blocks: tuple[Block, ...]


def days_left(due: date, today: date) -> int:
    """Days until the end of ``due``; 0 on the day itself, negative when it has passed."""
    return (due - today).days
