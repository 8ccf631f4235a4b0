"""The balance value of a sector: where all allowances together equal all emission due."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.intensity import possible_intensity
from reports.formulas.numbers import FormulaError, Number, decimal, fraction, positive
from reports.formulas.parameters import read_table


class BalanceValue(NamedTuple):
    """Balance value of the sector, t CO2e per t; low and high where a whole range balances."""

    balance_t_per_t: Decimal
    low_t_per_t: Decimal | None = None
    high_t_per_t: Decimal | None = None


class _Process(NamedTuple):
    emission: Fraction
    intensity: Fraction


def balance_value(
    lines: Sequence[Mapping[str, object]], x_clip_fraction: Number | None = None
) -> BalanceValue:
    """
    Balance value BP at which the allowances of all processes equal what they owe.

        sum(E_i * X_i) = 0     X_i = (BP - I_i) / BP, -c <= X_i <= c     E_i = P_i * I_i
        BP = sum_in(E * I) / (sum_in E + c * (sum_high E - sum_low E))

    BP and I_i intensity (t CO2e per t), P_i liquid aluminium (t), E_i emission (t CO2e), c the clip
    of the deviation X (fraction; a rule: on the command line the rule pack fills it in); "in" are
    the processes not clipped, "high" those clipped at +c, "low" at -c. The slope does not matter,
    nor does the cutting down to whole tonnes, which is left out. The sum never falls as BP rises,
    so the exact answer lies between two neighbouring points at which a process begins or ends to
    be clipped. Where a whole range of BP balances (all clipped) its ends are low_t_per_t and
    high_t_per_t, and balance_t_per_t is the middle. An intensity below the physical floor of 1.2242
    t CO2 per t is refused. Source: draft allocation plan of July 2026, definition of the balance
    value; closed form derived.
    """
    if x_clip_fraction is None:
        raise FormulaError(
            "x_clip_fraction：偏离度 X 的上下限是法规参数；请填写（20 % 写作 0.20）",
            "x_clip_fraction: the clip of the deviation X is a rule; give it (0.20 for 20 %)",
        )
    clip = Fraction(fraction("x_clip_fraction", x_clip_fraction))
    if not 0 < clip < 1:
        raise FormulaError(
            f"x_clip_fraction：{x_clip_fraction} 无意义；须大于 0 且小于 1",
            f"x_clip_fraction: {x_clip_fraction} has no meaning; write more than 0, less than 1",
        )
    low, high = _solve(_processes(lines), clip)
    if low == high:
        return BalanceValue(decimal(low))
    return BalanceValue(decimal((low + high) / 2), decimal(low), decimal(high))


def _processes(lines: Sequence[Mapping[str, object]]) -> list[_Process]:
    """The table, every bad row named. Raises FormulaError."""
    checks = {"aluminium_t": positive, "intensity_t_per_t": possible_intensity}
    rows = read_table("lines", lines, checks, unique="process")
    pairs = [(Fraction(row["aluminium_t"]), Fraction(row["intensity_t_per_t"])) for row in rows]
    return [_Process(aluminium * intensity, intensity) for aluminium, intensity in pairs]


def _imbalance(processes: Sequence[_Process], balance: Fraction, clip: Fraction) -> Fraction:
    """Allowances less emission, per slope: never falls as ``balance`` rises."""
    return sum(
        (
            process.emission * max(-clip, min(clip, 1 - process.intensity / balance))
            for process in processes
        ),
        Fraction(0),
    )


def _solve(processes: Sequence[_Process], clip: Fraction) -> tuple[Fraction, Fraction]:
    """From the least to the greatest value that balances: mostly the same."""
    edges = sorted(
        {p.intensity / (1 + clip) for p in processes}
        | {p.intensity / (1 - clip) for p in processes}
    )
    # Below the first edge all are clipped at -c, above the last all at +c, so zero lies between.
    first = bisect_left(edges, Fraction(0), key=lambda edge: _imbalance(processes, edge, clip))
    after = bisect_right(edges, Fraction(0), key=lambda edge: _imbalance(processes, edge, clip))
    if first < after:
        return edges[first], edges[after - 1]
    inside = (edges[first - 1] + edges[first]) / 2  # between edges the same ones are clipped
    above = total = weighted = Fraction(0)
    for process in processes:
        deviation = 1 - process.intensity / inside
        if abs(deviation) < clip:
            total += process.emission
            weighted += process.emission * process.intensity
        else:
            above += process.emission if deviation > 0 else -process.emission
    value = weighted / (total + clip * above)
    return value, value


CATALOGUE = (
    Formula(
        balance_value,
        ("E_i, I_i", "c"),
        "Σ E_i × X_i = 0; X_i = (BP − I_i) / BP, |X_i| ≤ c",
        "平衡值求解",
        "balance value of a set of processes",
        {"x_clip_fraction": "cn_allowance_aluminium.x_clip"},
    ),
)
