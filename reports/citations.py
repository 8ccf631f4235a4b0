"""What a figure stands on, as a report keeps it: rules, entries, documents, meters, batches."""

from datetime import date
from typing import Literal

from pydantic import Field

from drivers.config import Strict
from drivers.model import Kind
from drivers.quantities import quantities
from reports.values import Number, Text


class SourceText(Strict):
    """A legal text."""

    title: str
    issuer: str
    published: date | None
    where: str


class DocumentUse(Strict):
    """A file and its SHA-256."""

    name: str
    sha256: str


class OverlayUse(Strict):
    """Who of the plant entered a rule value, who checked it, when, against which document."""

    entered_by: str
    checked_by: str
    checked_on: date
    file: str  # of the overlay
    document: DocumentUse
    replaces_official: str = ""  # the reason, where it stands in for an official value

    @property
    def text(self) -> Text:
        """One sentence for people."""
        digest, why = self.document.sha256[:16], self.replaces_official
        return Text(
            zh=f"由本厂{self.entered_by}录入、{self.checked_by}核对于 {self.checked_on}，"
            f"依据 {self.document.name}（sha256 {digest}…）"
            + (f"；取代官方值，理由：{why}" if why else ""),
            en=f"entered by {self.entered_by} and checked by {self.checked_by} of the plant on "
            f"{self.checked_on}, from {self.document.name} (sha256 {digest}…)"
            + (f"; replaces the official value because: {why}" if why else ""),
        )


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
    confirmed: Literal["official", "secondary", "unverified", "site"]
    seen: str
    seen_zh: str = ""
    overlay: OverlayUse | None = None  # of a value that the plant entered itself ("site")

    @property
    def read(self) -> Text:
        """Where the value was read, and who of the plant checked it."""
        seen = Text(zh=self.seen_zh or self.seen, en=self.seen)
        if self.overlay is None:
            return seen
        more = self.overlay.text
        return Text(zh=f"{more.zh}。{seen.zh}", en=f"{more.en}. {seen.en}")


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
    item: str = ""
    more: dict[str, str] = Field(default_factory=dict)
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
    """A counter, or a gauge, over the period: what is known of it and from where."""

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

    @property
    def is_gauge(self) -> bool:
        """True for what is measured at a moment: it has no register and counts nothing up."""
        known = quantities().get(self.quantity)
        return known is not None and known.kind is not Kind.COUNTER


class AbsentUse(Strict):
    """A legal value that nobody could read yet: the text to open, and the overlay key to fill."""

    id: str  # pack.parameter
    label: Text
    unit: str
    source: SourceText
    locator: str


class LodgedUse(Strict):
    """What was handed in for the same period before: version, receipt of the platform, day."""

    version: int
    content_sha256: str
    receipt: str
    on: date
    author: str
    first_on: date | None = None  # day of the first lodging of that period: in time by it
