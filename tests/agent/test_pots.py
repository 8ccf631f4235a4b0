"""Pots behind the gateway: frames of several devices in, events and derived minutes out."""

import json
import math
import time

import numpy as np
import pytest

from agent.pots.pots import Pots
from agent.pots.settings import PotsConfig
from agent.wire.encode import FrameEncoder, event_line
from agent.wire.events import Event, Happening
from agent.wire.parse import Parser
from drivers.model import Frame, Group, Quality
from drivers.signals.anode_effects import find_effects
from tests.agent.batches import RAW, batch
from tests.agent.points import MINUTE_NS, START_NS, frame, group, point, sparse

SECOND = 10**9
BAD = int(Quality.NO_DATA)
POTS = ("line1/pot001", "line1/pot002")
VOLTAGES = group(*(point("pot.voltage", pot) for pot in POTS))
SERIES = group(point("potline.current", "line1/series"), device="series")
NOMINAL = PotsConfig(nominal_ka={"line1": 400.0}, shot_kg=1.8)


class Bench:
    """Frames one after the other; what came of them."""

    def __init__(self, settings: PotsConfig = NOMINAL, *groups: Group) -> None:
        self.pots = Pots("demo", settings)
        self.pots.exchange(groups or (VOLTAGES, SERIES), START_NS)
        self.events: list[Event] = []
        self.lines: list[str] = []

    def take(self, sent: Frame) -> None:
        events, lines = self.pots.take(sent)
        self.events += events
        self.lines += [line for block in lines for line in block.decode().split("\n")]

    def run(
        self, volts: list[float], since: int = 0, ka: float | None = 400.0, other: float = 4.05
    ) -> int:
        """A second each: the current, then both pots (NaN: no data); the next second."""
        for k, volt in enumerate(volts, since):
            slot_ns = START_NS + k * SECOND
            if ka is not None:
                self.take(frame(SERIES, slot_ns, [ka]))
            codes = [BAD if math.isnan(v) else 0 for v in (volt, other)]
            self.take(frame(VOLTAGES, slot_ns, [volt, other], codes))
        return since + len(volts)

    def of(self, kind: Happening) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    @property
    def effects(self) -> list[Event]:
        return self.of(Happening.ANODE_EFFECT)

    def window(self, minute: int, pot: str = "pot001") -> dict[str, str]:
        """Fields of the derived window of a minute."""
        stamp = str(START_NS + minute * MINUTE_NS)
        (line,) = [x for x in self.lines if f"unit={pot} " in x and x.endswith(stamp)]
        assert line.startswith("pot_1m,plant=demo,line=line1,")
        return dict(part.split("=") for part in line.split(" ")[1].split(","))


def test_an_effect_is_told_when_it_begins_and_when_it_is_over() -> None:
    bench = Bench()
    now = bench.run([4.05] * 10 + [30.0] * 5)
    (begun,) = bench.effects
    assert (begun.start_ns, begun.end_ns) == (START_NS + 10 * SECOND, None)
    bench.run([30.0] * 5 + [4.05] * 10, now)
    first, over = bench.effects
    assert first.id == over.id == f"anode_effect-line1/pot001-{START_NS + 10 * SECOND}"
    assert (over.end_ns, over.amount) == (START_NS + 20 * SECOND, 10.0)
    assert event_line("demo", "gw1", over).decode() == (
        "event,plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot001 "
        f'id="{over.id}",text="pot voltage at or above 8 V for 10 s",'
        f"end={START_NS + 20 * SECOND}i,amount=10,peak_v=30,mean_v=30,overvoltage_vs=260,gap_s=0.0 "
        f"{START_NS + 10 * SECOND}"
    )


def test_a_long_effect_is_told_again_each_minute() -> None:
    bench = Bench()
    bench.run([4.05] * 10 + [30.0] * 200 + [4.05] * 10)
    assert [e.amount for e in bench.effects if e.end_ns is None] == [3.0, 58.0, 118.0, 178.0]
    assert bench.effects[-1].amount == 200.0
    assert len({e.id for e in bench.effects}) == 1


def test_set_voltage_and_mode_of_another_device_count() -> None:
    about = group(point("pot.set_voltage"), point("pot.mode", type="uint16"), device="controller")
    bench = Bench(NOMINAL, VOLTAGES, SERIES, about)
    bench.take(frame(about, START_NS, [3.9, 1.0]))
    bench.run([4.05] * 10 + [23.9] * 10 + [4.05] * 10)
    assert bench.effects[-1].measured is not None
    assert bench.effects[-1].measured.overvoltage_vs == pytest.approx(200.0)
    bench.take(frame(about, START_NS + 200 * SECOND, [3.9, 1.0]))
    now = bench.run([4.05] * 10 + [30.0] * 10, 200)
    bench.take(frame(about, START_NS + now * SECOND, [3.9, 3.0]))  # cut out
    bench.run([30.0] * 30, now)
    assert bench.effects[-1].end_ns == START_NS + now * SECOND
    assert "not in operation" in bench.effects[-1].text
    assert len(bench.effects) == 4


def test_a_lost_link_is_a_gap_whatever_the_registers_say() -> None:
    link = group(point("pot.link", type="bool"), device="controller")
    bench = Bench(NOMINAL, VOLTAGES, SERIES, link)
    now = bench.run([4.05] * 10 + [30.0] * 10)
    bench.take(frame(link, START_NS + now * SECOND, [1.0]))
    now = bench.run([2.0] * 20, now)  # the PLC shows something else meanwhile
    bench.take(frame(link, START_NS + now * SECOND, [0.0]))
    bench.run([30.0] * 10 + [4.05] * 10, now)
    over = bench.effects[-1]
    assert over.measured is not None
    assert (over.amount, over.measured.gap_s) == (40.0, 20.0)
    assert "of these not seen for 20 s" in over.text


def test_derived_minutes_are_windows_like_those_of_a_device() -> None:
    bench = Bench()
    bench.run([4.05] * 30 + [30.0] * 10 + [4.05] * 100)
    found = bench.window(0)
    assert found["ae_seconds"] == "10"
    assert found["ae_overvoltage"] == "260"
    assert found["ae_seconds_n"] == "60i"
    assert "ae_seconds_good" not in found
    assert found["pseudo_resistance"] == "6"  # (4.05 - 1.65) V / 400 kA
    assert found["normalised_voltage"] == "4.05"
    assert "feed_deficit_n" not in found  # no device tells of feeding
    assert bench.window(1)["ae_seconds"] == "0.0"
    assert bench.window(1)["flicker"] == "0.0"


def test_without_the_line_current_there_is_no_resistance_and_never_zero() -> None:
    bench = Bench()
    bench.run([4.05] * 150, ka=None)
    found = bench.window(0)
    for name in ("pseudo_resistance", "normalised_voltage", "swing", "flicker", "ae_risk"):
        assert name not in found
        assert (found[f"{name}_n"], found[f"{name}_good"]) == ("0i", "0")
        assert found[f"{name}_q"] == '"no_data"'
    assert found["ae_seconds"] == "0.0"


def test_a_line_current_that_is_too_old_is_none() -> None:
    bench = Bench(NOMINAL.model_copy(update={"current_age_s": 30.0}))
    bench.take(frame(SERIES, START_NS, [400.0]))
    bench.take(frame(SERIES, START_NS + 20 * SECOND, [7.0], [int(Quality.OUT_OF_RANGE)]))
    bench.run([4.05] * 200, ka=None)
    assert bench.window(0)["pseudo_resistance"] == "6"
    assert "pseudo_resistance" not in bench.window(1)
    other = group(point("potline.current", "line2/series"), device="series")
    bench = Bench(NOMINAL, VOLTAGES, other)
    for k in range(150):
        bench.take(frame(other, START_NS + k * SECOND, [400.0]))
        bench.take(frame(VOLTAGES, START_NS + k * SECOND, [4.05, 4.05]))
    assert "pseudo_resistance" not in bench.window(0)  # the current of another line


def test_a_quiet_subscription_of_the_current_is_not_too_old() -> None:
    """A value that does not change brings no samples, and is known all the same."""
    current = group(point("potline.current", "line1/series", mode="subscribe"), device="dcs")
    bench = Bench(NOMINAL, VOLTAGES, current)
    bench.take(sparse(current, START_NS, [(START_NS, 0, 400.0, 0)]))
    for k in range(200):
        slot_ns = START_NS + k * SECOND
        lost = [(slot_ns, 0, math.nan, BAD)] if k == 100 else []
        bench.take(sparse(current, slot_ns, lost))
        bench.take(frame(VOLTAGES, slot_ns, [4.05, 4.05]))
    assert bench.window(0)["pseudo_resistance"] == "6"
    assert bench.window(1)["pseudo_resistance"] == "6"  # until 110 s
    assert "pseudo_resistance" not in bench.window(2)


def test_a_gap_in_the_voltages_is_in_the_quality_of_the_minute() -> None:
    bench = Bench()
    bench.run([4.05] * 45 + [math.nan] * 15 + [math.nan] * 60 + [4.05] * 20)
    found = bench.window(0)
    assert (found["ae_seconds"], found["ae_seconds_good"]) == ("0.0", "0.75")
    assert found["ae_seconds_q"] == '"no_data"'
    nothing = bench.window(1)
    assert "ae_seconds" not in nothing
    assert nothing["ae_seconds_good"] == "0"
    assert bench.window(1, "pot002")["ae_seconds"] == "0.0"


def test_what_a_device_tells_itself_is_not_computed() -> None:
    own = group(point("pot.voltage"), point("pot.swing"))
    bench = Bench(NOMINAL, own, SERIES)
    for k in range(150):
        bench.take(frame(own, START_NS + k * SECOND, [4.05, 12.0]))
    assert "ae_seconds" in bench.window(0)
    assert "swing_n" not in bench.window(0)


def test_feeding_is_followed_when_shots_and_states_are_told() -> None:
    feed = group(
        point("pot.feed_state", type="uint16"),
        point("pot.feed_shots", type="uint32"),
        device="controller",
    )
    bench = Bench(NOMINAL, VOLTAGES, SERIES, feed)
    bench.take(frame(feed, START_NS, [2.0, 1000.0]))
    now = bench.run([4.05] * 120)
    bench.take(frame(feed, START_NS + 100 * SECOND, [3.0, 1001.0]))
    bench.run([4.05] * 100, now)
    assert bench.window(0)["feed_phase"] == "60"
    assert "feed_deficit" not in bench.window(0)  # one reading tells no difference
    # 400 kA at 0.93 need 3.931 kg a minute; one shot of 1.8 kg came
    assert float(bench.window(1)["feed_deficit"]) == pytest.approx(3.93 - 1.8, abs=0.01)
    assert bench.window(2)["feed_phase"] == "80"


def test_a_subscription_tells_the_same_effect() -> None:
    subscribed = group(*(point("pot.voltage", pot, mode="subscribe") for pot in POTS))
    bench = Bench(NOMINAL, subscribed, SERIES)
    changes = {0: [(0, 4.05), (1, 4.0)], 12: [(0, 30.0)], 40: [(0, 4.1)]}
    for k in range(100):
        slot_ns = START_NS + k * SECOND
        rows = [(slot_ns - SECOND // 2, place, volt, 0) for place, volt in changes.get(k, [])]
        bench.take(sparse(subscribed, slot_ns, rows))
    begun, over = bench.effects
    assert begun.start_ns == START_NS + 12 * SECOND - SECOND // 2
    assert (over.amount, over.end_ns) == (28.0, START_NS + 40 * SECOND - SECOND // 2)
    assert bench.window(0)["ae_seconds"] == "28"


def test_raw_lines_give_the_same_effects_again() -> None:
    """What the raw stream kept is enough to find what the gateway told."""
    bench = Bench()
    draw = np.random.default_rng(4)
    volts = np.concatenate(
        [np.full(n, v) for n, v in ((9, 4), (30, 31), (60, 4), (7, 22), (99, 4))]
    )
    volts = np.round(volts + draw.normal(0, 0.05, len(volts)), 3)
    volts[20:24] = math.nan
    bench.run(volts.tolist())
    encoder = FrameEncoder("demo", "gw1", VOLTAGES)
    lines = []
    for k, volt in enumerate(volts.tolist()):
        codes = [BAD if math.isnan(volt) else 0, 0]
        sent = frame(VOLTAGES, START_NS + k * SECOND, [volt, 4.05], codes)
        lines += encoder.encode(sent).decode().split("\n")
    parser = Parser()
    samples = parser.parse([batch(RAW, 1, lines)]).samples
    mine = samples.equipment == parser.equipment.texts.index(POTS[0])
    order = np.argsort(samples.ts_ns[mine])
    found = find_effects(samples.ts_ns[mine][order], samples.value[mine][order])
    assert [(e.start_ns, e.end_ns, e.duration_s, e.gap_s) for e in found] == [
        (e.start_ns, e.end_ns, e.amount, e.measured and e.measured.gap_s)
        for e in bench.effects
        if e.end_ns is not None
    ][-1:]
    assert found[0].ignitions == 2


def test_a_restart_in_the_middle_goes_on_with_the_same_effect() -> None:
    bench = Bench()
    now = bench.run([4.05] * 10 + [30.0] * 20)
    saved = json.loads(json.dumps(bench.pots.state()))
    again = Bench()
    assert again.pots.restore(saved, []) == []
    again.run([30.0] * 10 + [4.05] * 10, now + 30)
    (over,) = again.effects
    assert over.id == bench.effects[0].id
    assert over.measured is not None
    # a sample holds for three seconds, from 29 s to 32 s; polled again at 60 s
    assert (over.amount, over.measured.gap_s) == (60.0, 28.0)
    assert over.end_ns == START_NS + 70 * SECOND


def test_after_a_kill_the_last_word_in_the_record_is_where_it_goes_on() -> None:
    bench = Bench()
    bench.run([4.05] * 10 + [30.0] * 80)
    told = bench.effects[-1]
    assert (told.end_ns, told.amount) == (None, 58.0)
    again = Bench()
    again.pots.restore({}, [told])
    again.run([30.0] * 10 + [4.05] * 10, 100)
    (over,) = again.effects
    assert over.id == told.id
    assert over.measured is not None
    assert (over.amount, over.measured.gap_s) == (100.0, 32.0)  # from 68 s to 100 s
    assert over.measured.overvoltage_vs == pytest.approx(68 * 26)
    gone = Bench(NOMINAL, group(point("pot.voltage", "line1/pot009")))
    (ended,) = gone.pots.restore({}, [told])
    assert ended.end_ns == START_NS + 68 * SECOND
    assert "ended unseen" in ended.text


def test_a_new_config_keeps_the_effect_of_a_pot_that_stays_and_ends_the_others() -> None:
    bench = Bench()
    now = bench.run([4.05] * 10 + [30.0] * 10, other=30.0)
    fresh = group(point("pot.voltage"), interval_s=2.0)
    (ended,) = bench.pots.exchange([fresh, SERIES], START_NS + now * SECOND)
    assert str(ended.equipment) == "line1/pot002"
    assert ended.end_ns == START_NS + now * SECOND
    for k in range(now, now + 20, 2):
        volt = 30.0 if k < now + 10 else 4.0
        bench.take(frame(fresh, START_NS + k * SECOND, [volt]))
    over = bench.effects[-1]
    assert (over.start_ns, over.amount) == (START_NS + 10 * SECOND, 20.0)


def test_new_settings_hold_from_now_on_and_an_effect_goes_on() -> None:
    bench = Bench()
    now = bench.run([4.05] * 10 + [30.0] * 10)
    settings = NOMINAL.model_copy(update={"anode_effect_v": 20.0})
    assert bench.pots.exchange([VOLTAGES, SERIES], START_NS + now * SECOND, settings) == []
    now = bench.run([25.0] * 5 + [12.0] * 5 + [4.05] * 200, now)
    over = bench.effects[-1]
    assert (over.id, over.amount) == (bench.effects[0].id, 15.0)  # below the new 20 V from 25 s on
    told = len(bench.effects)
    bench.run([12.0] * 20, now)
    assert len(bench.effects) == told
    off = PotsConfig(enabled=False)
    bench.run([30.0] * 10, now + 20)
    (ended,) = bench.pots.exchange([VOLTAGES, SERIES], START_NS + (now + 30) * SECOND, off)
    assert ended.end_ns == START_NS + (now + 30) * SECOND


def test_a_clock_that_jumps_ahead_ends_what_it_jumped_over() -> None:
    bench = Bench()
    bench.run([4.05] * 10 + [30.0] * 10)
    bench.run([30.0] * 10, 3600)
    ended, begun = bench.effects[-2:]
    assert ended.end_ns == START_NS + 22 * SECOND
    assert "ended unseen" in ended.text
    assert begun.start_ns == START_NS + 3600 * SECOND


def test_unrest_and_warnings_end_when_the_agent_stops_looking() -> None:
    bench = Bench(PotsConfig(unstable_min=2))
    seconds = np.arange(900)
    bench.run((4.0 + 0.08 * np.sin(2 * np.pi * seconds / 45)).tolist(), other=4.0)
    (begun,) = bench.of(Happening.UNSTABLE)
    assert str(begun.equipment) == "line1/pot001"
    assert begun.amount == pytest.approx(80, rel=0.1)
    ended = bench.pots.end_signs(START_NS + 900 * SECOND)
    assert (begun.id, START_NS + 900 * SECOND) in {(e.id, e.end_ns) for e in ended}


def test_nothing_is_followed_when_it_is_switched_off() -> None:
    bench = Bench(PotsConfig(enabled=False))
    bench.run([30.0] * 200)
    assert (bench.events, bench.lines) == ([], [])


def test_silence_of_a_device_ends_an_effect_after_ten_minutes() -> None:
    bench = Bench()
    now = bench.run([4.05] * 10 + [30.0] * 10)
    assert bench.pots.passed({VOLTAGES: START_NS + (now + 500) * SECOND}) == []
    (over,) = bench.pots.passed({VOLTAGES: START_NS + (now + 602) * SECOND})
    assert over.end_ns == START_NS + 22 * SECOND  # three seconds after the last sample
    assert "ended unseen" in over.text


def test_400_pots_cost_far_below_one_per_cent_of_a_core() -> None:
    """Quiet pots with their derived minutes; 1 % of a core is 10 ms a second."""
    names = [f"line1/pot{n:03d}" for n in range(1, 401)]
    voltages = group(*(point("pot.voltage", name) for name in names))
    bench = Bench(NOMINAL, voltages, SERIES)
    volts = np.random.default_rng(2).normal(4.05, 0.02, (400, 400))
    frames = [
        (frame(SERIES, START_NS + k * SECOND, [400.0]),
         Frame(voltages, START_NS + k * SECOND, 0, volts[k], np.zeros(400, dtype=np.uint8)))
        for k in range(400)
    ]  # fmt: skip
    started = time.process_time()
    for current, sent in frames:
        bench.take(current)
        bench.take(sent)
    took_s = (time.process_time() - started) / 400
    assert len(bench.lines) == 400 * 6
    assert took_s < 0.003, f"{took_s * 1e6:.0f} µs a second for 400 pots"
    print(f"{took_s * 1e9 / 400:.0f} ns per pot and sample")
