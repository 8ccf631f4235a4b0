"""What the grade report prints: verdict, what is in the way, indicators, cases, what expires."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from reports.chapters import Block, Cell, Chapter, Column, Details, Paragraph, Standard, Table
from reports.grade.bench import Bench
from reports.grade.evidence import KINDS
from reports.grade.findings import STATUS_TEXT, Expiry, Status
from reports.grade.judge import Judged
from reports.grade.levels import lowest, needed
from reports.grade.listing import evidence_text
from reports.grade.ours import ours
from reports.grade.scheme import Graded
from reports.grade.table import FAMILIES, level_name
from reports.periods import clock_text
from reports.rules.listing import CONFIRMED_TEXT
from reports.rules.places import place_text
from reports.site import PLANT
from reports.values import Text

Rows = list[tuple[Cell, ...]]
CASES: Final = 300  # rows of the table of cases
_RULE: Final = Text(
    zh="只以官方文本或本厂两人核对过的条件作证明；未知不等于达到。最差指标决定等级（短板）；"
    "多个行业的企业取最低等级。无人核实的条件只作试算，不给出等级。",
    en="Only conditions of the official text, or checked by two persons of the plant, prove "
    "anything; unknown is not proven. The worst indicator decides; of several industries the "
    "lowest counts. Conditions nobody confirmed are tried only, and give no grade.",
)


def chapters(
    bench: Bench, results: Sequence[Graded], expires: Sequence[Expiry], more: Sequence[Chapter]
) -> tuple[Chapter, ...]:
    """In the order of the page."""
    return (
        Chapter(
            title=Text(zh="结论", en="Verdict"),
            front=True,
            blocks=(_verdict(bench, results), Paragraph(text=_RULE, tone="note")),
        ),
        Chapter(title=Text(zh="距 A 级还差什么", en="What keeps us from A"), blocks=_way(results)),
        Chapter(title=_soon(), blocks=(_expiries(bench, expires),)),
        Chapter(
            title=Text(zh="须打开的文件", en="Documents to open"), blocks=(Standard(part="absent"),)
        ),
        *(indicators_of(each) for each in results),
        Chapter(
            title=Text(zh="不满足与缺失的时段", en="Stretches that fail or are missing"),
            blocks=(_cases(results),),
        ),
        *more,
        *_ends(bench),
    )


def _soon() -> Text:
    days = ours().warn_days
    return Text(zh=f"{days} 天内到期", en=f"What expires within {days} days")


def _verdict(bench: Bench, results: Sequence[Graded]) -> Table:
    rows: Rows = []
    for each in results:
        told = each.of(each.scheme.target)
        none = Text(zh="无可证明等级", en="none provable")
        rows.append(
            (
                each.scheme.name,
                each.scheme.generation,
                each.grade or none,
                told.text,
                Decimal(told.proven),
                Decimal(told.failed),
                Decimal(told.unknown),
            )
        )
    rows += _plant(results)
    day = bench.day
    return Table(
        id="grade_verdict",
        title=Text(zh=f"{day} 可证明的等级", en=f"Provable on {day}"),
        columns=(
            _column("行业", "Industry", 14),
            _column("规则", "Rules", 11),
            _column("可证明等级", "Provable", 14),
            _column("结论", "Verdict", 40),
            _column("已证明", "Proven", 9, 0),
            _column("不满足", "Failed", 9, 0),
            _column("未知", "Unknown", 9, 0),
        ),
        rows=tuple(rows),
    )


def _plant(results: Sequence[Graded]) -> Iterator[tuple[Cell, ...]]:
    """The plant under each generation: of several industries the lowest counts."""
    for generation in dict.fromkeys(each.scheme.generation for each in results):
        mine = [each for each in results if each.scheme.generation == generation]
        if len(mine) > 1 and len({each.scheme.levels for each in mine}) == 1:
            letter = lowest(mine[0].scheme.levels, [each.grade for each in mine])
            lacking = [each.scheme.name for each in mine if not each.grade]
            told = Text(
                zh="无可证明等级的行业：" + "、".join(x.zh for x in lacking),
                en="none provable for " + ", ".join(x.en for x in lacking),
            )
            low = Text(zh="取最低等级", en="the lowest of its industries")
            none = Text(zh="无可证明等级", en="none provable")
            whole = Text(zh="全厂", en="Plant")
            yield whole, generation, letter or none, told if lacking else low, None, None, None


def _column(zh: str, en: str, width: int, decimals: int | None = None) -> Column:
    return Column(label=Text(zh=zh, en=en), width=width, decimals=decimals)


def _way(results: Sequence[Graded]) -> tuple[Block, ...]:
    note = Paragraph(
        text=Text(
            zh="按所需功夫由易到难；分档为本程序自定，不是法规。",
            en="In order of effort; the classes are our own, no rule.",
        ),
        tone="note",
    )
    return (note, *(_way_of(each) for each in results))


def _way_of(result: Graded) -> Table | Paragraph:
    scheme = result.scheme
    levels = needed(scheme.target, scheme.builds_on)
    lacking = [x for x in result.judged if x.indicator.level in levels and x.effort]
    name = Text(
        zh=f"{scheme.name.zh}（{scheme.generation}）", en=f"{scheme.name.en} ({scheme.generation})"
    )
    if not lacking:
        counted = result.of(scheme.target)
        told = Text(
            zh=f"{scheme.target} 级全部指标已证明。",
            en=f"every condition of {scheme.target} is proven.",
        )
        if not counted.met:
            told = Text(zh=f"{counted.text.zh}。", en=f"{counted.text.en}.")
        return Paragraph(text=Text(zh=f"{name.zh}：{told.zh}", en=f"{name.en}: {told.en}"))
    lacking.sort(key=lambda each: ours().effort(each.effort))
    return Table(
        id=f"grade_way_{scheme.id}",
        title=name,
        columns=(
            _column("功夫", "Effort", 16),
            _column("指标", "Indicator", 30),
            _column("状态", "State", 8),
            _column("现状", "What was found", 36),
        ),
        rows=tuple(_grouped(lacking)),
    )


def _grouped(lacking: Sequence[Judged]) -> Iterator[tuple[Cell, ...]]:
    """What one must open is said once for each text and level; everything else one by one."""
    seen: set[tuple[str, str]] = set()
    for each in lacking:
        effort = ours().efforts[ours().effort(each.effort)].text
        indicator = each.indicator
        if not indicator.absent:
            yield effort, indicator.text, STATUS_TEXT[each.status], each.text
            continue
        key = indicator.source.title, indicator.level
        if key in seen:
            continue
        seen.add(key)
        same = [x.indicator for x in lacking if x.indicator.absent]
        families = dict.fromkeys(x.family for x in same if (x.source.title, x.level) == key)
        names = [FAMILIES[family] for family in families]
        where = indicator.source.where
        yield (
            effort,
            Text(
                zh=f"{level_name(indicator.level).zh}：{'、'.join(x.zh for x in names)}",
                en=f"{level_name(indicator.level).en}: {', '.join(x.en for x in names)}",
            ),
            STATUS_TEXT[each.status],
            Text(
                zh=f"请打开 {indicator.source.title}（{indicator.locator}；{where}）",
                en=f"open {indicator.source.title} ({place_text(indicator.locator, 'en')}; "
                f"{place_text(where, 'en')})",
            ),
        )


def _expiries(bench: Bench, expires: Sequence[Expiry]) -> Block:
    if not expires:
        return Paragraph(
            text=Text(
                zh=f"{bench.day} 后 {ours().warn_days} 天内没有到期的文件、许可、检定、标准气体、"
                "校准或校验。",
                en="No document, permit, certificate, gas, calibration or verification ends within "
                f"{ours().warn_days} days after {bench.day}.",
            )
        )
    return Table(
        id="grade_expires",
        title=_soon(),
        columns=(
            _column("内容", "What", 50),
            _column("有效期至", "Valid until", 14),
            _column("还剩天数", "Days left", 10, 0),
        ),
        rows=tuple(
            (each.what, str(each.until), Decimal((each.until - bench.day).days)) for each in expires
        ),
    )


def indicators_of(result: Graded) -> Chapter:
    """Every indicator of every level: condition, evidence, what was found."""
    scheme = result.scheme
    return Chapter(
        title=Text(
            zh=f"指标表：{scheme.name.zh}（{scheme.generation}）",
            en=f"Indicators: {scheme.name.en} ({scheme.generation})",
        ),
        blocks=tuple(_of_level(result, level) for level in scheme.levels),
    )


def _of_level(result: Graded, level: str) -> Table:
    mine = [each for each in result.judged if each.indicator.level == level]
    told, name = result.of(level).text, result.scheme.name
    return Table(
        id=f"grade_{result.scheme.id}_{level}",
        title=Text(zh=f"{name.zh}：{told.zh}", en=f"{name.en}: {told.en}"),
        columns=(
            _column("类别", "Family", 14),
            _column("条件", "Condition", 40),
            _column("核实", "Confirmed", 10),
            _column("证据", "Evidence", 24),
            _column("状态", "State", 9),
            _column("结果", "Found", 44),
            _column("编号", "Line", 28),
        ),
        rows=(
            *(_row(result, each) for each in mine if not each.indicator.absent),
            *_unread(mine),
        ),
    )


def _unread(mine: Sequence[Judged]) -> Iterator[tuple[Cell, ...]]:
    """What could not be read, one row for each text."""
    absent = [each.indicator for each in mine if each.indicator.absent]
    for title in dict.fromkeys(each.source.title for each in absent):
        families = [FAMILIES[each.family] for each in absent if each.source.title == title]
        yield (
            Text(zh=f"{len(families)} 类", en=f"{len(families)} families"),
            Text(
                zh="、".join(each.zh for each in families),
                en=", ".join(each.en for each in families),
            ),
            CONFIRMED_TEXT["absent"],
            KINDS["none_known"],
            STATUS_TEXT[Status.UNKNOWN],
            Text(zh=f"未见原文，请打开 {title}", en=f"not read yet: open {title}"),
            None,
        )


def _row(result: Graded, each: Judged) -> tuple[Cell, ...]:
    indicator = each.indicator
    asked = [evidence_text(x) for x in indicator.evidence]
    proof = Text(zh="；".join(x.zh for x in asked), en="; ".join(x.en for x in asked))
    return (
        FAMILIES[indicator.family],
        indicator.text,
        CONFIRMED_TEXT[indicator.confirmed],
        proof,
        STATUS_TEXT[each.status],
        each.text,
        f"{PLANT}.{result.scheme.industry}.{indicator.id}",
    )


def _cases(results: Sequence[Graded]) -> Block:
    found = dict.fromkeys(
        (case, judged.indicator.text)
        for each in results
        for judged in each.judged
        for finding in judged.findings
        for case in finding.cases
    )
    if not found:
        return Paragraph(text=Text(zh="没有。", en="None."))
    once: dict[object, tuple[Cell, ...]] = {}
    for case, text in found:
        once.setdefault(
            case, (case.place, clock_text(case.start_ns), clock_text(case.end_ns), case.text, text)
        )
    rows = sorted(once.values(), key=lambda row: (str(row[1]), str(row[0])))
    cut = Text(
        zh=f"共 {len(rows)} 段，列出前 {CASES} 段", en=f"the first {CASES} of {len(rows)} stretches"
    )
    return Table(
        id="grade_cases",
        title=Text(zh="时段", en="Stretches"),
        columns=(
            _column("位置", "Place", 24),
            _column("开始", "From", 19),
            _column("结束", "To", 19),
            _column("情况", "What", 40),
            _column("指标", "Indicator", 40),
        ),
        rows=tuple(rows[:CASES]),
        note=cut if len(rows) > CASES else None,
    )


def _ends(bench: Bench) -> Iterator[Chapter]:
    ids = tuple(bench.assembly.lines)
    details = Details(lines=ids)
    yield Chapter(
        title=Text(zh="逐项结果与来源", en="Figures and their sources"), blocks=(details,)
    )
    for part, zh, en in (
        ("legals", "引用的指标数值", "Values of the tables"),
        ("entries", "录入数据", "Entries"),
        ("meters", "数据点与覆盖率", "Points and coverage"),
        ("changes", "版本差异", "Changes"),
    ):
        yield Chapter(title=Text(zh=zh, en=en), blocks=(Standard.model_validate({"part": part}),))
