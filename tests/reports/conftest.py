"""A built plant (once per session, read only) and an office of its own for each test."""

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.cli import main
from reports.basis import Basis
from reports.carbon.monthly import carbon_monthly
from reports.entries.importing import read_figures
from reports.entries.ledger import Ledger, change_ledger, read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import PLANT_TIME
from reports.rules.packs import packs
from reports.series.store import open_series
from reports.site import Site, load_site
from tests.reports import graded, plant

if TYPE_CHECKING:
    from tests.reports.forging import Original

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Built:
    """The plant on disk and what really happened in it."""

    root: Path
    truth: plant.Truth


@dataclass(frozen=True)
class Office:
    """An officer's folder: site file and ledger of its own, lake and originals shared."""

    root: Path

    @property
    def site_file(self) -> Path:
        return self.root / "site.toml"

    @property
    def site(self) -> Site:
        return load_site(self.site_file)

    def enter(self, text: str, name: str = "entries.csv") -> Ledger:
        """Import a table of entries, as the command does."""
        path = self.root / name
        path.write_text(text, "utf-8")
        return change_ledger(
            self.site.entries,
            lambda ledger: ledger.added(
                read_figures(path, self.site, ledger, NOW),
                author="王敏",
                reason="十月台账",
                time=NOW,
            ),
        )

    def content(self) -> Content:
        site = self.site
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            return carbon_monthly(Basis(site, plant.OCTOBER, ledger, series, packs(), lodgings))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("plant")
    return Built(root, plant.build(root))


@pytest.fixture(scope="session")
def graded_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of hours for the grade, with what goes wrong in it; read only."""
    root = tmp_path_factory.mktemp("graded")
    graded.build(root)
    return root


@pytest.fixture(scope="session")
def sealed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> "Original":
    """A package of the month's report over cosigned originals; read only."""
    from tests.reports.sealing import seal

    return seal(tmp_path_factory.mktemp("sealed"), built.root)


@pytest.fixture
def office(built: Built, tmp_path: Path) -> Office:
    text = plant.SITE.replace('lake = "lake"', f'lake = "{built.root}/lake"')
    text = text.replace('originals = "originals"', f'originals = "{built.root}/originals"')
    (tmp_path / "site.toml").write_text(text, "utf-8")
    (tmp_path / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    return Office(tmp_path)


@pytest.fixture
def kept(office: Office) -> Office:
    """An office that has entered its month."""
    office.enter(plant.ENTRIES)
    return office


Smelter = Callable[..., tuple[int, str]]


@pytest.fixture
def smelter(monkeypatch: pytest.MonkeyPatch) -> Smelter:
    """Run ``smelter …`` in this process; returns exit code and everything it said."""

    def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
        said = io.StringIO()
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as file,
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            monkeypatch.context() as patch,
        ):
            file.write(stdin)
            file.seek(0)
            patch.setattr(sys, "argv", ["smelter", *arguments])
            patch.setattr(sys, "stdin", file)
            patch.setenv("SMELTER_LANG", "en")
            patch.setattr("reports.periods.wall_clock", lambda: NOW.astimezone(PLANT_TIME))
            try:
                main()
            except SystemExit as end:
                return int(end.code or 0), said.getvalue()
        return 0, said.getvalue()

    return run
