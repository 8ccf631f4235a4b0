"""EU carbon border adjustment: specific embedded emissions, defaults, certificates, scrap."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, fraction, positive, year_number


class PerTonne(NamedTuple):
    """Emission per tonne of goods."""

    t_per_t: Decimal


class Embedded(NamedTuple):
    """Emission embedded in goods, t CO2e."""

    t_co2e: Decimal


class Certificates(NamedTuple):
    """Certificates per tonne of goods."""

    certificates_per_t: Decimal


class Scrap(NamedTuple):
    """Scrap per tonne of goods, and how much of it never was a product."""

    scrap_t_per_t: Decimal
    pre_consumer_fraction: Decimal


def cbam_default(
    base_t_per_t: Number, year: Number, mark_up_fraction: Number | None = None
) -> PerTonne:
    """
    Default embedded emission with the mark-up of the year.

        D = B * (1 + m)

    D default with mark-up and B default of country and CN code (t CO2e per t), m mark-up of the
    year of import (fraction; a rule: on the command line the rule pack fills it in by ``year``).
    Source: EU 2025/2621, as restated by others.
    """
    year_number("year", year)
    if mark_up_fraction is None:
        raise FormulaError(
            f"mark_up_fraction：{year} 年的加成是法规参数；请填写（10 % 写作 0.10）",
            f"mark_up_fraction: the mark-up of {year} is a rule; give it (0.10 for 10 %)",
        )
    mark_up = fraction("mark_up_fraction", mark_up_fraction)
    return PerTonne(amount("base_t_per_t", base_t_per_t) * (1 + mark_up))


def cbam_certificates(
    see_t_per_t: Number, benchmark_t_per_t: Number, free_share: Number, cscf: Number = 1
) -> Certificates:
    """
    Certificates to surrender per tonne of goods.

        n = max(0, SEE - s * CSCF * BM)

    n certificates (one per t CO2e, per t of goods), SEE specific embedded emission, BM benchmark
    (t CO2e per t), s share of free allocation left in the year (fraction), CSCF cross-sectoral
    correction factor (fraction; 1 while nobody has published one). A price paid abroad is not
    taken off here. Source: EU 2023/956 article 31, EU 2025/2620 as restated by others.
    """
    free = (
        fraction("free_share", free_share)
        * fraction("cscf", cscf)
        * amount("benchmark_t_per_t", benchmark_t_per_t)
    )
    return Certificates(max(Decimal(0), amount("see_t_per_t", see_t_per_t) - free))


def cbam_precursor(mass_t: Number, see_t_per_t: Number) -> Embedded:
    """
    Emission that a precursor brings along.

        E = M * SEE

    E embedded emission (t CO2e), M precursor consumed, losses included (t), SEE its specific
    embedded emission (t CO2e per t; zero for precursors of the Union). Source: EU 2025/2547 annex
    III B equation 60, one term of the sum.
    """
    return Embedded(amount("mass_t", mass_t) * amount("see_t_per_t", see_t_per_t))


def cbam_see(attributed_t_co2e: Number, precursor_t_co2e: Number, activity_t: Number) -> PerTonne:
    """
    Specific embedded emission of complex goods.

        SEE = (AttrEm + sum(M_i * SEE_i)) / AL

    SEE specific embedded emission (t CO2e per t), AttrEm emission attributed to the process
    (t CO2e), sum(M_i * SEE_i) of all precursors (t CO2e), AL activity level: saleable goods made
    (t, more than 0; no scrap, off-spec or waste). Source: EU 2025/2547 annex III B equations 59 and
    60; the activity level annex II F.
    """
    embedded = amount("attributed_t_co2e", attributed_t_co2e) + amount(
        "precursor_t_co2e", precursor_t_co2e
    )
    return PerTonne(embedded / positive("activity_t", activity_t))


def scrap_share(pre_consumer_t: Number, post_consumer_t: Number, activity_t: Number) -> Scrap:
    """
    Scrap per tonne of goods, and the pre-consumer share of it.

        R = (S_pre + S_post) / AL      p = S_pre / (S_pre + S_post)

    R scrap used per goods (t per t), S_pre and S_post pre- and post-consumer scrap (t), AL goods
    made (t, more than 0), p share (fraction; 0 without any scrap). Source: EU 2025/2547 annex I
    3.17, what is reported with aluminium.
    """
    before = amount("pre_consumer_t", pre_consumer_t)
    scrap = before + amount("post_consumer_t", post_consumer_t)
    per_t = scrap / positive("activity_t", activity_t)
    return Scrap(per_t, before / scrap if scrap else Decimal(0))


CATALOGUE = (
    Formula(
        cbam_default,
        ("B", "y", "m"),
        "D = B × (1 + m)",
        "CBAM 缺省值（含加成）",
        "CBAM default with mark-up",
        {"mark_up_fraction": "eu_cbam_values.mark_up"},
    ),
    Formula(
        cbam_certificates,
        ("SEE", "BM", "s", "CSCF"),
        "n = max(0, SEE − s × CSCF × BM)",
        "CBAM 证书（每吨货物）",
        "CBAM certificates per tonne",
    ),
    Formula(
        cbam_precursor,
        ("M", "SEE"),
        "E = M × SEE",
        "前体隐含排放",
        "embedded emission of a precursor",
    ),
    Formula(
        cbam_see,
        ("AttrEm", "Σ(M × SEE)", "AL"),
        "SEE = (AttrEm + Σ(M × SEE)) / AL",
        "特定隐含排放",
        "specific embedded emission",
    ),
    Formula(
        scrap_share,
        ("S_pre", "S_post", "AL"),
        "R = (S_pre + S_post) / AL; p = S_pre / (S_pre + S_post)",
        "废料比例",
        "scrap share",
    ),
)
