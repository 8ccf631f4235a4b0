"""
What was handed in, when, and under which receipt: ``lodgings.jsonl`` beside the ledger of entries.

Append-only and hash-chained like the ledger; a copy of each lodged report lies in ``lodged/``
beside it, named by its digest, so that it stays readable whatever becomes of the original. What was
lodged is sealed: its figures change only on purpose (``--reissue``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.chain import (
    NO_HASH,
    canonical_line,
    line_hash,
    locked,
    read_chain,
    write_chain,
    write_whole,
)
from reports.entries.kinds import EntryKind, Group
from reports.periods import PLANT_TIME, Period

# Which entries of its period a lodged report holds fast; second sources may still come later.
_PROCESS: Final = frozenset({Group.MONTHLY, Group.LABORATORY})
SEALS: Final[Mapping[str, frozenset[Group]]] = {
    "carbon-monthly": _PROCESS,
    "carbon-annual": _PROCESS,
    "verification": _PROCESS | {Group.CROSSCHECK},
    "international": _PROCESS | {Group.ABROAD},
    "cbam": _PROCESS | {Group.ABROAD, Group.CBAM},
    "allowance": frozenset({Group.YEARLY}),
}


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
    backdated: str = ""  # why a day before the report was written is recorded
    prev: str = ""

    def text(self) -> str:
        """The line of the file, without newline."""
        table: dict[str, Any] = {
            "n": self.number,
            "prev": self.prev,
            "time": self.time.astimezone(PLANT_TIME).isoformat(timespec="seconds"),
            "report": self.report,
            "period": self.period,
            "version": self.version,
            "content_sha256": self.content_sha256,
            "file": self.file,
            "receipt": self.receipt,
            "on": self.on.isoformat(),
            "author": self.author,
        }
        said = {"note": self.note, "backdated": self.backdated}
        return canonical_line(table | {key: text for key, text in said.items() if text})

    @property
    def recorded(self) -> date:
        """The plant day on which it was recorded."""
        return self.time.astimezone(PLANT_TIME).date()

    @property
    def hash(self) -> str:
        return line_hash(self.text())

    def seals(self, kind: EntryKind, period: Period) -> bool:
        """True when an entry of that kind and period went into what was lodged."""
        whole = Period.parse(self.period)
        inside = whole.first <= period.first and period.after <= whole.after
        return inside and kind.group in SEALS.get(self.report, frozenset())


@dataclass(frozen=True, slots=True)
class Lodgings:
    """All of a plant, oldest first; ``folder`` holds the copies."""

    folder: Path
    lodgings: tuple[Lodging, ...] = ()

    def latest(self, report: str, period: str) -> Lodging | None:
        """The newest one of that report and period."""
        fitting = [x for x in self.lodgings if (x.report, x.period) == (report, period)]
        return fitting[-1] if fitting else None

    def seal(self, kind: EntryKind, period: Period) -> Lodging | None:
        """The newest lodging that holds entries of that kind and period fast."""
        fitting = [lodging for lodging in self.lodgings if lodging.seals(kind, period)]
        return fitting[-1] if fitting else None

    def copy(self, lodging: Lodging) -> Path:
        """Where the lodged report is kept."""
        return self.folder / f"{lodging.content_sha256}.json"


def read_lodgings(ledger: Path) -> Lodgings:
    """
    Those beside the ledger of entries; none when nothing was ever lodged.

    Raises ConfigError when the chain is broken.
    """
    return Lodgings(ledger.parent / "lodged", read_chain(_file(ledger), _lodging))


def lodge(ledger: Path, lodging: Lodging, copy: bytes) -> Lodging:
    """
    Record ``lodging`` beside ``ledger`` and keep ``copy``, the report file as it was handed in.

    Its ``number`` and ``prev`` are set here. Raises ConfigError when the same report, or a later
    version, was lodged for that period before.
    """
    file = _file(ledger)
    with locked(file):
        before = read_lodgings(ledger)
        latest = before.latest(lodging.report, lodging.period)
        if latest is not None:
            _refuse_older(lodging, latest)
        whole = before.lodgings
        prev = whole[-1].hash if whole else NO_HASH
        made = replace(lodging, number=len(whole) + 1, prev=prev)
        kept = before.copy(made)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, copy)
        write_chain(file, [*whole, made])
    return made


def _refuse_older(lodging: Lodging, latest: Lodging) -> None:
    if lodging.content_sha256 == latest.content_sha256:
        raise ConfigError(
            [
                say(
                    f"{lodging.file}：该内容已由 {latest.author} 于 {latest.on} 存证"
                    f"（回执 {latest.receipt}）",
                    f"{lodging.file}: this content was lodged on {latest.on} by {latest.author} "
                    f"(receipt {latest.receipt})",
                )
            ]
        )
    if lodging.version <= latest.version:
        raise ConfigError(
            [
                say(
                    f"{lodging.file}：第 {lodging.version} 版不晚于已存证的第 {latest.version} 版"
                    f"（{latest.on}，回执 {latest.receipt}）；请在原报告文件夹重新生成后存证新版本",
                    f"{lodging.file}: version {lodging.version} is not newer than version "
                    f"{latest.version}, lodged on {latest.on} (receipt {latest.receipt}); make the "
                    "report again in the folder of that version and lodge the new one",
                )
            ]
        )


def _file(ledger: Path) -> Path:
    return ledger.parent / "lodgings.jsonl"


def _lodging(table: dict[str, Any]) -> Lodging:
    return Lodging(
        number=table["n"],
        report=table["report"],
        period=table["period"],
        version=table["version"],
        content_sha256=table["content_sha256"],
        file=table["file"],
        receipt=table["receipt"],
        on=date.fromisoformat(table["on"]),
        author=table["author"],
        time=datetime.fromisoformat(table["time"]),
        note=table.get("note", ""),
        backdated=table.get("backdated", ""),
        prev=table["prev"],
    )
