"""
``quality-plan``: the data quality control plan of a year, from site, plan and certificates.

The order is that of the steel guide's Annex B: the aluminium guide's own could not be read.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.assembly import Assembly, Head, legal_use
from reports.basis import Basis
from reports.carbon.process import GUIDE
from reports.carbon.substitution import BY_PLAN, NO_RULE
from reports.chapters import Chapter, Column, Details, Paragraph, Standard, Table
from reports.conclude import conclude
from reports.model import Content, Doubt, DutyUse, How, Section
from reports.periods import Period
from reports.plan import report_house as house
from reports.plan import report_tables as tables
from reports.plan.certificates import Calibration, calibrations
from reports.plan.figures import gaps, meters, monitored, optional
from reports.plan.file import load_plan
from reports.plan.in_force import lodged_plans, read_plan
from reports.plan.plan import ANY, Acquisition, Parameter, Plan
from reports.plan.words import DRAWINGS, text
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT, Site
from reports.table_changes import table_changes

NAME: Final = "quality-plan"
TITLE: Final = text("数据质量控制计划", "Data quality control plan")
CALENDAR: Final = "cn_calendar"
NEEDED_DRAWINGS: Final = ("site_plan", "process", "metering")
COUNTS: Final = ("plan_parameters", "plan_instruments", "plan_drawings")


def quality_plan(basis: Basis) -> Content:
    """The report. Raises ConfigError when there is no plan or it has mistakes, RuleError."""
    site, year = basis.site, basis.period
    if site.plan is None:
        sentence = say(
            'site.toml 中没有 plan = "plan.toml"；模板见 config/plan.example.toml',
            'site.toml has no plan = "plan.toml"; config/plan.example.toml shows one',
        )
        raise ConfigError([sentence])
    plan = load_plan(site.plan, site)
    assembly = Assembly(year, basis.packs)
    lines = [line for line in site.potline if line.runs_in(year.first, year.after)]
    wanted = monitored(site, basis.ledger, year)
    named = {
        figure: parameter
        for figure, parameter in plan.expanded([line.id for line in lines]).items()
        if figure in wanted or not (parameter.figure.startswith(ANY) and optional(figure))
    }
    known = calibrations(basis.ledger, plan.instrument)
    for calibration in known:
        for certificate in calibration.certificates[-1:]:
            assembly.entry(calibration.instrument.id, certificate.entry)
    _counts(assembly, basis, plan, named, wanted)
    warnings = (
        *_legal_limits(assembly, plan),
        *_not_conservative(assembly, named),
        *_certificates(known),
    )
    assembly.legal_or_absent(GUIDE, "annex_b_form")
    chapters = _chapters(site, plan, named, known)
    content = conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=lines,
        duties=_duties(assembly, year),
        headline=tuple(f"{PLANT}.{name}" for name in COUNTS),
        warnings=warnings,
        chapters=chapters,
    )
    content = content.model_copy(update={"plan": plan})
    return content.model_copy(update={"chapters": (*chapters, *_last(basis, content))})


# --- what is counted


def _counts(
    assembly: Assembly,
    basis: Basis,
    plan: Plan,
    named: Mapping[str, Parameter],
    wanted: tuple[str, ...],
) -> None:
    year = basis.period
    wanting = [
        text(f"计划中没有参数 {figure}", f"the plan has no parameter for {figure}")
        for figure in gaps(plan, wanted)
    ]
    unknown = [
        text(f"计量表 {meter} 没有对应的计量器具", f"no instrument stands for the meter {meter}")
        for meter in meters(basis.site, year)
        if not any(plan.meter_of(str(meter), day) for day in (year.first, year.days[-1]))
    ]
    unknown += [
        text(f"{figure} 为实测，但没有计量器具", f"{figure} is measured, but by no instrument")
        for figure, parameter in named.items()
        if parameter.acquisition is Acquisition.MEASURED and not plan.instruments_for(figure)
    ]
    drawn = {drawing.kind for drawing in plan.drawing}
    undrawn = [
        text(f"缺少{DRAWINGS[kind].zh}", f"the {DRAWINGS[kind].en} is missing")
        for kind in NEEDED_DRAWINGS
        if kind not in drawn
    ]
    used = [each for each in plan.instrument if each.removed is None or each.removed > year.first]
    for name, label, count, missing in (
        (COUNTS[0], text("受控参数数", "Parameters in the plan"), len(named), wanting),
        (COUNTS[1], text("在用计量器具数", "Instruments in use"), len(used), unknown),
        (COUNTS[2], text("附图数", "Drawings attached"), len(plan.drawing), undrawn),
    ):
        head = Head(PLANT, name, Section.INFORMATION, label, "", 0)
        value = None if missing else Decimal(count)
        assembly.state(head, value, How.COMPUTED, (), missing=missing)


def _legal_limits(assembly: Assembly, plan: Plan) -> list[Doubt]:
    """What the plan promises, held against the least that the law asks for."""
    found = []
    months = assembly.legal(GUIDE, "calibration_interval_months")
    for each in plan.instrument:
        if each.interval_months > months.number:
            words = text(
                f"{each.id} {each.name.zh}检定周期 {each.interval_months} 个月，"
                f"长于规定的 {months.number} 个月",
                f"{each.id} {each.name.en}: calibrated every {each.interval_months} months, "
                f"longer than the {months.number} allowed",
            )
            found.append(Doubt(line=f"{PLANT}.{COUNTS[1]}", text=words))
    for name in ("retention_years", "retention_years_standard"):
        years = _rule(assembly, name)
        if years is not None and plan.archive.years < years.number:
            words = text(
                f"档案保存 {plan.archive.years} 年，少于{years.source.title}的 {years.number} 年",
                f"records are kept {plan.archive.years} years, fewer than the {years.number} of "
                f"{years.source.title}",
            )
            found.append(Doubt(line=f"{PLANT}.{COUNTS[0]}", text=words))
    return found


def _not_conservative(assembly: Assembly, named: Mapping[str, Parameter]) -> list[Doubt]:
    """Parameters for which the plan substitutes nothing, where the guide asks for caution."""
    rule = _rule(assembly, "missing_data_method")
    if rule is None or rule.value != BY_PLAN:
        return []
    open_ = dict.fromkeys(
        parameter.figure
        for parameter in named.values()
        if parameter.missing.code == NO_RULE and parameter.acquisition is not Acquisition.DEFAULT
    )
    if not open_:
        return []
    words = text(
        f"{len(open_)} 个参数的缺失数据处理为“{NO_RULE}”，没有保守的替代方法，而指南要求按计划"
        f"规定的保守方法处理缺失数据：{'、'.join(open_)}",
        f"{len(open_)} parameters have no rule for missing data (“{NO_RULE}”), where the guide "
        f"wants missing data replaced by a conservative rule of the plan: {', '.join(open_)}",
    )
    return [Doubt(line=f"{PLANT}.{COUNTS[0]}", text=words)]


def _rule(assembly: Assembly, name: str) -> Legal | None:
    """The rule when it holds for the whole period; a standard may begin within it."""
    try:
        return assembly.legal(GUIDE, name)
    except RuleError:
        return None


def _certificates(known: Sequence[Calibration]) -> list[Doubt]:
    return [
        Doubt(
            line=f"{PLANT}.{COUNTS[1]}",
            text=text(
                f"{x.instrument.id} {x.instrument.name.zh}没有录入检定/校准证书",
                f"{x.instrument.id} {x.instrument.name.en}: no calibration certificate is entered",
            ),
        )
        for x in known
        if x.last is None and x.instrument.removed is None
    ]


def _duties(assembly: Assembly, year: Period) -> tuple[DutyUse, ...]:
    """
    The day by which this year's plan is filed.

    The calendar is kept by year of compliance, one or two before the plan's. A deadline is of the
    plan of the year in which the day after it lies: 31 December 2026 of 2027, 30 June 2025 of 2025.
    """
    for back in (2, 1):
        day = Period.year(year.first.year - back).first
        try:
            legal = assembly.packs[CALENDAR].at("plan_due", day)
        except RuleError:
            continue
        if legal.day + timedelta(days=1) in year.days:
            assembly.legals[legal.id] = legal_use(legal)
            words = text(f"报送 {year} 年数据质量控制计划", f"file the quality plan of {year}")
            return (DutyUse(id="plan", text=words, due=legal.day, legal=legal.id),)
    return ()


# --- what is printed


def _chapters(
    site: Site, plan: Plan, named: Mapping[str, Parameter], known: Sequence[Calibration]
) -> tuple[Chapter, ...]:
    counts = Details(lines=tuple(f"{PLANT}.{name}" for name in COUNTS))
    unread = Paragraph(
        tone="warning",
        text=text(
            "铝冶炼指南附录 B（数据质量控制计划模板）未能查阅，本计划的章节顺序和栏目参照钢铁行业"
            "指南附录 B 编排；报送前请对照铝冶炼指南原文。",
            "Annex B of the aluminium guide (the form of this plan) could not be read; order and "
            "columns follow Annex B of the steel guide. Compare with the guide before filing.",
        ),
    )
    return (
        Chapter(
            title=text("计划概况", "Overview"),
            front=True,
            blocks=(unread, counts, Standard(part="signatures")),
        ),
        Chapter(title=text("版本及修订", "Versions"), blocks=(house.versions(plan),)),
        Chapter(
            title=text("重点排放单位情况", "The enterprise"),
            blocks=(
                house.enterprise(site, plan),
                house.departments(plan),
            ),
        ),
        Chapter(
            title=text("核算边界和主要排放设施", "Boundary and facilities"),
            blocks=(
                house.boundary(plan),
                Standard(part="potlines"),
                tables.facilities(plan),
                tables.drawings(plan),
                tables.plant_changes(plan),
            ),
        ),
        Chapter(
            title=text("数据的确定方式", "How each figure is determined"),
            blocks=(
                tables.parameters(plan, named),
                tables.metering(plan, named, known),
                tables.missing_data(plan, named),
                tables.laboratory(named),
            ),
        ),
        Chapter(
            title=text("计量器具台账", "Instruments"),
            blocks=(tables.instruments(plan, known), Standard(part="entries")),
        ),
        Chapter(
            title=text("数据内部质量控制和质量保证", "Internal control"),
            blocks=(
                house.roles(plan),
                house.training(plan),
                house.archive(plan),
            ),
        ),
    )


def _last(basis: Basis, content: Content) -> tuple[Chapter, ...]:
    return (
        Chapter(
            title=text("与已报送计划的差异", "Differences to plans lodged before"),
            blocks=(_since_year_before(basis, content), Standard(part="changes")),
        ),
        Chapter(
            title=text("法规参数", "Legal values"),
            blocks=(
                Standard(part="legals"),
                Standard(part="absent"),
                Standard(part="duties"),
            ),
        ),
    )


def _since_year_before(basis: Basis, content: Content) -> Table | Paragraph:
    """How the plan differs from the last one lodged for the year before."""
    year = basis.period.first.year - 1
    lodged = list(lodged_plans(basis, year))
    before = read_plan(basis, lodged[-1]) if lodged else None
    if before is None:
        return Paragraph(
            tone="note",
            text=text(f"没有存证过 {year} 年的计划", f"no plan of {year} was lodged"),
        )
    rows = tuple(
        (change.label or change.ref, change.before, change.after)
        for change in table_changes(before.report.content, content)
        if not change.ref.startswith("plan_since/")
    )
    name, on = before.name, before.lodging.on
    return Table(
        id="plan_since",
        title=text(f"与 {name}（{on} 报送）相比", f"Compared with {name}, lodged {on}"),
        columns=(
            Column(label=text("项目", "What"), width=50),
            Column(label=text("原计划", "Before"), width=40),
            Column(label=text("本计划", "Now"), width=40),
        ),
        rows=rows,
        note=None if rows else text("没有差异", "no difference"),
    )
