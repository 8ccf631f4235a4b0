"""What ``smelter compute`` asks of numbers beyond their kind: can they be, do they fit together."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from drivers.language import language, say
from reports.formulas import FORMULAS
from reports.formulas.bounds import BOUNDS, check_bounds
from reports.formulas.numbers import FormulaError, exact
from reports.formulas.parameters import PARAMETERS
from reports.rules.gwp_sets import not_a_set
from reports.rules.packs import RuleError, RulePack

LARGEST_RESULT: Final = Decimal(10) ** 18
WELL_RUN: Final = Decimal("0.95")  # current efficiency of a well-run line


def implausible(name: str, value: Any, where: str = "") -> str:
    """Why a number of that name cannot be; "" when it can, or is no number at all."""
    try:
        check_bounds(name, exact(name, value), where)
    except FormulaError as error:
        known = isinstance(value, Decimal | float | int) and not isinstance(value, bool)
        return error.of(language()) if known else ""
    return ""


def implausible_cells(name: str, rows: Any) -> Iterator[str]:
    """The same for each cell of a table."""
    columns = [column for column in PARAMETERS[name].columns if column in BOUNDS]
    if not columns or not isinstance(rows, Sequence):
        return
    for number, row in enumerate(rows, 1):
        for column in columns if isinstance(row, Mapping) else ():
            fault = implausible(column, row.get(column), f"{name}[{number}].{column}")
            if fault:
                yield fault


def mixed_sets(values: Mapping[str, Any], packs: Mapping[str, RulePack], day: date) -> str:
    """Why the two warming potentials do not go together; "" when they do or one is not there."""
    try:
        pair = [exact(name, values.get(name)) for name in ("gwp_cf4", "gwp_c2f6")]
    except FormulaError:
        return ""
    if any(implausible(name, values[name]) for name in ("gwp_cf4", "gwp_c2f6")):
        return ""
    fault = not_a_set(packs, (pair[0], pair[1]), day)
    return f"gwp_cf4, gwp_c2f6: {fault}" if fault else ""


def too_large(results: Mapping[str, Any]) -> Iterator[str]:
    """Results that nothing in the world can have."""
    for name, value in results.items():
        if isinstance(value, Decimal) and (not value.is_finite() or abs(value) > LARGEST_RESULT):
            yield say(
                f"{name}：结果 {value:.3e} 不可能；请核对输入的数值和单位",
                f"{name}: a result of {value:.3e} cannot be; check the numbers and their units",
            )


def notes(
    formula: str, results: Mapping[str, Any], packs: Mapping[str, RulePack], day: date
) -> Iterator[str]:
    """What a person should know about results that are right by the formula."""
    if formula == "allowance":
        yield from _low_intensity(results["intensity_t_per_t"], packs, day)
    if formula == "balance_value" and "low_t_per_t" in results:
        low, high = (f"{results[key]:.6f}" for key in ("low_t_per_t", "high_t_per_t"))
        yield say(
            f"注意：各工序均达上下限，{low} – {high} tCO2e/t 之间任一值都平衡；所给为区间中点",
            f"note: all processes are clipped, any value in {low} – {high} t CO2e per t balances; "
            "the middle is given",
        )


def _low_intensity(intensity: Decimal, packs: Mapping[str, RulePack], day: date) -> Iterator[str]:
    guide = packs["cn_ets_aluminium_2024"]
    names = {"ef_cf4_kg_per_t": "ef_cf4", "ef_c2f6_kg_per_t": "ef_c2f6"}
    names |= {"gwp_cf4": "gwp_cf4", "gwp_c2f6": "gwp_c2f6"}
    try:
        rules = {name: guide.at(rule, day).number for name, rule in names.items()}
    except RuleError:
        return
    pfc = FORMULAS["pfc_default"](aluminium_t=1, **rules)["t_co2e"]
    least = FORMULAS["intensity_floor"](current_efficiency_fraction=WELL_RUN, pfc_t_co2e_per_t=pfc)[
        "t_co2e_per_t"
    ]
    if intensity < least:
        yield say(
            f"注意：强度 {intensity:.4f} 低于实际可达的 {least:.4f} tCO2e/t（电流效率 95 % 的"
            "理论碳耗加阳极效应缺省值）；请核对排放量和铝液产量",
            f"note: intensity {intensity:.4f} is below {least:.4f} t CO2e per t, what a line can "
            "reach (carbon at a current efficiency of 95 %, and anode effects by default); check "
            "emission and aluminium",
        )
