"""
What really happened in a simulated plant, per potline and in total, as JSON.

The carbon figures are computed here with the simulator's own arithmetic, so that a report can be
compared with something that shares no code with it.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from simulators.line import LineState
from simulators.plant import Plant, Section
from simulators.pots import KG_PER_KA_S, AnodeEffect
from simulators.wander import Floats

LOCAL = timezone(timedelta(hours=8))
LOSS_SHARE, SULPHUR_SHARE, ASH_SHARE = 0.1518, 0.02, 0.004
PFC_T_PER_T = (0.02 * 6630 + 0.0011 * 11100) / 1000


@dataclass(slots=True)
class Sums:
    """Running sums of one potline."""

    seconds: float = 0.0
    ka_s: float = 0.0
    v_ka_s: float = 0.0  # pot voltages times current: kW·s without bus bars
    ac_kwh: float = 0.0
    dc_kwh: float = 0.0
    aux_kwh: float = 0.0
    fgd_kwh: float = 0.0
    produced_kg: float = 0.0
    tapped_kg: float = 0.0
    anodes_kg: float = 0.0
    carbon_kg: float = 0.0
    effect_s: float = 0.0
    off_s: float = 0.0  # pot-seconds out of operation
    off_ka_s: float = 0.0  # and the charge that passed them by
    heat_gj: float = 0.0
    gas_nm3: float = 0.0
    emissions_kg: dict[str, float] = field(default_factory=dict)
    tapped_days_kg: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PotSums:
    """Sums over the pots of a line for each of some steps, kg and seconds."""

    produced: Floats
    tapped: Floats
    anodes: Floats
    carbon: Floats
    effect: Floats


def pot_sums(section: Section, dt_s: float) -> PotSums:
    """Of the step just made."""
    pots = section.pots
    return PotSums(
        produced=np.array([pots.produced_kg.sum()]),
        tapped=np.array([pots.tapped_kg.sum()]),
        anodes=np.array([pots.anodes_kg.sum()]),
        carbon=np.array([pots.carbon_kg.sum()]),
        effect=np.array([pots.effect_share.sum() * dt_s]),
    )


class Ledger:
    """Collects the truth of a plant from its steps."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.begin_s = plant.time_s
        self.lines = [Sums() for _ in plant.sections]
        self.shared: dict[str, float] = {}
        self.metal_begin_kg = [float(s.pots.metal_kg.sum()) for s in plant.sections]
        self.effects_begin = [int(s.pots.effect_count.sum()) for s in plant.sections]

    def add(self, states: list[LineState], pots: list[PotSums], dt_s: float) -> None:
        """Adds the steps at the instants of the states, each ``dt_s`` long."""
        for section, state, part, sums in zip(
            self.plant.sections, states, pots, self.lines, strict=True
        ):
            add_line(sums, section, state, part, dt_s)
        readings = self.plant.utilities.readings(states[0].time_s, np.zeros(1), 0.0)
        for point, flow in readings.flows.items():
            if "grid1" not in point and "green1" not in point:
                grown = self.shared.get(point, 0.0) + float(flow.rate.sum()) * dt_s
                self.shared[point] = grown

    def truth(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        lines = {
            section.name: self._line(k, section) for k, section in enumerate(self.plant.sections)
        }
        scenario = self.plant.scenario
        return {
            "plant": scenario.name,
            "seed": scenario.seed,
            "pots": scenario.pots,
            "begin": _iso(self.begin_s),
            "end": _iso(self.plant.time_s),
            "lines": lines,
            "total": _total(lines),
            "shared": {point: round(value, 6) for point, value in self.shared.items()},
        }

    def _line(self, index: int, section: Section) -> dict[str, Any]:
        sums = self.lines[index]
        effects = [e for e in section.pots.effects if e.start_s >= self.begin_s]
        count = int(section.pots.effect_count.sum()) - self.effects_begin[index]
        pot_days = (section.pots.count * sums.seconds - sums.off_s) / 86_400
        pot_ka_s = sums.ka_s * section.pots.count - sums.off_ka_s
        theory_kg = KG_PER_KA_S * pot_ka_s
        metal = {
            "tapped_t": sums.tapped_kg / 1000,
            "produced_t": sums.produced_kg / 1000,
            "faraday_t": theory_kg / 1000,
            "in_pots_begin_t": self.metal_begin_kg[index] / 1000,
            "in_pots_end_t": float(section.pots.metal_kg.sum()) / 1000,
            "current_efficiency": sums.produced_kg / theory_kg if theory_kg else None,
            "tapped_by_day_t": {
                day: round(kg / 1000, 6) for day, kg in sorted(sums.tapped_days_kg.items())
            },
        }
        return {
            "pots": section.pots.count,
            "pot_days": pot_days,
            "mean_current_ka": sums.ka_s / sums.seconds if sums.seconds else None,
            "mean_pot_voltage_v": sums.v_ka_s / pot_ka_s if pot_ka_s else None,
            "planted": [one.truth() for one in section.planted],
            "electricity_kwh": {
                "ac": sums.ac_kwh,
                "dc": sums.dc_kwh,
                "aux": sums.aux_kwh,
                "fgd": sums.fgd_kwh,
            },
            "rectifier_efficiency": sums.dc_kwh / sums.ac_kwh if sums.ac_kwh else None,
            "metal": metal,
            "anode": {"gross_t": sums.anodes_kg / 1000, "burnt_t": sums.carbon_kg / 1000},
            "anode_effects": {
                "count": count,
                "minutes": sums.effect_s / 60,
                "per_pot_day": count / pot_days if pot_days else None,
                "minutes_per_pot_day": sums.effect_s / 60 / pot_days if pot_days else None,
                "list": [_effect(effect) for effect in effects],
            },
            "carbon": carbon(sums.anodes_kg / 1000, sums.tapped_kg / 1000),
            "heat_recovered_gj": sums.heat_gj,
            "emissions_kg": dict(sums.emissions_kg),
            "gas_nm3": sums.gas_nm3,
        }


def carbon(anode_t: float, aluminium_t: float) -> dict[str, float | None]:
    """Electrolysis process by the Chinese guide: net anode carbon to CO2, default PFC."""
    net = anode_t * (1 - LOSS_SHARE)
    co2 = net * (1 - SULPHUR_SHARE - ASH_SHARE) * 44 / 12
    pfc = aluminium_t * PFC_T_PER_T
    return {
        "anode_net_t": net,
        "anode_co2_t": co2,
        "pfc_t_co2e": pfc,
        "process_t_co2e": co2 + pfc,
        "intensity_t_per_t": (co2 + pfc) / aluminium_t if aluminium_t else None,
    }


def write(path: Path, truth: dict[str, Any]) -> None:
    """The truth as a file a person can read."""
    path.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def add_line(sums: Sums, section: Section, state: LineState, pots: PotSums, dt_s: float) -> None:
    """The steps at the instants of ``state``, each ``dt_s`` long, into the sums of a line."""
    line, hours = section.line, dt_s / 3600
    sums.seconds += dt_s * len(state.time_s)
    sums.ka_s += float(state.current_ka.sum()) * dt_s
    if state.running is not None:
        off = section.pots.count - state.running
        sums.off_s += float(off.sum()) * dt_s
        sums.off_ka_s += float((off * state.current_ka).sum()) * dt_s
    sums.v_ka_s += float((state.pots_v * state.current_ka).sum()) * dt_s
    sums.ac_kwh += float(np.sum(line.rectifier_kw(state)[1])) * hours
    sums.dc_kwh += float(line.dc_kw(state).sum()) * hours
    sums.aux_kwh += float(line.auxiliary_kw(state.time_s).sum()) * hours
    sums.fgd_kwh += float(line.desulphurisation_kw(state.time_s).sum()) * hours
    sums.produced_kg += float(pots.produced.sum())
    sums.tapped_kg += float(pots.tapped.sum())
    sums.anodes_kg += float(pots.anodes.sum())
    sums.carbon_kg += float(pots.carbon.sum())
    sums.effect_s += float(pots.effect.sum())
    emission = section.stack.emission(state)
    sums.gas_nm3 += float(emission.gas_nm3_h.sum()) * hours
    for name in ("pm", "so2", "nox", "fluoride"):
        grown = sums.emissions_kg.get(name, 0.0) + float(getattr(emission, name).sum()) * hours
        sums.emissions_kg[name] = grown
    heat = section.heat.readings(state, emission.gas_nm3_h)
    for flow in heat.flows.values():
        sums.heat_gj += float(flow.rate.sum()) * dt_s
    _add_days(sums.tapped_days_kg, state.time_s, pots.tapped, dt_s)


def _add_days(days: dict[str, float], end_s: Floats, kg: Floats, dt_s: float) -> None:
    number = np.floor((end_s - dt_s + 28_800) / 86_400).astype(np.int64)
    for day in np.unique(number):
        name = str(np.datetime64(int(day), "D"))
        days[name] = days.get(name, 0.0) + float(kg[number == day].sum())


def _total(lines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    parts = list(lines.values())
    gross = sum(part["anode"]["gross_t"] for part in parts)
    tapped = sum(part["metal"]["tapped_t"] for part in parts)
    return {
        "aluminium_tapped_t": tapped,
        "aluminium_produced_t": sum(part["metal"]["produced_t"] for part in parts),
        "anode_gross_t": gross,
        "electricity_kwh": {
            role: sum(part["electricity_kwh"][role] for part in parts)
            for role in ("ac", "dc", "aux", "fgd")
        },
        "carbon": carbon(gross, tapped),
        "anode_effects": sum(part["anode_effects"]["count"] for part in parts),
        "heat_recovered_gj": sum(part["heat_recovered_gj"] for part in parts),
    }


def _effect(effect: AnodeEffect) -> dict[str, Any]:
    return {
        "pot": effect.pot,
        "start": _iso(effect.start_s),
        "duration_s": round(effect.duration_s, 1),
        "voltage_v": round(effect.voltage_v, 2),
    }


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).astimezone(LOCAL).isoformat(timespec="seconds")
