"""Batches to columns: the fast and the strict path agree, nothing is dropped, nothing raises."""

import math
from collections.abc import Sequence
from dataclasses import astuple
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.minutes.windows import Windows
from agent.wire.columns import Columns
from agent.wire.encode import FrameEncoder, WindowEncoder, event_line
from agent.wire.events import Event, Happening, Measured
from agent.wire.lines import LineError, read_line
from agent.wire.parse import Parser
from drivers.model import Equipment, Frame, Group, Point, Quality
from drivers.quantities import quantities
from tests.agent.batches import RAW, RECORD, T0_NS, batch

POTS = ("line1/pot001", "line1/pot002", "line2/pot001")
GAUGES = ("pot.voltage", "pot.noise_hf", "pot.bath_temperature")


def points(*, types: str = "float64") -> tuple[Point, ...]:
    return tuple(
        Point(Equipment.parse(pot), quantities()[name], "plc", f"holding:{n}", types)
        for n, (pot, name) in enumerate(product(POTS, GAUGES))
    )


Row = tuple[int, str, str, float | None, str | None]


def samples(parser: Parser, columns: Columns) -> list[Row]:
    got = columns.samples
    return sorted(
        (
            int(got.ts_ns[i]),
            parser.equipment.texts[got.equipment[i]],
            parser.quantity.texts[got.quantity[i]],
            None if math.isnan(got.value[i]) else float(got.value[i]),
            None if got.reason[i] < 0 else parser.reason.texts[got.reason[i]],
        )
        for i in range(len(got))
    )


def windows(parser: Parser, columns: Columns) -> list[tuple[Any, ...]]:
    got = columns.windows
    numbers = (got.mean, got.low, got.high, got.last, got.inc, got.good)
    return sorted(
        (
            parser.equipment.texts[got.equipment[i]],
            parser.quantity.texts[got.quantity[i]],
            int(got.ts_ns[i]),
            int(got.period_s[i]),
            int(got.n[i]),
            *(None if math.isnan(each[i]) else float(each[i]) for each in numbers),
            None if got.reason[i] < 0 else parser.reason.texts[got.reason[i]],
            got.registers[i],
        )
        for i in range(len(got))
    )


def parsed(lines: Sequence[str], *, record: bool = False) -> tuple[Parser, Columns]:
    parser = Parser()
    return parser, parser.parse([batch(RECORD if record else RAW, 1, lines)])


finite = st.floats(allow_nan=False, allow_infinity=False)
codes = st.sampled_from([0, 0, 0, *map(int, Quality)])


@settings(max_examples=150, deadline=None)
@given(st.lists(finite, min_size=9, max_size=9), st.lists(codes, min_size=9, max_size=9))
def test_frames_of_our_encoder_come_back_exactly(values: list[float], qualities: list[int]) -> None:
    group = Group("plc", 1.0, points())
    has = [Quality(code).has_value for code in qualities]
    given_values = np.array([v if h else math.nan for v, h in zip(values, has, strict=True)])
    frame = Frame(group, T0_NS, T0_NS + 5, given_values, np.array(qualities, np.uint8))
    text = FrameEncoder("demo", "gw1", group).encode(frame).decode()
    parser, columns = parsed(text.split("\n"))
    want = [
        (
            T0_NS,
            str(point.equipment),
            point.quantity.name,
            value if has_value else None,
            None if code == 0 else Quality(code).wire,
        )
        for point, value, has_value, code in zip(group.points, values, has, qualities, strict=True)
    ]
    one_reason = len(set(qualities)) == 1 and not has[0]
    assert samples(parser, columns) == ([] if one_reason else sorted(want))
    assert (columns.frames, columns.rejects) == (1, [])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(finite, finite, finite, finite), min_size=9, max_size=9),
    st.lists(st.integers(0, 60), min_size=9, max_size=9),
    st.lists(codes, min_size=9, max_size=9),
)
def test_windows_of_our_encoder_come_back_exactly(
    numbers: list[tuple[float, ...]], counts: list[int], qualities: list[int]
) -> None:
    mine = points()
    columns = np.array([sorted(each) for each in numbers])
    low, mean, last, high = (columns[:, i].copy() for i in range(4))
    count, reason = np.array(counts, np.int64), np.array(qualities, np.uint8)
    for array in (low, mean, last, high):
        array[count == 0] = math.nan
    good = np.where(reason == 0, 1.0, np.minimum(count, 59) / 60)
    given_windows = Windows(
        mine, T0_NS, 60, mean, low, high, last, np.full(9, math.nan), count, good, reason, {}
    )
    text = WindowEncoder("demo", mine).encode(given_windows).decode()
    parser, got = parsed(text.split("\n"), record=True)

    def plain(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    want = sorted(
        (
            *(str(point.equipment), point.quantity.name, T0_NS, 60, counts[i]),
            *(plain(array[i]) for array in (mean, low, high, last)),
            None,
            pytest.approx(good[i], rel=1e-8),
            Quality(qualities[i]).wire if qualities[i] else None,
            None,
        )
        for i, point in enumerate(mine)
    )
    assert windows(parser, got) == want
    assert got.rejects == []


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=60),
    st.integers(-(2**60), 2**60),
    st.none() | finite,
    st.none() | st.builds(Measured, finite, finite, finite, finite),
)
def test_events_come_back_with_any_text(
    text: str, end_ns: int, amount: float | None, measured: Measured | None
) -> None:
    where = Equipment("line1", "pot001")
    event = Event(Happening.GAP, T0_NS, "gap-1", text, where, end_ns, amount, measured)
    line = event_line("demo", "gw1", event).decode("utf-8", "surrogatepass")
    parser = Parser()
    columns = parser.parse([batch(RECORD, 1, [line])]) if line.isprintable() else None
    if columns is None:
        return
    (got,) = columns.events
    assert (got.kind, got.equipment, got.id) == ("gap", "line1/pot001", "gap-1")
    assert got.text == " ".join(text.splitlines())
    assert (got.ts_ns, got.end_ns, got.amount) == (T0_NS, end_ns, amount)
    if measured is None:
        assert (got.peak, got.mean, got.integral, got.gap) == (None,) * 4
    else:
        assert (got.peak, got.mean, got.integral, got.gap) == astuple(measured)


def test_the_strict_path_reads_what_the_fast_one_reads() -> None:
    lines = [
        f"pot,plant=demo,line=line1,unit=pot{n:03d} "
        f'voltage={n}.25,noise_hf={n},mode_q="stuck" {T0_NS + n}'
        for n in range(50)
    ]
    # A third tag, a changed order or an escape that means nothing take the strict path.
    odd = [line.replace("plant=demo,line=line1", "line=line1,plant=demo") for line in lines]
    fast, strict = parsed(lines), parsed(odd)
    assert samples(*fast) == samples(*strict)
    assert len(samples(*fast)) == 150


FINE = f"pot,plant=demo,line=line1,unit=pot001 voltage=4.5 {T0_NS}"
BAD = [
    "",
    " ",
    "pot",
    "pot,plant=demo,line=line1,unit=pot001 voltage=4.5",
    f"pot,plant=demo,line=line1 voltage=4.5 {T0_NS}",
    f"pot,plant=other,line=line1,unit=pot001 voltage=4.5 {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=4.5,voltage=4.6 {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=nan {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=1_0 {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=1e999 {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=\uff11 {T0_NS}",
    f'pot,plant=demo,line=line1,unit=pot001 voltage="4.5" {T0_NS}',
    f"pot,plant=demo,line=line1,unit=pot001 voltage {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage= {T0_NS}",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=4.5 {T0_NS}0",
    f"pot,plant=demo,line=line1,unit=pot001 voltage=4.5 {T0_NS} 1",
    f"pot,plant=demo,line=line1,unit=pot001,line=line2 voltage=4.5 {T0_NS}",
    f"pot_1m,plant=demo,line=line1,unit=pot001 voltage=4.5 {T0_NS}",
    f"pot_1m,plant=demo,line=line1,unit=pot001 voltage=4.5,voltage_n=1 {T0_NS}",
    f"pot_1m,plant=demo,line=line1,unit=pot001 voltage=4.5,voltage_n=99999999999i {T0_NS}",
    f'event,plant=demo,gateway=gw1,kind=gap id="a" {T0_NS}',
    f'event,plant=demo,gateway=gw1 id="a",text="b" {T0_NS}',
    f'batch,plant=demo,gateway=gw1,stream=raw log="a" {T0_NS}',
    "\\",
    '"',
]


@pytest.mark.parametrize("line", BAD)
def test_a_bad_line_costs_only_itself(line: str) -> None:
    parser, columns = parsed([FINE, line, FINE])
    assert [reject.line for reject in columns.rejects] == [line]
    assert columns.rejects[0].reason
    assert samples(parser, columns) == [(T0_NS, "line1/pot001", "pot.voltage", 4.5, None)] * 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=5)
)
def test_any_text_is_understood_or_kept(lines: list[str]) -> None:
    parser, columns = parsed([*lines, FINE])
    kept = len(columns.rejects) + columns.frames + len(columns.events)
    assert kept + len(samples(parser, columns)) >= len(lines) + 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FINE) - 1), st.characters(exclude_characters="\n", codec="utf-8"))
def test_a_changed_letter_is_never_a_wrong_number(at: int, letter: str) -> None:
    """Whatever one letter becomes, both paths agree about the line."""
    line = FINE[:at] + letter + FINE[at + 1 :]
    fast, strict = (
        parsed([line]),
        parsed([line.replace("plant=demo,line=line1", "line=line1,plant=demo")]),
    )
    if "plant=demo,line=line1" in line:
        assert samples(*fast) == samples(*strict)


def test_an_empty_count_beside_a_double_one() -> None:
    line = "pot_1m,plant=demo,line=line1,unit=pot001 voltage_n={} {}"
    _, columns = parsed([line.format("", T0_NS), line.format("ii", T0_NS)], record=True)
    assert len(columns.rejects) == 2


def test_bytes_that_are_no_utf8_are_kept_too() -> None:
    from agent.batches.batch import Batch
    from agent.views import StoredBatch

    payload = batch(RAW, 1, [FINE]).payload + b"pot,\xff\xfe broken\n"
    _, columns = (
        (parser := Parser()),
        parser.parse([StoredBatch(RAW, Batch.of(1, T0_NS, 2, payload))]),
    )
    assert [reject.line for reject in columns.rejects] == ["pot,\\xff\\xfe broken"]
    assert len(columns.samples) == 1


def test_junk_names_do_not_fill_the_memory() -> None:
    parser = Parser(max_names=10)
    lines = [f"pot,plant=demo,line=l,unit=u{n} voltage=1 {T0_NS}" for n in range(30)]
    columns = parser.parse([batch(RAW, 1, lines)])
    assert (len(columns.samples), len(columns.rejects)) == (10, 20)
    assert len(parser.equipment.texts) == 10


@pytest.mark.parametrize(
    ("text", "tags", "fields"),
    [
        (r'a\ b,k\,1=v\=1 f="q\"\\ x",g=-1.5e3 7', {"k,1": "v=1"}, {"f": 'q"\\ x', "g": -1500.0}),
        ("m,a=1 x=1i,y=t,z=FALSE,w=.5 -7", {"a": "1"}, {"x": 1, "y": True, "z": False, "w": 0.5}),
        ('m s="a b,c=d" 7', {}, {"s": "a b,c=d"}),
        ("电,线=一 值=1 7", {"线": "一"}, {"值": 1.0}),
    ],
)
def test_the_grammar_is_influxdbs(text: str, tags: dict[str, str], fields: dict[str, Any]) -> None:
    line = read_line(text)
    assert (line.tags, line.fields) == (tags, fields)


@pytest.mark.parametrize(
    "text", ["m 7", "m x 7", "m x=1u 7", "m x=1", "m,a x=1 7", ",a=1 x=1 7", 'm x="a 7']
)
def test_the_grammar_refuses(text: str) -> None:
    with pytest.raises(LineError):
        read_line(text)
