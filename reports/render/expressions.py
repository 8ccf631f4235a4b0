"""Formulas of the catalogue as a spreadsheet writes them, where that is exact and short."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Final

# One expression for each result of a formula, in its parameters' names; + - * / and brackets only.
# A workbook uses one only when it gives the figure of the line: the catalogue decides, not this.
EXPRESSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "anode_stock": ("stock_begin_t + received_t - stock_end_t",),
    "anode_by_count": ("anode_count * unit_mass_kg / 1000",),
    "anode_net": ("anode_t * (1 - loss_fraction)",),
    "anode_co2": ("net_anode_t * (1 - sulphur_fraction - ash_fraction) * 44 / 12",),
    "prebake_co2": (
        "net_anode_t_per_t * aluminium_t * (1 - sulphur_fraction - ash_fraction) * 44 / 12",
    ),
    "co2_tier1": ("aluminium_t * ef_co2_t_per_t",),
    "pfc_default": (
        "aluminium_t * ef_cf4_kg_per_t",
        "aluminium_t * ef_c2f6_kg_per_t",
        "aluminium_t * (ef_cf4_kg_per_t * gwp_cf4 + ef_c2f6_kg_per_t * gwp_c2f6) / 1000",
    ),
    "pfc_slope": (
        "aluminium_t * aem_min_per_cell_day * slope_kg_per_t_per_min",
        "aluminium_t * aem_min_per_cell_day * slope_kg_per_t_per_min * c2f6_fraction",
        (
            "aluminium_t * aem_min_per_cell_day * slope_kg_per_t_per_min"
            " * (gwp_cf4 + c2f6_fraction * gwp_c2f6) / 1000"
        ),
    ),
    "process_emission": ("anode_t_co2 + pfc_t_co2e",),
    "intensity": ("t_co2e / aluminium_t",),
    "stock_consumed": ("stock_begin + purchased - sold - stock_end",),
    "fuel_co2": ("quantity * ncv_gj_per_unit * carbon_tc_per_gj * oxidation_fraction * 44 / 12",),
    "fuel_co2_carbon": ("quantity * carbon_tc_per_unit * oxidation_fraction * 44 / 12",),
    "carbonate_co2": ("mass_t * ef_t_per_t * purity_fraction",),
    "specific_energy": ("energy_mwh * 1000 / aluminium_t",),
    "indirect_co2": ("energy_mwh * factor_kg_per_kwh",),
    "indirect_co2_heat": ("heat_gj * factor_t_per_gj",),
    "allowance_value": ("position_t * price_cny_per_t",),
    "year_forecast": ("measured_t_co2e + planned_t_co2e",),
    "cbam_precursor": ("mass_t * see_t_per_t",),
    "cbam_see": ("(attributed_t_co2e + precursor_t_co2e) / activity_t",),
}
CLOSE: Final = Decimal("1e-12")  # figures of a file are floats: 15 digits agree
_OPERATORS: Final[Mapping[type, Callable[[Decimal, Decimal], Decimal]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def expression_for(formula: str, values: Mapping[str, Decimal], result: Decimal) -> str | None:
    """The expression that gives ``result``; None when none does, or more than one."""
    if formula not in EXPRESSIONS:
        return None
    found = []
    for expression in EXPRESSIONS[formula]:
        try:
            value = evaluate(expression, values)
        except (KeyError, DivisionByZero, InvalidOperation):
            continue
        if close(value, result):
            found.append(expression)
    return found[0] if len(found) == 1 else None


def evaluate(expression: str, values: Mapping[str, Decimal]) -> Decimal:
    """Value of an expression. Raises KeyError for a name that is not there."""
    return _value(ast.parse(expression, mode="eval").body, values)


def _value(node: ast.expr, values: Mapping[str, Decimal]) -> Decimal:
    if isinstance(node, ast.BinOp):
        calculate = _OPERATORS[type(node.op)]
        return calculate(_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Name):
        return values[node.id]
    return Decimal(ast.literal_eval(node))


def with_cells(expression: str, cells: Mapping[str, str]) -> str:
    """The expression with the address of a cell for each name."""
    return re.sub(r"[A-Za-z_]\w*", lambda name: cells[name.group()], expression).replace(" ", "")


def close(one: Decimal, other: Decimal) -> bool:
    """Whether two figures are the same to the digits that a file keeps."""
    return abs(one - other) <= CLOSE * max(abs(one), abs(other))
