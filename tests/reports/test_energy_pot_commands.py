"""``smelter pots`` on a lake with a planted pot: table, JSON, both languages, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.lake.lake import Lake
from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Table
from reports.energy.pot_parameters import LABELS
from reports.energy.ranking import add_pots
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.periods import Period
from reports.rules.packs import packs
from reports.series.store import open_series
from reports.site import load_site
from simulators.plant import Scenario
from simulators.planted import Planted
from tests.reports import plant
from tests.reports.conftest import Smelter
from tests.reports.effects import FLAGS
from tests.reports.plant import HOUR_NS, batches, by_hour
from tests.reports.potroom import COUNTED, FIRST, hours

MONTH = "2026-03"
DAYS = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty days of hours of twelve pots, pot003 set 0.2 V too high."""
    root = tmp_path_factory.mktemp("pots")
    scenario = Scenario(0.0, 12, 7, lines=1, planted=(Planted("set_voltage", 3, size=0.2),))
    values, _, pots = hours(scenario, DAYS)
    start_ns = Period.parse(MONTH).start_ns
    assert Period.parse(MONTH).first == FIRST
    lines = []
    for hour in range(DAYS * 24):
        at = start_ns + hour * HOUR_NS
        for k, pot in enumerate(pots):
            fields = []
            for name, column in values.items():
                ending = "_inc" if name in COUNTED else ""
                fields += [
                    f"{name}{ending}={float(np.round(column[hour, k], 5))!r}",
                    f"{name}_n=1i",
                ]
            line, _, unit = pot.partition("/")
            lines.append((at, f"pot_1h,plant=demo,line={line},unit={unit} {','.join(fields)} {at}"))
    lake = Lake(root / "lake")
    try:
        lake.open()
        lake.write(batches(FLAGS, by_hour(iter(lines))))
    finally:
        lake.close()
    text = plant.SITE + "\n[tariff]\nprice_cny_per_kwh = 0.45\n"
    (root / "site.toml").write_text(text, "utf-8")
    return root / "site.toml"


def test_the_table_leads_with_the_planted_pot(site: Path, smelter: Smelter) -> None:
    code, said = smelter("pots", "--site", str(site), "--month", MONTH, "--lang", "en")
    assert code == 0
    first = next(line for line in said.splitlines() if "pot0" in line)
    assert "line1/pot003" in first
    assert "lower the set voltage -5…-10 mV" in said
    assert "0.4500 CNY/kWh" in said
    assert "nothing is written to a pot" in said


def test_the_same_in_chinese(site: Path, smelter: Smelter) -> None:
    code, said = smelter("pots", "--site", str(site), "--month", MONTH, "--lang", "zh", "--all")
    assert code == 0
    assert "降低设定电压 -5…-10 mV" in said
    assert "可能原因：设定电压偏高" in said.replace("\n", "")
    assert said.count("line1/pot") >= 13  # all twelve, and the advice


def test_json_has_every_figure_and_the_parts_sum(site: Path, smelter: Smelter) -> None:
    code, said = smelter("pots", "--site", str(site), "--month", MONTH, "--json")
    assert code == 0
    (line,) = json.loads(said)
    assert (line["line"], len(line["pots"])) == ("line1", 12)
    first = line["pots"][0]
    assert (first["rank"], first["pot"], first["causes"]) == (1, "line1/pot003", ["set_voltage"])
    assert sum(first["parts_mv"].values()) == pytest.approx(first["excess_mv"])
    assert first["excess_mv"] == pytest.approx(200, abs=50)
    (advice,) = line["advice"]
    assert [gate["passed"] for gate in advice["gates"]][-1] is None
    # 10 mV: 2979.98 x 0.01/0.93 kWh/t, 0.335573 x 400 x 0.93 x 8760/1000 t a year, 0.45 CNY
    assert advice["cny_per_year"] == pytest.approx(29.7998 / 0.93 * 1093.5 * 0.45, rel=1e-3)


def test_the_chapter_of_the_report_names_the_pot_and_its_parameters(site: Path) -> None:
    plant_site = load_site(site)
    ledger, lodgings = read_ledger(plant_site.entries), read_lodgings(plant_site.entries)
    with open_series(plant_site) as series:
        basis = Basis(plant_site, Period.parse(MONTH), ledger, series, packs(), lodgings)
        chapter = add_pots(basis, Assembly(basis.period, basis.packs))
        empty = basis.of(Period.parse("2026-05"))
        assert add_pots(empty, Assembly(empty.period, empty.packs)) is None
    assert chapter is not None
    tables = {block.id: block for block in chapter.blocks if isinstance(block, Table)}
    assert tables["pot-ranking-line1"].rows[0][1] == "line1/pot003"
    assert tables["pot-advice-line1"].rows[0][0] == "line1/pot003"
    assert len(tables["pot-days-line1"].rows) == 12  # the last eleven days of March are not there
    assert len(tables["pot-parameters"].rows) == len(LABELS)


def test_a_month_without_pots_is_no_ranking(site: Path, smelter: Smelter) -> None:
    code, said = smelter("pots", "--site", str(site), "--month", "2026-05")
    assert code == 1
    assert "no pot can be ranked in 2026-05" in said


@pytest.mark.parametrize("month", ["2026", "March", "2026-13"])
def test_a_wrong_month_is_refused(site: Path, smelter: Smelter, month: str) -> None:
    code, said = smelter("pots", "--site", str(site), "--month", month)
    assert code == 2
    assert month in said
