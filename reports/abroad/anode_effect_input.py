"""
Anode-effect minutes per cell-day of a potline, month by month: from flags of the pots, or entered.

The control system's flag of each pot is stored minute by minute as the share of the minute in
anode effect. Minutes are added up over all pots, cell-days are the time over which the flag was
known. Stretches without data are left out of both, and said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.entered import entered
from reports.metered import amount
from reports.model import Coverage, Doubt, How, Line, Section
from reports.periods import Period
from reports.series.store import Series, TimeOn
from reports.site import Potline
from reports.values import Text

FLAG: Final = "pot.anode_effect"
KIND: Final = "anode_effect_minutes"
UNIT: Final = "min/cell-day"
DECIMALS: Final = 4
ENOUGH: Final = Decimal("0.75")  # ours, no rule's: with less of the month known it is a gap
AGREE: Final = Decimal("0.05")  # flags and entry differ by more: said so
DOUBT_SHARE: Final = Decimal("0.20")  # ours: flags and entry further apart contradict each other …
DOUBT_MINUTES: Final = Decimal("0.01")  # … when it is more than this, min per cell-day
_MINUTES: Final = Text(zh="阳极效应持续时间（每槽日）", en="Anode-effect minutes per cell-day")
_TIME: Final = Text(zh="阳极效应总时间（各槽合计）", en="Minutes in anode effect, all pots")
_CELLS: Final = Text(zh="有效槽日数", en="Cell-days over which the flag was known")


@dataclass(slots=True)
class Flags:
    """Times of the anode-effect flag, read once per month for all potlines of the plant."""

    series: Series
    read: dict[Period, list[TimeOn]] = field(default_factory=dict)

    def of(self, line: Potline, month: Period) -> list[TimeOn]:
        """Pots of the line on the days on which it ran; pots are ``<potline id>/…``."""
        if month not in self.read:
            self.read[month] = self.series.time_on(FLAG, month)
        return [
            time
            for time in self.read[month]
            if time.equipment.startswith(f"{line.id}/")
            and line.runs_in(time.day, time.day + timedelta(days=1))
        ]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the flags of one potline say of a month."""

    minutes: Decimal  # in anode effect, all pots together
    cell_days: Decimal  # over which the flags were known
    share: Decimal  # of the cell-days of the month, 0 to 1
    pots: int

    @property
    def per_cell_day(self) -> Decimal | None:
        return self.minutes / self.cell_days if self.cell_days else None


def measured(times: Iterable[TimeOn], line: Potline, month: Period) -> Measured:
    """Sums over pots and days; ``share`` is of the pots of the site file on the days it ran."""
    rows = list(times)
    days = [day for day in month.days if line.runs_in(day, day + timedelta(days=1))]
    minutes = amount(sum(row.on_s for row in rows)) / 60
    cell_days = amount(sum(row.good_s for row in rows)) / 86_400
    pots = len({row.equipment for row in rows})
    wanted = Decimal(len(days) * max(line.pots, pots))
    share = min(Decimal(1), cell_days / wanted) if wanted else Decimal(0)
    return Measured(minutes, cell_days, share, pots)


def add_month(basis: Basis, assembly: Assembly, flags: Flags, line: Potline, month: Period) -> Line:
    """``<line>.ae_minutes@<month>``: from the flags when enough of the month is known."""
    head = _head(line.id, f"ae_minutes@{month}", _MINUTES, UNIT)
    known = measured(flags.of(line, month), line, month)
    entry = entered(basis.ledger, KIND, line.id, month)
    value = known.per_cell_day
    coverage = None if not known.pots else _coverage(known, line)
    if value is not None and known.share >= ENOUGH:
        notes = [] if entry is None else _compared(value, entry.figure.amount)
        return assembly.state(
            head, value, How.METERED, _from_flags(assembly, line, month, known),
            coverage=coverage, notes=notes,
        )  # fmt: skip
    if entry is not None:
        return assembly.state(
            head,
            entry.figure.amount,
            How.ENTERED,
            [assembly.entry("aem_min_per_cell_day", entry)],
            notes=[] if not known.pots else [_too_little(known)],
        )
    why = _nothing(line, month) if not known.pots else _too_little(known)
    return assembly.state(head, None, How.MISSING, [], coverage=coverage, missing=[why])


def _from_flags(
    assembly: Assembly, line: Potline, month: Period, known: Measured
) -> list[Argument]:
    """Minutes and cell-days as lines of their own, so that the quotient can be followed."""
    assembly.state(_head(line.id, f"ae_time@{month}", _TIME, "min"), known.minutes, How.METERED, [])
    assembly.state(
        _head(line.id, f"cell_days@{month}", _CELLS, "d"), known.cell_days, How.METERED, []
    )
    names = ("ae_time", "cell_days")
    return [assembly.from_line(name, f"{line.id}.{name}@{month}") for name in names]


def _head(scope: str, name: str, label: Text, unit: str) -> Head:
    return Head(scope, name, Section.INTERNATIONAL, label, unit, DECIMALS)


def _coverage(known: Measured, line: Potline) -> Coverage:
    return Coverage(
        share=known.share.quantize(Decimal("0.0001"), rounding=ROUND_DOWN),
        text=Text(
            zh=f"{known.pots}/{line.pots} 台槽有效应信号，已知 {known.cell_days:.1f} 槽日",
            en=f"flags of {known.pots} of {line.pots} pots, "
            f"known for {known.cell_days:.1f} cell-days",
        ),
    )


def _compared(flags: Decimal, stated: Decimal) -> list[Text]:
    if abs(flags - stated) <= AGREE * max(flags, stated):
        return []
    return [
        Text(
            zh=f"录入值为 {stated} 分钟/槽日，与槽控信号统计值 {flags:.4f} 相差 "
            f"{stated - flags:.4f}，采用信号统计值",
            en=f"an entry states {stated} min per cell-day, {stated - flags:.4f} off the "
            f"{flags:.4f} of the pots' flags; the flags count",
        )
    ]


def contradictions(
    basis: Basis, assembly: Assembly, line: Potline, months: Iterable[Period]
) -> Iterator[Doubt]:
    """Months whose entry cannot be true beside the flags of the pots: for the first page."""
    for month in months:
        known = assembly.lines[f"{line.id}.ae_minutes@{month}"]
        entry = entered(basis.ledger, KIND, line.id, month)
        if known.how is not How.METERED or known.value is None or entry is None:
            continue
        stated = entry.figure.amount
        apart = abs(known.value - stated)
        if apart > DOUBT_MINUTES and apart > DOUBT_SHARE * max(known.value, stated):
            yield Doubt(line=known.id, text=_compared(known.value, stated)[0])


def _too_little(known: Measured) -> Text:
    return Text(
        zh=f"槽控效应信号仅覆盖应有槽日的 {known.share * 100:.1f} %（不足 {ENOUGH * 100:.0f} %），"
        "不采用",
        en=f"the pots' flags are known for {known.share * 100:.1f} % of the cell-days only "
        f"(less than {ENOUGH * 100:.0f} %): not used",
    )


def _nothing(line: Potline, month: Period) -> Text:
    return Text(
        zh=f"{line.id} {month} 既无槽控效应信号，也未录入阳极效应持续时间（{KIND}）",
        en=f"{line.id} {month}: neither flags of the pots nor an entry {KIND}",
    )
