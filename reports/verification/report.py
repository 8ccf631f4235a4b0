"""
``verification``: the table a verifier works through, for a year.

Every figure against its second sources, the year against the months that were lodged and the year
before; instruments, certificates and plan of each month; how to follow each figure down. A
difference above its threshold that nobody explained makes the report incomplete.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head, entry_use
from reports.basis import Basis
from reports.carbon.annual import assemble_year
from reports.carbon.annual_quality import by_month
from reports.carbon.compare_years import compare
from reports.carbon.process import GUIDE
from reports.chapters import Block, Chapter, Details, Paragraph, Standard, Table
from reports.citations import EntryUse
from reports.conclude import conclude
from reports.model import Content, Doubt, How, Section
from reports.periods import Period
from reports.plan.certificates import calibrations
from reports.plan.deviations import deviations
from reports.plan.figures import is_tested
from reports.plan.file import load_plan
from reports.plan.in_force import PlanInForce, plan_in_force
from reports.plan.plan import Plan
from reports.plan.words import joined, text
from reports.rules.packs import RuleError
from reports.site import PLANT
from reports.values import Text
from reports.verification import evidence, tables
from reports.verification.checks import YearCheck, by_year, checks, single
from reports.verification.lodged import (
    Lodged,
    compared,
    lodged_months,
)
from reports.words import rounded, short_text

NAME: Final = "verification"
TITLE: Final = text("核查交叉核对表", "Cross-check table for verification")
_FRONT: Final = ("check_compared", "check_single", "check_lodged", "check_last_year")


def verification(basis: Basis) -> Content:
    """The report. Raises RuleError when the rules of a month are not known, ConfigError."""
    year = assemble_year(basis)
    assembly = year.assembly
    plans = {m: plan_in_force(basis, m.days[-1]) for m in basis.period.months}
    plan = _plan(basis, plans)
    found = checks(basis, assembly.lines, plan)
    alone = single(assembly.lines, found)
    months = lodged_months(basis)
    lodged = compared(basis, assembly.lines, months)
    moved = compare(basis, assembly, year.potlines)
    strayed = deviations(basis, tuple(assembly.lines.values()))
    tested = evidence.laboratory_table(assembly, _tested(basis, assembly))
    known_table = evidence.known_table(assembly, f"{NAME}-{basis.period}")
    verbs_table = evidence.verbs_table(assembly)
    checked = by_year(found)
    names = _check_lines(basis, assembly, checked)
    _front_lines(assembly, checked, len(alone), lodged, moved.warnings)
    known = () if plan is None else calibrations(basis.ledger, plan.instrument)
    for certificate in (each for x in known for each in x.certificates):
        assembly.entries[certificate.entry.number] = entry_use(certificate.entry)
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=year.potlines,
        headline=tuple(f"{PLANT}.{name}" for name in ("emission", *_FRONT)),
        warnings=(*year.warnings, *by_month(strayed)),
        chapters=(
            _front(checked, names),
            _chapter(
                "交叉核对",
                "Cross-check",
                tables.year_table(checked, alone),
                tables.month_table(found),
                tested,
            ),
            _chapter(
                "存证、年度与上年",
                "Lodged months and last year",
                tables.lodged_table(months, plans, lodged),
                tables.sums_table(assembly.lines, lodged),
                tables.differences_table(lodged),
                *moved.chapter.blocks,
            ),
            _chapter(
                "计量器具与计划执行",
                "Instruments and plan",
                evidence.instrument_table(known, basis.period),
                evidence.deviation_table(by_month(strayed)),
            ),
            *_ends(assembly, known_table, verbs_table),
        ),
    )


def _ends(assembly: Assembly, known: Table, verbs: Table) -> tuple[Chapter, ...]:
    parts = (Standard(part=part) for part in ("legals", "absent", "entries", "meters", "changes"))
    return (
        _chapter("证据", "Evidence", known, evidence.evidence_table(assembly)),
        _chapter("核查记录", "For the verifier", _verbs_words(), verbs),
        _chapter("法规参数、录入与计量", "Rules, entries, meters", *parts),
    )


def _plan(basis: Basis, plans: dict[Period, PlanInForce | None]) -> Plan | None:
    """The plan that governed the end of the year, else the newest in force, else the site's own."""
    governed = [each for each in plans.values() if each is not None]
    if governed:
        return governed[-1].plan
    return None if basis.site.plan is None else load_plan(basis.site.plan, basis.site)


# --- lines that a difference makes incomplete


def _named(basis: Basis, scope: str, label: Text) -> Text:
    line = basis.site.line(scope)
    return (
        label if line is None else text(f"{line.name.zh}{label.zh}", f"{line.name.en} {label.en}")
    )


def _check_lines(basis: Basis, assembly: Assembly, found: Sequence[YearCheck]) -> tuple[str, ...]:
    """For each figure the largest difference of the year in %; missing when one is unexplained."""
    groups: dict[str, list[YearCheck]] = {}
    for each in found:
        groups.setdefault(each.figure, []).append(each)
    for figure, sources in groups.items():
        scope, _, name = figure.partition(".")
        label = _named(basis, scope, sources[0].label)
        head = Head(
            scope,
            f"check_{name}",
            Section.CHECK,
            text(f"{label.zh}：最大偏差", f"{label.en}: largest difference"),
            "%",
            2,
        )
        months = [check for source in sources for check in source.months]
        known = [abs(check.percent) for check in months if check.percent is not None]
        inputs = {e.number: e for check in months for e in check.source.entries}
        missing = tuple(reason for source in sources for reason in _unexplained(source))
        assembly.state(
            head,
            None if missing else max(known, default=None),
            How.COMPUTED,
            [assembly.entry(str(e.figure.period), e) for e in inputs.values()],
            missing=missing,
            notes=tuple(note for source in sources for note in _explained(source)),
        )
    return tuple(f"{f.partition('.')[0]}.check_{f.partition('.')[2]}" for f in groups)


def _unexplained(source: YearCheck) -> Iterator[Text]:
    for check in source.unexplained:
        shown = _percent(check.percent)
        yield text(
            f"{check.figure}@{check.month} 与“{source.source.zh}”相差 {shown} %，"
            f"允许 {check.threshold} %，没有说明：请在任一侧录入数据的备注写“差异说明：……”",
            f"{check.figure}@{check.month} differs from {source.source.en} by {shown} %, "
            f"{check.threshold} % is allowed, nobody explained it: begin a note at either entry "
            "with “explain:”",
        )


def _explained(source: YearCheck) -> Iterator[Text]:
    for check in source.above:
        if not check.unexplained:
            shown = _percent(check.percent)
            yield text(
                f"{check.month} 与“{source.source.zh}”相差 {shown} %：{check.explanation}",
                f"{check.month} differs from {source.source.en} by {shown} %: {check.explanation}",
            )


def _percent(value: Decimal | None) -> str:
    return "—" if value is None else short_text(rounded(value, 2))


def _front_lines(
    assembly: Assembly,
    found: Sequence[YearCheck],
    alone: int,
    lodged: Sequence[Lodged],
    moved: Sequence[Doubt],
) -> None:
    """What a verifier wants to know first: how much was compared, and what is left open."""
    open_lodged = [
        text(
            f"{x.figure}@{x.month} 存证值 {x.before}，现值 {x.now}，没有说明",
            f"{x.figure}@{x.month} was lodged as {x.before}, is {x.now}, and nobody said why",
        )
        for x in lodged
        if x.unexplained
    ]
    for name, label, count, missing in (
        (
            _FRONT[0],
            text("逐月核对次数", "Comparisons made"),
            sum(len(x.months) for x in found),
            [],
        ),
        (_FRONT[1], text("单一来源参数", "Figures with a single source"), alone, []),
        (
            _FRONT[2],
            text("与存证不同的月度数据", "Lodged figures that differ now"),
            sum(x.differs for x in lodged),
            open_lodged,
        ),
        (
            _FRONT[3],
            text("较上年变化未说明原因", "Movements since last year without a reason"),
            len(moved),
            _moved(moved),
        ),
    ):
        head = Head(PLANT, name, Section.CHECK, label, "", 0)
        value = None if missing else Decimal(count)
        assembly.state(head, value, How.COMPUTED, (), missing=missing)


def _moved(doubts: Sequence[Doubt]) -> list[Text]:
    """One reason for all figures that moved: their table tells by how much."""
    if not doubts:
        return []
    named = joined(each.line for each in doubts)
    return [
        text(
            f"较上年变化超过界限，没有说明原因：{named.zh}；请在 plan.toml 写 [[change]]，"
            "或在录入备注写“变动说明：……”",
            f"moved beyond the limit since last year without a reason: {named.en}; write a "
            "[[change]] into plan.toml or a note that begins with “explain:” at an entry",
        )
    ]


# --- what is printed


def _chapter(zh: str, en: str, *blocks: Block) -> Chapter:
    return Chapter(title=text(zh, en), blocks=blocks)


def _front(found: Sequence[YearCheck], names: tuple[str, ...]) -> Chapter:
    open_checks = sum(len(each.unexplained) for each in found)
    unread = Paragraph(
        tone="warning",
        text=text(
            "铝冶炼核查技术指南（CETS-VG-04.01-V01-2024）未能查阅，核查内容参照发电设施核查技术指南"
            "编排；使用前请对照原文。",
            "The aluminium verification guide (CETS-VG-04.01-V01-2024) could not be read; the "
            "items follow the guide for power units. Compare with the guide before use.",
        ),
    )
    verdict = Paragraph(
        tone="warning" if open_checks else "plain",
        text=text(
            f"超过允许偏差且没有说明的核对：{open_checks} 项。",
            f"Comparisons above the allowed difference without an explanation: {open_checks}.",
        ),
    )
    front = Details(lines=tuple(f"{PLANT}.{name}" for name in _FRONT))
    blocks = (unread, verdict, front, Details(lines=names), Standard(part="signatures"))
    return Chapter(title=text("核对结果", "Result"), front=True, blocks=blocks)


def _verbs_words() -> Paragraph:
    return Paragraph(
        text=text(
            "四种核查方式：查阅文件、询问人员、现场查看、重新计算。原始凭证须见原件；"
            "追溯和重算可用 smelter trace 与 smelter compute。",
            "Four ways: look up documents, ask people, see the place, recompute. Originals must "
            "be seen; smelter trace and smelter compute follow and recompute a figure.",
        )
    )


def _tested(basis: Basis, assembly: Assembly) -> Iterator[tuple[EntryUse, Decimal | None]]:
    """Laboratory figures of the year beside the value of the rule, in the unit of the entry."""
    for entry in basis.ledger.current().values():
        figure = entry.figure
        inside = basis.period.first <= figure.period.first < basis.period.after
        if not inside or not is_tested(figure.kind.id):
            continue
        name = figure.kind.id
        if figure.item:
            stem = name.partition("_")[2]
            name = f"{'ncv' if stem == 'ncv' else 'carbon'}_{figure.item}"
            if stem not in {"ncv", "carbon_per_heat"}:
                name = ""
        yield entry_use(entry), _rule(assembly, name, figure.period, figure.amount, figure.value)


def _rule(
    assembly: Assembly, name: str, period: Period, amount: Decimal, written: Decimal | None
) -> Decimal | None:
    try:
        legal = assembly.packs[GUIDE].at(name, period.first)
    except RuleError:
        return None
    base = legal.fraction if str(legal.unit) == "%" else legal.number
    return base if not amount or written is None else base * written / amount
