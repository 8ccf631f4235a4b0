"""The console as its users meet it: a real process on loopback, once for the session."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from reports.entries.importing import read_figures
from reports.entries.ledger import change_ledger
from reports.periods import PLANT_TIME
from reports.site import load_site
from tests.console.browser import browser
from tests.console.evidence_scene import scene
from tests.console.served import Served, people, serve
from tests.reports import plant
from tests.reports.conftest import Built

__all__ = ["browser", "scene"]  # fixtures that live beside their words

ENTERED = datetime(2026, 11, 2, 9, 0, tzinfo=PLANT_TIME)


def plant_folder(root: Path, lake: Path) -> Path:
    """A site with its month entered; lake and originals of ``lake``. The path of site.toml."""
    root.mkdir(parents=True, exist_ok=True)
    text = plant.SITE.replace('lake = "lake"', f'lake = "{lake}/lake"')
    text = text.replace('originals = "originals"', f'originals = "{lake}/originals"')
    site_file = root / "site.toml"
    site_file.write_text(text, "utf-8")
    (root / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    table = root / "entries.csv"
    table.write_text(plant.ENTRIES, "utf-8")
    site = load_site(site_file)
    change_ledger(
        site.entries,
        lambda ledger: ledger.added(
            read_figures(table, site, ledger, ENTERED),
            author="王敏",
            reason="十月台账",
            time=ENTERED,
        ),
    )
    return site_file


@pytest.fixture(scope="session")
def console_plant(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Lake and originals of October 2026; read only."""
    root = tmp_path_factory.mktemp("console_plant")
    return Built(root, plant.build(root))


@pytest.fixture(scope="session")
def console(console_plant: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests that only look, or whose acts do not disturb others."""
    site_file = plant_folder(tmp_path_factory.mktemp("console"), console_plant.root)
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


@pytest.fixture(scope="module")
def own_console(console_plant: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A fresh folder and process for the tests of a module that change what others would see."""
    site_file = plant_folder(tmp_path_factory.mktemp("own") / "plant", console_plant.root)
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()
