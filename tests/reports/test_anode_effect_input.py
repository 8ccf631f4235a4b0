"""Minutes per cell-day from the pots' own flags: the lake against the truth it was made of."""

from pathlib import Path

import pytest

from reports.model import How
from reports.periods import Period
from tests.reports import effects
from tests.reports.abroad import AbroadOffice, minute_row, office
from tests.reports.plant import MINUTE_NS

FEBRUARY = Period.month(2026, 2)
WEEK = Period(Period.parse("2026-02-22").first, FEBRUARY.after)  # the line starts on the 22nd
POTS = [f"line1/pot{n:03d}" for n in range(1, 5)]
EFFECTS = {(POTS[0], 100): 1.0, (POTS[0], 101): 0.5, (POTS[2], 5000): 0.75}  # 2.25 minutes
LINE = "line1.ae_minutes@2026-02"


@pytest.fixture
def plant(tmp_path: Path) -> AbroadOffice:
    """Four pots that began on 22 February: 28 cell-days in that month."""
    made = office(tmp_path)
    made.year(dict.fromkeys(range(3, 13), 0.1))
    made.write_site(
        lambda text: text.replace("pots = 240", "pots = 4").replace("2015-06-01", "2026-02-22")
    )
    return made


def test_minutes_per_cell_day_equal_the_truth(plant: AbroadOffice) -> None:
    """2.25 minutes over 4 pots and 7 days: 2.25 / 28 per cell-day."""
    flags = effects.quiet_but([*POTS, "line2/pot001"], WEEK, EFFECTS)
    effects.write_flags(plant.root / "lake", flags)
    content = plant.make()
    line = content.line(LINE)
    assert line.how is How.METERED
    assert float(line.value or 0) == pytest.approx(2.25 / 28, rel=1e-9)
    assert line.coverage is not None
    assert line.coverage.share == 1
    assert float(content.line("line1.ae_time@2026-02").value or 0) == pytest.approx(2.25)
    assert content.line("line1.cell_days@2026-02").value == 28
    cf4 = float(content.line("line1.cf4.eu.slope@2026-02").value or 0)
    assert cf4 == pytest.approx(0.104 * 2.25 / 28 * 20000)
    assert content.complete


def test_silence_is_left_out_of_minutes_and_of_cell_days(plant: AbroadOffice) -> None:
    """pot001 was silent for two days (with its effects): 0.75 minutes over 28 - 2 cell-days."""
    silent = range(WEEK.start_ns, WEEK.start_ns + 2 * 1440 * MINUTE_NS)
    flags = (
        flag
        for flag in effects.quiet_but(POTS, WEEK, EFFECTS)
        if flag[0] != POTS[0] or flag[1] not in silent
    )
    effects.write_flags(plant.root / "lake", flags)
    line = plant.make().line(LINE)
    assert float(line.value or 0) == pytest.approx(0.75 / 26)
    assert line.coverage is not None
    assert float(line.coverage.share) == pytest.approx(26 / 28, abs=1e-4)


@pytest.mark.parametrize(("minutes", "enough"), [(7560, True), (7559, False), (7200, False)])
def test_below_three_quarters_of_the_month_the_flags_are_a_gap(
    plant: AbroadOffice, minutes: int, *, enough: bool
) -> None:
    """7560 of 10 080 minutes are 75 %; with fewer the entry counts, or nothing does."""
    until = WEEK.start_ns + minutes * MINUTE_NS
    flags = (f for f in effects.quiet_but(POTS, WEEK, EFFECTS) if f[1] < until)
    effects.write_flags(plant.root / "lake", flags)
    line = plant.make().line(LINE)
    assert (line.how is How.METERED) is enough
    if enough:
        return
    assert line.value is None
    assert "less than 75 %" in line.missing[0].en
    plant.enter(minute_row(FEBRUARY, 0.123))
    entered = plant.make().line(LINE)
    assert entered.how is How.ENTERED
    assert float(entered.value or 0) == 0.123
    assert "less than 75 %" in entered.notes[0].en


@pytest.mark.parametrize(("stated", "noted"), [(0.0843, False), (0.0850, True)])
def test_flags_and_entry_are_compared_and_the_flags_count(
    plant: AbroadOffice, stated: float, *, noted: bool
) -> None:
    """0.0803571 by the flags; 5 % of the larger one apart is 0.0845865."""
    effects.write_flags(plant.root / "lake", effects.quiet_but(POTS, WEEK, EFFECTS))
    plant.enter(minute_row(FEBRUARY, stated))
    line = plant.make().line(LINE)
    assert float(line.value or 0) == pytest.approx(2.25 / 28)
    assert bool(line.notes) is noted
    if noted:
        assert "the flags count" in line.notes[0].en
        assert "录入值" in line.notes[0].zh


def test_only_days_on_which_the_line_ran_count(plant: AbroadOffice) -> None:
    """Stopped on 25 February, the day of minute 5000: 3 days of 4 pots, 1.5 minutes."""
    effects.write_flags(plant.root / "lake", effects.quiet_but(POTS, WEEK, EFFECTS))
    plant.write_site(
        lambda text: text.replace(
            "started = 2026-02-22", "started = 2026-02-22\nstopped = 2026-02-25"
        )
    )
    content = plant.make()
    line = content.line(LINE)
    assert float(line.value or 0) == pytest.approx(1.5 / 12)
    assert content.line("line1.cell_days@2026-02").value == 12
    assert not [x.id for x in content.lines if "@2026-03" in x.id]


@pytest.mark.parametrize(
    ("stated", "doubted"),
    [
        (50, True),  # a slip of the decimal point, or another unit
        (0.104, True),  # 0.0236 off 0.0804: more than 20 % of the greater
        (0.095, False),  # 0.0146 off, 15 %
    ],
)
def test_an_entry_against_the_flags_is_a_doubt_of_the_first_page(
    plant: AbroadOffice, stated: float, *, doubted: bool
) -> None:
    effects.write_flags(plant.root / "lake", effects.quiet_but(POTS, WEEK, EFFECTS))
    plant.enter(minute_row(FEBRUARY, stated))
    content = plant.make()
    told = [doubt.text.en for doubt in content.warnings if doubt.line == LINE]
    assert bool(told) is doubted
    assert all("the flags count" in text for text in told)
    assert content.line(LINE).how is How.METERED
