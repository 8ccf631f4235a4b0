"""Anode effects of a piece: frequency, minutes, overvoltage; from the agent, flags, or entries."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from reports.abroad.anode_effect_input import ENOUGH, FLAG, Flags, measured
from reports.energy.bench import Bench, head, quotient, unstated
from reports.entered import entered
from reports.metered import amount
from reports.model import Coverage, How
from reports.periods import Period
from reports.series.store import Series, TimeOn
from reports.site import PLANT, Potline
from reports.values import Text

SECONDS: Final = "pot.ae_seconds"  # of each minute in anode effect
OVERVOLTAGE: Final = "pot.ae_overvoltage"  # V·s of each minute
L_MINUTES: Final = Text(zh="阳极效应时间（每槽日）", en="Anode-effect minutes per cell-day")
L_FREQUENCY: Final = Text(zh="阳极效应系数", en="Anode-effect frequency")
L_OVERVOLTAGE: Final = Text(zh="阳极效应分摊电压", en="Anode-effect overvoltage")
L_TIME: Final = Text(zh="阳极效应总时间（各槽合计）", en="Minutes in anode effect, all pots")
L_CELLS: Final = Text(zh="有效应信号的槽日数", en="Cell-days with a known anode-effect signal")
L_COUNT: Final = Text(zh="阳极效应次数", en="Anode effects")
L_SUM: Final = Text(zh="阳极效应过电压积分", en="Anode-effect overvoltage, integral")
UNITS: Final = {"ae_frequency": "1/cell-day", "ae_minutes": "min/cell-day", "ae_overvoltage": "mV"}
ENTRIES: Final = (
    ("ae_frequency", "anode_effect_frequency", L_FREQUENCY),
    ("ae_minutes", "anode_effect_minutes", L_MINUTES),
    ("ae_overvoltage", "anode_effect_overvoltage", L_OVERVOLTAGE),
)


@dataclass(slots=True)
class Effects:
    """Signals of all pots of the plant, read once per piece."""

    series: Series
    flags: Flags = field(init=False)
    read: dict[tuple[str, Period], list[TimeOn]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.flags = Flags(self.series)

    def of(self, quantity: str, line: Potline, period: Period) -> list[TimeOn]:
        """Integrals over time of a gauge of the line's pots, by pot and day on which it ran."""
        key = (quantity, period)
        if key not in self.read:
            self.read[key] = self.series.time_on(quantity, period)
        kept = Flags(self.series, {period: self.read[key]})
        return kept.of(line, period)


def add_effects(bench: Bench, effects: Effects, line: Potline) -> None:
    """Sums of the piece: minutes, cell-days, overvoltage; what the signals leave out by entry."""
    minutes = _by_agent(bench, effects, line) or _by_flags(bench, effects, line)
    counted = _count(bench, effects, line)
    for name, kind, label in ENTRIES:
        known = minutes if name == "ae_minutes" else counted if name == "ae_frequency" else False
        if name == "ae_overvoltage":
            known = bench.line(f"{line.id}.ae_volt_seconds") is not None
        if not known:
            _entered(bench, line, name, kind, label)


def _by_agent(bench: Bench, effects: Effects, line: Potline) -> bool:
    rows = effects.of(SECONDS, line, bench.period)
    if not rows:
        return False
    found = measured(rows, line, bench.period)
    if found.share < ENOUGH:
        return False
    # on_s is the integral of seconds per minute over seconds: a sixtieth of it is seconds
    _keep(bench, line, found.minutes / 60, found.cell_days, _coverage(found.share, found.pots))
    volts = effects.of(OVERVOLTAGE, line, bench.period)
    if volts:
        total = amount(sum(row.on_s for row in volts)) / 60
        what = head(line.id, "ae_volt_seconds", L_SUM, "V·s")
        bench.assembly.state(what, total, How.METERED, [])
    return True


def _by_flags(bench: Bench, effects: Effects, line: Potline) -> bool:
    found = measured(effects.of(FLAG, line, bench.period), line, bench.period)
    if found.per_cell_day is None or found.share < ENOUGH:
        return False
    _keep(bench, line, found.minutes, found.cell_days, _coverage(found.share, found.pots))
    return True


def _keep(
    bench: Bench, line: Potline, minutes: Decimal, cells: Decimal, coverage: Coverage
) -> None:
    for name, label, unit, value in (
        ("ae_time", L_TIME, "min", minutes),
        ("cell_days", L_CELLS, "d", cells),
    ):
        what = head(line.id, name, label, unit)
        bench.assembly.state(what, value, How.METERED, [], coverage=coverage)


def _coverage(share: Decimal, pots: int) -> Coverage:
    return Coverage(
        share=share.quantize(Decimal("0.0001")),
        text=Text(
            zh=f"{pots} 台槽有效应信号，占应有槽日 {share * 100:.2f} %",
            en=f"signals of {pots} pots, {share * 100:.2f} % of the cell-days",
        ),
    )


def _count(bench: Bench, effects: Effects, line: Potline) -> bool:
    """How many effects began in the piece, by events of the agent."""
    if bench.line(f"{line.id}.cell_days") is None:
        return False
    found = effects.series.happened("anode_effect", bench.period)
    mine = [event for event in found if event.equipment.startswith(f"{line.id}/")]
    if not found and bench.value(f"{line.id}.ae_time"):
        return False  # minutes but no events: nobody writes events here
    what = head(line.id, "ae_count", L_COUNT, "1")
    bench.assembly.state(what, Decimal(len(mine)), How.METERED, [])
    return True


def _entered(bench: Bench, line: Potline, name: str, kind: str, label: Text) -> None:
    what = head(line.id, name, label, UNITS[name])
    entry = entered(bench.basis.ledger, kind, line.id, bench.period)
    if entry is None:
        unstated(bench.assembly, what)
        return
    inputs = [bench.assembly.entry(name, entry)]
    bench.assembly.state(what, entry.figure.amount, How.ENTERED, inputs)


def add_effect_rates(bench: Bench, scope: str) -> None:
    """Per cell-day, from the sums on the bench; what was entered stands already."""
    for name, top, label, factor, text in (
        ("ae_frequency", "ae_count", L_FREQUENCY, Decimal(1), "AEF = N / d"),
        ("ae_minutes", "ae_time", L_MINUTES, Decimal(1), "AEM = t / d"),
        ("ae_overvoltage", "ae_volt_seconds", L_OVERVOLTAGE, 1 / Decimal("86.4"), "AEO = S / T"),
    ):
        if bench.value(f"{scope}.{top}") is None:
            continue
        parts = (f"{scope}.{top}", f"{scope}.cell_days")
        quotient(bench, head(scope, name, label, UNITS[name]), parts, factor, text)


SUMS: Final = {
    "ae_time": (L_TIME, "min"),
    "cell_days": (L_CELLS, "d"),
    "ae_count": (L_COUNT, "1"),
    "ae_volt_seconds": (L_SUM, "V·s"),
}


def plant_sums(bench: Bench) -> None:
    """Sums over the potlines, where every one of them has its signals."""
    ids = [line.id for line in bench.potlines]
    for name, (label, unit) in SUMS.items():
        parts = [f"{i}.{name}" for i in ids]
        if ids and all(bench.value(part) is not None for part in parts):
            bench.assembly.add_up(head(PLANT, name, label, unit), parts)
