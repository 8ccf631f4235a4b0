"""
What a report is: figures with formula, inputs, citations and coverage – data first, paper later.

The schema is versioned (``SCHEMA``) and kept as ``docs/report-schema.json``. Texts for people come
in both languages, so that one report.json renders in either.
"""

import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from drivers.config import Strict
from reports.chapters import Chapter
from reports.citations import (
    AbsentUse,
    EntryUse,
    LegalUse,
    LodgedUse,
    MeterUse,
    SourceText,
)
from reports.plan.plan import Plan
from reports.values import Number, Text

SCHEMA = "smelter.report/2"
# Duties that are met by lodging the report itself.
LODGED_BY = {"carbon-monthly": "lodge", "carbon-annual": "report", "quality-plan": "plan"}


class How(StrEnum):
    """How a figure was obtained."""

    METERED = "metered"
    ENTERED = "entered"
    COMPUTED = "computed"
    DEFAULT = "default"  # computed with default factors instead of measurements
    SUM = "sum"
    SUBSTITUTED = "substituted"  # a missing input was replaced by the method a rule prescribes
    NONE = "none"  # nothing configured and nothing entered: not stated
    MISSING = "missing"  # it is needed, and it is not there


class Section(StrEnum):
    """Part of the report a line belongs to."""

    PROCESS = "process"
    ENTERPRISE = "enterprise"
    AUXILIARY = "auxiliary"
    INTERNATIONAL = "international"
    ALLOWANCE = "allowance"
    CBAM = "cbam"
    ENERGY = "energy"
    EMISSIONS = "emissions"  # of stacks
    CHECK = "check"  # a second source of a figure
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

    ``id`` is ``scope.name``, or ``scope.name@2026-03`` for a month inside the report of a year.
    ``sum_of_rounded`` stands beside a sum, since a rule may want the one or the other.
    ``substituted`` is the share of the period, 0 to 1, whose input was replaced by ``method``.
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
    method: str = ""  # code of the rule's method: which of several ways, or how it was substituted
    substituted: Number | None = None
    inputs: tuple[Input, ...] = ()
    coverage: Coverage | None = None
    missing: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()


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
    """A text to open before the report may be relied upon, and the values alike in confirmation."""

    source: SourceText
    parameters: tuple[Text, ...]
    confirmed: Literal["secondary", "unverified"]  # each of them


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
    """A month (``2026-10``) or a year (``2026``), [start, end) in plant time."""

    name: str
    start: str
    end: str


class DutyUse(Strict):
    """Something the plant must do by a day; ``legal`` is the rule that says so."""

    id: str
    text: Text
    due: date  # the last day
    legal: str


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
    duties: tuple[DutyUse, ...] = ()
    absent: tuple[AbsentUse, ...] = ()
    headline: tuple[str, ...]  # ids of the lines a person wants to know first
    lines: tuple[Line, ...]
    chapters: tuple[Chapter, ...]  # what is printed, in order
    legals: tuple[LegalUse, ...]
    entries: tuple[EntryUse, ...]
    meters: tuple[MeterUse, ...]
    packs: dict[str, str]  # name -> SHA-256
    ledger: LedgerUse
    journal: LedgerUse | None = None  # of reports that stand on it
    series: str  # store the windows came from
    plan: Plan | None = None  # of a quality-plan report: what it lays down, as data

    def line(self, identity: str) -> Line:
        """Raises KeyError."""
        for line in self.lines:
            if line.id == identity:
                return line
        raise KeyError(identity)

    def reasons(self) -> dict[Text, list[str]]:
        """
        What is missing, each reason once, with the ids of the lines it stops.

        A month inside a year is not named beside the year that the same reason stops.
        """
        found: dict[Text, list[str]] = {}
        for identity in self.missing:
            for text in self.line(identity).missing:
                found.setdefault(text, []).append(identity)
        return {
            text: [x for x in stopped if "@" not in x or x.partition("@")[0] not in stopped]
            for text, stopped in found.items()
        }

    def digest(self) -> str:
        """SHA-256 of the canonical JSON of this content."""
        return digest_of(self.model_dump(mode="json"))


class Change(Strict):
    """One difference to an earlier version; ``why`` names the entries and people behind it."""

    what: Literal["line", "legal", "entry", "meter", "table", "other"]
    ref: str
    label: Text | None = None  # in words; None = the name of what ``ref`` names
    before: Number | Text | str | None
    after: Number | Text | str | None
    exact_before: Number | None = None  # of a line, where ``before`` is rounded
    exact_after: Number | None = None
    why: Text | None = None


class Report(Strict):
    """A version of a report as it lies on disk."""

    schema_: str = Field(default=SCHEMA, alias="schema")
    version: int
    previous_sha256: str  # content of the version before, "" for the first
    changes: tuple[Change, ...]
    written: date  # plant day on which this version was first made; days left count from it
    lodged: LodgedUse | None = None  # what was handed in for this period before
    since_lodged: tuple[Change, ...] = ()  # how this version differs from that
    site: str  # site file, relative to the report
    content_sha256: str
    content: Content

    def met(self, duty: DutyUse) -> date | None:
        """The day on which a duty was first met by lodging an earlier version; None when not."""
        if self.lodged is None or LODGED_BY.get(self.content.report) != duty.id:
            return None
        return self.lodged.first_on or self.lodged.on

    def text(self) -> str:
        """The file: canonical key order, one value per line, newline at the end."""
        table = self.model_dump(mode="json", by_alias=True)
        return json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 of the ``content`` of a report, as its file has it."""
    return hashlib.sha256(canonical(content)).hexdigest()


def canonical(table: dict[str, Any]) -> bytes:
    """JSON with sorted keys and without spaces, UTF-8: what is hashed."""
    text = json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
