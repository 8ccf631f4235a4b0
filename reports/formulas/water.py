"""Water, solids and recycled metal: what is used again."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount


class Ratio(NamedTuple):
    """A share, fraction."""

    ratio: Decimal


def _share(part: Decimal, whole: Decimal, name: str) -> Ratio:
    if whole == 0:
        raise FormulaError(
            f"{name}：分母为 0，比率没有意义；缺失的数据不能当作 0",
            f"{name}: all is zero, so there is no ratio; a missing value is no zero",
        )
    return Ratio(part / whole)


def water_reuse(reused_m3: Number, fresh_m3: Number) -> Ratio:
    """
    Reuse of water.

        R = V_r / (V_r + V_f)

    R (fraction), V_r water reused, circulation included (m3), V_f fresh water (m3). Source: GB/T
    7119 as restated by others, water reuse ratio.
    """
    reused = amount("reused_m3", reused_m3)
    return _share(reused, reused + amount("fresh_m3", fresh_m3), "reused_m3, fresh_m3")


def solid_utilisation(used_t: Number, generated_t: Number, stock_used_t: Number = 0) -> Ratio:
    """
    Use of red mud or another solid.

        R = (U + S) / (G + S)

    R (fraction), U used of what the period generated and G that (t), S used from old stock (t; 0
    gives the ratio of new solids alone, as the target for red mud is set). Source: definition of
    industrial solid-waste statistics; the stock in the denominator is our reading.
    """
    used, generated = amount("used_t", used_t), amount("generated_t", generated_t)
    if used > generated:
        raise FormulaError(
            f"used_t：利用量 {used} t 多于产生量 {generated} t；往年贮存部分请填 stock_used_t",
            f"used_t: {used} t used is more than {generated} t generated; put what came from old "
            "stock into stock_used_t",
        )
    stock = amount("stock_used_t", stock_used_t)
    return _share(used + stock, generated + stock, "used_t, generated_t")


def recycled_share(recycled_t: Number, primary_t: Number) -> Ratio:
    """
    Share of recycled metal.

        R = M_rec / (M_rec + M_prim)

    R (fraction), M_rec recycled and M_prim primary metal that went into products (t). Source:
    definition.
    """
    recycled = amount("recycled_t", recycled_t)
    return _share(recycled, recycled + amount("primary_t", primary_t), "recycled_t, primary_t")


CATALOGUE = (
    Formula(water_reuse, ("V_r", "V_f"), "R = V_r / (V_r + V_f)", "水重复利用率", "water reuse"),
    Formula(
        solid_utilisation,
        ("U", "G", "S"),
        "R = (U + S) / (G + S)",
        "固废综合利用率",
        "use of a solid",
    ),
    Formula(
        recycled_share,
        ("M_rec", "M_prim"),
        "R = M_rec / (M_rec + M_prim)",
        "再生铝占比",
        "share of recycled metal",
    ),
)
