"""From a table to the ledger: what would change, and every refusal with its row, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.ledger import Document, Entry, Figure, Key, Ledger
from reports.entries.reading import Reader, RowError
from reports.entries.table import TableRow, place, read_table
from reports.lodgings import Lodging, Lodgings
from reports.site import Site


class Status(StrEnum):
    """What importing a row would do."""

    NEW = "new"
    SAME = "same"  # there already, nothing to do
    DIFFERS = "differs"  # there with another value: a revision
    AGAIN = "again"  # it was withdrawn, and comes back


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row as a figure, and the entry of the ledger that it meets."""

    figure: Figure
    status: Status
    entry: Entry | None = None  # the one that counts, or the withdrawal


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that cannot be taken, and why, column by column."""

    row: TableRow
    error: RowError

    @property
    def text(self) -> str:
        return f"{self.row.where}{say('：', ': ')}{self.error}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a table would change; ``files`` are the documents it names, by SHA-256."""

    source: Document
    proposals: tuple[Proposal, ...]
    files: dict[str, Path]
    ignored: tuple[str, ...]  # sheets without figures
    unfilled: tuple[TableRow, ...]  # rows of the template nobody filled in

    def of(self, status: Status) -> list[Proposal]:
        return [each for each in self.proposals if each.status is status]

    @property
    def changing(self) -> list[Figure]:
        """What would go into the ledger."""
        return [each.figure for each in self.proposals if each.status is not Status.SAME]


def read_figures(path: Path, site: Site, ledger: Ledger, now: datetime) -> list[Figure]:
    """
    The new figures of a table; rows that are there already with the same value are left out.

    Raises ConfigError with every refused row, those that differ from the ledger among them.
    """
    preview = preview_import(path, site, ledger, now)
    refuse(path, differing(preview))
    return preview.changing


def preview_import(path: Path, site: Site, ledger: Ledger, now: datetime) -> Preview:
    """What the table would change. Raises ConfigError with every row that cannot be read."""
    preview, refused = look_at(path, site, ledger, now)
    refuse(path, [each.text for each in refused])
    return preview


def look_at(
    path: Path, site: Site, ledger: Ledger, now: datetime
) -> tuple[Preview, tuple[Refused, ...]]:
    """
    What the good rows would change, and the rows that are refused: one of them stops them all.

    Raises ConfigError for a file that is no such table, or that was imported before.
    """
    table = read_table(path)
    source = Document.of(path)
    _refuse_twice(path, source, ledger)
    reader = Reader(site, now, path.parent, source)
    current = ledger.current()
    last = {entry.figure.key: entry for entry in ledger.entries}
    near: dict[_Place, list[Entry]] = {}
    for entry in current.values():
        near.setdefault(_place(entry.figure), []).append(entry)
    found: list[Proposal] = []
    earlier: dict[_Place, list[Figure]] = {}
    refused: list[Refused] = []
    for row in table.rows:
        if row.asked:
            continue
        try:
            figure = reader.figure(row)
            where = _place(figure)
            _refuse_overlap(figure, earlier.get(where, []), near.get(where, []))
            earlier.setdefault(where, []).append(figure)
            found.append(_proposal(figure, current, last))
        except RowError as error:
            refused.append(Refused(row, error))
    preview = Preview(
        source=source,
        proposals=tuple(found),
        files=reader.files,
        ignored=table.ignored,
        unfilled=tuple(row for row in table.rows if row.asked),
    )
    return preview, tuple(refused)


def refuse(path: Path, problems: Sequence[str]) -> None:
    """Raises ConfigError when there are any: then nothing at all is imported."""
    if problems:
        colon = say("：", ": ")
        nothing = f"{path}{colon}{say('没有导入任何数据', 'nothing was imported')}"
        raise ConfigError([*(f"{path}{colon}{problem}" for problem in problems), nothing])


def differing(preview: Preview) -> list[str]:
    """The rows that only a revision may bring in."""
    return [
        f"{place(each.figure.sheet, each.figure.row)}{say('：', ': ')}{_taken(each)}"
        for each in preview.of(Status.DIFFERS)
    ]


def sealed(preview: Preview, lodgings: Lodgings) -> list[str]:
    """The rows that would change what was lodged."""
    found = []
    for figure in preview.changing:
        lodging = lodgings.seal(figure.kind, figure.period)
        if lodging is not None:
            where = place(figure.sheet, figure.row)
            found.append(f"{where}{say('：', ': ')}{sealed_text(figure, lodging)}")
    return found


def sealed_text(figure: Figure, lodging: Lodging) -> str:
    """Who lodged it, when, under which receipt, and what to do."""
    return say(
        f"{figure.line} {figure.kind.zh} {figure.period}：{lodging.period} 的 {lodging.report} "
        f"第 {lodging.version} 版已由 {lodging.author} 于 {lodging.on} 存证"
        f"（回执 {lodging.receipt}），数据已封存；确需更正请加 --reissue，"
        "然后重新生成报告（新版本将列出差异）并再次存证",
        f"{figure.kind.id} of {figure.line} for {figure.period}: {lodging.report} "
        f"{lodging.period} version {lodging.version} was lodged on {lodging.on} by "
        f"{lodging.author} (receipt {lodging.receipt}) and is sealed; to correct it add "
        "--reissue, then make the report again (the new version lists the difference) and lodge it",
    )


def _refuse_twice(path: Path, source: Document, ledger: Ledger) -> None:
    before = [e for e in ledger.entries if e.figure.source and e.figure.source == source]
    if not before:
        return
    first, last = before[0], before[-1]
    moment = f"{first.time:%Y-%m-%d %H:%M}"
    raise ConfigError(
        [
            say(
                f"{path}：此文件已由 {first.author} 于 {moment} 导入"
                f"（第 {first.number}–{last.number} 条）",
                f"{path}: this very file was imported on {moment} by {first.author} "
                f"(entries {first.number}-{last.number})",
            )
        ]
    )


def _proposal(figure: Figure, current: dict[Key, Entry], last: dict[Key, Entry]) -> Proposal:
    entry = current.get(figure.key)
    if entry is not None:
        same = _says_the_same(figure, entry.figure)
        return Proposal(figure, Status.SAME if same else Status.DIFFERS, entry)
    withdrawn = last.get(figure.key)
    return Proposal(figure, Status.NEW if withdrawn is None else Status.AGAIN, withdrawn)


def _says_the_same(figure: Figure, old: Figure) -> bool:
    """The same amount and facts, and nothing beside them that the ledger does not know yet."""
    beside = ((figure.voucher, old.voucher), (figure.note, old.note))
    return (
        figure.amount == old.amount
        and figure.more == old.more
        and all(new in {"", known} for new, known in beside)
        and (figure.document is None or figure.document == old.document)
    )


_Place = tuple[str, str, str]  # kind, line, item


def _place(figure: Figure) -> _Place:
    return figure.kind.id, figure.line, figure.item


def _refuse_overlap(figure: Figure, earlier: list[Figure], current: list[Entry]) -> None:
    """
    Raises RowError for the same figure twice in the table, or a day inside a month.

    ``earlier`` and ``current`` are those of the same kind, line and item.
    """
    for other in earlier:
        if _overlap(figure, other):
            where = place(other.sheet if other.sheet != figure.sheet else "", other.row)
            raise RowError(
                say(
                    f"与{where}重复：{figure.line} {figure.kind.zh} {figure.item} "
                    f"{other.period} 与 {figure.period}",
                    f"duplicate of {where}: {figure.kind.id} {figure.item} of {figure.line} "
                    f"for {other.period} and {figure.period}",
                )
            )
    for entry in current:
        if entry.figure.key != figure.key and _overlap(figure, entry.figure):
            raise RowError(_overlapping(figure, entry))


def _overlap(one: Figure, other: Figure) -> bool:
    return one.period.first < other.period.after and other.period.first < one.period.after


def _overlapping(figure: Figure, entry: Entry) -> str:
    withdraw = f"smelter entries revise {entry.number} --withdraw"
    return say(
        f"{figure.line} {figure.kind.zh}已有 {entry.figure.period} 的数据"
        f"（第 {entry.number} 条），日与月不能重叠；先撤回：{withdraw}",
        f"{figure.kind.id} of {figure.line} is already entered for {entry.figure.period} "
        f"(entry {entry.number}), days and months must not overlap; "
        f"withdraw it first: {withdraw}",
    )


def _taken(proposal: Proposal) -> str:
    figure, entry = proposal.figure, proposal.entry
    if entry is None:
        raise ValueError("it differs from nothing")
    stated = f"{entry.figure.value} {entry.figure.unit}"
    return say(
        f"{figure.line} {figure.kind.zh} {figure.period} 已是第 {entry.number} 条（{stated}），"
        f"表中为 {figure.value} {figure.unit}；更正请加 --revise，"
        f"或 smelter entries revise {entry.number}",
        f"{figure.kind.id} of {figure.line} for {figure.period} is entry {entry.number} "
        f"({stated}), the table says {figure.value} {figure.unit}; to correct it add --revise, "
        f"or: smelter entries revise {entry.number}",
    )
