"""Minutes per cell-day from the pots' own flags: the lake against the truth it was made of."""

from pathlib import Path

import pytest

from reports.model import How
from reports.periods import Period
from tests.reports import effects
from tests.reports.abroad import AbroadOffice, minute_row, office
from tests.reports.plant import MINUTE_NS

FEBRUARY = Period.month(2026, 2)
POTS = [f"line1/pot{n:03d}" for n in range(1, 5)]
EFFECTS = {(POTS[0], 100): 1.0, (POTS[0], 101): 0.5, (POTS[2], 20_000): 0.75}  # 2.25 minutes
LINE = "line1.ae_minutes@2026-02"


@pytest.fixture
def plant(tmp_path: Path) -> AbroadOffice:
    made = office(tmp_path)
    made.write_site(lambda text: text.replace("pots = 240", "pots = 4"))
    made.year({m: 0.1 for m in range(1, 13) if m != 2})
    return made


def test_minutes_per_cell_day_equal_the_truth(plant: AbroadOffice) -> None:
    """2.25 minutes over 4 pots and 28 days: 2.25 / 112 per cell-day."""
    flags = effects.quiet_but([*POTS, "line2/pot001"], FEBRUARY, EFFECTS)
    effects.write_flags(plant.root / "lake", flags)
    content = plant.make()
    line = content.line(LINE)
    assert line.how is How.METERED
    assert float(line.value or 0) == pytest.approx(2.25 / 112, rel=1e-9)
    assert line.coverage is not None
    assert line.coverage.share == 1
    assert float(content.line("line1.ae_time@2026-02").value or 0) == pytest.approx(2.25)
    assert content.line("line1.cell_days@2026-02").value == 112
    cf4 = float(content.line("line1.cf4.eu.slope@2026-02").value or 0)
    assert cf4 == pytest.approx(0.104 * 2.25 / 112 * 20000)
    assert content.complete


def test_silence_is_left_out_of_minutes_and_of_cell_days(plant: AbroadOffice) -> None:
    """pot001 was silent for ten days (with its effects): 0.75 minutes over 112 - 10 cell-days."""
    silent = range(FEBRUARY.start_ns, FEBRUARY.start_ns + 10 * 1440 * MINUTE_NS)
    flags = (
        flag
        for flag in effects.quiet_but(POTS, FEBRUARY, EFFECTS)
        if flag[0] != POTS[0] or flag[1] not in silent
    )
    effects.write_flags(plant.root / "lake", flags)
    line = plant.make().line(LINE)
    assert float(line.value or 0) == pytest.approx(0.75 / 102)
    assert line.coverage is not None
    assert float(line.coverage.share) == pytest.approx(102 / 112, abs=1e-4)


@pytest.mark.parametrize(("days", "enough"), [(21, True), (20, False)])
def test_below_three_quarters_of_the_month_the_flags_are_a_gap(
    plant: AbroadOffice, days: int, *, enough: bool
) -> None:
    """21 of 28 days are 75 %; with 20 the entry counts, or nothing does."""
    until = FEBRUARY.start_ns + days * 1440 * MINUTE_NS
    flags = (f for f in effects.quiet_but(POTS, FEBRUARY, EFFECTS) if f[1] < until)
    effects.write_flags(plant.root / "lake", flags)
    line = plant.make().line(LINE)
    assert (line.how is How.METERED) is enough
    if enough:
        return
    assert line.how is How.MISSING
    assert "71.4 %" in line.missing[0].en
    plant.enter(minute_row(FEBRUARY, 0.123))
    entered = plant.make().line(LINE)
    assert entered.how is How.ENTERED
    assert float(entered.value or 0) == 0.123
    assert "71.4 %" in entered.notes[0].en


@pytest.mark.parametrize(("stated", "noted"), [(0.0211, False), (0.03, True)])
def test_flags_and_entry_are_compared_and_the_flags_count(
    plant: AbroadOffice, stated: float, *, noted: bool
) -> None:
    """0.0200893 by the flags; 5 % off is said."""
    effects.write_flags(plant.root / "lake", effects.quiet_but(POTS, FEBRUARY, EFFECTS))
    plant.enter(minute_row(FEBRUARY, stated))
    line = plant.make().line(LINE)
    assert float(line.value or 0) == pytest.approx(2.25 / 112)
    assert bool(line.notes) is noted
    if noted:
        assert "the flags count" in line.notes[0].en
        assert "录入值" in line.notes[0].zh


def test_only_days_on_which_the_line_ran_count(plant: AbroadOffice) -> None:
    """Stopped on 14 February, the day of minute 20 000: 13 days of 4 pots, 1.5 minutes."""
    effects.write_flags(plant.root / "lake", effects.quiet_but(POTS, FEBRUARY, EFFECTS))
    plant.write_site(
        lambda text: text.replace(
            "started = 2015-06-01", "started = 2015-06-01\nstopped = 2026-02-14"
        )
    )
    content = plant.make()
    line = content.line(LINE)
    assert float(line.value or 0) == pytest.approx(1.5 / 52)
    assert content.line("line1.cell_days@2026-02").value == 52
    assert not [x.id for x in content.lines if "@2026-03" in x.id]
