"""
What a report is: figures with formula, inputs, citations and coverage – data first, paper later.

The schema is versioned (``SCHEMA``) and kept as ``docs/report-schema.json``. Texts for people come
in both languages, so that one report.json renders in either.
"""

import hashlib
import json
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer

from drivers.config import Strict

SCHEMA = "smelter.report/1"

# Decimal inside; in JSON a plain number, the shortest that reads back the same float.
Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="always")]


class Text(Strict):
    """The same sentence in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class How(StrEnum):
    """How a figure was obtained."""

    METERED = "metered"
    ENTERED = "entered"
    COMPUTED = "computed"
    DEFAULT = "default"  # computed with default factors instead of measurements
    SUM = "sum"
    NONE = "none"  # nothing configured and nothing entered: not stated
    MISSING = "missing"  # it is needed, and it is not there


class Section(StrEnum):
    """Part of the report a line belongs to."""

    PROCESS = "process"
    AUXILIARY = "auxiliary"
    INFORMATION = "information"


class Input(Strict):
    """One input of a line; ``ref`` is an id of the list that ``kind`` names."""

    name: str
    kind: Literal["legal", "entry", "meter", "line", "site"]
    ref: str
    value: Number | None
    unit: str


class Coverage(Strict):
    """How much of the period the inputs cover, ``share`` from 0 to 1."""

    share: Number
    text: Text


class Line(Strict):
    """
    One figure: ``value`` exact, ``rounded`` as it is reported; None = missing, and why.

    ``sum_of_rounded`` stands beside a sum, since a rule may want the one or the other.
    """

    id: str
    scope: str  # potline id, or "plant"
    section: Section
    label: Text
    unit: str
    decimals: int
    how: How
    value: Number | None
    rounded: Number | None
    sum_of_rounded: Number | None = None
    formula: str = ""
    equation: str = ""
    inputs: tuple[Input, ...] = ()
    coverage: Coverage | None = None
    missing: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()


class SourceText(Strict):
    """A legal text."""

    title: str
    issuer: str
    published: date
    where: str


class LegalUse(Strict):
    """A rule parameter that was used, with its citation."""

    id: str
    pack: str
    label: Text
    value: Number | str
    unit: str
    applies_from: date
    source: SourceText
    locator: str
    confirmed: Literal["official", "secondary", "unverified"]
    seen: str


class DocumentUse(Strict):
    """A file and its SHA-256."""

    name: str
    sha256: str


class EntryUse(Strict):
    """An entered figure that was used."""

    number: int
    label: Text
    kind: str
    line: str
    period: str
    value: Number
    unit: str
    author: str
    reason: str
    time: str
    voucher: str = ""
    document: DocumentUse | None = None
    source: DocumentUse | None = None
    sheet: str = ""
    row: int = 0
    revises: int | None = None
    hash: str


class RegisterUse(Strict):
    """A reading of a meter and the batch it lies in."""

    time: str  # end of the window, plant time
    window_ns: int
    last: Number
    raw: str
    gateway: str
    log: str
    seq: int


class GapUse(Strict):
    """A stretch without increments; ``amount`` is what the register tells, None = unknown."""

    start: str
    end: str
    reason: str
    amount: Number | None
    split: bool


class EventUse(Strict):
    """An event of a meter in the period."""

    kind: str
    start: str
    end: str | None
    text: str
    amount: Number | None


class BatchUse(Strict):
    """Batches of one log that hold the windows."""

    gateway: str
    log: str
    first_seq: int
    last_seq: int
    batches: int
    windows: int


class MeterUse(Strict):
    """A counter over the period: what is known of it and from where."""

    id: str
    equipment: str
    quantity: str
    unit: str
    total: Number | None
    period_s: int
    measured_s: Number
    bridged_s: Number
    unknown_s: Number
    windows: int
    doubles: int
    conflicts: int
    begin: RegisterUse | None
    end: RegisterUse | None
    gaps: tuple[GapUse, ...]
    more_gaps: int
    events: tuple[EventUse, ...]
    batches: tuple[BatchUse, ...]


class PotlineUse(Strict):
    """Master data of an electrolysis process as the site file states them."""

    id: str
    name: Text
    process: str
    capacity_t_per_year: Number
    design_current_ka: Number
    design_voltage_v: Number
    pots: int
    rectifiers: int
    days: int  # days of the period on which it ran


class Stamp(Strict):
    """A text that a person must open before the report may be relied upon."""

    source: SourceText
    parameters: tuple[Text, ...]
    confirmed: Literal["secondary", "unverified"]  # the weakest among them


class Doubt(Strict):
    """A figure that can hardly be right."""

    line: str
    text: Text


class PlantUse(Strict):
    """Who reports."""

    id: str
    name: Text
    operator: Text | None
    credit_code: str
    province: str


class PeriodUse(Strict):
    """The month, [start, end) in plant time; ``lodge_by`` is the last day to lodge it."""

    month: str
    start: str
    end: str
    lodge_by: date


class LedgerUse(Strict):
    """State of the ledger that was read."""

    entries: int
    head: str


class Content(Strict):
    """Everything a report says; the same inputs give the same bytes."""

    report: str
    title: Text
    plant: PlantUse
    period: PeriodUse
    potlines: tuple[PotlineUse, ...]
    complete: bool
    missing: tuple[str, ...]  # ids of lines
    stamps: tuple[Stamp, ...]
    warnings: tuple[Doubt, ...]
    lines: tuple[Line, ...]
    legals: tuple[LegalUse, ...]
    entries: tuple[EntryUse, ...]
    meters: tuple[MeterUse, ...]
    packs: dict[str, str]  # name -> SHA-256
    ledger: LedgerUse
    series: str  # store the windows came from

    def line(self, identity: str) -> Line:
        """Raises KeyError."""
        for line in self.lines:
            if line.id == identity:
                return line
        raise KeyError(identity)

    def reasons(self) -> dict[Text, list[str]]:
        """What is missing, each reason once, with the ids of the lines it stops."""
        found: dict[Text, list[str]] = {}
        for identity in self.missing:
            for text in self.line(identity).missing:
                found.setdefault(text, []).append(identity)
        return found

    def digest(self) -> str:
        """SHA-256 of the canonical JSON of this content."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()


class Change(Strict):
    """One difference to the version before."""

    what: Literal["line", "legal", "entry", "meter", "other"]
    ref: str
    before: Number | str | None
    after: Number | str | None


class Report(Strict):
    """A version of a report as it lies on disk."""

    schema_: str = Field(default=SCHEMA, alias="schema")
    version: int
    previous_sha256: str  # content of the version before, "" for the first
    changes: tuple[Change, ...]
    site: str  # site file, relative to the report
    content_sha256: str
    content: Content

    def text(self) -> str:
        """The file: canonical key order, one value per line, newline at the end."""
        table = self.model_dump(mode="json", by_alias=True)
        return json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def canonical(table: dict[str, Any]) -> bytes:
    """JSON with sorted keys and without spaces, UTF-8: what is hashed."""
    text = json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
