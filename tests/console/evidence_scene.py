"""A sealed month behind a real console, and a second version whose words mean harm."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from reports.console.office import Office
from reports.console.worker import answer
from reports.entries.importing import read_figures
from reports.entries.ledger import change_ledger
from reports.periods import PLANT_TIME
from tests.console.served import Served, people, serve
from tests.reports import plant
from tests.reports.conftest import Built
from tests.reports.conftest import Office as Folder
from tests.reports.forging import Original
from tests.reports.sealing import seal, written

HARM = "<script>alert(1)</script>"
MONTH: dict[str, Any] = {"report": "carbon-monthly", "period": "2026-10"}
METER = "line1/ac1 meter.energy_import"
LATER = datetime(2026, 11, 3, 9, 0, tzinfo=PLANT_TIME)


@dataclass(frozen=True)
class Scene:
    """Version 1 is sealed in a package; version 2 has an entry whose words mean harm."""

    served: Served
    original: Original
    office: Office

    def ask(self, job: str, **given: Any) -> Any:
        """A figure as the child says it."""
        question = {"job": job, "lang": "en", "who": ("", ""), "arguments": given}
        said = answer(self.office.site_file, question)
        assert "said" in said, said
        return said["said"]


@pytest.fixture(scope="session")
def scene(console_plant: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    root = tmp_path_factory.mktemp("evidence")
    original = seal(root, console_plant.root)
    folder = Folder(root / "office")
    table = folder.root / "more.csv"
    head = plant.ENTRIES.splitlines()[0]
    table.write_text(f"{head}\n净购入热量,plant,2026-10,1200,GJ,{HARM},\n", "utf-8")
    change_ledger(
        folder.site.entries,
        lambda ledger: ledger.added(
            read_figures(table, folder.site, ledger, LATER),
            author=f"王{HARM}",
            reason=f'"><img src=x onerror=alert(1)>{HARM}',
            time=LATER,
        ),
    )
    assert written(folder).name == "carbon-monthly-2026-10-v2.json"
    people(folder.site_file)
    served = serve(folder.site_file)
    yield Scene(served, original, Office(folder.site_file))
    served.end()
