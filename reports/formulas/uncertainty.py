"""Uncertainty by error propagation, and means that stand in for what is missing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, exact, positive
from reports.formulas.parameters import read_table


class Uncertainty(NamedTuple):
    """Relative uncertainty, %, of a product."""

    uncertainty_percent: Decimal


class Total(NamedTuple):
    """A sum and its uncertainty, relative and in the unit of the sum."""

    total: Decimal
    uncertainty_percent: Decimal
    uncertainty: Decimal


class Mean(NamedTuple):
    """A mean, in the unit of its values."""

    value: Decimal


class Difference(NamedTuple):
    """A difference, in the unit of the figures and in percent of the second."""

    difference: Decimal
    difference_percent: Decimal


def uncertainty_product(
    first_percent: Number,
    second_percent: Number,
    third_percent: Number = 0,
    fourth_percent: Number = 0,
) -> Uncertainty:
    """
    Uncertainty of a product of independent factors.

        U = sqrt(U_1^2 + U_2^2 + U_3^2 + U_4^2)

    U relative uncertainties (%, at 95 % confidence, all of the same kind). Source: IPCC 2006 volume
    1 equation 3.1 (approach 1). Valid for factors that are not correlated and below about 30 %.
    """
    parts = (
        amount("first_percent", first_percent),
        amount("second_percent", second_percent),
        amount("third_percent", third_percent),
        amount("fourth_percent", fourth_percent),
    )
    return Uncertainty(_root_of_squares(parts))


def uncertainty_sum(parts: Sequence[Mapping[str, object]]) -> Total:
    """
    Uncertainty of a sum of independent terms.

        U = sqrt(sum((U_i * x_i)^2)) / |sum(x_i)|

    x_i term (any unit, e.g. t CO2e; may be negative), U_i its relative uncertainty (%), U that of
    the sum (%). Source: IPCC 2006 volume 1 equation 3.2 (approach 1). Terms that are not
    correlated: one meter that feeds two terms is one term. Refused when the sum is zero.
    """
    rows = read_table("parts", parts, {"value": exact, "uncertainty_percent": amount})
    total = sum((row["value"] for row in rows), Decimal(0))
    if total == 0:
        raise FormulaError(
            "parts：合计为 0，没有相对不确定度", "parts: the sum is 0 and has no relative share"
        )
    absolute = _root_of_squares([r["value"] * r["uncertainty_percent"] / 100 for r in rows])
    return Total(total, absolute / abs(total) * 100, absolute)


def _root_of_squares(parts: Sequence[Decimal]) -> Decimal:
    return sum((part * part for part in parts), Decimal(0)).sqrt()


def mean_of_recent(first_value: Number, second_value: Number) -> Mean:
    """
    Stand-in for a missing parameter: mean of the two most recent values after the gap.

        v = (v_1 + v_2) / 2

    v, v_1 and v_2 (any unit, the same). Source: 40 CFR 98.65(b), for all but anode and paste
    consumption.
    """
    return Mean((amount("first_value", first_value) + amount("second_value", second_value)) / 2)


def weighted_mean(results: Sequence[Mapping[str, object]]) -> Mean:
    """
    Mean of test results weighted by what was consumed.

        v = sum(w_i * v_i) / sum(w_i)

    v_i result (any unit), w_i consumption it stands for (t or 10^4 Nm3; not all zero). Source:
    CETS-AG-03.01-V01-2024, sister guide, year's value of a measured parameter (by analogy).
    """
    rows = read_table("results", results, {"value": exact, "weight": amount})
    weight = positive("weight", sum((row["weight"] for row in rows), Decimal(0)))
    return Mean(sum((row["weight"] * row["value"] for row in rows), Decimal(0)) / weight)


def cross_check(value: Number, other_value: Number) -> Difference:
    """
    How far a figure is from what a second source says.

        d = x - y     d_percent = (x - y) / y * 100

    x figure, y second source (same unit, more than 0), d difference (same unit and %). Source:
    practice of verification; no limit is judged here.
    """
    other = positive("other_value", other_value)
    difference = amount("value", value) - other
    return Difference(difference, difference / other * 100)


CATALOGUE = (
    Formula(
        uncertainty_product,
        ("U_1", "U_2", "U_3", "U_4"),
        "U = √(U_1² + U_2² + U_3² + U_4²)",
        "乘积的不确定度",
        "uncertainty of a product",
    ),
    Formula(
        uncertainty_sum,
        ("x_i, U_i",),
        "U = √Σ(U_i × x_i)² / |Σ x_i|",
        "合计的不确定度",
        "uncertainty of a sum",
    ),
    Formula(
        mean_of_recent,
        ("v_1", "v_2"),
        "v = (v_1 + v_2) / 2",
        "缺失数据替代：缺口后最近两次平均值",
        "missing data: mean of the two values after the gap",
    ),
    Formula(
        weighted_mean,
        ("v_i, w_i",),
        "v = Σ(w_i × v_i) / Σ w_i",
        "按消耗量加权的检测平均值",
        "test results weighted by consumption",
    ),
    Formula(
        cross_check,
        ("x", "y"),
        "d = x − y; d % = (x − y) / y × 100",
        "交叉核对差异",
        "difference between two sources",
    ),
)
