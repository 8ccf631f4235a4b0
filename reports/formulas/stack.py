"""Stack gas: standard state, dry basis, reference oxygen, ppm, NOx, flow, mass rate."""

from decimal import Decimal
from typing import Final, NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, choice, positive
from reports.formulas.stack_names import (
    GASES,
    air_pascal,
    duct_pascal,
    gas_celsius,
    gas_moisture,
    gas_percent,
)

STANDARD_K: Final = Decimal(273)  # as the standard prints it, not 273.15
STANDARD_PA: Final = Decimal(101_325)
MOLAR_L: Final = Decimal("22.4")
INITIAL_O2: Final = Decimal(21)
NEAR: Final = Decimal("0.5")  # % O2 below that of the air: our own limit of sense
MOLAR_MASS: Final = {  # g per mol
    "so2": Decimal("64.06"),
    "no": Decimal("30.006"),
    "no2": Decimal("46.005"),
    "nh3": Decimal("17.031"),
    "hcl": Decimal("36.461"),
    "hf": Decimal("20.006"),
    "co": Decimal("28.010"),
}


class Concentration(NamedTuple):
    """mg per m3."""

    c_mg_m3: Decimal


class Basis(NamedTuple):
    """In the unit of what went in."""

    c: Decimal


class Excess(NamedTuple):
    """Excess-air factor."""

    excess_air: Decimal


class Flow(NamedTuple):
    """Dry flow at standard state, and the wet flow as it is, m3 per h."""

    flow_m3_h: Decimal
    actual_m3_per_h: Decimal


class Rate(NamedTuple):
    """kg per h."""

    kg_per_h: Decimal


def _pressure(ambient_pa: Number, static_pa: Number) -> Decimal:
    return air_pascal("ambient_pa", ambient_pa) + duct_pascal("static_pa", static_pa)


def _kelvin(temperature_c: Number) -> Decimal:
    return STANDARD_K + gas_celsius("temperature_c", temperature_c)


def standard_state(
    c_mg_m3: Number, temperature_c: Number, ambient_pa: Number, static_pa: Number
) -> Concentration:
    """
    Concentration at standard state (273 K, 101,325 Pa), wet or dry as it was.

        Csn = Cs * (273 + ts) / 273 * 101325 / (Ba + Ps)

    Cs measured at the state of the gas and Csn (mg per m3), ts gas temperature (degrees C), Ba
    pressure of the air and Ps static pressure with its sign (Pa). Not for what an analyser states
    at standard state already, as those that convert from ppm do. Source: HJ 212-2017 appendix D.2
    equation 18.
    """
    pressure = _pressure(ambient_pa, static_pa)
    c = amount("c_mg_m3", c_mg_m3)
    return Concentration(c * _kelvin(temperature_c) / STANDARD_K * STANDARD_PA / pressure)


def dry_basis(c: Number, moisture_fraction: Number) -> Basis:
    """
    From wet to dry gas: a concentration, and just so the oxygen.

        Cdry = Cwet / (1 - Xsw)

    C (any unit), Xsw moisture of the gas by volume (fraction, below 1). Source: HJ 212-2017
    appendix D.2 equation 19.
    """
    return Basis(amount("c", c) / (1 - gas_moisture("moisture_fraction", moisture_fraction)))


def _oxygen_left(o2_dry_percent: Number, o2_initial_percent: Number) -> tuple[Decimal, Decimal]:
    """Initial oxygen, and what burning took of it. Raises FormulaError near nothing."""
    initial = gas_percent("o2_initial_percent", o2_initial_percent)
    o2 = gas_percent("o2_dry_percent", o2_dry_percent)
    left = initial - o2
    if left < NEAR:
        raise FormulaError(
            f"o2_dry_percent：含氧量 {o2} % 接近或高于助燃空气的 {initial} %，折算无意义"
            "（分母趋于 0）；请保留实测标干浓度并注明，不得截断",
            f"o2_dry_percent: with {o2} % oxygen the gas is air ({initial} %) or nearly so, and "
            "conversion is not meaningful (it divides by nearly 0); keep the dry concentration and "
            "say so, never clip it",
        )
    return initial, left


def reference_oxygen(
    c: Number,
    o2_dry_percent: Number,
    o2_ref_percent: Number,
    o2_initial_percent: Number = INITIAL_O2,
) -> Basis:
    """
    Concentration at the reference oxygen; only where the permit or the standard sets one.

        Cconv = Csn,dry * (21 - O2ref) / (21 - O2dry)

    C dry concentration at standard state (any unit, mg per m3), O2dry oxygen of the dry gas and
    O2ref the reference (%), 21 unless the combustion air has another content. Refused where O2dry
    is nearer than 0.5 % to that of the air (our own limit): nothing is clipped. Source: HJ 212-2017
    appendix D.2 equation 28; initial oxygen of the outlet: national data-return interface V1.6.
    """
    initial, left = _oxygen_left(o2_dry_percent, o2_initial_percent)
    reference = gas_percent("o2_ref_percent", o2_ref_percent)
    if reference >= initial:
        raise FormulaError(
            f"o2_ref_percent：基准含氧量 {reference} % 须低于 {initial} %",
            f"o2_ref_percent: a reference of {reference} % must be below {initial} %",
        )
    return Basis(amount("c", c) * (initial - reference) / left)


def excess_air(o2_dry_percent: Number, o2_initial_percent: Number = INITIAL_O2) -> Excess:
    """
    Excess-air factor of the gas.

        alpha = 21 / (21 - O2dry)

    alpha (1), O2dry oxygen of the dry gas (%). Refused near the oxygen of the air, as in
    reference_oxygen. Source: HJ 212-2017 appendix D.2 equation 27.
    """
    initial, left = _oxygen_left(o2_dry_percent, o2_initial_percent)
    return Excess(initial / left)


def reference_excess_air(
    c: Number,
    o2_dry_percent: Number,
    alpha_ref: Number,
    o2_initial_percent: Number = INITIAL_O2,
) -> Basis:
    """
    Concentration at the reference excess-air factor; only where the standard sets one.

        Cconv = Csn,dry * alpha / alpha_s

    C dry concentration at standard state (any unit, mg per m3), alpha of the gas as in excess_air,
    alpha_s the reference (1 or more). Source: HJ 212-2017 appendix D.2 equations 26 and 27.
    """
    reference = positive("alpha_ref", alpha_ref)
    if reference < 1:
        raise FormulaError(
            f"alpha_ref：{reference} 小于 1；过量空气系数如 1.7",
            f"alpha_ref: {reference} is below 1; an excess-air factor is e.g. 1.7",
        )
    alpha = excess_air(o2_dry_percent, o2_initial_percent).excess_air
    return Basis(amount("c", c) * alpha / reference)


def ppm_to_mg(ppm: Number, gas: str) -> Concentration:
    """
    From parts per million by volume to mg per m3 at standard state.

        CQ = M / 22.4 * CV

    CV (ppm), CQ (mg per m3), M molar mass of the gas: SO2 64.06, NO 30.006, NO2 46.005, NH3
    17.031, HCl 36.461, HF 20.006, CO 28.010 g per mol. Source: HJ 212-2017 appendix D.2 equation
    20; molar masses are facts of chemistry.
    """
    mass = MOLAR_MASS[choice("gas", gas, GASES)]
    return Concentration(mass / MOLAR_L * amount("ppm", ppm))


def nox_from_no(no_mg_m3: Number, no2_mg_m3: Number = 0) -> Concentration:
    """
    Nitrogen oxides as NO2, from the masses of NO and NO2.

        C_NOx = C_NO * 46.005 / 30.006 + C_NO2

    C (mg per m3, both in the same state). Without NO2 the analyser must have converted it: NO alone
    is not enough. Source: HJ 212-2017 appendix D.2 equation 21.
    """
    ratio = MOLAR_MASS["no2"] / MOLAR_MASS["no"]
    return Concentration(amount("no_mg_m3", no_mg_m3) * ratio + amount("no2_mg_m3", no2_mg_m3))


def nox_from_ppm(no_ppm: Number, no2_ppm: Number = 0) -> Concentration:
    """
    Nitrogen oxides as NO2, from the volumes of NO and NO2.

        C_NOx = (V_NO + V_NO2) * 46.005 / 22.4

    V (ppm), C (mg per m3 at standard state). Source: HJ 212-2017 appendix D.2 equation 22.
    """
    volumes = amount("no_ppm", no_ppm) + amount("no2_ppm", no2_ppm)
    return Concentration(volumes * MOLAR_MASS["no2"] / MOLAR_L)


def dry_standard_flow(
    area_m2: Number,
    velocity_m_s: Number,
    velocity_coefficient: Number,
    temperature_c: Number,
    ambient_pa: Number,
    static_pa: Number,
    moisture_fraction: Number,
) -> Flow:
    """
    Dry flow at standard state from the velocity of the gas.

        Qs = 3600 * F * Kv * Vp      Qsn = Qs * 273 / (273 + ts) * (Ba + Ps) / 101325 * (1 - Xsw)

    Qs wet flow as it is and Qsn (m3 per h), F area of the section (m2), Vp velocity at the point
    (m per s), Kv velocity-field coefficient, ts (degrees C), Ba and Ps (Pa), Xsw moisture
    (fraction). Source: HJ 212-2017 appendix D.2 equations 29 to 31.
    """
    area = positive("area_m2", area_m2)
    velocity = amount("velocity_m_s", velocity_m_s)
    actual = 3600 * area * velocity * positive("velocity_coefficient", velocity_coefficient)
    pressure = _pressure(ambient_pa, static_pa)
    dry = 1 - gas_moisture("moisture_fraction", moisture_fraction)
    standard = actual * STANDARD_K / _kelvin(temperature_c) * pressure / STANDARD_PA * dry
    return Flow(standard, actual)


def mass_rate(c_mg_m3: Number, flow_m3_h: Number) -> Rate:
    """
    Emission of an hour.

        G = C * Qsn * 1e-6

    G (kg per h), C the dry concentration at standard state that is *not* converted to a reference
    oxygen (mg per m3), Qsn dry flow at standard state (m3 per h). Source: HJ 212-2017 appendix D.2
    equation 33; the day is the sum of its hours (the 1e-6 printed once more in equation 34 is a
    slip, by its units).
    """
    return Rate(amount("c_mg_m3", c_mg_m3) * amount("flow_m3_h", flow_m3_h) / 1_000_000)


_INITIAL = {"o2_initial_percent": "cn_hj212.initial_oxygen"}

CATALOGUE = (
    Formula(
        standard_state,
        ("Cs", "ts", "Ba", "Ps"),
        "Csn = Cs × (273 + ts) / 273 × 101325 / (Ba + Ps)",
        "换算为标准状态",
        "to standard state",
    ),
    Formula(dry_basis, ("C", "Xsw"), "Cdry = Cwet / (1 − Xsw)", "湿基换算为干基", "wet to dry"),
    Formula(
        reference_oxygen,
        ("C", "O2", "O2ref", "O2ini"),
        "Cconv = C × (O2ini − O2ref) / (O2ini − O2)",
        "按基准含氧量折算",
        "at the reference oxygen",
        _INITIAL,
    ),
    Formula(
        excess_air,
        ("O2", "O2ini"),
        "α = O2ini / (O2ini − O2)",
        "过量空气系数",
        "excess-air factor",
        _INITIAL,
    ),
    Formula(
        reference_excess_air,
        ("C", "O2", "αs", "O2ini"),
        "Cconv = C × α / αs; α = O2ini / (O2ini − O2)",
        "按基准过量空气系数折算",
        "at the reference excess air",
        _INITIAL,
    ),
    Formula(ppm_to_mg, ("CV", "gas"), "CQ = M / 22.4 × CV", "ppm 换算为 mg/m3", "ppm to mg/m3"),
    Formula(
        nox_from_no,
        ("NO", "NO2"),
        "C_NOx = C_NO × 46.005 / 30.006 + C_NO2",
        "由 NO、NO2 质量浓度求 NOx（以 NO2 计）",
        "NOx as NO2, from masses",
    ),
    Formula(
        nox_from_ppm,
        ("NO", "NO2"),
        "C_NOx = (V_NO + V_NO2) × 46.005 / 22.4",
        "由 NO、NO2 体积浓度求 NOx（以 NO2 计）",
        "NOx as NO2, from volumes",
    ),
    Formula(
        dry_standard_flow,
        ("F", "Vp", "Kv", "ts", "Ba", "Ps", "Xsw"),
        "Qsn = 3600 × F × Kv × Vp × 273 / (273 + ts) × (Ba + Ps) / 101325 × (1 − Xsw)",
        "标干烟气流量",
        "dry flow at standard state",
    ),
    Formula(
        mass_rate,
        ("C", "Q"),
        "G = C × Q × 1e-6",
        "小时排放量（用未折算的标干浓度）",
        "emission of an hour, by the unconverted concentration",
    ),
)
