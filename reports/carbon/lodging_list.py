"""
What an officer types into the platform each month: the figures to lodge, each with its proof.

Which figures must be lodged was not read for aluminium; the list follows the sister guide of the
steel industry and says so.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reports.assembly import Assembly
from reports.carbon.process import GUIDE, part_of
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.citations import EntryUse
from reports.model import How, Line
from reports.periods import Period
from reports.rules.packs import Wanted
from reports.rules.places import place_text
from reports.site import PLANT, Potline
from reports.values import Text

MUST: Final = Text(zh="必存", en="must")
BESIDE: Final = Text(zh="辅助", en="auxiliary")
_PROCESS: Final = (("aluminium", MUST), ("anode_consumed", MUST), ("electricity_ac", BESIDE))
_ITEMS: Final = ("fuel_consumed", "carbonate_consumed")
_BOUGHT: Final = ("electricity_purchased", "heat_purchased")


def lodging_list(assembly: Assembly, potlines: Sequence[Potline], month: Period) -> Chapter:
    """The chapter; which list it follows stands above it."""
    rule = assembly.legal_or_absent(GUIDE, "lodging_list")
    rows: list[tuple[Cell, ...]] = []
    for potline in potlines:
        place = Text(zh=potline.name.zh, en=potline.name.en)
        rows += [_row(assembly, f"{potline.id}.{name}", place, what) for name, what in _PROCESS]
        rows += [_changed(place, note) for note in part_of(potline, month)]
    plant = Text(zh="全厂", en="plant")
    for identity, what in _plant(assembly):
        rows.append(_row(assembly, identity, plant, what))
    blocks: list[Block] = []
    if isinstance(rule, Wanted):
        blocks.append(Paragraph(text=_unseen(rule), tone="note"))
    blocks.append(Table(id="lodging", title=_TITLE, columns=_COLUMNS, rows=tuple(rows)))
    return Chapter(title=_TITLE, blocks=tuple(blocks))


_TITLE: Final = Text(zh="月度存证清单", en="What to lodge this month")
_COLUMNS: Final = (
    Column(label=Text(zh="类别", en="Class"), width=10),
    Column(label=Text(zh="对象", en="Of"), width=14),
    Column(label=Text(zh="参数", en="Figure"), width=28),
    Column(label=Text(zh="数值", en="Value"), width=16),
    Column(label=Text(zh="单位", en="Unit"), width=8),
    Column(label=Text(zh="获取方式", en="Obtained"), width=12),
    Column(label=Text(zh="原始凭证", en="Voucher"), width=22),
    Column(label=Text(zh="证明文件及 SHA-256 前 16 位", en="Document, SHA-256 (16)"), width=34),
)
_HOW: Final = {
    How.METERED: Text(zh="计量", en="metered"),
    How.ENTERED: Text(zh="录入", en="entered"),
    How.SUBSTITUTED: Text(zh="替代", en="substituted"),
    How.NONE: Text(zh="未填报", en="not stated"),
    How.MISSING: Text(zh="缺数据", en="missing"),
}
_COMPUTED: Final = Text(zh="计算", en="computed")


def _unseen(rule: Wanted) -> Text:
    return Text(
        zh=f"铝冶炼的存证清单未见原文：请打开 {rule.source.title}（{rule.locator}）核对。"
        "本清单按钢铁行业同系列指南类推",
        en=f"the list for aluminium was not seen: open {rule.source.title} "
        f"({place_text(rule.locator, 'en')}). This one follows the sister guide of the steel "
        "industry, by analogy",
    )


def _plant(assembly: Assembly) -> Iterator[tuple[str, Text]]:
    for line in assembly.lines.values():
        if line.id.removeprefix(f"{PLANT}.").startswith(_ITEMS) and line.scope == PLANT:
            yield line.id, MUST
    for name in _BOUGHT:
        yield f"{PLANT}.{name}", BESIDE


def _row(assembly: Assembly, identity: str, place: Text, what: Text) -> tuple[Cell, ...]:
    line = assembly.lines[identity]
    entries = [assembly.entries[int(x.ref)] for x in line.inputs if x.kind == "entry"]
    how = _HOW.get(line.how, _COMPUTED)
    vouchers = _joined([entry.voucher for entry in entries])
    return what, place, line.label, line.rounded, line.unit, how, vouchers, _proof(entries, line)


def _changed(place: Text, note: Text) -> tuple[Cell, ...]:
    change = Text(zh=f"工序变化：{note.zh}", en=f"change: {note.en}")
    return MUST, place, change, None, "", None, None, None


def _proof(entries: Sequence[EntryUse], line: Line) -> Cell:
    """Each document by name and digest; meters prove themselves."""
    documents = [
        f"{each.name} {each.sha256[:16]}"
        for entry in entries
        if (each := entry.document or entry.source) is not None
    ]
    if not documents and line.how is How.METERED:
        return Text(zh="计量数据（见“计量与覆盖率”）", en="metered, see the meters")
    return _joined(documents)


def _joined(texts: Sequence[str]) -> str | None:
    """Each once; the first two and how many more."""
    found = [text for text in dict.fromkeys(texts) if text]
    if not found:
        return None
    more = f" … (+{len(found) - 2})" if len(found) > 2 else ""
    return "; ".join(found[:2]) + more
