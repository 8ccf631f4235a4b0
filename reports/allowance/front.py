"""First page of the allowance report: what we have, what we owe, what is left, what is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.allowance.balance import Balance
from reports.allowance.position import Vintage
from reports.allowance.rules import PACK, Rule
from reports.allowance.year import YearOf
from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Cell, Chapter, Column, Paragraph, Standard, Table
from reports.duties.milestones import Milestone
from reports.entries.ledger import Entry
from reports.site import PLANT
from reports.values import Text
from reports.words import number_text

PARTS: Final = (
    (
        Text(zh="有", en="have"),
        ("allowance", "allocated", "pre_allocation", "take_back", "held", "bought", "sold"),
    ),
    (Text(zh="欠", en="owe"), ("emission",)),
    (
        Text(zh="余缺", en="left"),
        (
            *("position", "net_position", "saleable", "saleable_cny", "shortfall"),
            *("shortfall_cny", "offset_max"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything the chapters speak of."""

    basis: Basis
    assembly: Assembly
    years: tuple[YearOf, ...]
    rules: Mapping[str, Rule]
    balance: Balance | None
    vintages: tuple[Vintage, ...]
    days: tuple[Milestone, ...]
    price: Entry | None

    def value(self, name: str) -> Decimal | None:
        line = self.assembly.lines.get(f"{PLANT}.{name}")
        return None if line is None else line.value


def front(found: Findings) -> Chapter:
    """The page a manager reads."""
    return Chapter(
        title=Text(zh="结论", en="What it comes to"),
        front=True,
        blocks=(
            Paragraph(text=_sentence(found)),
            *(Paragraph(text=text) for text in _open(found)),
            _table(found),
            Standard(part="signatures"),
        ),
    )


def _t(value: Decimal | None, decimals: int = 0) -> str:
    return number_text(value, decimals)


def _sentence(found: Findings) -> Text:
    """One sentence with the three numbers: owed, had, left."""
    year, owe = found.basis.period, _t(found.value("emission"))
    if found.value("emission") is None:
        return Text(
            zh=f"{year} 年度应清缴量尚不能得出：排放量缺数据。",
            en=f"What is owed for {year} is not known: figures of the emission are missing.",
        )
    point = found.value("net_position")
    point = found.value("position") if point is None else point
    if point is None:
        return _band(found, owe)
    over, amount = point >= 0, _t(abs(point), 2)
    money = _money(found)
    return Text(
        zh=f"{year} 年度应清缴 {owe} t，清缴后{'盈余' if over else '缺口'} {amount} t"
        f"{'' if money is None else f'，{money.zh}'}。",
        en=f"For {year} the plant owes {owe} t; after surrender it "
        f"{'has a surplus of' if over else 'is short of'} {amount} t"
        f"{'' if money is None else f', {money.en}'}.",
    )


def _band(found: Findings, owe: str) -> Text:
    """Low and high ends in place of a figure; or that there is none."""
    year = found.basis.period
    low, high = found.value("position_low"), found.value("position_high")
    if low is None or high is None:
        return Text(
            zh=f"{year} 年度应清缴 {owe} t；应发配额尚不能得出，原因见“缺数据”。",
            en=f"For {year} the plant owes {owe} t; its allowance is not known: see what is "
            "missing.",
        )
    least, most = _t(found.value("allowance_low")), _t(found.value("allowance_high"))
    return Text(
        zh=f"{year} 年度应清缴 {owe} t。平衡值未知，应发配额在 {least} 至 {most} t 之间，"
        f"盈缺在 {_t(low)} 至 {_t(high)} t 之间；平衡值公布前不给单一数值。",
        en=f"For {year} the plant owes {owe} t. The balance value is unknown: the allowance lies "
        f"between {least} and {most} t, the position between {_t(low)} and {_t(high)} t; "
        "no single figure before it is known.",
    )


def _money(found: Findings) -> Text | None:
    """What the surplus or the shortfall is worth; None without a price."""
    values = [found.value("saleable_cny"), found.value("shortfall_cny")]
    known = [value for value in values if value is not None]
    if found.price is None or not known:
        return None
    month, price, worth = found.price.figure.period, found.price.figure.value, _t(max(known))
    whole = _t(max(found.value("saleable") or Decimal(0), found.value("shortfall") or Decimal(0)))
    return Text(
        zh=f"按 {month} 录入价 {price} 元/t、整吨 {whole} t 折合 {worth} 元",
        en=f"CNY {worth} for {whole} whole t at the price entered for {month}, {price} CNY/t",
    )


def _open(found: Findings) -> list[Text]:
    """What the figure hangs on that is not settled."""
    texts = []
    if found.value("take_back") is not None:
        ahead, back = _t(found.value("pre_allocation")), _t(found.value("take_back"))
        texts.append(
            Text(
                zh=f"预分配的 {ahead} t 多于应发配额，多发的 {back} t 将被收回，不能用于清缴或出售"
                f"（见 {PLANT}.take_back）。",
                en=f"The {ahead} t issued ahead are more than the allowance: {back} t will be "
                f"taken back and can be neither surrendered nor sold (see {PLANT}.take_back).",
            )
        )
    if found.balance is not None and not found.balance.known:
        texts.append(
            Text(
                zh="取决于平衡值：登录全国碳市场管理平台查看当年铝冶炼平衡值，连同截图录入 "
                "balance_value；各取值的结果见“结果取决于什么”。",
                en="It hangs on the balance value: read it on the national platform, enter "
                "balance_value with a screenshot; what each value would give follows below.",
            )
        )
    if any(year.forecast for year in found.years):
        texts.append(_forecast(found))
    rules = (legal for legal in found.assembly.legals.values() if legal.pack == PACK)
    if any(legal.confirmed != "official" for legal in rules):
        texts.append(
            Text(
                zh="分配规则取自二手资料或征求意见稿（2026 年度），以生态环境部正式方案为准。",
                en="The rules of allocation come from restatements, those of 2026 from a "
                "consultation draft; the ministry's final plan decides.",
            )
        )
    return texts


def _forecast(found: Findings) -> Text:
    moving = [year for year in found.years if year.forecast]
    ahead = max(sum(month.forecast for month in year.months) for year in moving)
    low, high = found.value("emission_low"), found.value("emission_high")
    if low is None or high is None:
        span = Text(
            zh="实测月份不足两个，不给区间",
            en="no interval, fewer than two months were measured",
        )
    else:
        span = Text(
            zh=f"95 % 区间 {_t(low)}–{_t(high)} t", en=f"95 % interval {_t(low)}-{_t(high)} t"
        )
    return Text(
        zh=f"取决于余下 {ahead} 个月的预测：全年排放量{span.zh}。",
        en=f"It hangs on {ahead} forecast months: emission of the year, {span.en}.",
    )


def _table(found: Findings) -> Table:
    """What we have, what we owe, what is left; low and high ends where there are any."""
    lines = found.assembly.lines
    rows: list[tuple[Cell, ...]] = []
    for part, names in PARTS:
        for name in names:
            triple = [lines.get(f"{PLANT}.{name}{end}") for end in ("", "_low", "_high")]
            line = triple[0]
            values = [None if x is None else x.rounded for x in triple]
            if line is None or (values == [None] * 3 and name != "position"):
                continue
            rows.append((line.label, part, line.unit, *values))
    ends = any(row[4] is not None for row in rows)
    columns = (
        Column(label=Text(zh="项目", en="Item"), width=34),
        Column(label=Text(zh="有/欠/余缺", en="Side"), width=10),
        Column(label=Text(zh="单位", en="Unit"), width=10),
        Column(label=Text(zh="数值", en="Figure"), decimals=0),
        Column(label=Text(zh="下限", en="Low end"), decimals=0),
        Column(label=Text(zh="上限", en="High end"), decimals=0),
    )
    note = Text(
        zh="“—”为没有或未知。上下限：平衡值未知时的物理可能范围，以及余下月份预测的 95 % 区间。",
        en="A dash: none, or not known. Low and high end: what a balance value not known yet can "
        "physically be, and the 95 % interval of months to come.",
    )
    return Table(
        id="summary",
        title=Text(zh="有多少、欠多少、余缺多少", en="What we have, owe, and have left"),
        columns=columns,
        rows=tuple(rows),
        note=note if ends else None,
    )
