"""The API keeps to its own description: no fault, and no answer that it did not name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import plant_folder
from tests.console.fuzzing import fuzz
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built


@pytest.fixture
def own(console_plant: Built, tmp_path: Path) -> Iterator[Served]:
    """A console of its own: what is asked may change things."""
    site_file = plant_folder(tmp_path / "office", console_plant.root)
    people(site_file)
    served = serve(site_file)
    yield served
    served.end()


def test_hostile_values_never_make_it_fall(own: Served) -> None:
    """Each operation by somebody with every right; ``make fuzz-api`` asks more, as every role."""
    found = fuzz(own, [None], examples=1)
    print(found.requests, dict(found.statuses))
    log = own.site_file.with_name("serve.log").read_text("utf-8")
    assert not found.failures, "\n\n".join(f"{k}\n{v}" for k, v in found.failures.items())
    assert "Traceback" not in log, log[-5000:]
    assert len(found.operations) >= 40
    assert found.statuses[200] > 10
