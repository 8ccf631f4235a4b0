"""Green power: certificates of whole MWh, the share of it, and what is missing."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, fraction, positive
from reports.formulas.parameters import read_table


class Issued(NamedTuple):
    """Certificates by month, and the remainder that rolls on."""

    issued: list[dict[str, object]]
    carry: Decimal


class GreenShare(NamedTuple):
    """Green electricity over all, fraction."""

    green_fraction: Decimal


class CertificateGap(NamedTuple):
    """Certificates that are missing."""

    gap_certificates: Decimal


def green_certificates(mwh_by_month: object, start_carry_mwh: Number = 0) -> Issued:
    """
    Green electricity certificates issued month by month; the remainder rolls on.

        n_m = floor(W_m + r_(m-1))      r_m = W_m + r_(m-1) - n_m

    n certificates of a month (one per MWh; column certificates), W electricity (MWh), r remainder
    (MWh, column carry; at the begin start_carry_mwh, less than 1). ``mwh_by_month`` is a table of
    month and mwh in order of time; a list of numbers or months with their number will do. All n and
    the last carry add up to all W. Source: rules on green electricity certificates (1 certificate =
    1000 kWh, issued monthly, remainder to the next month) as restated by others.
    """
    carry = amount("start_carry_mwh", start_carry_mwh)
    if carry >= 1:
        raise FormulaError(
            f"start_carry_mwh：{carry} 不小于 1 MWh，应已核发绿证；结转余量须小于 1",
            f"start_carry_mwh: {carry} is 1 MWh or more and would have been issued; a remainder "
            "is below 1",
        )
    rows = _rows(mwh_by_month)
    numbers = read_table("mwh_by_month", rows, {"mwh": amount}, unique="month")
    issued: list[dict[str, object]] = []
    for number, (row, read) in enumerate(zip(rows, numbers, strict=True), 1):
        available = carry + read["mwh"]
        whole = available.to_integral_value(ROUND_FLOOR)
        carry = available - whole
        month = row.get("month") or str(number)
        issued.append({"month": month, "certificates": whole, "carry": carry})
    _in_order([str(row["month"]) for row in rows if row.get("month")])
    return Issued(issued, carry)


def _rows(given: object) -> list[Mapping[str, object]]:
    if isinstance(given, Mapping):
        return [{"month": month, "mwh": mwh} for month, mwh in given.items()]
    if isinstance(given, list | tuple):
        return [row if isinstance(row, Mapping) else {"mwh": row} for row in given]
    return []


def _in_order(months: list[str]) -> None:
    if months != sorted(months):
        raise FormulaError(
            "mwh_by_month：月份须按时间先后排列，如 2026-01、2026-02",
            "mwh_by_month: months must be in order of time, as 2026-01, 2026-02",
        )


def green_share(
    own_mwh: Number, traded_mwh: Number, certificates_mwh: Number, energy_mwh: Number
) -> GreenShare:
    """
    Share of green electricity in what was used.

        s = (W_own + W_trade + W_cert) / W

    s (fraction), W_own made on site and used, W_trade bought by green trade, W_cert certificates
    bought apart, without those of the trade (MWh each), W electricity used (MWh, more than 0). A
    share above 1 is refused: certificates are counted twice, or a figure is in kWh. Source: notice
    on renewable consumption weights 2025 no. 669 as restated by others.
    """
    green = (
        amount("own_mwh", own_mwh)
        + amount("traded_mwh", traded_mwh)
        + amount("certificates_mwh", certificates_mwh)
    )
    used = positive("energy_mwh", energy_mwh)
    if green > used:
        raise FormulaError(
            f"energy_mwh：绿电 {green} MWh 多于用电量 {used} MWh；绿证是否重复计算，或单位为 kWh？",
            f"energy_mwh: {green} MWh green is more than the {used} MWh used; are certificates "
            "counted twice, or is a figure in kWh?",
        )
    return GreenShare(green / used)


def certificate_gap(
    energy_mwh: Number, required_fraction: Number, green_mwh: Number
) -> CertificateGap:
    """
    Certificates that are missing for a required green share.

        n = ceil(max(0, s * W - G))

    n certificates (one per MWh), s share required (fraction; set by the site's province), W
    electricity used and G green electricity counted so far (MWh). Source: notice on renewable
    consumption weights 2025 no. 669 as restated by others.
    """
    needed = amount("energy_mwh", energy_mwh) * fraction("required_fraction", required_fraction)
    missing = max(Decimal(0), needed - amount("green_mwh", green_mwh))
    return CertificateGap(missing.to_integral_value(ROUND_CEILING))


CATALOGUE = (
    Formula(
        green_certificates,
        ("W_m", "r_0"),
        "n_m = floor(W_m + r_(m−1)); r_m = W_m + r_(m−1) − n_m",
        "绿证核发与结转",
        "green certificates and carry-over",
    ),
    Formula(
        green_share,
        ("W_own", "W_trade", "W_cert", "W"),
        "s = (W_own + W_trade + W_cert) / W",
        "绿色电力消费比例",
        "share of green electricity",
    ),
    Formula(
        certificate_gap,
        ("W", "s", "G"),
        "n = ceil(max(0, s × W − G))",
        "绿证缺口",
        "certificates missing",
    ),
)
