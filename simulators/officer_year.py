"""What the office of a simulated plant writes down in a year: every entry that no meter gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulators.officer import Row, tested
from simulators.year import MonthOfYear, Year

DIESEL_T_PER_POT = 0.21  # a month: vehicles and cranes
LIMESTONE_T_PER_T = 0.0135  # desulphurisation, per tonne of aluminium
GAS, LIME, DIESEL = "natural_gas", "calcium_carbonate", "diesel"
CAST_LOSS = 0.0012  # dross between ladle and cast house
SALEABLE = 0.985
WATER_REUSED = 24.0  # times the fresh water goes round
GAS_GJ_PER_10K = 386.2  # what the laboratory finds; the rule's default is another figure
LIMESTONE_PURITY = 0.934
BALANCE_T_PER_T = "1.5702"  # invented, as everything here
PLATFORM_FILE = "platform-simulated.txt"


@dataclass(frozen=True, slots=True)
class Burnt:
    """What a month burned and consumed besides anodes: t, Nm3, GJ per 10^4 Nm3, fraction."""

    gas_nm3: float
    gas_gj_per_10k: float
    diesel_t: float
    limestone_t: float
    limestone_purity: float


def burnt(year: Year, month: MonthOfYear) -> Burnt:
    """Fuels and carbonate of one month; the same year gives the same figures."""
    draw = np.random.default_rng([year.plant.scenario.seed, int(month.month.replace("-", "")), 5])
    pots = sum(len(pots) for pots in month.effect_s.values())
    metal_t = sum(sums.tapped_kg for sums in month.lines.values()) / 1000
    return Burnt(
        gas_nm3=round(month.shared["plant/gas1 gas.volume"], 2),
        gas_gj_per_10k=round(GAS_GJ_PER_10K + draw.normal(0, 1.5), 3),
        diesel_t=round(DIESEL_T_PER_POT * pots * (1 + draw.normal(0, 0.04)), 3),
        limestone_t=round(LIMESTONE_T_PER_T * metal_t * (1 + draw.normal(0, 0.02)), 3),
        limestone_purity=round(LIMESTONE_PURITY + draw.normal(0, 0.004), 4),
    )


def entries_of_month(year: Year, month: MonthOfYear) -> list[Row]:
    """Every figure of one month, the cross-checks among them."""
    rows: list[Row] = []
    for name in sorted(month.lines):
        rows += [*_metal(month, name), *_anodes(year, month, name)]
    return [*rows, *_plant(year, month), *_casthouse(month)]


def _metal(month: MonthOfYear, line: str) -> Iterator[Row]:
    for day, pots in sorted(month.tapped_kg[line].items()):
        tonnes = float(np.round(pots.sum())) / 1000
        yield Row("aluminium_tapped", line, day, tonnes, "t", f"TAP-{day}-{line}")
    minutes = float(month.effect_s[line].sum()) / 60
    pot_days = month.lines[line].seconds / 86_400 * len(month.effect_s[line])
    log = f"AE-{month.month}-{line}"
    begin_t, end_t = (round(kg / 1000, 1) for kg in month.metal_kg[line])
    inventory = f"INV-{month.month}-{line}"
    yield Row("metal_in_pots_begin", line, month.month, begin_t, "t", inventory)
    yield Row("metal_in_pots_end", line, month.month, end_t, "t", inventory)
    yield Row(
        "anode_effect_minutes",
        line,
        month.month,
        round(minutes / pot_days, 4),
        "min/cell-day",
        log,
    )


def _anodes(year: Year, month: MonthOfYear, line: str) -> Iterator[Row]:
    """Consumption, store, change log and laboratory of one line."""
    name = month.month
    used = round(month.lines[line].anodes_kg / 1000, 3)
    begin = round(60 + 7 * (int(name[5:]) % 5), 1)
    end = round(60 + 7 * ((int(name[5:]) + 1) % 5), 1)
    voucher = f"ANODE-{name}-{line}"
    yield Row("anode_consumed", line, name, used, "t", voucher, note="更换阳极过磅合计")
    yield Row("anode_stock_begin", line, name, begin, "t", voucher)
    yield Row("anode_received", line, name, round(used + end - begin, 3), "t", voucher)
    yield Row("anode_stock_end", line, name, end, "t", voucher)
    yield Row("anode_issued", line, name, used, "t", f"STORE-{name}-{line}")
    yield Row("anode_changed", line, name, month.anodes[line], "块", f"LOG-{name}-{line}")
    mass = round(month.lines[line].anodes_kg / month.anodes[line], 1)
    yield Row("anode_unit_mass", line, name, mass, "kg", f"LOG-{name}-{line}")
    draw = np.random.default_rng([year.plant.scenario.seed, int(name.replace("-", "")), 7])
    for kind, usual, method in (
        ("anode_sulphur", 1.94, "YS/T 63.20"),
        ("anode_ash", 0.37, "YS/T 63.19"),
    ):
        value = round(usual * (1 + draw.normal(0, 0.05)), 3)
        yield tested(Row(kind, line, name, value, "%", f"LAB-{name}-{line}"), method)


def _plant(year: Year, month: MonthOfYear) -> Iterator[Row]:
    """What the plant bought and burned, with invoices and stocks beside it."""
    name, made = month.month, burnt(year, month)
    bill = f"BILL-{name}"
    grid_mwh = round(month.shared["plant/grid1 meter.energy_import"] / 1000, 3)
    heat_gj = round(month.shared["plant/heat1 heat.energy"], 2)
    yield Row("electricity_purchased", "plant", name, grid_mwh, "MWh", bill)
    yield Row("electricity_invoiced", "plant", name, round(grid_mwh * 1.0004, 3), "MWh", bill)
    fresh_m3 = month.shared["plant/water1 water.volume"]
    yield Row("water_reused", "plant", name, round(fresh_m3 * WATER_REUSED, 1), "m3", bill)
    yield Row("heat_purchased", "plant", name, heat_gj, "GJ", bill)
    yield Row("heat_invoiced", "plant", name, heat_gj, "GJ", bill)
    yield Row("gas_consumed", "plant", name, made.gas_nm3, "Nm3", bill, item=GAS)
    yield Row("gas_invoiced", "plant", name, round(made.gas_nm3 * 0.9997, 2), "Nm3", bill, item=GAS)
    ncv = Row("gas_ncv", "plant", name, made.gas_gj_per_10k, "GJ/万Nm3", f"GAS-{name}", item=GAS)
    yield tested(ncv, "GB/T 11062")
    begin, end = (
        round(3.0 + 0.2 * (number % 3), 1) for number in (int(name[5:]), int(name[5:]) + 1)
    )
    for kind, value in (
        ("fuel_consumed", made.diesel_t),
        ("fuel_stock_begin", begin),
        ("fuel_purchased", round(made.diesel_t + end - begin, 3)),
        ("fuel_sold", 0.0),
        ("fuel_stock_end", end),
        ("fuel_invoiced", round(made.diesel_t + end - begin, 3)),
    ):
        yield Row(kind, "plant", name, value, "t", f"OIL-{name}", item=DIESEL)
    voucher = f"LIME-{name}"
    yield Row("carbonate_consumed", "plant", name, made.limestone_t, "t", voucher, item=LIME)
    purity = round(made.limestone_purity * 100, 2)
    lime = Row("carbonate_purity", "plant", name, purity, "%", voucher, item=LIME)
    yield tested(lime, "GB/T 3286.9")


def _casthouse(month: MonthOfYear) -> Iterator[Row]:
    """Second source of the metal: cast-house receipts, ingots, stock and sales."""
    name = month.month
    metal_t = sum(sums.tapped_kg for sums in month.lines.values()) / 1000
    received = round(metal_t * (1 - CAST_LOSS), 3)
    begin, end = 90.0 + 5 * (int(name[5:]) % 4), 90.0 + 5 * ((int(name[5:]) + 1) % 4)
    ingots = round(received * 0.995, 3)
    for kind, value in (
        ("aluminium_cast_received", received),
        ("ingot_produced", ingots),
        ("ingot_stock_begin", begin),
        ("ingot_stock_end", end),
        ("ingot_sold", round(ingots + begin - end, 3)),
        ("liquid_sold", 0.0),
    ):
        yield Row(kind, "plant", name, value, "t", f"CAST-{name}")
    saleable = round(received * SALEABLE, 3)
    yield Row("product_saleable", "plant", name, saleable, "t", f"CAST-{name}", item="76011000")


def entries_of_year(year: Year) -> list[Row]:
    """Last year's verified figures, what was allocated, the balance value and a price."""
    before, rows = str(year.year - 1), list[Row]()
    for section in year.plant.sections:
        if year.runs[section.name].started is not None:
            continue
        metal = round(section.pots.count * section.design.metal_kg_s * 86.4 * 366, 2)
        emission = round(metal * 1.571, 2)
        rows += [
            Row("emission_verified", section.name, before, emission, "tCO2e", f"VER-{before}"),
            Row("aluminium_verified", section.name, before, metal, "t", f"VER-{before}"),
            Row(
                "allowance_pre_allocated",
                section.name,
                str(year.year),
                int(emission * 0.7),
                "t",
                f"PRE-{year.year}",
            ),
        ]
    rows.append(
        Row(
            "balance_value",
            "plant",
            str(year.year),
            float(BALANCE_T_PER_T),
            "tCO2e/t",
            "仿真值，并非平台公布",
            document=PLATFORM_FILE,
        )
    )
    rows.append(Row("allowance_price", "plant", f"{year.year}-12", 74.63, "CNY/t", "MARKET"))
    return rows


def certificates(year: Year, instruments: list[str], late: str) -> list[Row]:
    """A certificate for each instrument over the whole year; that of ``late`` has a gap."""
    rows = []
    first = date(year.year - 1, 10, 15)
    for number, name in enumerate(instruments):
        for turn in range(3):
            made = first + timedelta(days=350 * turn + number)
            if name == late and turn:
                made += timedelta(days=40)
            if made.year > year.year:
                continue
            until = made + timedelta(days=364)
            facts = {
                "valid_until": until.isoformat(),
                "body": "示例计量检定所（仿真）",
                "certificate": f"CAL-{made:%Y}-{number + 1:03d}",
                "result": "合格",
            }
            row = Row("instrument_certificate", name, made.isoformat(), 0.1, "%", facts=facts)
            rows.append(row)
    return rows
