"""The energy report against the simulator's truth: hours of a month, two potlines, an exchanger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from agent.lake.lake import Lake
from reports.model import Content
from reports.periods import Period
from simulators.year import MonthOfYear, Year
from simulators.year_files import truth_of
from simulators.year_folder import the_year
from tests.reports.energy import HOURS, EnergyOffice, hour_line, number
from tests.reports.plant import HOUR_NS, batches, by_hour

JANUARY = Period.month(2026, 1)
POTS = 12  # of three lines; the third begins in April
PLANT = """
plant = "demo"
name = { zh = "示例铝业有限公司（仿真）", en = "Example Aluminium Co., Ltd. (simulated)" }
province = "henan"
lake = "lake"
entries = "entries.jsonl"
pv_meters = ["plant/pv1"]
water_meters = { fresh = ["plant/water1"] }
[[exchangers]]
equipment = "gtc1/hx1"
"""
LINE = """
[[potline]]
id = "line{n}"
name = {{ zh = "系列{n}", en = "Potline {n}" }}
process = "{n}"
capacity_t_per_year = 2500
design_current_ka = 400
design_voltage_v = 4.0
pots = {pots}
rectifiers = 4
started = 2020-01-01
ac_meters = ["line{n}/ac1", "line{n}/ac2"]
dc_meters = ["line{n}/dc1"]
aux_meters = ["line{n}/aux1"]
fgd_meters = ["line{n}/fgd1"]
"""


@dataclass(frozen=True)
class Simulated:
    """What the report says, and what happened."""

    content: Content
    truth: dict[str, Any]
    year: Year

    def line(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.truth["months"]["2026-01"]["lines"][f"line{number}"]
        return found


def points(month: MonthOfYear) -> Iterator[tuple[int, str]]:
    """The hours of the month as the wire has them; what needs a register before it has one."""
    for point, stretches in month.hours.items():
        for stretch in stretches:
            first_ns = round(stretch.begin_s) * 10**9
            values = np.asarray(stretch.values)
            before = np.r_[
                values[0] if stretch.before is None else stretch.before, values[:-1]
            ].tolist()
            for k, value in enumerate(values.tolist()):
                shown = value - before[k] if stretch.before is not None else value
                yield first_ns + k * HOUR_NS, hour_line(point, first_ns + k * HOUR_NS, shown, value)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    root = tmp_path_factory.mktemp("simulated")
    year = the_year(2026, POTS, 7)
    month = next(year.months())
    counts = {section.name: section.pots.count for section in year.plant.sections}
    text = PLANT + "".join(LINE.format(n=n, pots=counts[f"line{n}"]) for n in (1, 2))
    made = EnergyOffice(root, site_text=text)
    lake = Lake(root / "lake")
    try:
        lake.open()
        lake.write(batches(HOURS, by_hour(iter(sorted(points(month))))))
    finally:
        lake.close()
    tapped = {
        name: sum(float(pots.sum()) for pots in days.values()) / 1000
        for name, days in month.tapped_kg.items()
    }
    made.enter("".join(f"aluminium_tapped,{n},2026-01,,{t:.9f},t,\n" for n, t in tapped.items()))
    return Simulated(made.report(JANUARY), truth_of(year, [month]), year)


@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("electricity_rectifier", "ac_kwh"),
        ("electricity_aux", "aux_kwh"),
        ("electricity_fgd", "fgd_kwh"),
    ],
)
def test_electricity_is_what_passed(simulated: Simulated, line: int, name: str, key: str) -> None:
    found = number(simulated.content, f"line{line}.{name}")
    assert found == pytest.approx(simulated.line(line)[key] / 1000, rel=1e-3)


@pytest.mark.parametrize("line", [1, 2])
def test_per_tonne_and_anode_effects_are_the_truth(simulated: Simulated, line: int) -> None:
    truth = simulated.line(line)
    ac = truth["ac_kwh"] / truth["aluminium_t"]
    assert number(simulated.content, f"line{line}.liquid_ac") == pytest.approx(ac, rel=1e-3)
    whole = (truth["ac_kwh"] + truth["aux_kwh"] + truth["fgd_kwh"]) / truth["aluminium_t"]
    found = number(simulated.content, f"line{line}.liquid_comprehensive_ac")
    assert found == pytest.approx(whole, rel=1e-3)
    minutes = number(simulated.content, f"line{line}.ae_minutes")
    assert minutes == pytest.approx(truth["aem_min_per_cell_day"], rel=1e-3)


@pytest.mark.parametrize("line", [1, 2])
def test_the_same_energy_by_meter_and_by_volts_and_amperes(simulated: Simulated, line: int) -> None:
    """The DC meter against the product of hourly means; pots and line apart by the bus bars."""
    content = simulated.content
    dc, windows = (number(content, f"line{line}.{n}") for n in ("electricity_dc", "series_energy"))
    assert windows == pytest.approx(dc, rel=1e-3)
    assert 0.2 < (number(content, f"line{line}.voltage_residual") or 0) < 0.3  # 0.01 V of 4 V
    # 2979.98 * V / CE is the same as energy over metal
    volts = number(content, f"line{line}.mean_voltage") or 0
    efficiency = number(content, f"line{line}.current_efficiency_tapping") or 0
    specific = number(content, f"line{line}.dc_specific")
    assert specific == pytest.approx(2979.98 * volts / efficiency, rel=1e-3)


def test_heat_of_the_exchanger_and_its_fouling(simulated: Simulated) -> None:
    """The counter holds what reached the water; the simulator's UA is 1.5 NTU when clean."""
    heat = simulated.year.plant.sections[0].heat
    ratio = number(simulated.content, "plant.exchanger_ua_ratio.gtc1/hx1")
    assert ratio is not None
    assert 0.7 < ratio <= 1.02
    said = simulated.content.line("plant.exchanger_ua_ratio.gtc1/hx1").notes[-1]
    assert "of 2026-01-31, the last day" in said.en
    assert "2026-01-31" in said.zh
    clean = float(heat.clean_kw_k)
    ua = number(simulated.content, "plant.exchanger_ua.gtc1/hx1")
    assert clean / 1.3 < (ua or 0) < clean * 1.1
    gross, net = (number(simulated.content, f"plant.heat_{n}") or 0 for n in ("recovered", "net"))
    extra = number(simulated.content, "plant.heat_extra_power") or 0
    assert net == pytest.approx(gross - 3.6 * extra)
    assert 0 < net < gross


def test_own_power_is_what_the_panels_made(simulated: Simulated) -> None:
    made = simulated.truth["shared"]["plant/pv1 pv.energy"] / 1000
    assert number(simulated.content, "plant.green_own") == pytest.approx(made, rel=1e-3)
