"""One row of a table as a figure of this site: everything that is wrong with it, at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from drivers.language import say
from reports.entries.facts import date_text, read_facts
from reports.entries.kinds import FACTS, KINDS, EntryKind, Items, Place, Span, find_kind
from reports.entries.ledger import Document, Figure
from reports.entries.plausible import implausible
from reports.entries.table import TableRow
from reports.periods import PLANT_TIME, Period
from reports.site import PLANT, Potline, Site


class RowError(ValueError):
    """What is wrong with one row, in words; ``parts`` tells it column by column."""

    def __init__(self, text: str, parts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.parts = tuple(parts)


class Mistakes:
    """Mistakes of one row, by the column in which they stand."""

    def __init__(self) -> None:
        self._by_column: dict[str, list[str]] = {}

    def at(self, column: str) -> list[str]:
        """Where the mistakes of that column are put."""
        return self._by_column.setdefault(column, [])

    def __bool__(self) -> bool:
        return any(self._by_column.values())

    def error(self) -> RowError:
        """All of them."""
        parts = [(at, text) for at, found in self._by_column.items() for text in found]
        return RowError(" | ".join(text for _, text in parts), parts)


@dataclass(slots=True)
class Reader:
    """
    Reads figures for one site; ``now`` tells which periods lie in the future.

    ``files`` collects the documents the rows name, by SHA-256. The plan of the site is only read
    when a row names an instrument.
    """

    site: Site
    now: datetime
    folder: Path  # documents are named relative to it
    source: Document | None = None
    files: dict[str, Path] = field(default_factory=dict)
    planned: set[str] = field(default_factory=set)

    def figure(self, row: TableRow) -> Figure:
        """Raises RowError with everything that is wrong with the row."""
        wrong = Mistakes()
        cells = row.cells
        kind = _kind(cells, wrong.at("kind"))
        if kind is None:
            raise wrong.error()
        period = self._period(cells, kind, wrong.at("period"))
        unit = _unit(cells, kind, wrong.at("unit"))
        read = Figure(
            kind=kind,
            line=self._line(cells, kind, period, wrong.at("line")),
            period=period or Period.year(2000),
            value=_value(cells, kind, wrong.at("value")),
            unit=unit,
            voucher=cells.get("voucher", ""),
            note=cells.get("note", ""),
            document=self._document(cells, kind, wrong.at("document")),
            source=self.source,
            sheet=row.sheet,
            row=row.row,
            item=_item(cells, kind, wrong.at("item")),
        )
        if not wrong and (text := implausible(read, self.site)):
            wrong.at("value").append(text)
        facts = self._facts(cells, kind, period, wrong.at("facts"))
        if wrong:
            raise wrong.error()
        return replace(read, more=facts)

    def _period(self, cells: dict[str, str], kind: EntryKind, problems: list[str]) -> Period | None:
        text = date_text(cells.get("period", ""))
        if kind.span is Span.MONTH and re.fullmatch(r"\d{4}-\d{2}-01", text):
            text = text[:7]  # a spreadsheet turns 2026-10 into the first day of October
        if kind.span is Span.YEAR and re.fullmatch(r"\d{4}-01(-01)?", text):
            text = text[:4]
        try:
            period = Period.parse(text)
        except ValueError:
            problems.append(_no_period(text, kind))
            return None
        if not _fits(period, kind):
            problems.append(_no_period(text, kind))
            return None
        if too_early(kind, period, self.now):
            today = self.now.astimezone(PLANT_TIME).date()
            problems.append(
                say(
                    f"期间 {period} 在将来或尚未结束（今天 {today}）",
                    f"period {period} lies in the future or is not over yet (today is {today})",
                )
            )
        return period

    def _line(
        self, cells: dict[str, str], kind: EntryKind, period: Period | None, problems: list[str]
    ) -> str:
        text = cells.get("line", "")
        if kind.place is Place.INSTRUMENT:
            return self._instrument(text, problems)
        if kind.place is Place.PLANT:
            if text not in {PLANT, "", "全厂", f"{PLANT} 全厂"}:
                problems.append(
                    say(
                        f"{kind.zh}按全厂填报；工序请填 {PLANT} 或“全厂”，不是 {text!r}",
                        f"{kind.id} is of the whole plant; write {PLANT}, not {text!r}",
                    )
                )
            return PLANT
        named = [p for p in self.site.potline if text in {p.id, p.name.zh, p.name.en, shown(p)}]
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
            dates = f"{named[0].begins} – {named[0].ends or ''}"
            problems.append(
                say(
                    f"{named[0].id} 在 {period} 未运行（{dates}）",
                    f"{named[0].id} did not run in {period} ({dates})",
                )
            )
        return named[0].id

    def _instrument(self, text: str, problems: list[str]) -> str:
        identity = text.split(" ", maxsplit=1)[0]
        if not identity:
            problems.append(
                say("缺少计量器具编号", "the instrument is missing; write its id of plan.toml")
            )
        elif self.site.plan is not None and identity not in self._planned(self.site.plan):
            known = ", ".join(sorted(self._planned(self.site.plan)))
            problems.append(
                say(
                    f"质量控制计划中没有计量器具 {identity!r}；有：{known}",
                    f"no instrument {identity!r} in the plan; it has: {known}",
                )
            )
        return identity

    def _planned(self, plan: Path) -> set[str]:
        from reports.plan.file import load_plan

        if not self.planned:
            self.planned.update(each.id for each in load_plan(plan).instrument)
        return self.planned

    def _document(
        self, cells: dict[str, str], kind: EntryKind, problems: list[str]
    ) -> Document | None:
        name = cells.get("document", "")
        if not name:
            if kind.document:
                problems.append(
                    say(
                        f"{kind.zh}须附凭证文件（平台通知或截图）",
                        f"{kind.id} needs its document: the notice of the platform",
                    )
                )
            return None
        if not (self.folder / name).resolve().is_relative_to(self.folder.resolve()):
            problems.append(
                say(
                    f"凭证文件 {name!r} 不在表格所在的文件夹；请放在表格旁边，只写文件名",
                    f"document {name!r} is not in the folder of the table; put it beside the "
                    "table and write its name only",
                )
            )
            return None
        try:
            document = Document.of(self.folder / name)
        except OSError:
            problems.append(
                say(
                    f"找不到凭证文件 {name!r}；请放在表格旁边",
                    f"document {name!r} is not there; put it beside the table",
                )
            )
            return None
        self.files[document.sha256] = self.folder / name
        return document

    def _facts(
        self, cells: dict[str, str], kind: EntryKind, period: Period | None, problems: list[str]
    ) -> tuple[tuple[str, str], ...]:
        given = {name: cells[name] for name in FACTS if cells.get(name)}
        facts, wrong = read_facts(kind, given, period, self.now)
        problems += wrong
        return facts


def too_early(kind: EntryKind, period: Period, now: datetime) -> bool:
    """True when nobody can know that figure of ``period`` yet."""
    return not kind.ahead and (period.start if kind.early else period.end) > now


def _fits(period: Period, kind: EntryKind) -> bool:
    is_day = not period.is_month and not period.is_year
    return {
        Span.DAY: is_day,
        Span.MONTH: period.is_month,
        Span.DAY_OR_MONTH: is_day or period.is_month,
        Span.YEAR: period.is_year,
    }[kind.span]


def _no_period(text: str, kind: EntryKind) -> str:
    try:
        known = Period.parse(text)
    except ValueError:
        known = None
    if known is None:
        wanted_zh, wanted_en, example = {
            Span.DAY: ("日期", "day", "2026-10-05"),
            Span.MONTH: ("月份", "month", "2026-10"),
            Span.DAY_OR_MONTH: ("月份或日期", "month or day", "2026-10 / 2026-10-05"),
            Span.YEAR: ("年份", "year", "2026"),
        }[kind.span]
        return say(
            f"期间 {text!r} 不是{wanted_zh}；请填 {example}",
            f"period {text!r} is no {wanted_en}; write {example}",
        )
    example = {Span.YEAR: text[:4], Span.DAY: f"{text[:4]}-10-05"}.get(
        kind.span, text[:7] if len(text) > 4 else f"{text}-10"
    )
    per = {
        Span.DAY: ("日", "day"),
        Span.MONTH: ("月", "month"),
        Span.DAY_OR_MONTH: ("月或日", "month or day"),
        Span.YEAR: ("年", "year"),
    }[kind.span]
    return say(
        f"{kind.zh}按{per[0]}填报；请填 {example}，不是 {text}",
        f"{kind.id} is entered per {per[1]}; write {example}, not {text}",
    )


def _kind(cells: dict[str, str], problems: list[str]) -> EntryKind | None:
    text = cells.get("kind", "")
    kind = find_kind(text)
    if kind is None:
        known = ", ".join(f"{known.id} {known.zh}" for known in KINDS.values())
        problems.append(
            say(f"没有项目 {text!r}；可填：{known}", f"unknown kind {text!r}; known: {known}")
        )
    return kind


def _item(cells: dict[str, str], kind: EntryKind, problems: list[str]) -> str:
    text = cells.get("item", "")
    if kind.items is None:
        if text:
            problems.append(
                say(
                    f"{kind.zh}不分品种，请清空 {text!r}",
                    f"{kind.id} has no items; leave {text!r} out",
                )
            )
        return ""
    found = kind.items.find(text)
    if found is not None:
        return found
    problems.append(_no_item(kind, kind.items, text))
    return ""


def _no_item(kind: EntryKind, items: Items, text: str) -> str:
    known = [f"{item} {say(name.zh, name.en)}" for item, name in items.names.items()]
    listed = ", ".join(known) if known else say(items.what.zh, items.what.en)
    if not text:
        return say(
            f"{kind.zh}须填品种（{items.what.zh}）：{listed}",
            f"{kind.id} needs an item ({items.what.en}): {listed}",
        )
    return say(
        f"{kind.zh}没有品种 {text!r}；可填：{listed}",
        f"unknown item {text!r} of {kind.id}; write: {listed}",
    )


def _unit(cells: dict[str, str], kind: EntryKind, problems: list[str]) -> str:
    text = cells.get("unit", "")
    if text not in kind.units:
        allowed = " / ".join(kind.units)
        hint = "" if kind.hint is None else say(f"（{kind.hint.zh}）", f" ({kind.hint.en})")
        problems.append(
            say(
                f"{kind.zh}的单位 {text!r} 不对；请填 {allowed}{hint}",
                f"wrong unit {text!r} for {kind.id}; write {allowed}{hint}",
            )
        )
    return text


def _value(cells: dict[str, str], kind: EntryKind, problems: list[str]) -> Decimal:
    written = "".join(cells.get("value", "").split())
    text, scale = _without_percent(written, cells.get("unit", ""))
    value = number(text)
    if not text:
        problems.append(say("缺少数值；没有数据不等于零", "value is missing, which is not zero"))
    elif value is None:
        problems.append(
            say(f"数值 {written!r} 不是数字", f"value {written!r} is not a number, e.g. 1234.56")
        )
    elif value < 0 and kind.low >= 0:
        problems.append(say(f"数值 {text} 为负", f"value {text} is negative; write 0 or more"))
    return Decimal(0) if value is None else value * scale


def _without_percent(text: str, unit: str) -> tuple[str, Decimal]:
    """A spreadsheet shows 0.0194 as 1.94%: the same in either unit of a share."""
    if text.endswith("%") and unit in {"%", "fraction"}:
        return text[:-1], Decimal(1) if unit == "%" else Decimal("0.01")
    return text, Decimal(1)


def number(text: str) -> Decimal | None:
    """A finite number; 12,345.6 has its commas where thousands are, 12,5 has not: None."""
    head, *groups = text.partition(".")[0].lstrip("-").split(",")
    grouped = bool(groups) and 1 <= len(head) <= 3 and all(len(group) == 3 for group in groups)
    try:
        value = Decimal(text.replace(",", "") if grouped else text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def shown(line: Potline) -> str:
    """A potline in the lists of the template."""
    return f"{line.id} {line.name.zh}"
