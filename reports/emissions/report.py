"""``emissions``: the report of a day, month, quarter, year or any interval."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Block, Chapter, Details, Facts, Months, Paragraph, Standard, Table
from reports.conclude import conclude
from reports.emissions.audit import audit_duties, audit_sheet, audited, checks_table
from reports.emissions.doubts import brought_data, doubts
from reports.emissions.figures import label_of
from reports.emissions.hour_sheets import hours_sheet
from reports.emissions.hours import pieces
from reports.emissions.limit_tables import (
    above_table,
    days_above_table,
    hidden_table,
    marks_table,
    too_long,
)
from reports.emissions.lines import add_plant, add_stack
from reports.emissions.logger import logger_tables
from reports.emissions.made import StackYear, make
from reports.emissions.pictures import hour_pictures, minute_picture
from reports.emissions.rules import HJ75
from reports.emissions.transmission import Sent, add_transmission, sent_of, transmission_table
from reports.emissions.unconverted import unconverted_table
from reports.emissions.value_tables import (
    capture_table,
    days_table,
    hours_table,
    months_table,
    sources_table,
    substitution_table,
    summary_table,
)
from reports.emissions.withdrawn import withdrawn_table
from reports.emissions.words import METHODS, both
from reports.journal.drift import rule
from reports.model import Content, DutyUse
from reports.periods import Period
from reports.site import PLANT
from reports.site_stacks import Limit, Stack
from reports.values import Text
from reports.words import short_text

NAME: Final = "emissions"
TITLE: Final = Text(zh="排放口监测与排放量报告", en="Stack emissions")
A_MONTH: Final = 31  # days that are listed one by one


def emissions(basis: Basis) -> Content:
    """The report. Raises RuleError, SeriesError, ConfigError."""
    period = basis.period
    used = [
        x
        for x in basis.site.stacks
        if x.works_in(period.first, period.after) or brought_data(basis, x)
    ]
    _refuse_without_limits(used)
    stacks = [make(basis, stack) for stack in used]
    assembly = Assembly(period, basis.packs)
    months = list(pieces(period)) if len(list(pieces(period))) > 1 else []
    sent: dict[str, list[Sent]] = {}
    for made in stacks:
        add_stack(assembly, made, months)
        sent[made.stack.id] = sent_of(basis, made)
        add_transmission(assembly, made, sent[made.stack.id])
    add_plant(assembly, stacks)
    monthly = {key: line for key, line in assembly.lines.items() if "@" in key}
    assembly.lines = {k: x for k, x in assembly.lines.items() if "@" not in k} | monthly
    duties = _duties(basis, assembly)
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        headline=tuple(
            key for key in assembly.lines if key.startswith(f"{PLANT}.") and "@" not in key
        ),
        duties=duties,
        warnings=tuple(doubts(basis, assembly, stacks)),
        chapters=tuple(_chapters(basis, assembly, stacks, months, sent)),
    )


def _refuse_without_limits(stacks: Sequence[Stack]) -> None:
    lacking = [stack.id for stack in stacks if not stack.limits]
    if lacking:
        names = ", ".join(lacking)
        raise ConfigError(
            [
                say(
                    f"排放口 {names} 没有限值；请按排污许可证写 [[stacks.limits]]",
                    f"{names}: no limits; write [[stacks.limits]] as the discharge permit states",
                )
            ]
        )


def _duties(basis: Basis, assembly: Assembly) -> tuple[DutyUse, ...]:
    last = audited(basis.period)[-1:]  # those before it are long over when the year is
    if not last:
        return ()
    return audit_duties(last, assembly.legal(HJ75, "audit_working_days"))


def _chapters(
    basis: Basis,
    assembly: Assembly,
    stacks: Sequence[StackYear],
    months: Sequence[Period],
    sent: Mapping[str, Sequence[Sent]],
) -> Iterator[Chapter]:
    yield _chapter(("汇总", "Summary"), summary_table(assembly, stacks), front=True)
    nothing = Paragraph(text=_nothing_above(assembly))
    above, days = above_table(stacks), days_above_table(stacks)
    hidden = _hidden(basis, assembly, stacks)
    yield _chapter(("超标", "Above the limit"), above or nothing, days, hidden, front=True)
    for made in stacks:
        yield _stack(basis, made, months)
    yield _chapter(
        ("捕集率与替代", "Capture and stand-ins"),
        capture_table(stacks),
        *(substitution_table(made) for made in stacks),
    )
    for quarter in audited(basis.period):
        title = (f"{quarter} 数据审核表", f"Audit sheet of {quarter}")
        yield _chapter(title, *audit_sheet(basis, stacks, quarter))
    checks = [table for made in stacks if (table := checks_table(basis, made)) is not None]
    if checks:
        yield _chapter(("校准与校验", "Checks and verifications"), *checks)
    compared = [table for made in stacks for table in _logger(basis, made, sent[made.stack.id])]
    if compared:
        title = ("数采仪：传输有效率与小时数据对照", "The logger: transmission, hours")
        yield _chapter(title, *compared)
    if months:
        yield _chapter(("逐月排放量", "Month by month"), *_monthly(stacks, months))
    yield from _ends(stacks, assembly)


def _nothing_above(assembly: Assembly) -> Text:
    """Said where no hour is listed as above its limit: none was, or nobody could judge some."""
    unknown = [
        line
        for line in assembly.lines.values()
        if line.id.endswith("_exceeded_hours") and line.value is None and line.scope != PLANT
    ]
    if not unknown:
        return Text(
            zh="已判定的小时中没有超标。", en="No hour that was judged was above its limit."
        )
    told = both(list(dict.fromkeys(text for line in unknown for text in line.missing)))
    return Text(
        zh=f"有小时未能判定，不等于没有超标：{told.zh}。",
        en=f"Hours could not be judged, which does not mean that none was above: {told.en}.",
    )


def _hidden(basis: Basis, assembly: Assembly, stacks: Sequence[StackYear]) -> Table | None:
    """Not judged hours above a limit; with a hint where a start excuses them for long."""
    excuse = rule(basis.packs, "start_excuse_hours", basis.period.first)
    if excuse is not None and any(too_long(x, excuse) for made in stacks for x in made.above):
        assembly.cite(excuse)
    return hidden_table(stacks, excuse)


def _logger(basis: Basis, made: StackYear, sent: Sequence[Sent]) -> Iterator[Table]:
    """What arrived from the data logger, and its hours beside ours."""
    arrived = transmission_table(made, sent)
    if arrived is not None:
        yield arrived
        yield from logger_tables(basis, made)


def _chapter(title: tuple[str, str], *blocks: Block | None, front: bool = False) -> Chapter:
    there = tuple(block for block in blocks if block is not None)
    return Chapter(title=Text(zh=title[0], en=title[1]), front=front, blocks=there)


def _stack(basis: Basis, made: StackYear, months: Sequence[Period]) -> Chapter:
    stack, period = made.stack, basis.period
    blocks: list[Block | None] = [_facts(made), *hour_pictures(made)]
    if len(period.days) == 1:
        blocks += [minute_picture(basis, made), hours_table(made)]
    elif len(period.days) <= A_MONTH:
        blocks.append(days_table(made))
    if len(period.days) > 1:
        blocks.append(months_table(made, months or [period]))
    blocks += [unconverted_table(made), marks_table(made), withdrawn_table(basis, made)]
    blocks.append(hours_sheet(made))
    return _chapter((f"{stack.id} {stack.name.zh}", f"{stack.id}: {stack.name.en}"), *blocks)


def _facts(made: StackYear) -> Facts:
    """What the permit says, and how the figures of the hours came about."""
    stack = made.stack
    reference = stack.reference_o2
    if reference is None:
        basis = Text(
            zh="许可证未规定基准含氧量：以标干浓度判定",
            en="dry concentration; no reference O2 is set",
        )
    else:
        basis = Text(
            zh=f"折算至基准含氧量 {short_text(reference)} %",
            en=f"converted to {short_text(reference)} % O2",
        )
    permit = stack.permit
    number = "—" if permit is None else " ".join(filter(None, (permit.number, permit.document)))
    facts: list[tuple[Text, Text | str]] = [
        (Text(zh="设备", en="Equipment"), stack.equipment),
        (Text(zh="排污许可证", en="Permit"), number),
        (Text(zh="判定依据", en="Judged by"), basis),
    ]
    for limit in stack.limits:
        label = label_of(limit.pollutant)
        name = Text(zh=f"{label.zh}限值", en=f"Limit of {label.en}")
        facts.append((name, _limit_text(limit, made.hours.period)))
    for method, text in METHODS.items():
        count = sum(n for key, n in made.hours.methods.items() if key.endswith(f".{method}"))
        if count:
            facts.append((text, Text(zh=f"{count} 分钟·项", en=f"{count} minutes of pollutants")))
    return Facts(facts=tuple(facts))


def _limit_text(limit: Limit, period: Period) -> Text:
    """Value, days in force, source; one of another time is said to be that."""
    value, here = short_text(limit.hour_mg_m3), any(map(limit.holds_on, period.days))
    until = Text(
        zh="起" if limit.until is None else f"至 {limit.until}",
        en="" if limit.until is None else f" to {limit.until}",
    )
    other = Text(zh="" if here else "（本期未生效）", en="" if here else " (not in force here)")
    return Text(
        zh=f"{value} mg/m3，自 {limit.first} {until.zh}{other.zh}，{limit.source}",
        en=f"{value} mg/m3, from {limit.first}{until.en}{other.en}, {limit.source}",
    )


def _monthly(stacks: Sequence[StackYear], months: Sequence[Period]) -> Iterator[Months]:
    for made in stacks:
        yield Months(
            title=Text(zh=made.stack.id, en=made.stack.id),
            lines=tuple(
                f"{made.stack.id}.{name}_{figure}"
                for name in made.stack.pollutants
                for figure in ("total", "capture", "exceeded_hours", "substituted_hours")
            ),
            months=tuple(str(month) for month in months),
        )


def _ends(stacks: Sequence[StackYear], assembly: Assembly) -> Iterator[Chapter]:
    yield _chapter(("规则待查", "Values to look up"), Standard(part="absent"))
    details = [
        Details(
            title=Text(zh=scope, en=scope) if scope != PLANT else Text(zh="全厂", en="Plant"),
            lines=tuple(
                line.id
                for line in assembly.lines.values()
                if line.scope == scope and "@" not in line.id
            ),
        )
        for scope in (*(made.stack.id for made in stacks), PLANT)
    ]
    yield _chapter(("逐项结果、公式与来源", "Figures, formulas, sources"), *details)
    written = [month for month, _ in stacks[0].hours.written] if stacks else []
    points = dict.fromkeys(source.id for made in stacks for source in made.sources)
    used = [assembly.meters[identity] for identity in points]
    yield _chapter(("数据来源", "Sources"), sources_table(used, written))
    for part, zh, en in (
        ("duties", "时限", "Deadlines"),
        ("legals", "法规与标准参数", "Legal values"),
        ("changes", "版本差异", "Changes"),
    ):
        yield _chapter((zh, en), Standard.model_validate({"part": part}))
