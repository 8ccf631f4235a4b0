"""Block planning by property, and what an engineer reads about it by example."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.config import DeviceConfig
from drivers.decode import PAD, Place, register_type
from drivers.explain import explain, loads
from drivers.model import Equipment, Group, Point
from drivers.plan import (
    Block,
    Limits,
    Table,
    limits_of,
    order_blocks,
    parse_address,
    places_of,
    plan_blocks,
    spans_of,
    unmistakable,
)
from drivers.points import group_points
from drivers.quantities import quantities

WIDTHS = {"bool": 1, "uint16": 1, "float32": 2, "uint48": 3, "float64": 4, "ascii:10": 5}


def point(address: str, kind: str, i: int = 0, interval_s: float = 1.0) -> Point:
    quantity = quantities()["meter.voltage"]
    where = Equipment("line1", f"p{i}")
    return Point(where, quantity, "plc", address, kind, interval_s=interval_s)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Point, ...]:
    """Points anywhere in the four tables: neighbours, gaps, bits, equal addresses, the last one."""
    points: list[Point] = []
    for _ in range(draw(st.integers(1, 6))):
        table = draw(st.sampled_from(["holding", "input", "coil", "discrete"]))
        at = draw(st.one_of(st.integers(0, 300), st.integers(65300, 65500)))
        for _ in range(draw(st.integers(1, 40))):
            kind = draw(st.sampled_from(sorted(WIDTHS)))
            if table in {"coil", "discrete"}:
                kind = "bool"
            bit = ".3" if kind == "bool" and table in {"holding", "input"} else ""
            if at + WIDTHS[kind] <= 65536:
                points.append(point(f"{table}:{at}{bit}", kind, len(points)))
            at += WIDTHS[kind] + draw(st.sampled_from([0, 0, 0, 1, 5, 17, 130]))
    order = draw(st.permutations(range(len(points))))
    return tuple(points[i] for i in order)


limits = st.builds(
    Limits,
    registers=st.integers(5, 125),
    bits=st.integers(1, 2000),
    bridge=st.integers(0, 125),
    distinct=st.booleans(),
)


def bits_of(limits: Limits, table: Table) -> int:
    return limits.bits if table.packed else limits.registers


@settings(max_examples=120, deadline=None)
@given(tables(), limits)
def test_every_point_is_read_whole_exactly_once_within_the_limits(
    points: tuple[Point, ...], limits: Limits
) -> None:
    spans = spans_of(points)
    wide = {s.start for s in spans if s.end - s.start > bits_of(limits, s.table)}
    blocks = plan_blocks(spans, limits)
    assert sorted(i for block in blocks for i in block.members) == list(range(len(points)))
    for block in blocks:
        assert 0 <= block.start < block.start + block.count <= 65536
        assert block.count <= bits_of(limits, block.table) or block.start in wide
        for i in block.members:
            address = parse_address(points[i].address)
            assert address.table is block.table
            assert block.start <= address.number
            assert address.number + WIDTHS[points[i].type] <= block.start + block.count


@settings(max_examples=120, deadline=None)
@given(tables(), limits)
def test_gaps_are_bridged_only_as_far_as_allowed(points: tuple[Point, ...], limits: Limits) -> None:
    for block in plan_blocks(spans_of(points), limits):
        asked = {
            address.number + k
            for i in block.members
            for address in (parse_address(points[i].address),)
            for k in range(WIDTHS[points[i].type])
        }
        allowed = limits.bridge * 16 if block.table.packed else limits.bridge
        run = 0
        for at in range(block.start, max(asked) + 1):
            run = 0 if at in asked else run + 1
            assert run <= allowed
        extra = block.start + block.count - max(asked) - 1
        assert extra == 0 or (limits.distinct and limits.bridge > 0)


@settings(max_examples=80, deadline=None)
@given(tables(), limits)
def test_no_two_blocks_could_be_one(points: tuple[Point, ...], limits: Limits) -> None:
    if limits.distinct:
        return
    blocks = plan_blocks(spans_of(points), limits)
    for a, b in pairwise(blocks):
        allowed = limits.bridge * 16 if a.table.packed else limits.bridge
        too_long = b.spans[0].end - a.start > bits_of(limits, a.table)
        too_far = b.start - (a.start + a.count) > allowed
        assert a.table is not b.table or too_long or too_far


@settings(max_examples=80, deadline=None)
@given(tables())
def test_replies_of_neighbours_differ_in_length_on_rtu(points: tuple[Point, ...]) -> None:
    registers = tuple(p for p in points if p.address.startswith(("holding", "input")))
    blocks = plan_blocks(spans_of(registers), Limits(distinct=True))
    for a, b in pairwise(blocks):
        at_the_end = b.start + b.count == 65536 and len(b.spans) == 1
        assert (a.table, a.octets) != (b.table, b.octets) or at_the_end


@settings(max_examples=80, deadline=None)
@given(tables(), limits)
def test_places_point_at_the_bytes_of_the_replies(
    points: tuple[Point, ...], limits: Limits
) -> None:
    """Replies filled with the address itself: what lies at a place is the point's address."""
    blocks = order_blocks(plan_blocks(spans_of(points), limits))
    places, size = places_of(points, blocks)
    replies = [PAD]
    for block in blocks:
        if block.table.packed:
            bits = sum((at * 7 % 3 == 0) << k for k, at in enumerate(span_of(block)))
            replies.append(bits.to_bytes(block.octets, "little"))
        else:
            replies.append(b"".join(at.to_bytes(2, "big") for at in span_of(block)))
    buffer = b"".join(replies)
    assert len(buffer) == size
    for subject, place in zip(points, places, strict=True):
        assert isinstance(place, Place)
        address = parse_address(subject.address)
        if address.table.packed:
            assert (buffer[place.byte] >> place.bit) & 1 == (address.number * 7 % 3 == 0)
        elif address.bit >= 0:
            low = int.from_bytes(buffer[place.byte - place.byte % 2 :][:2], "big")
            assert low == address.number
            assert place.bit == 3
            assert place.byte % 2 == 1  # the low byte comes second
        else:
            assert int.from_bytes(buffer[place.byte : place.byte + 2], "big") == address.number


def span_of(block: Block) -> range:
    return range(block.start, block.start + block.count)


@settings(max_examples=80, deadline=None)
@given(tables(), limits, st.sets(st.integers(1, 250), max_size=30))
def test_an_unmistakable_way_brings_the_whole_block_and_avoids_the_taken_lengths(
    points: tuple[Point, ...], limits: Limits, taken: set[int]
) -> None:
    for block in plan_blocks(spans_of(points), limits):
        borders = {span.start for span in block.spans}
        parts = unmistakable(block, frozenset(taken), limits, frozenset())
        if not parts:
            assert block.octets in taken
            continue
        assert not taken.intersection(part.octets for part in parts)
        assert parts[0].start == block.start
        assert parts[-1].start + parts[-1].count >= block.start + block.count
        if len(parts) == 2:
            assert parts[0].start + parts[0].count == parts[1].start
            split = parts[1].start
            assert split in borders or (block.table.packed and (split - block.start) % 8 == 0)


def test_cuts_are_kept() -> None:
    points = tuple(point(f"holding:{at}", "uint16", at) for at in range(10))
    blocks = plan_blocks(spans_of(points), Limits(), frozenset({(Table.HOLDING, 4)}))
    assert [(b.start, b.count) for b in blocks] == [(0, 4), (4, 6)]


def test_widths_of_types_are_those_of_the_protocol() -> None:
    assert {kind: register_type(kind).words for kind in WIDTHS} == WIDTHS


# --- the explanation --------------------------------------------------------------------------


def device(**rest: object) -> DeviceConfig:
    known: dict[str, object] = {
        "name": "plc",
        "driver": "modbus-tcp",
        "address": "192.0.2.10:502",
        "points": Path("table.csv"),
    }
    return DeviceConfig.model_validate(known | rest)


def pots(n: int = 36, stride: int = 20, interval_s: float = 1.0) -> tuple[Group, ...]:
    return group_points(point(f"holding:{i * stride}", "float32", i, interval_s) for i in range(n))


def test_an_engineer_reads_blocks_load_and_what_it_takes() -> None:
    config = device()
    told = explain(config, [config], pots(6), "en")
    assert told.warnings == ()
    assert told.lines[0] == "modbus-tcp 192.0.2.10:502 unit 1"
    assert told.lines[1] == "every 1 s: 6 points in 6 requests"
    assert told.lines[2].split() == ["holding:0-1", "2", "registers,", "2", "asked", "for"]
    assert "with bridge_gap = 18 it would be 1 request instead of 6" in told.lines
    assert "load: 6 requests/s; 12 registers/s read, 12 asked for (100 %)" in told.lines
    assert told.lines[-1] == "can be done if a request is answered within 167 ms on average"
    wider = explain(device(bridge_gap=18), [device(bridge_gap=18)], pots(6), "en")
    assert wider.lines[1] == "every 1 s: 6 points in 1 request"


def test_it_is_said_in_chinese() -> None:
    told = explain(device(), [device()], pots(6), "zh")
    assert told.lines[1] == "每 1 秒：6 个点，6 次请求"
    assert told.lines[-1].startswith("可以完成")


@pytest.mark.parametrize(
    ("rest", "groups", "answer"),
    [
        ({"max_requests_per_s": 4}, pots(6), "6 requests/s, but max_requests_per_s = 4"),
        ({"pause_s": 0.2}, pots(6), "one second of polling needs 1.20 s"),
        ({}, pots(36, 20, 0.1), "would have to be answered within 2.8 ms"),
        # 36 exchanges of 24 or 26 characters of 11 bits at 9600: 1.03 s
        ({"driver": "modbus-rtu", "address": "/dev/ttyS0"}, pots(), "needs 1.03 s"),
        # 125 registers at 2400 baud: (8 + 5 + 250 + 7) * 11 / 2400 = 1.24 s
        (
            {
                "driver": "modbus-rtu",
                "address": "/dev/ttyS0",
                "serial": {"baudrate": 2400},
                "max_registers": 124,
            },
            pots(62, 2, 60),
            "takes 1.23 s on the line, timeout_s is 0.5",
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_the_start(
    rest: dict[str, object], groups: tuple[Group, ...], answer: str
) -> None:
    config = device(**rest)
    told = explain(config, [config], groups, "en")
    assert any(answer in warning for warning in told.warnings), told
    assert not any(line.startswith("can be done") for line in told.lines)


def test_devices_of_one_bus_share_its_time() -> None:
    alone = device(driver="modbus-rtu", address="/dev/ttyS0")
    other = device(name="plc2", driver="modbus-rtu", address="/dev/ttyS0", unit=2)
    groups = pots(20)
    both = (*groups, *(Group("plc2", g.interval_s, g.points) for g in groups))
    assert explain(alone, [alone], groups, "en").warnings == ()
    told = explain(alone, [alone, other], both, "en")
    assert "one second of polling needs 1.1" in told.warnings[0]
    assert any("2 devices, 40 requests/s" in line for line in told.lines)


def test_a_gap_is_not_bridged_where_it_takes_longer_than_a_request() -> None:
    """A request costs 20 characters more, a register two: ten registers at most."""
    config = device(driver="modbus-rtu", address="/dev/ttyS0", bridge_gap=100)
    assert limits_of(config).bridge == 10
    slow = device(driver="modbus-rtu", address="/dev/ttyS0", bridge_gap=100, pause_s=0.05)
    assert limits_of(slow).bridge > 20


def test_loads_are_figures_too() -> None:
    (load,) = loads([device()], pots(6))
    assert load.requests_per_s == pytest.approx(6)
    assert load.asked_per_s == pytest.approx(12)
