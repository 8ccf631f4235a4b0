"""The judge finds each single planted mistake: what cannot be found cannot be promised."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.oracle.device import FakePlc, numbers_of, value
from tests.oracle.judge import Judgement, Samples, judge, judge_batches, samples_of
from tests.oracle.stores import lake_samples

POINTS, ANSWERS, SECOND = 20, 50, 1_000_000_000
START = 1_790_000_000 * SECOND


def served() -> tuple[FakePlc, list[bytes]]:
    """A device that answered once a second, and the lines that a right gateway writes of it."""
    plc = FakePlc(POINTS)
    lines = []
    for number in range(ANSWERS):
        plc.served.append((START + number * SECOND + 5_000_000, 0, POINTS))
        lines += [line(point, number, value(0, point, number)) for point in range(POINTS)]
    return plc, lines


def line(point: int, number: int, reading: float) -> bytes:
    """As the wire has it: float32 in nine digits."""
    return (
        f"rectifier,plant=demo,line=sub1,unit=rec{point + 1:03d} dc_voltage={reading:.9g} "
        f"{START + number * SECOND}"
    ).encode()


def judged(plc: FakePlc, lines: list[bytes]) -> Judgement:
    return judge(plc, samples_of([b"\n".join(lines)]))


def test_a_right_record_is_clean() -> None:
    plc, lines = served()
    found = judged(plc, lines)
    assert found == Judgement(served=POINTS * ANSWERS, stored=POINTS * ANSWERS)
    assert found.clean


Plant = Callable[[list[bytes]], None]


def _drop(lines: list[bytes]) -> None:
    del lines[137]


def _alter(lines: list[bytes]) -> None:
    lines[137] = line(137 % POINTS, 137 // POINTS, 1300.5)


def _mix(lines: list[bytes]) -> None:
    lines[137] = line(137 % POINTS, 137 // POINTS, value(0, 3, 137 // POINTS))


def _late(lines: list[bytes]) -> None:
    lines[137] = line(137 % POINTS, 137 // POINTS + 3, value(0, 137 % POINTS, 137 // POINTS))
    del lines[137 + 3 * POINTS]


def _invent(lines: list[bytes]) -> None:
    lines.append(line(3, ANSWERS + 100, value(0, 3, ANSWERS + 100)))


def _double(lines: list[bytes]) -> None:
    lines.append(lines[137])


@pytest.mark.parametrize(
    ("plant", "counts"),
    [
        (_drop, (1, 0, 0, 0)),
        (_alter, (0, 1, 0, 0)),
        (_mix, (0, 1, 0, 0)),
        (_late, (1, 1, 0, 0)),  # a value of three seconds ago stands where another was served
        (_invent, (0, 0, 1, 0)),
        (_double, (0, 0, 0, 1)),
    ],
)
def test_each_planted_mistake_is_found_once(plant: Plant, counts: tuple[int, ...]) -> None:
    plc, lines = served()
    plant(lines)
    found = judged(plc, lines)
    assert (found.missing, found.altered, found.invented, found.duplicated) == counts
    assert not found.clean


def test_what_is_excused_is_counted_apart() -> None:
    plc, lines = served()
    del lines[137]
    at = plc.served[137 // POINTS][0]
    found = judge(plc, samples_of([b"\n".join(lines)]), excuses=[(at, at)])
    assert (found.missing, found.in_flight) == (0, 1)


def test_every_value_leads_back_to_its_answer_alone() -> None:
    numbers = np.arange(0, 1 << 22, 4099)
    for point in (0, 7, 399):
        values = np.array([value(0, point, int(n)) for n in numbers])
        assert (values == values.astype(np.float32)).all()
        back = numbers_of(0, np.full(len(numbers), point), values)
        assert (back == numbers).all()
    assert numbers_of(0, np.array([1]), np.array([9.0]))[0] == -1
    assert numbers_of(0, np.array([1]), np.array([1024.00006]))[0] == -1


def test_batches_are_held_against_both_promises() -> None:
    key = ("raw", "00" * 8)
    sent = {key: {1: "a", 2: "b", 3: "c"}}
    whole = {(*key, 1): "a", (*key, 2): "b", (*key, 3): "c"}
    assert judge_batches(whole, sent, {key: 3}).clean
    lost = judge_batches({k: v for k, v in whole.items() if k[2] != 2}, sent, {key: 3})
    assert (lost.missing, lost.altered) == (1, 0)
    bent = judge_batches(whole | {(*key, 2): "x"}, sent, {})
    assert (bent.missing, bent.altered) == (0, 1)
    assert judge_batches(whole | {(*key, 4): "d"}, sent, {}).invented == 1
    assert judge_batches(whole, {}, {key: 4}, complete=False).missing == 1  # receipted, not there


def test_an_empty_lake_holds_nothing(tmp_path: Path) -> None:
    assert len(lake_samples(tmp_path).points) == 0
    assert judge(FakePlc(3), Samples.of([])).clean
