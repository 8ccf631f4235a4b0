"""What a full log did not take: counted by device, told with start and end, kept over a restart."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.batches.room import Level, Room, filled
from agent.edge.desk import Desk
from agent.edge.fullness import RoomAlarm
from agent.edge.outbox import Outbox
from agent.edge.untaken import (
    COPY_BYTES,
    Losses,
    Origin,
    Stretch,
    Stretches,
    UntakenBook,
    UntakenFile,
)
from agent.wire.encode import BatchHead
from tests.agent.points import BAD, GOOD, START_NS, frame, group, point

SECOND = 10**9
OF = group(point("pot.voltage"), point("pot.voltage", "line1/pot002"))
GAP = re.compile(r"kind=gap (id=.*),end=(\d+)i,amount=(\d+) (\d+)$")


def losses(gone: dict[str, int], waiting: dict[str, int], newest: int = 0) -> dict[str, Losses]:
    def some(counts: dict[str, int]) -> Stretches:
        return Stretches({name: Stretch(1, 2, count, 1) for name, count in counts.items()})

    return {"raw": Losses(some(gone), some(waiting), newest)}


def kept(path: Path, said: dict[str, Losses]) -> None:
    book = UntakenBook()
    book.open(path, {})
    text = book.changed(said)
    assert text is not None
    book.keep(text)
    assert book.changed(said) is None


def test_what_is_lost_and_what_waits_is_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "untaken"
    kept(path, losses({"plc": 7}, {"plc": 5, "oven": 3}, newest=4))
    size = path.stat().st_size
    book = UntakenBook()
    found = book.open(path, {"raw": 4})
    assert [(x.device, x.stretch.values, x.some) for x in found] == [
        ("plc", 7, False),
        ("plc", 5, False),
        ("oven", 3, False),
    ]
    assert book.totals({}) == {("raw", "plc"): (5, 1), ("raw", "oven"): (3, 1)}
    assert path.stat().st_size == size == 2 * COPY_BYTES
    book.settle()
    text = book.changed({})
    assert text == b"{}"
    book.keep(text)
    assert UntakenBook().open(path, {}) == []


def test_what_waited_and_perhaps_got_in_is_told_as_at_most(tmp_path: Path) -> None:
    kept(tmp_path / "untaken", losses({"plc": 7}, {"plc": 5}, newest=4))
    gone, waited = UntakenBook().open(tmp_path / "untaken", {"raw": 5})
    assert "raw: 7 values of 1 reads found no room" in gone.text
    assert "raw: at most 5 values" in waited.text


@pytest.mark.parametrize("place", [9, 40, COPY_BYTES + 9, COPY_BYTES + 40])
def test_a_copy_that_was_torn_leaves_the_other(tmp_path: Path, place: int) -> None:
    path = tmp_path / "untaken"
    file = UntakenFile(path)
    file.read()
    for count in (1, 2):
        text = UntakenBook().text(losses({"plc": count}, {}))
        file.write(text)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    found = UntakenFile(path).read()
    assert found["raw"].gone["plc"].values == (1 if place < COPY_BYTES else 2)


def test_a_thousand_devices_find_room_added_up(tmp_path: Path) -> None:
    many = {f"device-with-a-long-name-{n:05d}": 10 for n in range(2000)}
    kept(tmp_path / "untaken", losses(many, {}))
    found = UntakenBook().open(tmp_path / "untaken", {})
    assert sum(each.stretch.values for each in found) == 20_000
    assert "*" in {each.device for each in found}


async def test_the_gap_has_start_end_and_count_of_exactly_what_is_not_there(tmp_path: Path) -> None:
    source = random.Random(1)
    served: dict[int, int] = {}  # values by slot
    held: set[str] = set()
    async with (
        BatchLog(tmp_path, stream="record") as record,
        BatchLog(tmp_path, stream="raw", max_bytes=100_000, shed=True) as raw,
    ):
        head = BatchHead("demo", "gw1", "x", "0" * 16)
        boxes = [
            Outbox(log, head, lambda: START_NS, room_bytes=30_000 if log is raw else 1 << 20)
            for log in (record, raw)
        ]
        desk = Desk("demo", "gw1", *boxes)
        desk.exchange(dict.fromkeys([OF], SECOND), ["plc"], START_NS)

        async def hundred() -> None:
            for _ in range(100):
                slot = START_NS + len(served) * SECOND
                bad = source.random() < 0.1
                served[slot] = 1 if bad else 2
                values = [source.uniform(3, 5), source.uniform(3, 5)]
                desk.frame(frame(OF, slot, values, [GOOD, BAD if bad else GOOD]))
            for box in boxes:
                await box.flush()
            desk.log_state(START_NS)

        for _ in range(2):  # two outages
            while not boxes[1].refused:
                await hundred()
            for _ in range(8):
                await hundred()
            held.update(await lines_of(raw))
            raw.set_receipted(raw.newest)
            await raw.prune()  # what is deleted here is in ``held``
            while boxes[1].refused:
                await hundred()
            await hundred()
        await record_flushed(boxes[0])
        held.update(await lines_of(raw))
        events = [GAP.search(line) for line in await lines_of(record) if "raw: " in line]
        told = [found for found in events if found]
    there = {int(line.rpartition(" ")[2]) for line in held if line.startswith("frame,")}
    absent = {slot: count for slot, count in served.items() if slot not in there}
    spans = [(int(found[4]), int(found[2]), int(found[3])) for found in told]
    lost = desk.fullness.untaken()["raw", "plc"]
    assert lost == (sum(absent.values()), len(absent))
    assert len(spans) == 2
    assert sum(count for *_, count in spans) == sum(absent.values()) > 0
    for start, end, count in spans:
        inside = {slot for slot in served if start <= slot <= end}
        assert {start, end} <= absent.keys()
        assert sum(absent.get(slot, 0) for slot in inside) == count


async def record_flushed(box: Outbox) -> None:
    await box.flush()
    assert not box.refused


async def lines_of(log: BatchLog) -> list[str]:
    """Of all batches."""
    batches = await log.read_from(1, 1 << 30)
    return [line for batch in batches for line in batch.payload.decode().split("\n")[1:]]


def test_the_alarm_begins_at_70_percent_and_ends_under_60() -> None:
    alarm = RoomAlarm()

    def at(percent: float) -> bool:
        return alarm.look([Room(held=int(percent * 10), own=900, free=100)])

    assert [at(p) for p in (69.9, 70.0, 65, 60.0, 59.9, 69.9, 70.1)] == [
        *(False, True, True, True, False, False, True)
    ]
    assert "70% of the room" in alarm.text


@pytest.mark.parametrize(
    ("rooms", "share"),
    [
        ([Room(held=35, own=35, free=30), Room(held=35, own=35, free=30)], 0.7),  # 70 of 100
        ([Room(held=50, own=50, free=900, most=60), Room(free=900)], 50 / 60),
        ([Room(held=1, own=1, free=99, inodes=0.9)], 0.9),
        ([], 0.0),
    ],
)
def test_the_worst_of_one_log_of_all_and_of_the_inodes_counts(
    rooms: list[Room], share: float
) -> None:
    assert filled(rooms) == pytest.approx(share)


def test_levels() -> None:
    levels: Callable[[int], Level] = lambda held: Room(held, 1000, 0).level  # noqa: E731
    assert [levels(h) for h in (700, 701, 850, 851, 950, 951)] == [0, 1, 1, 2, 2, 3]


def test_origins_of_one_device_add_up() -> None:
    found = Stretches.of([Origin("plc", 5, 2), Origin("plc", 3, 4), Origin("oven", 9, 1)])
    assert found == {"plc": Stretch(3, 5, 6, 2), "oven": Stretch(9, 9, 1, 1)}
