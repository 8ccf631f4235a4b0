"""From a table to figures: every refusal with its row, all at once, and nothing half-imported."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.kinds import KINDS, EntryKind, Place, Span, find_kind
from reports.entries.ledger import Document, Entry, Figure, Ledger
from reports.entries.table import TableRow, read_table
from reports.periods import PLANT_TIME, Period
from reports.site import PLANT, Potline, Site

# Far above any real line: what exceeds it was written in kg, or for a year.
TIMES_CAPACITY = Decimal(3)
_BOUNDED = {"aluminium_tapped", "anode_consumed"}


class RowError(ValueError):
    """What is wrong with one row, in words."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads figures for one site; ``now`` tells which periods lie in the future."""

    site: Site
    now: datetime
    folder: Path  # documents are named relative to it
    source: Document | None = None

    def figure(self, row: TableRow) -> Figure:
        """Raises RowError with everything that is wrong with the row."""
        problems: list[str] = []
        kind = self._kind(row.cells, problems)
        period = self._period(row.cells, kind, problems)
        line = self._line(row.cells, kind, period, problems)
        unit = self._unit(row.cells, kind, problems)
        value = self._value(row.cells, problems)
        document = self._document(row.cells, problems)
        if problems or kind is None or period is None:
            raise RowError(" | ".join(problems))
        figure = Figure(
            kind=kind,
            line=line,
            period=period,
            value=value,
            unit=unit,
            voucher=row.cells.get("voucher", ""),
            note=row.cells.get("note", ""),
            document=document,
            source=self.source,
            sheet=row.sheet,
            row=row.row,
        )
        _plausible(figure, self.site.line(line))
        return figure

    def _kind(self, cells: dict[str, str], problems: list[str]) -> EntryKind | None:
        text = cells.get("kind", "")
        kind = find_kind(text)
        if kind is None:
            known = ", ".join(f"{known.id} {known.zh}" for known in KINDS.values())
            problems.append(
                say(f"没有项目 {text!r}；可填：{known}", f"unknown kind {text!r}; known: {known}")
            )
        return kind

    def _period(
        self, cells: dict[str, str], kind: EntryKind | None, problems: list[str]
    ) -> Period | None:
        text = cells.get("period", "")
        if kind is not None and kind.span is Span.MONTH and text.endswith("-01"):
            text = text[:7]  # a spreadsheet turns 2026-10 into the first day of October
        try:
            period = Period.parse(text)
        except ValueError:
            problems.append(
                say(
                    f"期间 {text!r} 不是月份或日期；请填 2026-10 或 2026-10-05",
                    f"period {text!r} is no month or day; write 2026-10 or 2026-10-05",
                )
            )
            return None
        if kind is not None and kind.span is Span.MONTH and not period.is_month:
            problems.append(
                say(
                    f"{kind.zh}按月填报；请填 {text[:7]}，不是 {text}",
                    f"{kind.id} is entered per month; write {text[:7]}, not {text}",
                )
            )
        early = kind is not None and kind.early
        if (period.start if early else period.end) > self.now:
            today = self.now.astimezone(PLANT_TIME).date()
            problems.append(
                say(
                    f"期间 {period} 在将来或尚未结束（今天 {today}）",
                    f"period {period} lies in the future or is not over yet (today is {today})",
                )
            )
        return period

    def _line(
        self,
        cells: dict[str, str],
        kind: EntryKind | None,
        period: Period | None,
        problems: list[str],
    ) -> str:
        text = cells.get("line", "")
        if kind is not None and kind.place is Place.PLANT:
            if text not in {PLANT, "", "全厂"}:
                problems.append(
                    say(
                        f"{kind.zh}按全厂填报；工序请填 {PLANT} 或“全厂”，不是 {text!r}",
                        f"{kind.id} is of the whole plant; write {PLANT}, not {text!r}",
                    )
                )
            return PLANT
        named = [p for p in self.site.potline if text in {p.id, p.name.zh, p.name.en, _shown(p)}]
        if not named:
            known = ", ".join(line.id for line in self.site.potline)
            problems.append(
                say(
                    f"没有工序 {text!r}；本厂有：{known}",
                    f"unknown line {text!r}; the site has: {known}",
                )
            )
            return text
        if period is not None and not named[0].runs_in(period.first, period.after):
            dates = f"{named[0].started} – {named[0].stopped or ''}"
            problems.append(
                say(
                    f"{named[0].id} 在 {period} 未运行（{dates}）",
                    f"{named[0].id} did not run in {period} ({dates})",
                )
            )
        return named[0].id

    def _unit(self, cells: dict[str, str], kind: EntryKind | None, problems: list[str]) -> str:
        text = cells.get("unit", "")
        if kind is not None and text not in kind.units:
            allowed = " / ".join(kind.units)
            problems.append(
                say(
                    f"{kind.zh}的单位 {text!r} 不对；请填 {allowed}",
                    f"wrong unit {text!r} for {kind.id}; write {allowed}",
                )
            )
        return text

    def _value(self, cells: dict[str, str], problems: list[str]) -> Decimal:
        text = cells.get("value", "").replace(" ", "")
        grouped = text.replace(",", "") if _grouped(text) else text
        try:
            value = Decimal(grouped)
        except InvalidOperation:
            value = Decimal("NaN")
        if not text:
            problems.append(
                say("缺少数值；没有数据不等于零", "value is missing, which is not zero")
            )
        elif not value.is_finite():
            problems.append(
                say(f"数值 {text!r} 不是数字", f"value {text!r} is not a number, e.g. 1234.56")
            )
        elif value < 0:
            problems.append(say(f"数值 {text} 为负", f"value {text} is negative; write 0 or more"))
        return value

    def _document(self, cells: dict[str, str], problems: list[str]) -> Document | None:
        name = cells.get("document", "")
        if not name:
            return None
        try:
            return Document.of(self.folder / name)
        except OSError:
            problems.append(
                say(
                    f"找不到凭证文件 {name!r}；请放在表格旁边",
                    f"document {name!r} is not there; put it beside the table",
                )
            )
            return None


def _shown(line: Potline) -> str:
    return f"{line.id} {line.name.zh}"


def _grouped(text: str) -> bool:
    """12,345.6 has its commas where thousands are; 12,5 has not and is refused."""
    head, *groups = text.partition(".")[0].lstrip("-").split(",")
    return bool(groups) and 1 <= len(head) <= 3 and all(len(group) == 3 for group in groups)


def _plausible(figure: Figure, line: Potline | None) -> None:
    kind = figure.kind
    if kind.high is not None and figure.amount > kind.high:
        raise RowError(
            say(
                f"数值 {figure.value} {figure.unit} 超过 100 %；2 % 请填 0.02 fraction 或 2 %",
                f"value {figure.value} {figure.unit} is more than 100 %; "
                "2 % is 0.02 fraction or 2 %",
            )
        )
    if line is None or kind.id not in _BOUNDED:
        return
    days = Decimal(len(figure.period.days))
    if figure.amount > line.capacity_t_per_year * days / 365 * TIMES_CAPACITY:
        raise RowError(
            say(
                f"{line.id} 在 {figure.period} 不可能有 {figure.value} t"
                f"（产能 {line.capacity_t_per_year} t/a）；是否以 kg 填写？",
                f"value {figure.value} t is impossible for {line.id} in {figure.period} "
                f"(capacity {line.capacity_t_per_year} t/a); was it written in kg?",
            )
        )


def read_figures(path: Path, site: Site, ledger: Ledger, now: datetime) -> list[Figure]:
    """The figures of a table, fit for ``ledger``. Raises ConfigError with every refused row."""
    rows = read_table(path)
    source = Document.of(path)
    before = [e for e in ledger.entries if e.figure.source and e.figure.source == source]
    if before:
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
    reader = Reader(site, now, path.parent, source)
    figures: list[Figure] = []
    problems: list[str] = []
    for row in rows:
        try:
            figure = reader.figure(row)
            _free(figure, figures, ledger)
            figures.append(figure)
        except RowError as error:
            problems.append(say(f"{path}：{row.where}：{error}", f"{path}: {row.where}: {error}"))
    if problems:
        nothing = say(f"{path}：没有导入任何数据", f"{path}: nothing was imported")
        raise ConfigError([*problems, nothing])
    return figures


def _free(figure: Figure, earlier: list[Figure], ledger: Ledger) -> None:
    """Raises RowError when the same figure, or one that overlaps it, is there already."""
    for other in earlier:
        if _overlap(figure, other):
            raise RowError(
                say(
                    f"与第 {other.row} 行重复：{figure.line} {figure.kind.zh}"
                    f" {other.period} 与 {figure.period}",
                    f"duplicate of row {other.row}: {figure.kind.id} of {figure.line} "
                    f"for {other.period} and {figure.period}",
                )
            )
    for entry in ledger.current().values():
        if _overlap(figure, entry.figure):
            raise RowError(_taken(figure, entry))


def _overlap(one: Figure, other: Figure) -> bool:
    return (
        one.kind is other.kind
        and one.line == other.line
        and one.period.first < other.period.after
        and other.period.first < one.period.after
    )


def _taken(figure: Figure, entry: Entry) -> str:
    revise = f"smelter entries revise {entry.number}"
    if entry.figure.period != figure.period:
        return say(
            f"{figure.line} {figure.kind.zh}已有 {entry.figure.period} 的数据"
            f"（第 {entry.number} 条），日与月不能重叠；先撤回：{revise} --withdraw",
            f"{figure.kind.id} of {figure.line} is already entered for {entry.figure.period} "
            f"(entry {entry.number}), days and months must not overlap; "
            f"withdraw it first: {revise} --withdraw",
        )
    stated = f"{entry.figure.value} {entry.figure.unit}"
    return say(
        f"重复：{figure.line} {figure.kind.zh} {figure.period} 已是第 {entry.number} 条"
        f"（{stated}）；更正用：{revise}",
        f"duplicate: {figure.kind.id} of {figure.line} for {figure.period} is entry "
        f"{entry.number} ({stated}); correct it with: {revise}",
    )
