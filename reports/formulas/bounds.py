"""
What a plant can have at all, by name: far wider than any real one, so that only slips fall out.

Formulas compute with what they are given; who asks people for numbers looks here first.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from reports.formulas.numbers import FormulaError

LEAST: Final = Decimal("1e-15")  # what is not zero and smaller was never measured


class Bounds(NamedTuple):
    """Least and most, in the unit of the name; ``zh`` and ``en`` say how to write it right."""

    low: Decimal
    high: Decimal
    zh: str
    en: str


def _b(low: str, high: str, zh: str, en: str) -> Bounds:
    return Bounds(Decimal(low), Decimal(high), zh, en)


_ASH = _b("0", "0.1", "0.4 % 写作 0.004", "write 0.004 for 0.4 %")
_SULPHUR = _b("0", "0.1", "2 % 写作 0.02", "write 0.02 for 2 %")
_HIGH_CARBON = _b("0.5", "1", "98 % 写作 0.98", "write 0.98 for 98 %")
_CARBON_USE = _b("0.2", "1", "410 kg/t 写作 0.41", "write 0.41 for 410 kg per t")
_DUST = _b("0", "0.2", "单位 t/t：15 kg/t 写作 0.015", "t per t: write 0.015 for 15 kg per t")
_GWP = _b("1000", "20000", "单位 tCO2e/t，如 6630", "t CO2e per t, e.g. 6630")
_GOODS = _b("0", "50", "单位 t/t：3000 kg/t 写作 3", "t per t: write 3 for 3000 kg per t")
_PROCESS = _b("1", "20", "单位 t/t：1570 kg/t 写作 1.57", "t per t: write 1.57 for 1570 kg per t")

BOUNDS: Final[dict[str, Bounds]] = {
    "loss_fraction": _b("0", "0.5", "15.18 % 写作 0.1518", "write 0.1518 for 15.18 %"),
    "unit_mass_kg": _b("50", "10000", "单位 kg：1.05 t 写作 1050", "kg: write 1050 for 1.05 t"),
    "sulphur_fraction": _SULPHUR,
    "pitch_sulphur_fraction": _SULPHUR,
    "coke_sulphur_fraction": _SULPHUR,
    "calcined_sulphur_fraction": _SULPHUR,
    "ash_fraction": _ASH,
    "pitch_ash_fraction": _ASH,
    "coke_ash_fraction": _ASH,
    "hydrogen_fraction": _b("0", "0.1", "0.5 % 写作 0.005", "write 0.005 for 0.5 %"),
    "pitch_hydrogen_fraction": _b("0", "0.1", "3.3 % 写作 0.033", "write 0.033 for 3.3 %"),
    "binder_fraction": _b("0", "0.6", "24 % 写作 0.24", "write 0.24 for 24 %"),
    "moisture_fraction": _b("0", "0.5", "8 % 写作 0.08", "write 0.08 for 8 %"),
    "volatiles_fraction": _b("0", "0.5", "12 % 写作 0.12", "write 0.12 for 12 %"),
    "methane_fraction": _b("0", "0.2", "3.5 % 写作 0.035", "write 0.035 for 3.5 %"),
    "pitch_carbon_fraction": _HIGH_CARBON,
    "coke_carbon_fraction": _HIGH_CARBON,
    "packing_carbon_fraction": _HIGH_CARBON,
    "anode_carbon_fraction": _HIGH_CARBON,
    "net_anode_t_per_t": _CARBON_USE,
    "paste_t_per_t": _CARBON_USE,
    "packing_t_per_t": _DUST,
    "dust_t_per_t": _DUST,
    "tar_kg_per_t": _b("0", "50", "单位 kg/t", "kg per t"),
    "ef_co2_t_per_t": _b("0.5", "5", "单位 t/t：1600 kg/t 写作 1.6", "t per t: 1.6, not 1600 kg"),
    "ef_cf4_kg_per_t": _b("0", "10", "单位 kg/t：20 g/t 写作 0.02", "kg per t: 0.02 for 20 g"),
    "ef_c2f6_kg_per_t": _b("0", "2", "单位 kg/t：1.1 g/t 写作 0.0011", "kg: 0.0011 for 1.1 g"),
    "gwp_cf4": _GWP,
    "gwp_c2f6": _GWP,
    "aem_min_per_cell_day": _b("0", "100", "单位 min/（槽·日）", "minutes per cell-day"),
    "slope_kg_per_t_per_min": _b(
        "0.001", "2", "单位 kg：143 g 写作 0.143", "kg: write 0.143 for 143 g"
    ),
    "c2f6_fraction": _b("0", "0.6", "12.1 % 写作 0.121", "write 0.121 for 12.1 %"),
    "aeo_mv": _b("0", "500", "单位 mV", "mV"),
    "overvoltage_coefficient": _b("0.05", "20", "单位 (kg/t)/mV，如 1.16", "e.g. 1.16"),
    "collection_efficiency_fraction": _b("0", "1", "95 % 写作 0.95", "write 0.95 for 95 %"),
    "pfc_t_co2e_per_t": _b("0", "20", "单位 t/t：145 kg/t 写作 0.145", "write 0.145 for 145 kg"),
    "ncv_gj_per_unit": _b(
        "0.5",
        "1000",
        "42652 kJ/kg 写作 42.652（GJ/t）；38931 kJ/m3 写作 389.31（GJ/万Nm3）",
        "write 42.652 (GJ/t) for 42652 kJ/kg, 389.31 (GJ/10^4 Nm3) for 38931 kJ/m3",
    ),
    "carbon_tc_per_gj": _b("0.001", "1", "20.2 tC/TJ 写作 0.0202", "0.0202 for 20.2 tC/TJ"),
    "carbon_tc_per_unit": _b("0", "20", "70 % 写作 0.7", "write 0.7 for 70 %"),
    "oxidation_fraction": _b("0.5", "1", "98 % 写作 0.98", "write 0.98 for 98 %"),
    "factor_kg_per_kwh": _b(
        "0", "2", "单位 kg/kWh：531 g 写作 0.531", "kg per kWh: write 0.531 for 531 g"
    ),
    "factor_t_per_gj": _b("0", "1", "单位 t/GJ：110 kg 写作 0.11", "write 0.11 for 110 kg"),
    "balance_t_per_t": _PROCESS,
    "intensity_t_per_t": _PROCESS,
    "base_t_per_t": _GOODS,
    "see_t_per_t": _GOODS,
    "area_m2": _b("0.01", "1000", "单位 m2", "m2"),
    "velocity_m_s": _b("0", "100", "单位 m/s：40000 m/h 写作 11.1", "m per s: 11.1 for 40000 m/h"),
    "velocity_coefficient": _b("0.2", "3", "速度场系数，如 1.05", "e.g. 1.05"),
    "c_mg_m3": _b("0", "1000000", "单位 mg/m3：2 g/m3 写作 2000", "mg per m3: 2000 for 2 g"),
    "flow_m3_h": _b("0", "50000000", "单位 m3/h：33 万 m3/h 写作 330000", "m3 per h"),
    "ppm": _b("0", "1000000", "单位 ppm：2 % 写作 20000", "ppm: write 20000 for 2 %"),
    "alpha_ref": _b("1", "20", "过量空气系数，如 1.7", "e.g. 1.7"),
    "limit_percent": _b("0.1", "50", "百分数：2.5 % 写作 2.5", "percent: 2.5 for 2.5 %"),
    "control_percent": _b("0.1", "50", "百分数：5 % 写作 5", "percent: 5 for 5 %"),
    "gap_h": _b("0.01", "8784", "单位 h，不超过一年", "h, no more than a year"),
    "benchmark_t_per_t": _b(
        "0", "20", "单位 t/t：1423 kg/t 写作 1.423", "t per t: write 1.423 for 1423 kg per t"
    ),
}


def check_bounds(name: str, number: Decimal, where: str = "") -> None:
    """Raise FormulaError when that name cannot have this value; ``where`` stands in its place."""
    told = where or name
    if number != 0 and abs(number) < LEAST:
        raise FormulaError(
            f"{told}：{number} 太小，不是测得出的量；请核对",
            f"{told}: {number} is too small to have been measured; check it",
        )
    bounds = BOUNDS.get(name)
    if bounds is None or bounds.low <= number <= bounds.high:
        return
    span = f"{bounds.low:f} – {bounds.high:f}"
    raise FormulaError(
        f"{told}：{number} 不可能（应在 {span} 之间）；{bounds.zh}",
        f"{told}: {number} cannot be (it lies in {span}); {bounds.en}",
    )
