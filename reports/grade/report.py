"""``grade``: which level is proven today, by which indicators, and what keeps the plant from A."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.chapters import Chapter
from reports.conclude import conclude
from reports.grade.alert_chapter import alert_chapter
from reports.grade.alert_plan import AlertPlan, read_alert_plan
from reports.grade.bench import Bench
from reports.grade.chapters import chapters, indicators_of
from reports.grade.cites import as_packs, cite, note_absent
from reports.grade.expiry import all_expiring
from reports.grade.judge import Judged
from reports.grade.levels import Counted
from reports.grade.listing import evidence_text
from reports.grade.overlay import Overlay, lay, read_own_tables
from reports.grade.scheme import Graded, Scheme, graded, industries, schemes
from reports.grade.staggered import TABLE, seasons, staggered_chapter
from reports.grade.table import IndicatorTable, level_name, tables
from reports.journal.journal import read_journal
from reports.model import Content, How, Section
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text

NAME: Final = "grade"
TITLE: Final = Text(zh="绩效分级自证报告", en="Performance grade: what is proven")


def grade(basis: Basis) -> Content:
    """The report of the twelve months to the end of what is asked for. Raises ConfigError."""
    overlays = read_own_tables(basis.site.grade.tables)
    year = year_to(basis.period)
    day = year.days[-1]
    found = schemes(basis, overlays, day)
    known = [table for scheme in found for table in scheme.tables]
    known += [lay(tables(), overlays, each)[TABLE] for each in industries(basis)]
    packs = dict(basis.packs) | as_packs(known)
    assembly = Assembly(year, packs)
    bench = Bench(basis.of(year), assembly, read_journal(basis.site.journal))
    results = [graded(bench, scheme) for scheme in found]
    head = [line for result in results for line in _lines(bench, result)]
    plan_file = basis.site.alert_plan
    plan = None if plan_file is None else read_alert_plan(plan_file, basis.site)
    more = [alert_chapter(bench, plan), _staggered(bench, plan, overlays)]
    content = conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        headline=tuple(head),
        chapters=chapters(
            bench, results, all_expiring(bench, results), [each for each in more if each]
        ),
    )
    span = content.period.model_copy(update={"start": year.start.isoformat()})
    return content.model_copy(update={"period": span})


def _staggered(bench: Bench, plan: AlertPlan | None, overlays: list[Overlay]) -> Chapter | None:
    """The season of staggered production, judged like a level of its own; no grade comes of it."""
    season, mine, made = seasons(bench, plan, overlays)
    if season is None:
        return None
    for result in made:
        _judged_lines(mine, result)
    blocks = tuple(block for each in made for block in indicators_of(each).blocks)
    return staggered_chapter(season, mine, made, blocks)


def year_to(asked: Period) -> Period:
    """The twelve months to the end of a month, a day, a year or any days."""
    after = asked.after
    leap = (after.month, after.day) == (2, 29)
    return Period(date(after.year - 1, after.month, 28 if leap else after.day), after)


def _lines(bench: Bench, result: Graded) -> Iterator[str]:
    """Lines of every indicator, of every level, and of the grade; ids for the headline."""
    _judged_lines(bench, result)
    yield _grade(bench.assembly, result)


def _judged_lines(bench: Bench, result: Graded) -> None:
    """Lines of every indicator and every level."""
    scheme = result.scheme
    by_name = {table.name: table for table in scheme.tables}
    ids = {
        id(each): _indicator(bench.assembly, scheme, by_name[each.indicator.table], each)
        for each in result.judged
    }
    for counted in result.counted:
        mine = [ids[id(each)] for each in result.judged if each.indicator.level == counted.level]
        _level(bench.assembly, scheme, counted, [one for part in mine for one in part])


def _indicator(
    assembly: Assembly, scheme: Scheme, table: IndicatorTable, each: Judged
) -> list[str]:
    """One line for each piece of evidence: the figure, its inputs, the number of the table."""
    indicator = each.indicator
    if indicator.absent:
        note_absent(assembly, table, indicator)
        return []
    made = []
    for number, (asked, finding) in enumerate(zip(indicator.evidence, each.findings, strict=True)):
        more = f".{number + 1}" if number else ""
        proof, level = evidence_text(asked), level_name(indicator.level)
        head = Head(
            PLANT,
            f"{scheme.industry}.{table.name}.{indicator.level}.{indicator.name}{more}",
            Section.INFORMATION,
            Text(
                zh=f"{scheme.name.zh}（{scheme.generation}）{level.zh}：{proof.zh}",
                en=f"{scheme.name.en} ({scheme.generation}) {level.en}: {proof.en}",
            ),
            finding.unit,
            finding.decimals,
        )
        cited = cite(assembly, table, indicator, number, asked)
        inputs = [*finding.inputs, *([cited] if cited else [])]
        how = How.COMPUTED if finding.figure is not None else How.NONE
        notes = [indicator.text, finding.text]
        line = assembly.state(head, finding.figure, how, inputs, notes=notes)
        made.append(line.id)
    return made


def _level(assembly: Assembly, scheme: Scheme, counted: Counted, lines: list[str]) -> None:
    """How many conditions of a level are not proven."""
    level = level_name(counted.level)
    head = Head(
        PLANT,
        f"{scheme.industry}.{scheme.generation}.{counted.level}.open",
        Section.INFORMATION,
        Text(
            zh=f"{scheme.name.zh}（{scheme.generation}）{level.zh}尚未证明的指标",
            en=f"{scheme.name.en} ({scheme.generation}): conditions of {level.en} not proven",
        ),
        "1",
        0,
    )
    inputs = [assembly.from_line(identity, identity) for identity in lines]
    value = Decimal(counted.unknown + counted.failed)
    assembly.state(
        head, value, How.COMPUTED, [Argument(each.input) for each in inputs], notes=[counted.text]
    )


def _grade(assembly: Assembly, result: Graded) -> str:
    """The level as its place from the best one; missing, with the counts, where none is proven."""
    scheme, letter = result.scheme, result.grade
    zh, en = ("", "") if not letter else (f" {letter} 级，位次", f" {letter}, place")
    head = Head(
        PLANT,
        f"{scheme.industry}.{scheme.generation}.grade",
        Section.INFORMATION,
        Text(
            zh=f"{scheme.name.zh}（{scheme.generation}）可证明等级{zh}",
            en=f"{scheme.name.en} ({scheme.generation}): level provable{en}",
        ),
        "1",
        0,
    )
    inputs = [
        assembly.from_line(each.level, f"{PLANT}.{scheme.id}.{each.level}.open")
        for each in result.counted
    ]
    missing = () if letter else (_why(result),)
    place = Decimal(scheme.levels.index(letter) + 1) if letter else None
    line = assembly.state(head, place, How.COMPUTED, inputs, missing=missing)
    return line.id


def _why(result: Graded) -> Text:
    counted = result.of(result.scheme.target)
    return counted.text
