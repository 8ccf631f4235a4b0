"""The short run of docs/reliability.md: every fault that an ordinary user can make in a minute."""

from pathlib import Path

import pytest

from tests.reliability.__main__ import SEED, load_cases
from tests.reliability.cases import CASES, Outcome, Setting, case, run_case
from tests.reliability.table import BEGIN, END, in_order, keep, rewrite

CUT = (
    *("A1", "A2", "A4", "A5", "A6", "A7", "A13", "A14", "A15", "A16"),
    *("B1", "B2", "B4", "B5", "B6", "B7", "B8", "B9", "B10"),  # B3: tests/test_fuzz.py
)

load_cases()


@pytest.mark.parametrize("name", CUT)
def test_fault(name: str, tmp_path: Path) -> None:
    result = run_case(CASES[name], tmp_path, seed=SEED, full=False)
    print(f"{name}: {result.verdict}: {result.figure}")  # shown when it fails
    if result.verdict == "not run":
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
