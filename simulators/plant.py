"""The simulated smelter: scenario, state, one step in time, and readings at many instants."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from simulators.flows import Readings
from simulators.heat import HeatRecovery
from simulators.line import Line, LineState
from simulators.planted import Ailments, Load, Planted
from simulators.pots import PotDesign, Pots
from simulators.stack import Emission, Stack
from simulators.utilities import Utilities
from simulators.wander import Floats

POT_FIELDS = (
    "voltage",
    "set_voltage",
    "target_voltage",
    "resistance",
    "noise_lf",
    "noise_hf",
    "bath_temperature",
    "metal_level",
    "bath_level",
    "alf3_excess",
    "feed_state",
    "feed_interval",
    "feed_shots",
    "anode_effect",
    "anode_effect_count",
    "anode_position",
    "mode",
    "link",
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    Which plant: 4 to 400 pots, evenly split over the lines.

    ``lines`` 0 means one line up to 40 pots and two above.
    """

    start_s: float
    pots: int = 12
    seed: int = 7
    lines: int = 0
    name: str = "demo"
    design: PotDesign = field(default_factory=PotDesign)
    planted: tuple[Planted, ...] = ()
    loads: tuple[Load, ...] = ()
    pot_detail: bool = (
        False  # history keeps every quantity of the pots, not voltage and effects only
    )

    def __post_init__(self) -> None:
        if not 4 <= self.pots <= 400:
            raise ValueError(f"{self.pots} pots: a simulated plant has 4 to 400")
        if self.pots < 4 * self.line_count:
            raise ValueError(f"{self.pots} pots are too few for {self.lines} lines")
        sizes = self.line_pots()
        for one in self.planted:
            if one.line > len(sizes) or one.pot > sizes[one.line - 1]:
                raise ValueError(f"no pot line{one.line}/pot{one.pot:03d} to plant {one.kind} in")

    @property
    def line_count(self) -> int:
        return self.lines or (1 if self.pots <= 40 else 2)

    def line_pots(self) -> list[int]:
        """Pots of each line; the first ones take the remainder."""
        each, more = divmod(self.pots, self.line_count)
        return [each + (k < more) for k in range(self.line_count)]


class Section:
    """One potline with its gas cleaning and heat recovery."""

    def __init__(self, number: int, pots: int, scenario: Scenario) -> None:
        seed = scenario.seed * 100 + number
        self.number = number
        self.name = f"line{number}"
        self.time_s = scenario.start_s
        self.pot_detail = scenario.pot_detail
        self.design = scenario.design
        planted = [one for one in scenario.planted if one.line == number]
        self.planted = tuple(planted)
        ailments = Ailments(planted, scenario.start_s) if planted else None
        self.pots = Pots(scenario.design, pots, (scenario.seed, number), ailments)
        loads = tuple(x for x in scenario.loads if x.line in {0, number})
        self.line = Line(self.name, pots, scenario.design.current_ka, seed, loads)
        self.stack = Stack(f"gtc{number}", pots, seed)
        self.heat = HeatRecovery(f"gtc{number}", pots, seed)
        per_day = scenario.design.alumina_kg_s / scenario.design.shot_kg
        age_s = max(scenario.start_s - 1_704_067_200, 0)
        self.shots_before = np.floor(per_day * age_s * self.pots.efficiency_base)
        self.effects_before = np.floor(0.05 * age_s / 86_400) + np.arange(pots) % 7

    def advance(self, dt_s: float, end_s: float) -> LineState:
        """One step of the pots; the current of the step sees the effects of the step before."""
        time_s = np.array([end_s])
        effects = np.array([self.pots.effect_share.sum()])
        current = self.line.current_ka(time_s, effects)
        self.pots.step(dt_s, end_s, float(current[0]))
        self.time_s = end_s
        return LineState(
            time_s=time_s,
            current_ka=current,
            pots_v=np.array([self.pots.voltage.sum()]),
            carbon_kg_s=np.array([self.pots.carbon_kg.sum() / dt_s]),
            effects=effects,
            running=None if self.pots.ailments is None else np.array([self.pots.running]),
        )

    def readings(self, state: LineState) -> Iterator[Readings]:
        """Line, stack and heat recovery at the instants of ``state``."""
        yield self.line.readings(state)
        yield self.stack.readings(state)
        yield self.heat.readings(state, self.stack.gas_nm3_h(state.time_s))

    def pot_columns(self, current_ka: float) -> dict[str, Floats]:
        """The points of every pot, one array over pots for each field of ``POT_FIELDS``."""
        pots = self.pots
        seen_v = pots.shown_v(pots.voltage[None, :], np.array([self.time_s]))[0]
        rate = np.array([0.0, 1.0, 0.70, 1.40])[pots.feed.astype(np.intp)]
        shots = np.floor(pots.fed_kg / self.design.shot_kg)
        return {
            "voltage": seen_v,
            "set_voltage": pots.set_v,
            "target_voltage": pots.set_v + np.round(pots.new_anode_v, 3),
            "resistance": pots.resistance_uohm(current_ka),
            "noise_lf": pots.lf_mv,
            "noise_hf": pots.hf_mv,
            "bath_temperature": pots.bath_sample_c,
            "metal_level": pots.level_sample_cm,
            "bath_level": pots.bath_level_cm,
            "alf3_excess": pots.alf3,
            "feed_state": pots.feed,
            "feed_interval": self.design.shot_kg / (self.design.alumina_kg_s * rate),
            "feed_shots": self.shots_before + shots,
            "anode_effect": (pots.effect_share > 0).astype(np.float64),
            "anode_effect_count": self.effects_before + pots.effect_count,
            "anode_position": pots.beam_cm,
            "mode": pots.mode,
            "link": pots.link,
        }


class Plant:
    """
    The whole smelter in time.

    ``gauges`` and ``counters`` hold the values of the last step by point id
    (``"line1/ac1 meter.energy_import"``); counters are exact, ``registers`` are what a meter shows.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.time_s = scenario.start_s
        self.sections = [
            Section(number, pots, scenario)
            for number, pots in enumerate(scenario.line_pots(), start=1)
        ]
        self.utilities = Utilities(scenario.pots, scenario.seed)
        self.states: list[LineState] = []
        self.gauges: dict[str, float] = {}
        self.counters: dict[str, float] = {}
        self.counter_steps: dict[str, float] = {}
        self.counter_nominal: dict[str, float] = {}  # per second

    @property
    def nominal_kw(self) -> float:
        return 4.2 * self.scenario.design.current_ka * self.scenario.pots

    def all_readings(self, states: list[LineState]) -> Iterator[Readings]:
        """Every point except the pots', at the instants of the states (one state a line)."""
        process_kw = np.zeros_like(states[0].time_s)
        for section, state in zip(self.sections, states, strict=True):
            for readings in section.readings(state):
                for point, power in readings.gauges.items():
                    equipment, _, quantity = point.partition(" ")
                    if quantity == "meter.active_power" and not equipment.endswith("/dc1"):
                        process_kw = process_kw + power
                yield readings
        yield self.utilities.readings(states[0].time_s, process_kw, self.nominal_kw)

    def emissions(self, states: list[LineState]) -> list[Emission]:
        """True emissions, one per line."""
        return [
            section.stack.emission(state)
            for section, state in zip(self.sections, states, strict=True)
        ]

    def step(self, dt_s: float) -> None:
        """Advance by ``dt_s`` seconds (at most a minute) and refresh gauges and counters."""
        if not 0 < dt_s <= 60:
            raise ValueError(f"step of {dt_s} s: the pots need more than 0 and at most 60")
        end_s = self.time_s + dt_s
        self.states = [section.advance(dt_s, end_s) for section in self.sections]
        for readings in self.all_readings(self.states):
            for point, values in readings.gauges.items():
                self.gauges[point] = float(values[0])
            for point, flow in readings.flows.items():
                if point not in self.counters:
                    self.counters[point] = flow.before(self.time_s, point)
                    self.counter_steps[point] = flow.step
                    self.counter_nominal[point] = flow.nominal
                self.counters[point] += float(flow.rate[0]) * dt_s
        self.time_s = end_s

    def register(self, point: str) -> float:
        """What the counter's display shows: whole steps only."""
        step = self.counter_steps[point]
        return round(float(np.floor(self.counters[point] / step)) * step, 6)
