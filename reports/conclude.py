"""From the bench to a finished report: who, when, what is missing, which texts to open."""

from collections.abc import Sequence
from datetime import timedelta

from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Chapter
from reports.citations import LegalUse, SourceText
from reports.clocks import clock_doubts
from reports.journal.journal import read_journal
from reports.journal.seen import READERS
from reports.model import (
    Content,
    Doubt,
    DutyUse,
    How,
    LedgerUse,
    PeriodUse,
    PlantUse,
    PotlineUse,
    Stamp,
)
from reports.periods import Period
from reports.site import Names, Potline
from reports.values import Text


def conclude(  # noqa: PLR0913 - the parts of a report, each by its name
    basis: Basis,
    assembly: Assembly,
    *,
    report: str,
    title: Text,
    chapters: tuple[Chapter, ...],
    headline: tuple[str, ...],
    potlines: Sequence[Potline] = (),
    duties: tuple[DutyUse, ...] = (),
    warnings: tuple[Doubt, ...] = (),
) -> Content:
    """The report from what was put together on the bench."""
    site, period = basis.site, basis.period
    lines = tuple(assembly.lines.values())
    missing = tuple(line.id for line in lines if line.how is How.MISSING)
    legals = in_pack_order(assembly)
    return Content(
        report=report,
        title=title,
        plant=PlantUse(
            id=site.plant,
            name=words(site.name),
            operator=None if site.operator is None else words(site.operator),
            credit_code=site.credit_code,
            province=site.province,
        ),
        period=PeriodUse(
            name=str(period), start=period.start.isoformat(), end=period.end.isoformat()
        ),
        potlines=tuple(_master(line, period) for line in potlines),
        complete=not missing,
        missing=missing,
        stamps=_stamps(legals),
        warnings=(*warnings, *clock_doubts(basis)),
        duties=duties,
        absent=tuple(assembly.absent.values()),
        headline=headline,
        lines=lines,
        chapters=chapters,
        legals=tuple(legals),
        entries=tuple(assembly.entries[number] for number in sorted(assembly.entries)),
        meters=tuple(assembly.meters[key] for key in sorted(assembly.meters)),
        packs={
            name: assembly.packs[name].digest for name in sorted({legal.pack for legal in legals})
        },
        ledger=LedgerUse(entries=len(basis.ledger.entries), head=basis.ledger.head),
        journal=_journal(basis) if report in READERS else None,
        series=basis.series.name,
    )


def _journal(basis: Basis) -> LedgerUse:
    journal = read_journal(basis.site.journal)
    return LedgerUse(entries=len(journal.all), head=journal.head)


def words(names: Names) -> Text:
    """A name of the site file as text of a report."""
    return Text(zh=names.zh, en=names.en)


def _master(line: Potline, period: Period) -> PotlineUse:
    ran = [d for d in period.days if line.runs_in(d, d + timedelta(days=1))]
    return PotlineUse(
        id=line.id,
        name=words(line.name),
        process=line.process,
        capacity_t_per_year=line.capacity_t_per_year,
        design_current_ka=line.design_current_ka,
        design_voltage_v=line.design_voltage_v,
        pots=line.pots,
        rectifiers=line.rectifiers,
        days=len(ran),
    )


def in_pack_order(assembly: Assembly) -> list[LegalUse]:
    """As the packs list them: values first, rounding last."""
    places = {
        (pack.name, name): n
        for pack in assembly.packs.values()
        for n, name in enumerate(pack.parameters)
    }
    return sorted(
        assembly.legals.values(),
        key=lambda legal: (legal.pack, places[legal.pack, _name_of(legal)], legal.id),
    )


def _name_of(legal: LegalUse) -> str:
    return legal.id.removeprefix(f"{legal.pack}.").partition("@")[0]


def _stamps(legals: Sequence[LegalUse]) -> tuple[Stamp, ...]:
    """One stamp per text and confirmation of the values that nobody read in the text itself."""
    found: dict[tuple[str, str], Stamp] = {}
    for legal in legals:
        if legal.confirmed in {"official", "site"}:  # the plant's own is printed by itself
            continue
        key = legal.source.title, legal.confirmed
        known = found.get(key)
        found[key] = Stamp(
            source=SourceText.model_validate(dict(legal.source)),
            parameters=(*(known.parameters if known else ()), legal.label),
            confirmed=legal.confirmed,
        )
    return tuple(found.values())
