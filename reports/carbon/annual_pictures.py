"""Pictures of the year, from lines that are stated already: intensity and sources by month."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly
from reports.charts.of_energy import level, months_with_levels, stacked_months
from reports.pictures import Axis, Chart
from reports.site import PLANT
from reports.values import Text
from reports.words import number_text

_INTENSITY: Final = Text(zh="铝电解工序排放强度", en="Emission intensity of the process")
_EMISSION: Final = Text(zh="各排放源逐月排放量", en="Emission by source and month")
_SOURCES: Final = (
    ("anode_co2", Text(zh="炭阳极消耗", en="carbon anodes")),
    ("pfc", Text(zh="阳极效应", en="anode effects")),
    ("fuel_co2", Text(zh="化石燃料燃烧", en="fuels burned")),
    ("carbonate_co2", Text(zh="碳酸盐分解", en="carbonates")),
)
_LEAST_MONTHS: Final = 2  # of one month there is nothing to compare


def year_pictures(
    assembly: Assembly, places: Sequence[tuple[str, Text]], months: Sequence[str]
) -> Iterator[Chart]:
    """Intensity of each place with the plant's mean across, and what the emission is made of."""

    def by_month(name: str) -> list[Decimal | None]:
        found = (assembly.lines.get(f"{name}@{month}") for month in months)
        return [None if line is None else line.value for line in found]

    lines = [(label, by_month(f"{scope}.intensity")) for scope, label in places if scope != PLANT]
    lines = [(label, values) for label, values in lines if _enough(values)]
    if lines:
        whole = assembly.lines.get(f"{PLANT}.intensity")
        mean = None if whole is None else whole.value
        words = number_text(mean, 4)
        label = Text(zh=f"全厂 {words}", en=f"plant {words}")
        axis = Axis(label=Text(zh="排放强度", en="intensity"), unit="tCO2e/t")
        levels = [level(label, mean, "mean")]
        yield months_with_levels("intensity", _INTENSITY, axis, months, lines, levels)
    parts = [(label, by_month(f"{PLANT}.{name}")) for name, label in _SOURCES]
    parts = [(label, values) for label, values in parts if any(values)]
    if parts and _enough(parts[0][1]):
        axis = Axis(label=Text(zh="排放量", en="emission"), unit="tCO2e")
        yield stacked_months("emission-sources", _EMISSION, axis, months, parts)


def _enough(values: Sequence[Decimal | None]) -> bool:
    return sum(value is not None for value in values) >= _LEAST_MONTHS
