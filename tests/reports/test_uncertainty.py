"""Uncertainty of a year: by hand, against a Monte Carlo run, correlation over months and lines."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from reports.basis import Basis
from reports.carbon.annual import assemble_year, carbon_annual
from reports.carbon.uncertainty import add_uncertainty
from reports.carbon.uncertainty_effects import COVERAGE, Effect, class_percent, combine
from reports.entries.importing import read_figures
from reports.entries.ledger import change_ledger
from reports.values import Text
from tests.reports import plant
from tests.reports.conftest import NOW
from tests.reports.planned import EXAMPLE, KINDS
from tests.reports.quota import Quota, months, office

WORD = Text(zh="秤", en="scale")
FACTOR = 0.8482 * 0.976 * 44 / 12  # t CO2 per t of anode
LINES = {"line1": (20000, 9400), "line2": (10000, 4800)}  # t per month


def planned(root: Path, plan: str = EXAMPLE) -> Quota:
    """Two lines with a whole year of 2025, and a plan."""
    text = plant.SITE.replace('entries = "', 'plan = "plan.toml"\nentries = "', 1)
    desk = office(root, text)
    (root / "plan.toml").write_text(plan, "utf-8")
    for kind in KINDS:
        (root / f"{kind}.pdf").write_bytes(kind.encode())
    for line, (metal, anode) in LINES.items():
        desk.enter(*months(2025, line, dict.fromkeys(range(1, 13), (str(metal), str(anode)))))
    return desk


def figures(basis: Basis) -> dict[str, float]:
    year = assemble_year(basis)
    add_uncertainty(year.assembly, basis, year.potlines)
    return {key: float(line.value or 0) for key, line in year.assembly.lines.items()}


def test_a_class_is_a_limit_of_error() -> None:
    """0.5 within ±0.5 % anywhere: 0.5/√3 = 0.288675 %, twice that 0.57735 %."""
    assert float(class_percent(Decimal("0.5"))) == pytest.approx(1 / 3**0.5, rel=1e-12)
    assert float(COVERAGE) == pytest.approx(2 / 3**0.5, rel=1e-12)


def test_one_cause_adds_up_two_causes_join_as_squares() -> None:
    def effect(cause: str, tonnes: int) -> Effect:
        return Effect(cause, "line1", WORD, Decimal(1), Decimal(tonnes), Decimal(0))

    assert combine([effect("a", 3), effect("a", 4)]) == 7
    assert combine([effect("a", 3), effect("b", 4)]) == 5
    assert combine([effect("a", 3), effect("a", -3)]) == 0


def test_by_hand(tmp_path: Path) -> None:
    """
    Scales of class 0.5: U = 0.57735 % of 112800 t * 3.0354250667 and of 240000 t * 0.14481.

    √(1976.83² + 200.66²) = 1986.98 t of 377150 t: 0.5268 %, not divided by √12. The intensity
    k C / P + p moves with both scales by its anode part, 0.57735 % * √2 * 0.907850.
    """
    found = figures(planned(tmp_path).basis(2025))
    anode, pfc = 12 * 9400 * FACTOR, 12 * 20000 * 0.14481
    share = 0.01 / 3**0.5
    both = share * (anode**2 + pfc**2) ** 0.5
    assert found["line1.uncertainty_t"] == pytest.approx(both, rel=1e-9)
    assert found["line1.uncertainty"] == pytest.approx(both / (anode + pfc) * 100, rel=1e-9)
    moved = share * 2**0.5 * anode / (anode + pfc) * 100
    assert found["line1.intensity_uncertainty"] == pytest.approx(moved, rel=1e-9)


def test_the_same_scales_at_both_lines_do_not_average_out(tmp_path: Path) -> None:
    found = figures(planned(tmp_path).basis(2025))
    together = found["line1.uncertainty_t"] + found["line2.uncertainty_t"]
    assert found["plant.uncertainty_t"] == pytest.approx(together, rel=1e-3)
    assert found["plant.uncertainty_t"] <= together


def own_scales(plan: str) -> str:
    """A truck scale for each line."""
    blocks = plan.split("[[instrument]]\n")
    truck = next(block for block in blocks if 'id = "truck1"' in block)
    first = truck.replace("*.anode_consumed", "line1.anode_consumed")
    second = truck.replace("truck1", "truck2").replace("*.anode_consumed", "line2.anode_consumed")
    other = second.replace("serial = ", 'serial = "B" # ').replace(
        "accuracy_class_percent = 0.5", "accuracy_class_percent = 1.0"
    )
    plan = plan.replace(truck, f"{first.rstrip()}\n\n[[instrument]]\n{other}")
    return plan.replace('instruments = ["truck1"]', 'instruments = ["truck1", "truck2"]')


def test_scales_of_their_own_do_average_out(tmp_path: Path) -> None:
    found = figures(planned(tmp_path, own_scales(EXAMPLE)).basis(2025))
    together = found["line1.uncertainty_t"] + found["line2.uncertainty_t"]
    assert found["plant.uncertainty_t"] < 0.8 * together


def stated(plan: str, figure: str, percent: int) -> str:
    """The parameter states the uncertainty of its value."""
    head = f'figure = "{figure}"\n'
    assert head in plan
    return plan.replace(head, f"{head}uncertainty_percent = {percent}\n")


STATED = stated(stated(EXAMPLE, "*.pfc", 20), "*.anode_sulphur", 30)


def test_monte_carlo_agrees(tmp_path: Path) -> None:
    """200 000 years: each scale wrong by one share all year, factor and sulphur by one draw."""
    found = figures(planned(tmp_path, own_scales(STATED)).basis(2025))
    rng = np.random.default_rng(20261123)
    n = 200_000
    truck1 = 1 + rng.uniform(-0.005, 0.005, n)
    truck2 = 1 + rng.uniform(-0.010, 0.010, n)
    ladle = 1 + rng.uniform(-0.005, 0.005, n)
    factor = 1 + rng.normal(0, 0.10, n)
    sulphur = 0.02 * (1 + rng.normal(0, 0.15, n))
    per_anode = 0.8482 * (1 - sulphur - 0.004) * 44 / 12
    emission = {
        line: 12 * (anode * truck * per_anode + metal * ladle * 0.14481 * factor)
        for (line, (metal, anode)), truck in zip(LINES.items(), (truck1, truck2), strict=True)
    }
    emission["plant"] = emission["line1"] + emission["line2"]
    for scope, years in emission.items():
        assert found[f"{scope}.uncertainty_t"] == pytest.approx(2 * years.std(), rel=0.01)
    intensity = emission["line1"] / (12 * 20000 * ladle)
    relative = 2 * intensity.std() / intensity.mean() * 100
    assert found["line1.intensity_uncertainty"] == pytest.approx(relative, rel=0.01)


def test_what_is_not_stated_is_named_not_counted(tmp_path: Path) -> None:
    desk = planned(tmp_path)
    basis = desk.basis(2025)
    year = assemble_year(basis)
    chapter = add_uncertainty(year.assembly, basis, year.potlines)
    assert chapter is not None
    notes = [b.text for b in chapter.blocks if b.block == "paragraph" and b.tone == "note"]
    assert any("阳极损失率" in text.zh for text in notes)
    assert any("not counted" in text.en for text in notes)


def test_the_years_report_carries_it_and_none_without_a_plan(tmp_path: Path) -> None:
    desk = planned(tmp_path)
    assert "plant.uncertainty" in {line.id for line in carbon_annual(desk.basis(2025)).lines}
    (tmp_path / "site.toml").write_text(plant.SITE, "utf-8")
    content = carbon_annual(desk.basis(2025))
    assert "plant.uncertainty" not in {line.id for line in content.lines}


GAS = """
[[instrument]]
id = "gas1"
name = { zh = "天然气流量计", en = "Gas meter" }
model = "TG-1"
serial = "G-1"
place = { zh = "锅炉房", en = "boiler house" }
measures = ["plant.gas_consumed.natural_gas"]
accuracy_class_percent = 2.0
regulation = "JJG 1030"
interval_months = 12
body = { zh = "计量院", en = "Institute" }
department = "energy"
"""


def test_fuels_count_at_enterprise_level_only(tmp_path: Path) -> None:
    """
    120 万Nm3 a year: 120 * 389.31 * 0.01532 * 0.99 * 44/12 = 2598.02 t, 2 % * 2/√3 of it 60.0 t.

    Diesel has no instrument in the plan: named, not counted.
    """
    desk = planned(tmp_path, EXAMPLE.replace("[[parameter]]", f"{GAS.lstrip()}\n[[parameter]]", 1))
    desk.enter(
        *(f"gas_consumed,plant,2025-{m:02d},10,万Nm3,natural_gas," for m in range(1, 13)),
        *(f"fuel_consumed,plant,2025-{m:02d},5,t,diesel," for m in range(1, 13)),
    )
    basis = desk.basis(2025)
    year = assemble_year(basis)
    chapter = add_uncertainty(year.assembly, basis, year.potlines)
    found = {key: float(line.value or 0) for key, line in year.assembly.lines.items()}
    gas = 120 * 389.31 * 0.01532 * 0.99 * 44 / 12
    assert found["plant.fuel_co2.natural_gas"] == pytest.approx(gas, rel=1e-9)
    both = (found["plant.uncertainty_t"] ** 2 + (gas * 0.04 / 3**0.5) ** 2) ** 0.5
    assert chapter is not None
    notes = [b.text.en for b in chapter.blocks if b.block == "paragraph" and b.tone == "note"]
    assert any("diesel" in text for text in notes)
    assert found["plant.enterprise_uncertainty_t"] == pytest.approx(both, rel=1e-9)


NCV = """
[[parameter]]
figure = "plant.gas_ncv.natural_gas"
name = { zh = "天然气低位发热量", en = "Heat value of natural gas" }
unit = "GJ/万Nm3"
acquisition = "laboratory"
source = { zh = "化验室", en = "laboratory" }
monitoring = "monthly"
recording = "monthly"
missing = { code = "none", text = { zh = "无", en = "none" } }
conservative = { zh = "无", en = "none" }
department = "energy"
uncertainty_percent = 3
[parameter.record]
name = { zh = "化验报告", en = "report" }
form = { zh = "纸质", en = "paper" }
cover = { zh = "每月", en = "monthly" }
[parameter.laboratory]
sampling = { zh = "采样", en = "sampling" }
preparation = { zh = "制样", en = "preparation" }
method = "GB/T 11062"
laboratory = { zh = "化验室", en = "laboratory" }
"""


def notes_of(desk: Quota) -> tuple[dict[str, float], list[str]]:
    basis = desk.basis(2025)
    year = assemble_year(basis)
    chapter = add_uncertainty(year.assembly, basis, year.potlines)
    assert chapter is not None
    found = {key: float(line.value or 0) for key, line in year.assembly.lines.items()}
    return found, [b.text.en for b in chapter.blocks if b.block == "paragraph"]


def burned(desk: Quota) -> None:
    months_of = range(1, 13)
    desk.enter(*(f"gas_consumed,plant,2025-{m:02d},10,万Nm3,natural_gas," for m in months_of))
    head = "kind,line,period,item,value,unit,sample,method,laboratory,accreditation,tested_on"
    rows = (
        f"gas_ncv,plant,2025-{m:02d},natural_gas,380,GJ/万Nm3,S{m},GB/T 11062,化验室,CNAS L1,"
        f"2025-{m:02d}-20"
        for m in months_of
    )
    path = desk.root / "tested.csv"
    path.write_text("\n".join((head, *rows)) + "\n", "utf-8")
    change_ledger(
        desk.site.entries,
        lambda ledger: ledger.added(
            read_figures(path, desk.site, ledger, NOW), author="王敏", reason="化验", time=NOW
        ),
    )


def test_a_tested_heat_value_is_counted_by_the_tolerance_of_the_plan(tmp_path: Path) -> None:
    """120 * 380 * 0.01532 * 0.99 * 44/12 = 2535.89 t; meter 2 % * 2/√3, heat value 3 %."""
    plan = EXAMPLE.replace("[[parameter]]", f"{GAS.lstrip()}\n[[parameter]]", 1) + NCV
    desk = planned(tmp_path, plan)
    burned(desk)
    found, notes = notes_of(desk)
    gas = 120 * 380 * 0.01532 * 0.99 * 44 / 12
    assert found["plant.fuel_co2.natural_gas"] == pytest.approx(gas, rel=1e-9)
    squares = (gas * 0.04 / 3**0.5) ** 2 + (gas * 0.03) ** 2
    both = (found["plant.uncertainty_t"] ** 2 + squares) ** 0.5
    assert found["plant.enterprise_uncertainty_t"] == pytest.approx(both, rel=1e-9)
    assert not any("gas_ncv" in text for text in notes)


def test_what_a_laboratory_found_without_tolerance_and_defaults_are_named(tmp_path: Path) -> None:
    desk = planned(tmp_path, EXAMPLE)
    burned(desk)
    _, notes = notes_of(desk)
    (tested,) = [text for text in notes if "gas_ncv.natural_gas" in text]
    assert "found by the laboratory" in tested
    assert "not counted" in tested
    for figure in ("gas_carbon_per_heat", "gas_oxidation"):
        assert any(f"plant.{figure}.natural_gas" in t and "a default" in t for t in notes), figure
