"""``carbon-annual`` against the truth of a simulated year, month by month and for the year."""

from collections.abc import Iterator
from typing import Any

from drivers.language import say
from simulators.compare import Deviation

# The simulator's own arithmetic for what the plant burned: carbon per heat, oxidised share, ratio.
GAS_TC_PER_GJ, GAS_OXIDISED = 0.01532, 0.99
DIESEL_GJ_PER_T, DIESEL_TC_PER_GJ, DIESEL_OXIDISED = 42.652, 0.0202, 0.98
LIMESTONE_T_PER_T = 0.44
CO2_PER_C = 44 / 12


def burnt_co2(month: dict[str, Any]) -> dict[str, float]:
    """T CO2 of one month by line of the report."""
    burnt = month["burnt"]
    gas = burnt["gas_nm3"] / 10_000 * burnt["gas_gj_per_10k"]
    diesel = burnt["diesel_t"] * DIESEL_GJ_PER_T
    return {
        "fuel_co2.natural_gas": gas * GAS_TC_PER_GJ * GAS_OXIDISED * CO2_PER_C,
        "fuel_co2.diesel": diesel * DIESEL_TC_PER_GJ * DIESEL_OXIDISED * CO2_PER_C,
        "carbonate_co2.calcium_carbonate": burnt["limestone_t"]
        * LIMESTONE_T_PER_T
        * burnt["limestone_purity"],
    }


def year_deviations(report: dict[str, Any], truth: dict[str, Any]) -> list[Deviation]:
    """Every figure that both know: per potline, per month, of the plant, and the year."""
    values = {line["id"]: line["value"] for line in report["content"]["lines"]}
    found = list(_scope("", truth["lines"], truth["total"], values))
    for name, month in truth["months"].items():
        total = {
            key: sum(line[key] for line in month["lines"].values())
            for key in ("aluminium_t", "anode_t", "ac_kwh", "aux_kwh")
        }
        total["carbon"] = {
            key: sum(line["carbon"][key] for line in month["lines"].values())
            for key in ("anode_co2_t", "pfc_t_co2e", "process_t_co2e")
        }
        found += _scope(f"@{name}", month["lines"], total, values)
        found += [
            Deviation(f"plant.{line}@{name}", line, "tCO2", values.get(f"plant.{line}@{name}"), co2)
            for line, co2 in burnt_co2(month).items()
        ]
    return found + list(_enterprise(truth, values))


def _enterprise(truth: dict[str, Any], values: dict[str, float | None]) -> Iterator[Deviation]:
    """Fuels and carbonates of the year, and all sources together."""
    year: dict[str, float] = {}
    for month in truth["months"].values():
        for line, co2 in burnt_co2(month).items():
            year[line] = year.get(line, 0.0) + co2
    for line, co2 in year.items():
        yield Deviation(f"plant.{line}", line, "tCO2", values.get(f"plant.{line}"), co2)
    everything = truth["total"]["carbon"]["process_t_co2e"] + sum(year.values())
    yield Deviation(
        "plant.enterprise_emission",
        say("企业层级排放", "enterprise emission"),
        "tCO2e",
        values.get("plant.enterprise_emission"),
        everything,
    )


def _scope(
    suffix: str,
    lines: dict[str, Any],
    total: dict[str, Any],
    values: dict[str, float | None],
) -> Iterator[Deviation]:
    for scope, part in (*lines.items(), ("plant", total)):
        carbon = part["carbon"]
        for name, label, unit, true in (
            ("aluminium", say("铝液产量", "liquid aluminium"), "t", part["aluminium_t"]),
            ("anode_consumed", say("阳极消耗量", "anode consumed"), "t", part["anode_t"]),
            ("anode_co2", say("阳极消耗排放", "CO2 of anodes"), "tCO2", carbon["anode_co2_t"]),
            ("pfc", say("阳极效应排放", "PFC of anode effects"), "tCO2e", carbon["pfc_t_co2e"]),
            (
                "emission",
                say("工序排放", "process emission"),
                "tCO2e",
                carbon["process_t_co2e"],
            ),
            ("electricity_ac", say("交流电量", "AC electricity"), "MWh", part["ac_kwh"] / 1000),
            ("electricity_aux", say("动力电量", "auxiliary power"), "MWh", part["aux_kwh"] / 1000),
        ):
            line = f"{scope}.{name}{suffix}"
            yield Deviation(line, label, unit, values.get(line), true)
