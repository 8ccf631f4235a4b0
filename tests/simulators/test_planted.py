"""Planted pots: the truth knows them, nothing else changes, and without them all is as ever."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from simulators.commands import PLANTED
from simulators.history import DETAIL, Trace, trace_line
from simulators.line import LineState
from simulators.months import LOCAL
from simulators.plant import Plant, Scenario, Section
from simulators.planted import USUAL, Ailments, Load, Planted, load_share
from simulators.truth import Ledger
from simulators.year import Year

FIRST = date(2026, 3, 1)
BEGIN_S = datetime(2026, 3, 1, tzinfo=LOCAL).timestamp()
STEP_S = 300.0
PER_DAY = 288
KNOWN_FIRST = [3.9138356850924425, 3.9255509990715716, 3.934169993406691]
KNOWN_LAST = [3.931639405681028, 3.93846680500349, 3.9742278707847967]


def traced(*planted: Planted, days: int = 4, detail: bool = False) -> tuple[Section, Trace]:
    scenario = Scenario(BEGIN_S, 12, 5, lines=1, planted=planted, pot_detail=detail)
    section = Plant(scenario).sections[0]
    time_s = BEGIN_S + STEP_S * np.arange(1, days * PER_DAY + 1, dtype=np.float64)
    return section, trace_line(section, time_s, STEP_S)


def test_nothing_planted_is_the_same_to_the_last_bit() -> None:
    """A planted pot that has not begun must not move a random number, or a value, of any pot."""
    _, plain = traced()
    _, waiting = traced(Planted("set_voltage", 3, first=FIRST + timedelta(days=90)), detail=True)
    assert np.array_equal(plain.voltage, waiting.voltage)
    assert np.array_equal(plain.effect_share, waiting.effect_share)
    assert np.array_equal(plain.state.current_ka, waiting.state.current_ka)
    assert np.array_equal(plain.tapped_kg, waiting.tapped_kg)
    assert not plain.detail
    assert set(waiting.detail) == set(DETAIL)


def test_a_month_of_the_plain_plant_is_known() -> None:
    """Values of this seed before there were planted pots."""
    section, trace = traced(days=1)
    assert section.planted == ()
    assert trace.state.running is None
    assert trace.voltage[0, :3].tolist() == pytest.approx(KNOWN_FIRST, abs=1e-12)
    assert trace.voltage[-1, :3].tolist() == pytest.approx(KNOWN_LAST, abs=1e-12)


@pytest.mark.parametrize("kind", ["set_voltage", "resistance"])
def test_a_raised_pot_works_higher_by_as_much(kind: str) -> None:
    one = Planted(kind, 4)  # type: ignore[arg-type]
    _, plain = traced(days=6)
    _, ill = traced(one, days=6)
    settled = slice(2 * PER_DAY, None)
    higher = (ill.voltage - plain.voltage)[settled].mean(axis=0)
    assert higher[3] == pytest.approx(one.amount, abs=0.03)
    # the others feel the line's dips in anode effects only, which come at other times
    assert np.median(np.abs(np.delete(higher, 3))) < 0.002


def test_a_set_voltage_goes_back_when_its_days_are_over() -> None:
    one = Planted("set_voltage", 4, 1, 0.2, FIRST + timedelta(days=1), FIRST + timedelta(days=2))
    _, trace = traced(one, days=3, detail=True)
    by_day = trace.detail["set_voltage"].reshape(3, PER_DAY, 12)[:, :, 3]
    assert (by_day == by_day[:, :1]).all()
    assert by_day[1, 0] - by_day[0, 0] == pytest.approx(0.2)
    assert by_day[2, 0] == pytest.approx(by_day[0, 0])


def test_sensors_lie_and_the_series_does_not() -> None:
    """Offset, frozen and lost pots show something else; power and sum are those of the truth."""
    later = FIRST + timedelta(days=2)
    _, plain = traced()
    _, blind = traced(
        Planted("offset", 1, size=0.2, first=later),
        Planted("frozen", 2, first=later),
        Planted("link", 3, first=later),
        detail=True,
    )
    assert np.array_equal(plain.state.pots_v, blind.state.pots_v)
    cut = 2 * PER_DAY
    assert np.array_equal(plain.voltage[:cut], blind.voltage[:cut])
    assert blind.voltage[cut:, 0] - plain.voltage[cut:, 0] == pytest.approx(0.2)
    assert np.ptp(blind.voltage[cut:, 1]) == 0
    assert (blind.voltage[cut:, 2] == 0).all()
    assert (blind.detail["link"][cut:, 2] == 1).all()


def test_a_pot_out_of_operation_makes_nothing_and_is_not_counted() -> None:
    section, trace = traced(
        Planted("stopped", 2, first=FIRST + timedelta(days=1)), Planted("cut_out", 5), detail=True
    )
    assert (trace.voltage[PER_DAY:, 1] == 0).all()
    assert (trace.voltage[:, 4] == USUAL["cut_out"]).all()
    assert trace.tapped_kg[:, 4].sum() == 0
    assert trace.effect_share[:, 4].sum() == 0
    assert trace.detail["mode"][-1, [0, 1, 4]].tolist() == [1, 0, 3]
    assert trace.state.running is not None
    assert trace.state.running[[0, -1]].tolist() == [11, 10]
    shown = section.line.readings(trace.state).gauges["line1/series potline.pots_running"]
    assert shown[-1] == 10


def test_the_truth_counts_the_pots_that_run_and_names_the_planted() -> None:
    """12 pots, one out all the time: 11 pots of metal, pot-days and efficiency as usual."""
    out = Planted("cut_out", 5)
    plant = Plant(Scenario(BEGIN_S, 12, 5, lines=1, planted=(out,)))
    ledger = Ledger(plant)
    trace = trace_line(
        plant.sections[0], BEGIN_S + STEP_S * np.arange(1.0, 4 * PER_DAY + 1), STEP_S
    )
    ledger.add([trace.state], [trace.sums], STEP_S)
    line = ledger.truth()["lines"]["line1"]
    assert line["pot_days"] == pytest.approx(11 * 4)
    assert line["planted"] == [out.truth()]
    assert line["metal"]["current_efficiency"] == pytest.approx(0.93, abs=0.01)


def test_a_starting_pot_has_its_mode_and_more_voltage_that_decays() -> None:
    _, plain = traced()
    _, new = traced(Planted("starting", 6, after=FIRST + timedelta(days=3)), detail=True)
    more = (new.voltage - plain.voltage)[:, 5].reshape(4, PER_DAY).mean(axis=1)
    assert more[0] > more[1] > more[2] > 0.3
    modes = new.detail["mode"][:, 5].reshape(4, PER_DAY)
    assert (modes[:3] == 2).all()
    assert (modes[3] == 1).all()


def test_effects_and_feeder_show_as_they_do_in_a_potroom() -> None:
    _, trace = traced(Planted("effects", 2, size=1.0), Planted("feeder", 7), days=6, detail=True)
    burning = trace.effect_share > 0
    begun = (burning[1:] & ~burning[:-1]).sum(axis=0)
    assert begun[1] >= 4
    shots = trace.detail["feed_shots"][-1] - trace.detail["feed_shots"][0]
    usual = np.median(np.delete(shots, 6))
    assert shots[6] / usual == pytest.approx(1 / USUAL["feeder"], rel=0.1)


def test_a_load_step_changes_the_current_from_its_day_on() -> None:
    loads = (Load(FIRST + timedelta(days=2), 1.03), Load(FIRST + timedelta(days=3), 0.95, line=1))
    at = BEGIN_S + 86_400 * np.array([1.5, 2.5, 3.5])
    assert load_share(loads, at).tolist() == [1.0, 1.03, 0.95]
    section = Plant(Scenario(BEGIN_S, 12, 5, lines=1, loads=loads)).sections[0]
    plain = Plant(Scenario(BEGIN_S, 12, 5, lines=1)).sections[0]
    nothing = np.zeros(3)
    ratio = section.line.current_ka(at, nothing) / plain.line.current_ka(at, nothing)
    assert ratio == pytest.approx([1.0, 1.03, 0.95])


def test_a_year_keeps_the_details_by_the_hour() -> None:
    scenario = Scenario(0.0, 12, 5, lines=1, planted=(Planted("stopped", 2),), pot_detail=True)
    begin = datetime(2025, 1, 1, tzinfo=LOCAL).timestamp()
    month = next(Year(replace(scenario, start_s=begin), 2025).months())
    (mode,) = month.hours["line1/pot002 pot.mode"]
    (shots,) = month.hours["line1/pot001 pot.feed_shots"]
    assert (mode.values == 0).all()
    assert (np.diff(shots.values) > 0).mean() > 0.99
    assert len(shots.values) == 31 * 24


def test_what_ails_a_pot_is_bounded_by_its_days() -> None:
    one = Planted("offset", 1, first=FIRST, after=FIRST + timedelta(days=1))
    ends = BEGIN_S + np.array([0.0, 300.0, 86_400.0, 86_700.0])
    assert one.active(ends).tolist() == [False, True, True, False]
    assert Ailments((one,), BEGIN_S).shown(np.ones((4, 1)), ends)[:, 0].tolist() == [
        1.0,
        1.15,
        1.15,
        1.0,
    ]


def test_live_and_at_once_show_the_same() -> None:
    """A step at a time, as the served plant is moved."""
    one = Planted("resistance", 3)
    plant = Plant(Scenario(BEGIN_S, 12, 5, lines=1, planted=(one,)))
    ledger = Ledger(plant)
    plant.step(60.0)
    state: LineState = plant.states[0]
    assert state.running is not None
    assert state.running.tolist() == [12]
    columns = plant.sections[0].pot_columns(400.0)
    assert (columns["mode"] == 1).all()
    assert ledger.truth()["lines"]["line1"]["planted"] == [one.truth()]


def test_planted_pots_are_written_as_text() -> None:
    assert Planted.parse("noise:3") == Planted("noise", 3)
    assert Planted.parse("offset:2/14=0.1") == Planted("offset", 14, 2, 0.1)
    for wrong in ("noise", "rust:3", "noise:0", "noise:3=", "noise:a"):
        with pytest.raises(ValueError, match="--planted"):
            Planted.parse(wrong)


def test_the_size_of_a_planted_pot_is_bounded_and_its_unit_is_said() -> None:
    """40 was meant as mV, and would be 40 V."""
    with pytest.raises(ValueError, match=r"set_voltage.*0\.5 V"):
        Planted.parse("set_voltage:3=40")
    assert Planted.parse("set_voltage:3=0.5") == Planted("set_voltage", 3, size=0.5)
    with pytest.raises(ValueError, match=r"0\.5 V"):
        Planted.parse("set_voltage:3=0.51")
    with pytest.raises(ValueError, match="feeder"):
        Planted.parse("feeder:3=0")
    with pytest.raises(ValueError, match="frozen"):
        Planted.parse("frozen:3=1")
    assert "set_voltage ≤ 0.5 V" in PLANTED
    assert "noise ≤ 300 mV" in PLANTED


def test_a_planted_pot_must_be_there() -> None:
    with pytest.raises(ValueError, match="line1/pot013"):
        Scenario(0.0, 12, planted=(Planted("noise", 13),))
    with pytest.raises(ValueError, match="line2/pot001"):
        Scenario(0.0, 12, planted=(Planted("noise", 1, 2),))
