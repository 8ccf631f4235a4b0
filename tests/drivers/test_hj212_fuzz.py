"""A short run of ``make fuzz``: hostile bytes never crash, hang or fill the memory."""

import pytest

from tests.fuzz.loop import BrokenError, Report, one, run


def test_some_thousand_inputs() -> None:
    report = run("hj212", inputs=4000, seed=20261123)
    print(report)
    assert sum(report.outcomes.values()) == 4000
    assert any("good frame" in outcome for outcome in report.outcomes)
    assert any("bad frames" in outcome for outcome in report.outcomes)
    assert any("without frame" in outcome for outcome in report.outcomes)


def test_the_loop_says_which_input_broke_a_promise() -> None:
    def broken(_: object) -> str:
        raise ValueError("no")

    with pytest.raises(BrokenError, match="seed 7, input 3: ValueError: no"):
        one(broken, "x", 7, 3, Report("x", 1, 7))
