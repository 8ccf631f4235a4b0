"""What stands in for a missing hour of emission: by reason, length of the gap and capture rate."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, choice, positive
from reports.formulas.parameters import read_table
from reports.formulas.stack_checks import rule
from reports.formulas.stack_names import REASONS, gas_percent


class Substitution(NamedTuple):
    """
    ``method`` is the code that stands beside a figure; the others are there where they can be.

    ``max<window>-before-calibration``: greatest of that many valid hours before the last good
    calibration; ``max<window>-before-gap``: before the gap; ``none``: nothing may stand in.
    """

    method: str
    window_h: Decimal | None = None
    kg_per_h: Decimal | None = None
    hours_used: Decimal | None = None


def substitution(  # noqa: PLR0913, PLR0917 - rules of the standard, filled in from the pack
    reason: str,
    gap_h: Number,
    capture_percent: Number,
    before: Sequence[Mapping[str, object]] | None = None,
    high_capture_percent: Number | None = None,
    least_capture_percent: Number | None = None,
    short_gap_h: Number | None = None,
    window_short_h: Number | None = None,
    window_long_h: Number | None = None,
    window_low_h: Number | None = None,
) -> Substitution:
    """
    The hourly emission that stands in for each hour of a gap, and the code of the way.

        G = max(G_i, i = 1 … w);  w = w1 (gap <= g0) or w2 (gap > g0) where alpha >= a1, w3 where
        a0 <= alpha < a1, none where alpha < a0

    G emission of an hour (kg per h), gap (h), alpha capture rate of the quarter (%). ``before`` are
    the valid hours, oldest first, before the last good calibration (reason out_of_control) or
    before the gap (reason invalid); the last w of them count, and ``hours_used`` says how many
    there were. Without them only the code is told. Concentrations and flows are not stood in for.
    Source: public programs that cite HJ 75-2017 (w1 = 180, w2 = 720, w3 = 2160 h, g0 = 24 h,
    a1 = 90 %, a0 = 75 %); the table of the standard itself was not seen.
    """
    choice("reason", reason, REASONS)
    gap = positive("gap_h", gap_h)
    capture = gas_percent("capture_percent", capture_percent)
    high = rule("high_capture_percent", high_capture_percent, gas_percent)
    least = rule("least_capture_percent", least_capture_percent, gas_percent)
    if high < least:
        raise FormulaError(
            f"high_capture_percent：{high} 小于 least_capture_percent {least}",
            f"high_capture_percent: {high} is below least_capture_percent {least}",
        )
    short = gap <= rule("short_gap_h", short_gap_h, positive)
    windows = (
        rule("window_short_h", window_short_h, positive),
        rule("window_long_h", window_long_h, positive),
        rule("window_low_h", window_low_h, positive),
    )
    if capture < least:
        return Substitution("none")
    window = windows[2] if capture < high else windows[0] if short else windows[1]
    anchor = "calibration" if reason == "out_of_control" else "gap"
    method = f"max{window:f}-before-{anchor}"
    if before is None:
        return Substitution(method, window)
    rows = read_table("before", before, {"kg_per_h": amount})
    used = rows[-int(window) :]
    greatest = max(row["kg_per_h"] for row in used)
    return Substitution(method, window, greatest, Decimal(len(used)))


_RULES = {
    "high_capture_percent": "cn_hj75.substitution_high_capture",
    "least_capture_percent": "cn_hj75.substitution_least_capture",
    "short_gap_h": "cn_hj75.substitution_short_gap",
    "window_short_h": "cn_hj75.substitution_window_short",
    "window_long_h": "cn_hj75.substitution_window_long",
    "window_low_h": "cn_hj75.substitution_window_low_capture",
}

CATALOGUE = (
    Formula(
        substitution,
        ("reason", "gap", "α", "G_i", "a1", "a0", "g0", "w1", "w2", "w3"),
        "G = max(G_i, i = 1 … w); w = w1 | w2 (α ≥ a1), w3 (α ≥ a0), none (α < a0)",
        "缺失小时排放量的替代",
        "what stands in for a missing hour",
        _RULES,
    ),
)
