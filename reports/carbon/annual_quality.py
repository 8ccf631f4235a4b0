"""Quality control over the year: plans in force, instruments, laboratory results, deviations."""

from collections.abc import Sequence
from itertools import groupby

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.disclosure import year_certificates
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.citations import EntryUse
from reports.model import Doubt
from reports.plan.certificates import calibrations
from reports.plan.deviations import deviations
from reports.plan.in_force import PlanInForce, plan_in_force
from reports.plan.report_tables import instruments, plant_changes
from reports.values import Text

_SHA256 = Column(label=Text(zh="SHA-256 前 16 位", en="SHA-256, first 16"), width=18)
_NO_PLAN = Text(
    zh="全年没有登记报送的数据质量控制计划：无法核对各参数是否按计划获取",
    en="no quality plan was recorded as lodged for any month: nothing to hold the figures against",
)


def quality(basis: Basis, assembly: Assembly) -> tuple[Chapter, tuple[Doubt, ...]]:
    """The chapter, and the deviations, those that repeat by month told once."""
    found = by_month(deviations(basis, tuple(assembly.lines.values())))
    forces = [plan_in_force(basis, month.days[-1]) for month in basis.period.months]
    last = next((force for force in reversed(forces) if force is not None), None)
    blocks: list[Block] = []
    if last is None:
        blocks += [Paragraph(text=_NO_PLAN, tone="note"), _certificates(basis)]
    else:
        blocks.append(_plans(basis, forces))
        known = calibrations(basis.ledger, last.plan.instrument)
        blocks.append(instruments(last.plan, known))
        blocks.append(_certificates(basis))
        if last.plan.change:
            blocks.append(plant_changes(last.plan))
    tested = [entry for entry in assembly.entries.values() if entry.more.get("laboratory")]
    blocks.append(_tests(tested))
    if found:
        blocks.append(_deviations(found))
    return (
        Chapter(title=Text(zh="数据质量控制", en="Quality control"), blocks=tuple(blocks)),
        tuple(found),
    )


def by_month(doubts: Sequence[Doubt]) -> list[Doubt]:
    """The same doubt of one figure in several months, told once with the months it is about."""
    months: dict[tuple[str, Text], list[str]] = {}
    for doubt in doubts:
        figure, _, month = doubt.line.partition("@")
        months.setdefault((figure, doubt.text), []).append(month)
    return [
        Doubt(line=figure, text=_of_months(text, [month for month in told if month]))
        for (figure, text), told in months.items()
    ]


def _of_months(text: Text, months: Sequence[str]) -> Text:
    """Months that follow one another are a span."""
    if not months:
        return text
    numbers = sorted({int(month[:4]) * 12 + int(month[5:]) for month in months})
    spans = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    named = [_span(span[0], span[-1]) for span in spans]
    return Text(zh=f"{'、'.join(named)}：{text.zh}", en=f"{', '.join(named)}: {text.en}")


def _span(first: int, last: int) -> str:
    one, other = (f"{(n - 1) // 12}-{(n - 1) % 12 + 1:02d}" for n in (first, last))
    return one if first == last else f"{one}…{other}"


def _plans(basis: Basis, forces: Sequence[PlanInForce | None]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for month, force in zip(basis.period.months, forces, strict=True):
        lodging = None if force is None else force.lodging
        rows.append(
            (
                str(month),
                None if force is None else force.name,
                None if lodging is None else str(lodging.on),
                None if lodging is None else lodging.receipt,
                None if lodging is None else lodging.content_sha256[:16],
            )
        )
    return Table(
        id="plans",
        title=Text(zh="各月执行的数据质量控制计划", en="The quality plan in force, by month"),
        columns=(
            Column(label=Text(zh="月份", en="Month"), width=10),
            Column(label=Text(zh="计划", en="Plan"), width=12),
            Column(label=Text(zh="报送日期", en="Lodged on"), width=12),
            Column(label=Text(zh="回执", en="Receipt"), width=20),
            _SHA256,
        ),
        rows=tuple(rows),
    )


def _certificates(basis: Basis) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for each in year_certificates(basis):
        document = each.entry.figure.document
        rows.append(
            (
                each.instrument,
                each.number,
                each.body,
                str(each.calibrated),
                str(each.valid_until),
                each.error_percent,
                Text(zh="合格", en="passed") if each.passed else Text(zh="不合格", en="failed"),
                None if document is None else document.sha256[:16],
            )
        )
    return Table(
        id="certificates",
        title=Text(zh="本年度有效的检定/校准证书", en="Certificates that held in the year"),
        columns=(
            Column(label=Text(zh="计量器具", en="Instrument"), width=12),
            Column(label=Text(zh="证书编号", en="Certificate"), width=18),
            Column(label=Text(zh="机构", en="Body"), width=24),
            Column(label=Text(zh="检定日期", en="Calibrated"), width=12),
            Column(label=Text(zh="有效期至", en="Valid until"), width=12),
            Column(label=Text(zh="误差", en="Error"), unit="%", width=8),
            Column(label=Text(zh="结论", en="Result"), width=8),
            _SHA256,
        ),
        rows=tuple(rows),
    )


def _tests(tested: Sequence[EntryUse]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for entry in sorted(tested, key=lambda each: (each.kind, each.item, each.period)):
        facts = (entry.more.get(x) for x in ("sample", "method", "laboratory", "accreditation"))
        rows.append(
            (
                entry.label,
                entry.item or entry.line,
                entry.period,
                entry.value,
                entry.unit,
                *facts,
                entry.more.get("tested_on"),
                None if entry.document is None else entry.document.sha256[:16],
            )
        )
    return Table(
        id="laboratory_results",
        title=Text(zh="采用的化验检测结果", en="Laboratory results that were used"),
        columns=(
            Column(label=Text(zh="项目", en="What"), width=22),
            Column(label=Text(zh="对象", en="Of"), width=14),
            Column(label=Text(zh="期间", en="Period"), width=10),
            Column(label=Text(zh="结果", en="Result"), width=10),
            Column(label=Text(zh="单位", en="Unit"), width=10),
            Column(label=Text(zh="样品编号", en="Sample"), width=14),
            Column(label=Text(zh="检测方法", en="Method"), width=14),
            Column(label=Text(zh="检测机构", en="Laboratory"), width=24),
            Column(label=Text(zh="资质编号", en="Accreditation"), width=16),
            Column(label=Text(zh="检测日期", en="Tested on"), width=12),
            _SHA256,
        ),
        rows=tuple(rows),
    )


def _deviations(found: Sequence[Doubt]) -> Table:
    return Table(
        id="deviations",
        title=Text(zh="与数据质量控制计划的偏差", en="Deviations from the quality plan"),
        columns=(
            Column(label=Text(zh="参数", en="Figure"), width=24),
            Column(label=Text(zh="偏差", en="Deviation"), width=70),
        ),
        rows=tuple((doubt.line, doubt.text) for doubt in found),
    )
