"""What is good: range, missing numbers, stuck values, and a device that speaks for its points."""

import math

import numpy as np

from agent.minutes.quality import Judge
from drivers.model import Quality
from tests.agent.points import BAD, GOOD, START_NS, frame, group, point, sparse

SECOND = 10**9


def test_a_good_frame_comes_back_untouched() -> None:
    of = group(point("pot.voltage"), point("pot.current"))
    got = frame(of, START_NS, [4.0, 350.0])
    assert Judge(of).judge(got) is got


def test_range_of_the_table_and_of_the_dictionary() -> None:
    of = group(
        point("pot.voltage", low=3.0, high=6.0),
        point("pot.voltage", "line1/pot002"),
        point("pot.current"),
        point("pot.current", "line1/pot002"),
    )
    judged = Judge(of).judge(frame(of, START_NS, [6.5, 6.5, math.nan, math.inf]))
    assert judged.quality.tolist() == [
        Quality.OUT_OF_RANGE,
        GOOD,
        Quality.NOT_AVAILABLE,
        Quality.NOT_AVAILABLE,
    ]
    assert judged.values[0] == 6.5, "the value travels, but is not good"
    assert np.isnan(judged.values[2:]).all()


def test_a_worse_reason_is_kept() -> None:
    of = group(point("pot.voltage"), point("pot.current"))
    judged = Judge(of).judge(frame(of, START_NS, [math.nan, 9999.0], [BAD, int(Quality.UNCERTAIN)]))
    assert judged.quality.tolist() == [BAD, Quality.UNCERTAIN]


def test_text_points_have_no_number_and_are_good() -> None:
    of = group(point("pot.serial", type="ascii:8"), point("pot.voltage"))
    judged = Judge(of).judge(frame(of, START_NS, [math.nan, 4.0], texts={0: "A1"}))
    assert judged.quality.tolist() == [GOOD, GOOD]


def test_the_same_for_samples_of_a_subscription() -> None:
    of = group(point("pot.voltage"), point("pot.current"))
    judged = Judge(of).judge(
        sparse(of, START_NS, [(START_NS, 1, 9999.0, GOOD), (START_NS, 0, 4.0, GOOD)])
    )
    assert judged.quality.tolist() == [Quality.OUT_OF_RANGE, GOOD]


def qualities(values: list[list[float]], codes: list[int] | None = None) -> list[int]:
    """Quality of the first point over time; it is watched for standing still 5 s."""
    of = group(
        point("stack.so2", "gtc1/stack1", stuck_after_s=5), point("stack.nox", "gtc1/stack1")
    )
    judge = Judge(of)
    found = []
    for k, pair in enumerate(values):
        code = codes[k] if codes else GOOD
        judged = judge.judge(frame(of, START_NS + k * SECOND, pair, [code, GOOD]))
        found.append(int(judged.quality[0]))
    return found


def test_stuck_while_another_moves() -> None:
    moving = [[20.0, 50.0 + k % 3] for k in range(10)]
    assert qualities(moving) == [GOOD] * 5 + [Quality.STUCK] * 5


def test_not_stuck_while_everything_stands_still() -> None:
    assert qualities([[20.0, 50.0]] * 10) == [GOOD] * 10


def test_a_lost_answer_starts_the_clock_anew() -> None:
    values = [[20.0, 50.0 + k % 3] for k in range(12)]
    codes = [GOOD] * 4 + [BAD] + [GOOD] * 7
    values[4][0] = math.nan
    assert qualities(values, codes) == [GOOD] * 4 + [BAD] + [GOOD] * 5 + [Quality.STUCK] * 2


def test_an_instrument_in_calibration_speaks_for_its_stack_only() -> None:
    of = group(
        point("stack.so2", "gtc1/stack1"),
        point("stack.instrument_state", "gtc1/stack1", type="uint16"),
        point("stack.so2", "gtc1/stack2"),
        point("pot.link", "line1/pot001", type="uint16"),
        point("pot.voltage", "line1/pot001"),
    )
    judge = Judge(of)
    judged = judge.judge(frame(of, START_NS, [35.0, 1.0, 35.0, 0.0, 4.0]))
    assert judged.quality.tolist() == [Quality.CALIBRATION, GOOD, GOOD, GOOD, GOOD]
    assert judged.values[0] == 35.0
    judged = judge.judge(frame(of, START_NS, [35.0, 0.0, 35.0, 1.0, 4.0]))
    assert judged.quality.tolist() == [GOOD, GOOD, GOOD, GOOD, Quality.DEVICE_FAULT]
