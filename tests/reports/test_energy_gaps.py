"""The energy report when things are not whole: gaps, stopped pots, steps, lines shut down."""

from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.energy.assemble import pieces_of
from reports.energy.year_before import earlier
from reports.model import How
from reports.periods import Period
from reports.render.view import period_text
from reports.site import load_site
from tests.reports.conftest import Smelter
from tests.reports.energy import METAL, SITE, USUAL, number, office

SEPTEMBER = Period.month(2026, 9)
BOTH = Period.parse("2026-09-01_2026-10-31")
HALF = 372  # hours of October


def usual(**changed: object) -> dict[str, object]:
    """The usual points, some of them otherwise: ``current``, ``voltage``, or a meter's unit."""
    points: dict[str, object] = dict(USUAL)
    for name, value in changed.items():
        gauge = name in {"current", "voltage", "pots_running"}
        key = f"line1/series potline.{name}" if gauge else f"line1/{name} meter.energy_import"
        points[key] = value
    return points


def test_hours_without_current_are_taken_as_the_mean_of_the_others(tmp_path: Path) -> None:
    """100 of 744 hours silent: 400 kA all the same, coverage 644 / 744, and it is said."""
    made = office(tmp_path)
    made.store(usual(current=lambda h: None if h < 100 else 400.0))  # type: ignore[arg-type]
    content = made.report()
    charge = content.line("line1.charge")
    assert float(charge.value or 0) == pytest.approx(595200)
    assert charge.coverage is not None
    assert float(charge.coverage.share) == pytest.approx(644 / 744, abs=1e-4)
    assert "mean of the other" in charge.notes[0].en


@pytest.mark.parametrize(("silent", "known"), [(186, True), (187, False)])
def test_below_three_quarters_there_is_no_mean(tmp_path: Path, silent: int, *, known: bool) -> None:
    """558 of 744 hours are 75 %."""
    made = office(tmp_path)
    made.store(usual(current=lambda h: None if h < silent else 400.0))  # type: ignore[arg-type]
    line = made.report().line("line1.charge")
    assert (line.how is How.METERED) is known
    assert known or "less than 75 %" in line.missing[0].en


def test_an_amperage_step_weighs_voltage_by_current(tmp_path: Path) -> None:
    """Half at 400 kA and 8 V, half at 420 kA and 8.2 V: (400*8 + 420*8.2) / (820 * 2) V a pot."""
    made = office(tmp_path)
    made.store(
        usual(
            current=lambda h: 400.0 if h < HALF else 420.0,
            voltage=lambda h: 8.0 if h < HALF else 8.2,
        )  # type: ignore[arg-type]
    )
    content = made.report()
    assert number(content, "line1.mean_current") == pytest.approx(410)
    mean = (400 * 8 + 420 * 8.2) / (820 * 2)
    assert number(content, "line1.mean_voltage") == pytest.approx(mean)


@pytest.mark.parametrize("entered", [False, True])
def test_a_stopped_pot_makes_fewer_pot_days(tmp_path: Path, *, entered: bool) -> None:
    """One of two pots stopped for half the month: 1.5 pots, 46.5 pot-days, 446 400 kAh."""
    made = office(tmp_path)
    if entered:
        made.store(USUAL)
        made.enter("pots_stopped_days,line1,2026-10,,15.5,d,\n")
    else:
        made.store(usual(pots_running=lambda h: 2.0 if h < HALF else 1.0))  # type: ignore[arg-type]
    content = made.report()
    assert number(content, "line1.pot_days") == pytest.approx(46.5)
    assert number(content, "line1.charge") == pytest.approx(446400)
    assert number(content, "line1.mean_current") == pytest.approx(400)


def test_a_line_that_made_nothing_has_no_figure_per_tonne_and_no_mistake(tmp_path: Path) -> None:
    """No metal, no current, no power: nothing is divided by zero."""
    made = office(tmp_path, METAL.replace("185", "0"))
    made.store(dict.fromkeys(USUAL, 0.0))
    content = made.report()
    assert content.complete
    names = "dc_specific liquid_ac liquid_comprehensive_ac mean_voltage rectifier_efficiency"
    for name in names.split():
        line = content.line(f"line1.{name}")
        assert (line.value, line.how) == (None, How.NONE), name
    assert "未产铝" in content.line("line1.liquid_ac").notes[0].zh
    assert content.line("line1.current_efficiency_tapping").how is How.NONE


def test_a_meter_that_was_not_read_is_bridged_and_said(tmp_path: Path) -> None:
    """Two hours without windows: the register tells what passed, 2418 - 6.5 are measured."""
    made = office(tmp_path)
    made.store(usual(ac1=lambda h: None if h in {50, 51} else 3250.0))  # type: ignore[arg-type]
    line = made.report().line("line1.electricity_rectifier")
    assert line.coverage is not None
    assert line.coverage.share == 1 or "bridged" in line.coverage.text.en
    assert "bridged by register" in line.coverage.text.en


def test_two_months_are_their_sums_and_not_the_mean_of_their_ratios(tmp_path: Path) -> None:
    """
    September: 720 h, 160 t; October: 744 h, 185 t: (3.25 * 1464 h) MWh over 345 t.

    Inventory: 40 t on 1 September, 41.2 on 31 October; what lay between does not matter.
    """
    made = office(tmp_path, METAL + METAL.replace("2026-10", "2026-09").replace("185", "160"))
    made.enter(
        "metal_in_pots_begin,line1,2026-09,,40,t,\nmetal_in_pots_end,line1,2026-09,,39,t,\n"
        "metal_in_pots_begin,line1,2026-10,,39,t,\nmetal_in_pots_end,line1,2026-10,,41.2,t,\n"
    )
    made.store(USUAL, BOTH)
    content = made.report(BOTH)
    assert number(content, "line1.liquid_ac") == pytest.approx(3250 * 1464 / 345)
    assert number(content, "line1.liquid_ac@2026-09") == pytest.approx(3250 * 720 / 160)
    assert number(content, "line1.metal_change") == pytest.approx(1.2)
    assert number(content, "line1.hours_run") == 1464
    assert content.period.name == "2026-09-01_2026-10-31"
    assert content.complete


def test_days_within_months_need_entries_of_days(tmp_path: Path) -> None:
    """29 September to 2 October: four days of 6 t, 96 h; a month's entry does not tell them."""
    days = ("2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02")
    rows = "".join(f"aluminium_tapped,line1,{day},,6,t,\n" for day in days)
    made = office(tmp_path, rows)
    made.store(USUAL, BOTH)
    span = Period.parse("2026-09-29_2026-10-02")
    content = made.report(span)
    assert number(content, "plant.liquid_ac") == pytest.approx(3250 * 96 / 24)
    assert number(content, "line1.aluminium@2026-09-29_2026-09-30") == 12
    other = made.report(Period.parse("2026-10-01_2026-10-03"))
    assert "1 days missing: 2026-10-03" in other.line("line1.aluminium").missing[0].en


def test_a_line_shut_down_for_a_month_is_left_out_of_it(tmp_path: Path) -> None:
    """It stopped on 1 October: both months have its September only."""
    made = office(tmp_path, METAL.replace("2026-10", "2026-09").replace("185", "160"))
    made.write_site(lambda text: text.replace("2015-06-01", "2015-06-01\nstopped = 2026-10-01"))
    made.store(USUAL, SEPTEMBER)
    content = made.report(BOTH)
    assert content.complete
    assert number(content, "line1.liquid_ac") == pytest.approx(3250 * 720 / 160)
    assert "line1.liquid_ac@2026-10" not in {line.id for line in content.lines}


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("2026", "2026 年", "2026"),
        ("2026-10", "2026 年 10 月", "2026-10"),
        ("2026-01-30_2026-03-02", "2026-01-30 至 2026-03-02", "2026-01-30 to 2026-03-02"),
    ],
)
def test_how_a_period_is_said(name: str, zh: str, en: str) -> None:
    assert (period_text(name, "zh"), period_text(name, "en")) == (zh, en)


def test_pieces_and_the_year_before() -> None:
    span = Period.parse("2026-01-30_2026-03-02")
    assert [str(piece) for piece in pieces_of(span)] == [
        *("2026-01-30_2026-01-31", "2026-02", "2026-03-01_2026-03-02")
    ]
    assert str(earlier(Period.month(2026, 10))) == "2025-10"
    assert str(earlier(Period.parse("2024-02-29"))) == "2023-02-28"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--month", "2026-10", "--year", "2026"), "exactly one of"),
        ((), "exactly one of"),
        (("--from", "2026-10-01"), "exactly one of"),
        (("--from", "2026-10-01", "--to", "2026-10-02", "--month", "2026-10"), "exactly one of"),
        (("--from", "2026-10-01", "--to", "oct"), "--to oct: 2026-03-01"),
        (("--from", "2026-10-05", "--to", "2026-10-01"), "the last day 2026-10-01 is before"),
        (("--from", "2026-11-01", "--to", "2026-12-31"), "is not over"),
    ],
)
def test_a_period_that_is_none_is_refused(
    tmp_path: Path, smelter: Smelter, asked: tuple[str, ...], says: str
) -> None:
    site = str(office(tmp_path, "").site_file)
    code, said = smelter("report", "energy", "--site", site, "--out", str(tmp_path / "o"), *asked)
    assert code == 2
    assert says in said


def test_other_reports_take_no_interval(tmp_path: Path, smelter: Smelter) -> None:
    where = ("--site", str(office(tmp_path, "").site_file), "--out", str(tmp_path / "o"))
    days = ("--from", "2026-10-01", "--to", "2026-10-02")
    code, said = smelter("report", "carbon-monthly", *where, *days)
    assert code == 2
    assert "give --month 2026-10" in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_writes_all_forms_in_either_language(
    tmp_path: Path, smelter: Smelter, lang: str
) -> None:
    made = office(tmp_path)
    made.store()
    where = ("--site", str(made.site_file), "--out", str(tmp_path / "o"), "--lang", lang)
    code, said = smelter("report", "energy", "--month", "2026-10", *where)
    assert code == 0, said
    forms = {path.name for path in (tmp_path / "o").iterdir()}
    endings = {"json", f"{lang}.pdf", f"{lang}.xlsx"}
    assert forms == {f"energy-2026-10-v1.{ending}" for ending in endings}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"line1/dc1"', '"line1/ac1"', "'line1/ac1 meter.energy_import' is given twice"),
        ("# plant", 'pv_meters = ["plant/pv1 pv.power"]', "no counter in kWh"),
        ("price_cny_per_kwh = 0.5", "price_cny_per_kwh = 500", "must not be above"),
        ("# plant", "energy = { fouling_alarm = 80 }", "energy.fouling_alarm"),
        ("# plant", "water_meters = { old = [] }", "unknown key"),
    ],
)
def test_mistakes_in_the_site_file_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SITE
    path = tmp_path / "site.toml"
    path.write_text(SITE.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError, match=says):
        load_site(path)
