"""The short run of docs/reliability.md: every fault that an ordinary user can make in a minute."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.reliability.__main__ import load_cases
from tests.reliability.cases import CASES, Outcome, Result, Setting, case, run_case
from tests.reliability.order import lacking
from tests.reliability.table import BEGIN, END, in_order, keep, on_page, page_of, rewrite

CUT = (
    *("A1", "A2", "A4", "A5", "A6", "A7", "A13", "A14", "A15", "A16"),
    *("B1", "B2", "B4", "B5", "B6", "B7", "B8", "B9", "B10"),  # B3: tests/test_fuzz.py
    *("D2", "D8", "E5"),
)
SIDE_BY_SIDE = 3  # most cases wait for something most of the time

load_cases()


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Result]]]:
    """Results to come of the cases that are asked for, each in a process of its own."""
    names = {item.name for item in request.session.items}
    asked = [name for name in CUT if f"test_fault[{name}]" in names]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {name: pool.submit(_alone, name, tmp_path_factory.mktemp(name)) for name in asked}
        pool.shutdown(cancel_futures=True)


def _alone(name: str, folder: Path) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability", name, "--json", "--folder", str(folder)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    return Result(**json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", CUT)
def test_fault(name: str, running: dict[str, Future[Result]]) -> None:
    result = running[name].result()
    print(f"{name}: {result.verdict}: {result.figure}")  # shown when it fails
    if result.verdict == "not run":  # a missing program fails; what only root can make does not
        assert "root" in result.figure, result.figure
        assert os.geteuid() != 0, result.figure
        pytest.skip(f"not run: {result.figure}")
    assert result.verdict == "pass", result.figure


def test_a_case_that_breaks_or_cannot_run_never_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.reliability.cases.CASES", {})

    @case("X1", fault="f", procedure="p", mark="m")
    def breaks(_: Setting) -> Outcome:
        raise OSError("no such thing")

    from tests.reliability import cases

    result = run_case(cases.CASES["X1"], tmp_path, seed=1, full=False)
    assert result.verdict == "fail"
    assert "no such thing" in result.figure
    with pytest.raises(ValueError, match="twice"):
        case("X1", fault="f", procedure="p", mark="m")(breaks)


def test_the_page_has_every_case_and_says_what_was_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    @case("Z9", fault="a fault", procedure="p | q", mark="m")
    def passes(setting: Setting) -> Outcome:
        return Outcome(passed=True, figure=f"{setting.size(cut=1, full=2)} done")

    try:
        keep(page, run_case(CASES["Z9"], tmp_path, seed=7, full=True), "abc1234")
        keep(page, run_case(CASES["Z9"], tmp_path, seed=7, full=False), "abc1234 +changes")
        rewrite(page)
    finally:
        del CASES["Z9"]
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| Z9 | a fault | p \\| q | m | pass | 2 done | full, 0 s | 7 | abc1234 |" in text
    assert (
        "| pass (cut) | 1 done | cut, 0 s | 7 | abc1234 +changes |" in text
    )  # beside the full one
    assert "| A1 | process crash |" in text
    assert "**not run**" in text
    assert in_order(["A10", "A2", "B1"]) == ["A2", "A10", "B1"]


def test_rows_of_security_have_a_page_of_their_own(tmp_path: Path) -> None:
    assert page_of("E2", tmp_path) == tmp_path / "security.md"
    assert page_of("A13", tmp_path) == tmp_path / "reliability.md"
    page = tmp_path / "reliability.md"
    assert page_of("E2", page) == page  # one page that was named takes every row
    assert on_page(["E2", "A1"], tmp_path / "security.md") == ["E2"]
    assert on_page(["E2", "A1"], page) == ["A1"]


def test_what_lacks_is_what_never_passed_in_full_and_comes_shortest_first() -> None:
    passed = {"verdict": "pass", "full": True, "commit": "none", "seconds": 600.0}
    rows = [
        {"id": "A2", **passed, "share": 1.0},  # of code that nobody knows any more
        {"id": "A3", **passed, "share": 0.5},  # twice as long in full
        {"id": "A4", **passed, "full": False, "share": 0.0},
        {"id": "A5", **passed, "verdict": "fail", "share": 1.0, "seconds": 60.0},
    ]
    found = lacking(rows, ["A2", "A3", "A4", "A5"])
    assert [(each.id, each.never) for each in found] == [
        ("A5", True),
        ("A4", True),
        ("A3", True),
        ("A2", False),
    ]
    assert [each.minutes for each in found] == [1.0, 5.0, 20.0, 10.0]
