"""Feeding views: exactly the same call again after a crash, and no view delays another."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from agent.historian.originals import Originals
from agent.historian.view_runner import Cursor, ViewInUseError, ViewRunner
from agent.views import Source, StoredBatch
from agent.wire.events import Happening
from tests.agent.ends import running, until

Call = list[tuple[str, int]]


class Recorder:
    """A view that remembers every call and fails when told to."""

    def __init__(self, *, flush_s: float = 0.05, flush_bytes: int = 1 << 20) -> None:
        self.name, self.flush_s, self.flush_bytes = "recorder", flush_s, flush_bytes
        self.calls: list[Call] = []
        self.fail = 0
        self.die = False
        self.resets = 0

    async def __aenter__(self) -> Self:
        return self

    async def write(self, batches: Sequence[StoredBatch]) -> None:
        self.calls.append([(str(each.source), each.seq) for each in batches])
        if self.die:
            await asyncio.Event().wait()
        if self.fail:
            self.fail -= 1
            raise OSError("no route to the view")

    async def reset(self) -> None:
        self.resets += 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


async def add(originals: Originals, count: int, plant: str = "demo") -> None:
    for number in range(count):
        await originals.tell(plant, Happening.GAP, f"number {number} {'x' * 100}")


def numbers(calls: list[Call]) -> list[int]:
    return [seq for call in calls for _, seq in call]


async def test_what_comes_is_written_once_in_order(tmp_path: Path) -> None:
    view = Recorder()
    async with (
        Originals(tmp_path / "originals", "0" * 16) as originals,
        ViewRunner(view, originals, tmp_path / "view") as runner,
    ):
        await add(originals, 5)
        async with running(runner.run()):
            await until(lambda: runner.behind() == 0, "backlog")
            await add(originals, 7)
            await until(lambda: runner.behind() == 0, "news")
        assert numbers(view.calls) == list(range(1, 13))
        assert runner.counts.batches == 12
    again = Recorder()
    async with (
        Originals(tmp_path / "originals", "0" * 16) as originals,
        ViewRunner(again, originals, tmp_path / "view") as runner,
    ):
        await runner.catch_up()
        assert again.calls == []


async def test_a_failing_view_gets_the_same_call_again(tmp_path: Path) -> None:
    bad, good = Recorder(), Recorder()
    bad.fail = 2
    async with (
        Originals(tmp_path / "originals", "0" * 16) as originals,
        ViewRunner(bad, originals, tmp_path / "bad") as first,
        ViewRunner(good, originals, tmp_path / "good") as second,
    ):
        await add(originals, 4)
        async with running(first.run(), second.run()):
            await until(lambda: first.counts.errors >= 1, "a failure")
            assert first.failing.startswith("OSError")
            await add(originals, 2)
            await until(lambda: second.behind() == 0, "the other view is not delayed")
            assert first.behind() > 0
            await until(lambda: first.behind() == 0, "the bad one in the end")
            assert first.failing == ""
    assert bad.calls[0] == bad.calls[1] == bad.calls[2]
    assert numbers(bad.calls[2:]) == list(range(1, 7))


async def test_after_a_crash_the_same_call_comes_first(tmp_path: Path) -> None:
    view = Recorder()
    view.die = True
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        await add(originals, 3)
        async with (
            ViewRunner(view, originals, tmp_path / "view") as runner,
            running(runner.run()),
        ):
            await until(lambda: bool(view.calls), "in the call")
        await add(originals, 3)
        view.die = False
        async with ViewRunner(view, originals, tmp_path / "view") as runner:
            await runner.catch_up()
    assert view.calls[1] == view.calls[0]
    assert numbers(view.calls[1:]) == [1, 2, 3, 4, 5, 6]


async def test_a_call_is_bounded_and_sorted(tmp_path: Path) -> None:
    view = Recorder(flush_bytes=5_000)
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        await add(originals, 60)
        await add(originals, 60, plant="other")
        async with ViewRunner(view, originals, tmp_path / "view") as runner:
            await runner.catch_up()
    assert len(numbers(view.calls)) == 120
    assert all(call == sorted(call) for call in view.calls)
    for plant in ("demo", "other"):
        seen = [seq for call in view.calls for where, seq in call if where.startswith(plant)]
        assert seen == list(range(1, 61))


async def test_reset_starts_from_the_first_even_after_a_crash_in_it(tmp_path: Path) -> None:
    view = Recorder()
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        await add(originals, 3)
        async with ViewRunner(view, originals, tmp_path / "view") as runner:
            await runner.catch_up()
            await runner.reset()
            await runner.catch_up()
            assert numbers(view.calls) == [1, 2, 3, 1, 2, 3]
        (tmp_path / "view" / "resetting").touch()  # as a crash in `reset` leaves it
        async with ViewRunner(view, originals, tmp_path / "view") as runner:
            await runner.catch_up()
        assert view.resets == 2
        assert numbers(view.calls) == [1, 2, 3] * 3


async def test_one_feeder_for_a_view_and_a_damaged_cursor_is_named(tmp_path: Path) -> None:
    async with Originals(tmp_path / "originals", "0" * 16) as originals:
        async with ViewRunner(Recorder(), originals, tmp_path / "view"):
            with pytest.raises(ViewInUseError, match="stop the historian"):
                await ViewRunner(Recorder(), originals, tmp_path / "view").__aenter__()
        for text in ("{", "[]", '{"done": {"a/b": 1}, "writing": {}}', '{"done": {}}'):
            (tmp_path / "view" / "cursor.json").write_text(text)
            with pytest.raises(ValueError, match="historian rebuild view"):
                await ViewRunner(Recorder(), originals, tmp_path / "view").__aenter__()


def test_cursor_round_trip(tmp_path: Path) -> None:
    here, there = Source("demo", "gw1", "raw", "f" * 16), Source("demo", "gw1", "record", "0" * 16)
    Cursor({here: 5}, {there: 7}).save(tmp_path / "cursor.json")
    found = Cursor.load(tmp_path / "cursor.json")
    assert (found.done, found.writing) == ({here: 5}, {there: 7})
    assert json.loads((tmp_path / "cursor.json").read_text())["done"] == {str(here): 5}
