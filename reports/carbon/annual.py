"""
``carbon-annual``: the year's report, put together of the same months that were lodged.

The lines of a month carry ``@2026-03`` behind their id; the year's line is their sum, and its
intensities are computed anew from the sums. A month in which a potline did not run is not stated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.carbon.annual_chapters import Parts, annual_chapters
from reports.carbon.annual_quality import by_month, quality
from reports.carbon.compare_years import compare
from reports.carbon.disclosure import disclosure
from reports.carbon.lodged_months import lodged_months
from reports.carbon.monthly import HEADLINE, Month, assemble_month
from reports.carbon.plausibility import doubts
from reports.carbon.process import HIGH, add_intensity, part_of
from reports.conclude import conclude
from reports.model import Content, Coverage, Doubt, DutyUse, How, Line
from reports.periods import Period
from reports.rules.packs import Legal
from reports.site import PLANT, Potline
from reports.values import Text

NAME: Final = "carbon-annual"
TITLE: Final = Text(
    zh="铝冶炼企业温室气体排放年度报告", en="Annual greenhouse gas report of an aluminium smelter"
)
INFORMED_BY: Final = {  # CO2 beside the report, and the energy it is made from
    "indirect_co2": "electricity_ac",
    "electricity_purchased_co2": "electricity_purchased",
    "heat_purchased_co2": "heat_purchased",
}
CALENDAR: Final = "cn_calendar"
_NOT_BURNED: Final = Text(zh="全年消耗量为零", en="none was consumed in the year")
_STOPPED: Final = Text(zh="本月该工序未运行：未填报", en="it did not run in this month: not stated")


@dataclass(frozen=True, slots=True)
class Year:
    """Every line of the year and of its months on one bench."""

    period: Period
    months: tuple[Period, ...]  # fewer than twelve in a trial of a year that still runs
    assembly: Assembly
    potlines: tuple[Potline, ...]
    warnings: tuple[Doubt, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        return (*(line.id for line in self.potlines), PLANT)


def assemble_year(basis: Basis) -> Year:
    """Twelve months and their year. Raises RuleError when the rules of a month are not known."""
    year = basis.period
    assembly = Assembly(year, basis.packs)
    warnings: list[Doubt] = []
    months = _at_hand(basis)
    for month in months:
        warnings += _merge(assembly, assemble_month(basis.of(month)), month)
    potlines = tuple(x for x in basis.site.potline if x.runs_in(year.first, year.after))
    made = Year(year, months, assembly, potlines, ())
    for scope in made.scopes:
        for name in _names(assembly, scope):
            _year_line(made, scope, name)
    by_id = assembly.lines
    assembly.lines = {key: line for key, line in by_id.items() if "@" not in key} | {
        key: line for key, line in by_id.items() if "@" in key
    }
    found = (*_only(year, months), *doubts(assembly.lines, potlines, year))
    return Year(year, months, assembly, potlines, (*found, *by_month(warnings)))


def _at_hand(basis: Basis) -> tuple[Period, ...]:
    """The months; in a trial those after the last one with any entry are left out."""
    months = basis.period.months
    if not basis.preliminary:
        return months
    known = [entry.figure.period.first for entry in basis.ledger.current().values()]
    last = max((day for day in known if day < basis.period.after), default=basis.period.first)
    return tuple(month for month in months if month.first <= last) or months[:1]


def _only(year: Period, months: Sequence[Period]) -> tuple[Doubt, ...]:
    if len(months) == len(year.months):
        return ()
    text = Text(
        zh=f"合计只含 {months[0]} 至 {months[-1]}，其后各月尚无录入",
        en=f"the sums hold {months[0]} to {months[-1]} only; nothing is entered for later months",
    )
    return (Doubt(line=f"{PLANT}.emission", text=text),)


def at(identity: str, month: Period) -> str:
    """The id of a month's line inside the year."""
    return f"{identity}@{month}"


def carbon_annual(basis: Basis) -> Content:
    """The report. Raises RuleError when the rules of a month are not known."""
    year = assemble_year(basis)
    assembly, potlines = year.assembly, year.potlines
    duties = _duties(assembly)
    controlled, deviated = quality(basis, assembly)
    compared = compare(basis, assembly, potlines)
    lodged = lodged_months(basis, assembly)
    parts = Parts(
        quality=controlled,
        comparison=compared.chapter,
        lodged=lodged.chapter,
        disclosure=disclosure(basis, assembly, potlines),
    )
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=potlines,
        duties=duties,
        headline=tuple(f"{PLANT}.{name}" for name in HEADLINE),
        warnings=(*year.warnings, *lodged.warnings, *compared.warnings, *deviated),
        chapters=annual_chapters(basis, assembly, potlines, parts),
    )


def _merge(assembly: Assembly, month: Month, period: Period) -> list[Doubt]:
    """Lay the month's lines on the year's bench under ids of their own; its warnings."""
    made = month.assembly
    for line in made.lines.values():
        inputs = tuple(
            given.model_copy(update={"ref": at(given.ref, period)})
            if given.kind in {"line", "meter"}
            else given
            for given in line.inputs
        )
        identity = at(line.id, period)
        assembly.lines[identity] = line.model_copy(update={"id": identity, "inputs": inputs})
    for meter in made.meters.values():
        identity = at(meter.id, period)
        assembly.meters[identity] = meter.model_copy(update={"id": identity})
    assembly.legals |= made.legals
    assembly.entries |= made.entries
    assembly.absent |= made.absent
    return [Doubt(line=at(doubt.line, period), text=doubt.text) for doubt in month.warnings]


def _names(assembly: Assembly, scope: str) -> list[str]:
    """Names of the figures of a scope over all months, in the order of the months."""
    found: dict[str, None] = {}
    for line in assembly.lines.values():
        if line.scope == scope and "@" in line.id:
            found[line.id.removeprefix(f"{scope}.").partition("@")[0]] = None
    return [name for name in found if name != HIGH]  # of months with missing days only


def _year_line(year: Year, scope: str, name: str) -> None:
    """The year's figure of one name: recomputed where it is a ratio, else the sum."""
    assembly, identity = year.assembly, f"{scope}.{name}"
    months = year.months
    there = [m for m in months if at(identity, m) in assembly.lines]
    sample = assembly.lines[at(identity, there[0])]
    head = Head(scope, name, sample.section, sample.label, sample.unit, sample.decimals)
    potline = next((line for line in year.potlines if line.id == scope), None)
    for month in months:
        if potline is not None and month not in there:
            _stopped(assembly, head, month)
    if name == "intensity":
        add_intensity(assembly, head)
    elif name == "specific_energy":
        _specific_energy(assembly, head)
    elif name in INFORMED_BY and assembly.lines[f"{scope}.{INFORMED_BY[name]}"].value is None:
        return  # a month of the energy is missing: no sum of the months that are there
    elif name.startswith(("fuel_ncv.", "gas_ncv.")):
        _heat_value(assembly, head, there)
    else:
        lines = [assembly.lines[at(identity, m)] for m in there]
        _add_months(assembly, head, lines, months, potline)


def _stopped(assembly: Assembly, head: Head, month: Period) -> None:
    named = Head(
        head.scope, at(head.name, month), head.section, head.label, head.unit, head.decimals
    )
    assembly.state(named, None, How.NONE, (), notes=[_STOPPED])


def _specific_energy(assembly: Assembly, head: Head) -> None:
    energy = assembly.lines[f"{head.scope}.electricity_ac"]
    metal = assembly.lines[f"{head.scope}.aluminium"]
    if energy.value is None or not metal.value:
        return
    given = [
        assembly.from_line("energy_mwh", energy.id),
        assembly.from_line("aluminium_t", metal.id),
    ]
    assembly.compute(head, "specific_energy", given)


def _heat_value(assembly: Assembly, head: Head, months: Sequence[Period]) -> None:
    """The year's mean heat value of a fuel, weighted by what was consumed."""
    fuel = head.name.partition(".")[2]
    values = [assembly.from_line(f"NCV {m}", at(head.id, m)) for m in months]
    weights = [
        assembly.from_line(f"FC {m}", at(f"{PLANT}.fuel_consumed.{fuel}", m)) for m in months
    ]
    missing = tuple(dict.fromkeys(text for each in weights for text in each.missing))
    total = sum((each.input.value or Decimal(0) for each in weights), Decimal(0))
    heat = sum(
        (
            (each.input.value or Decimal(0)) * (weight.input.value or Decimal(0))
            for each, weight in zip(values, weights, strict=True)
        ),
        Decimal(0),
    )
    if not missing and not total:
        assembly.state(head, None, How.NONE, (), notes=[_NOT_BURNED])
        return
    mean = None if missing else heat / total
    made = assembly.state(head, mean, How.COMPUTED, [*values, *weights], missing=missing)
    assembly.put(made, equation="Σ(FC × NCV) / Σ FC")


def _add_months(
    assembly: Assembly,
    head: Head,
    lines: Sequence[Line],
    months: Sequence[Period],
    potline: Potline | None,
) -> None:
    stated = [line for line in lines if line.how is not How.NONE]
    silent = [str(m) for m in months if at(head.id, m) not in {line.id for line in stated}]
    notes = [] if potline is None else part_of(potline, assembly.period)
    if silent and potline is None and stated:
        notes.append(_silent(silent))
    if not stated:
        assembly.state(head, None, How.NONE, (), notes=lines[0].notes)
        return
    made = assembly.add_up(head, [line.id for line in stated])
    repeated = dict.fromkeys(
        note for line in stated for note in line.notes if head.name.endswith(("_emission", "_co2"))
    )
    share, method = _substituted(stated, months)
    assembly.put(
        made,
        notes=(*notes, *(note for note in repeated if note not in notes)),
        substituted=share,
        method=method,
        coverage=_coverage(stated),
    )


def _silent(months: Sequence[str]) -> Text:
    return Text(
        zh=f"未填报、未计入的月份：{'、'.join(months)}",
        en=f"not stated and not counted in {', '.join(months)}",
    )


def _substituted(lines: Sequence[Line], months: Sequence[Period]) -> tuple[Decimal | None, str]:
    """Share of the year that was substituted, days weighted, and the methods."""
    days = {str(month): len(month.days) for month in months}
    whole = sum(days[line.id.partition("@")[2]] for line in lines)
    found = [line for line in lines if line.substituted]
    if not found:
        return None, ""
    part = sum(
        ((line.substituted or Decimal(0)) * days[line.id.partition("@")[2]] for line in found),
        Decimal(0),
    )
    share = (part / whole).quantize(Decimal("0.0001"))
    return share, "+".join(dict.fromkeys(line.method for line in found))


def _coverage(lines: Sequence[Line]) -> Coverage | None:
    """The worst month's, since a year is no better known than its weakest month."""
    known = [line for line in lines if line.coverage is not None]
    if not known:
        return None
    worst = min(known, key=lambda line: line.coverage.share if line.coverage else Decimal(1))
    if worst.coverage is None:
        return None
    month, text = worst.id.partition("@")[2], worst.coverage.text
    return Coverage(
        share=worst.coverage.share,
        text=Text(zh=f"最低的月份 {month}：{text.zh}", en=f"worst month {month}: {text.en}"),
    )


def _duties(assembly: Assembly) -> tuple[DutyUse, ...]:
    due = assembly.legal_or_absent(CALENDAR, "report_due")
    if not isinstance(due, Legal):
        return ()
    text = Text(zh="报送年度排放报告", en="hand in the annual report")
    return (DutyUse(id="report", text=text, due=due.day, legal=due.id),)
