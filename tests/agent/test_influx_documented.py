"""
Documented 2.x and 3.x answers, from a small server of our own that stores only what it accepts.

No real 2.x or 3.x runs here; these tests hold our reactions to what the documents say.
"""

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from agent.influx import view as influx
from agent.influx.view import Verdict, verdict
from tests.agent.batches import RAW, batch, pots, raw
from tests.agent.influx_tools import Reply, documented_answers, view_of

SYNTAX_2X = b'{"code":"invalid","message":"unable to parse \'junk\': missing fields"}'
CONFLICT_2X = b'{"code":"unprocessable entity","message":"failure writing points: conflict"}'
PARTIAL_3X = b'{"error":"partial write of line protocol occurred","data":[{"line_number":3}]}'


@pytest.mark.parametrize(
    ("status", "body"), [(400, SYNTAX_2X), (422, CONFLICT_2X), (400, PARTIAL_3X)]
)
async def test_documented_all_or_nothing_refusals_are_bisected(
    tmp_path: Path, status: int, body: bytes
) -> None:
    stored: set[str] = set()
    requests = 0

    def answer(lines: list[str]) -> Reply:
        nonlocal requests
        requests += 1
        if "junk" in lines:
            return Reply(status, body)
        stored.update(lines)
        return Reply(204)

    good = pots(1, 999)
    with documented_answers(answer) as url:
        async with view_of(url, tmp_path) as mine:
            await mine.write([batch(RAW, 1, [*good[:700], "junk", *good[700:]])])
            (dead,) = mine.dead_letters.all()
    assert stored >= set(good)
    assert "junk" not in stored
    assert dead.line == "junk"
    assert str(status) in dead.reason
    assert requests < 25


@pytest.mark.parametrize("kind", ["seconds", "date"])
async def test_documented_429_is_waited_for_as_long_as_it_says(tmp_path: Path, kind: str) -> None:
    times: list[float] = []

    def answer(_lines: list[str]) -> Reply:
        times.append(time.monotonic())
        if len(times) > 1:
            return Reply(204)
        after = "1" if kind == "seconds" else formatdate(time.time() + 2, usegmt=True)
        return Reply(429, b'{"code":"too many requests"}', {"Retry-After": after})

    with documented_answers(answer) as url:
        async with view_of(url, tmp_path) as mine:
            await mine.write([raw(1)])
            assert mine.dead_letters.count() == 0
    assert 0.95 <= times[1] - times[0] < 4


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_documented_server_troubles_are_tried_again(
    tmp_path: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "_FIRST_PAUSE_S", 0.01)
    left = [Reply(status, b"<html>bad gateway</html>")] * 3
    seen: list[list[str]] = []

    def answer(lines: list[str]) -> Reply:
        seen.append(lines)
        return left.pop() if left else Reply(204)

    with documented_answers(answer) as url:
        async with view_of(url, tmp_path) as mine:
            await mine.write([raw(1)])
            assert mine.dead_letters.count() == 0
    assert len(seen) == 4
    assert all(lines == seen[0] for lines in seen)


async def test_a_server_that_does_not_answer_in_time_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "_FIRST_PAUSE_S", 0.01)
    calls = 0

    def answer(_lines: list[str]) -> Reply:
        nonlocal calls
        calls += 1
        if calls == 1:
            time.sleep(0.5)
        return Reply(204)

    with documented_answers(answer) as url:
        async with view_of(url, tmp_path, timeout_s=0.2) as mine:
            await mine.write([raw(1)])
    assert calls == 2


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Verdict.STORED),
        (204, Verdict.STORED),
        (301, Verdict.PERSON),
        (400, Verdict.REFUSED),
        (401, Verdict.PERSON),
        (403, Verdict.PERSON),
        (404, Verdict.PERSON),
        (405, Verdict.PERSON),
        (413, Verdict.TOO_LARGE),
        (422, Verdict.REFUSED),
        (429, Verdict.LATER),
        (500, Verdict.LATER),
        (503, Verdict.LATER),
        (0, Verdict.LATER),
    ],
)
def test_what_an_answer_means(status: int, meaning: Verdict) -> None:
    assert verdict(status) is meaning
