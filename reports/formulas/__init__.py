"""
The catalogue: every formula of the system by name, pure arithmetic without I/O, dates or packs.

A formula takes plain numbers (a few also a word or a table) and returns a named tuple whose field
names carry the units. Each room ends with its part of the catalogue; ``parameters.py`` says what a
name means.
"""

from typing import NamedTuple

from reports.formulas import (
    allowances,
    anode,
    baking,
    balance,
    cbam,
    certificates,
    coal,
    consumption,
    electrolysis,
    energy,
    faraday,
    fuels,
    heat,
    intensity,
    metering,
    missing_data,
    pfc,
    stack,
    stack_checks,
    stack_instruments,
    stack_substitution,
    tariff,
    uncertainty,
    water,
)
from reports.formulas.formula import Formula

__all__ = ["FORMULAS", "GROUPS", "Formula", "Group"]


class Group(NamedTuple):
    """Formulas of one topic."""

    zh: str
    en: str
    formulas: tuple[Formula, ...]


GROUPS = (
    Group("炭阳极", "Carbon anodes", anode.CATALOGUE),
    Group("阳极效应", "Anode effects", pfc.CATALOGUE),
    Group("工序排放与理论下限", "Process emission and its floors", intensity.CATALOGUE),
    Group("阳极生产与质量平衡", "Making anodes, mass balances", baking.CATALOGUE),
    Group("燃料与碳酸盐", "Fuels and carbonates", fuels.CATALOGUE),
    Group("电力与热力", "Electricity and heat", energy.CATALOGUE),
    Group("配额", "Allowances", (*allowances.CATALOGUE, *balance.CATALOGUE)),
    Group("欧盟碳边境调节机制（CBAM）", "EU border adjustment (CBAM)", cbam.CATALOGUE),
    Group(
        "计量器具、不确定度与数据替代",
        "Meters, uncertainty, stand-ins",
        (*metering.CATALOGUE, *uncertainty.CATALOGUE),
    ),
    Group(
        "电解槽与电流效率",
        "Pots and current efficiency",
        (*faraday.CATALOGUE, *electrolysis.CATALOGUE),
    ),
    Group(
        "吨铝电耗、等级与阶梯电价",
        "Energy per tonne, levels and the ladder tariff",
        (*consumption.CATALOGUE, *tariff.CATALOGUE),
    ),
    Group(
        "余热、水、固废与折标煤",
        "Waste heat, water, solids, standard coal",
        (*heat.CATALOGUE, *water.CATALOGUE, *coal.CATALOGUE),
    ),
    Group("绿色电力", "Green power", certificates.CATALOGUE),
    Group(
        "烟气排放监测",
        "Stack monitoring",
        (
            *(*stack.CATALOGUE, *stack_checks.CATALOGUE),
            *(*stack_instruments.CATALOGUE, *stack_substitution.CATALOGUE),
        ),
    ),
    Group(
        "缺失数据：国外规则与本系统的保守替代",
        "Missing data: rules abroad, and our own",
        missing_data.CATALOGUE,
    ),
)

FORMULAS: dict[str, Formula] = {each.name: each for group in GROUPS for each in group.formulas}
