"""Figures that can hardly be right: nature's limits and the usual span. No rule, only a warning."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from reports.formulas import FORMULAS
from reports.model import Doubt, How, Line
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text
from reports.words import rounded

BEST_EFFICIENCY: Final = Decimal("0.95")  # current efficiency of the best lines
INTENSITY_HIGH: Final = Decimal("1.883")  # 20 % above the sector's mean of 1.569 tCO2e/t
ANODE_LOW, ANODE_HIGH = Decimal("0.40"), Decimal("0.56")  # gross anode, t per t of aluminium
ENERGY_LOW, ENERGY_HIGH = Decimal(12000), Decimal(15500)  # AC kWh per t
CURRENT_MARGIN: Final = Decimal("1.05")  # lines run a little above their design current


def doubts(
    lines: Mapping[str, Line], potlines: Sequence[Potline], month: Period
) -> tuple[Doubt, ...]:
    """Warnings, in the order of the lines they are about."""
    found: list[Doubt] = [_substituted(line) for line in lines.values() if _replaced(line, month)]
    for line in potlines:
        found += _metal(lines, line, month)
    for scope in (*(line.id for line in potlines), PLANT):
        found += _anode(lines, scope) + _intensity(lines, scope) + _energy(lines, scope)
    return tuple(found)


def below_floor(intensity: Decimal, pfc_per_t: Decimal) -> Text | None:
    """Why an intensity cannot be: less than carbon at a current efficiency of 1 and the PFC."""
    floor = _floor(Decimal(1)) + pfc_per_t
    if intensity >= floor:
        return None
    shown, least = rounded(intensity, 4), rounded(floor, 4)
    return Text(
        zh=f"拒绝：排放强度 {shown} 低于法拉第下限 {least} tCO2e/t（电流效率 100 % 的理论炭耗加"
        "阳极效应排放），物理上不可能；请核对阳极消耗量和铝液产量",
        en=f"refused: intensity {shown} is below the Faraday floor {least} tCO2e/t (carbon at "
        "100 % current efficiency plus PFC), which cannot be: check anode and aluminium",
    )


def _floor(efficiency: Decimal) -> Decimal:
    found: Decimal = FORMULAS["carbon_floor"](current_efficiency_fraction=efficiency)["t_co2_per_t"]
    return found


def _value(lines: Mapping[str, Line], identity: str) -> Decimal | None:
    line = lines.get(identity)
    return None if line is None else line.value


def _replaced(line: Line, period: Period) -> bool:
    """True for a substituted figure of the period itself; the year only repeats its months."""
    return line.how is How.SUBSTITUTED and "@" not in line.id and not period.is_year


def _substituted(line: Line) -> Doubt:
    share = rounded((line.substituted or Decimal(0)) * 100, 2)
    return _doubt(
        line.id,
        f"该数值有 {share} % 的时段缺数据，已按 {line.method} 替代；替代方法未经官方文本核实",
        f"{share} % of the period is missing and was substituted by {line.method}; the method is "
        "not confirmed in the official text",
    )


def _metal(lines: Mapping[str, Line], line: Potline, month: Period) -> list[Doubt]:
    metal = _value(lines, f"{line.id}.aluminium")
    days = [d for d in month.days if line.runs_in(d, d + timedelta(days=1))]
    most: Decimal = FORMULAS["faraday_metal"](
        current_ka=line.design_current_ka * CURRENT_MARGIN,
        pots=line.pots,
        hours=len(days) * 24,
        current_efficiency_fraction=1,
    )["aluminium_t"]
    if metal is None or metal <= most:
        return []
    return [
        _doubt(
            f"{line.id}.aluminium",
            f"铝液产量 {rounded(metal, 2)} t 超过法拉第定律在设计电流 105 % 时的上限"
            f" {rounded(most, 2)} t",
            f"{rounded(metal, 2)} t is more than Faraday's law allows at 105 % of the design "
            f"current, {rounded(most, 2)} t",
        )
    ]


def _anode(lines: Mapping[str, Line], scope: str) -> list[Doubt]:
    metal, anode = (_value(lines, f"{scope}.{name}") for name in ("aluminium", "anode_consumed"))
    if not metal or anode is None or ANODE_LOW <= anode / metal <= ANODE_HIGH:
        return []
    ratio = rounded(anode / metal, 4)
    return [
        _doubt(
            f"{scope}.anode_consumed",
            f"每吨铝阳极消耗 {ratio} t，通常为 {ANODE_LOW}–{ANODE_HIGH} t",
            f"{ratio} t of anode per t of aluminium; usual is {ANODE_LOW}-{ANODE_HIGH}",
        )
    ]


def _intensity(lines: Mapping[str, Line], scope: str) -> list[Doubt]:
    value = _value(lines, f"{scope}.intensity")
    metal, pfc = (_value(lines, f"{scope}.{name}") for name in ("aluminium", "pfc"))
    if value is None or not metal or pfc is None:
        return []
    floor = _floor(BEST_EFFICIENCY) + pfc / metal
    shown = rounded(value, 4)
    if value < floor:
        return [
            _doubt(
                f"{scope}.intensity",
                f"排放强度 {shown} 低于实际可达下限 {rounded(floor, 4)}（电流效率 95 % 的理论炭耗"
                "加缺省阳极效应排放），请核对阳极消耗量和铝液产量",
                f"intensity {shown} is below the practical floor {rounded(floor, 4)} (carbon at "
                "95 % current efficiency plus the default PFC): check anode and aluminium",
            )
        ]
    if value > INTENSITY_HIGH:
        return [
            _doubt(
                f"{scope}.intensity",
                f"排放强度 {shown} 高于 {INTENSITY_HIGH}（行业均值 1.569 的 120 %），请核对",
                f"intensity {shown} is above {INTENSITY_HIGH}, 120 % of the sector's mean",
            )
        ]
    return []


def _energy(lines: Mapping[str, Line], scope: str) -> list[Doubt]:
    value = _value(lines, f"{scope}.specific_energy")
    if value is None or ENERGY_LOW <= value <= ENERGY_HIGH:
        return []
    return [
        _doubt(
            f"{scope}.specific_energy",
            f"吨铝交流电耗 {rounded(value, 1)} kWh，通常为 {ENERGY_LOW}–{ENERGY_HIGH} kWh",
            f"{rounded(value, 1)} kWh per t; usual is {ENERGY_LOW}-{ENERGY_HIGH}",
        )
    ]


def _doubt(line: str, zh: str, en: str) -> Doubt:
    return Doubt(line=line, text=Text(zh=zh, en=en))
