"""The wire, read back by a parser that shares nothing with the encoder."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.minutes.windows import Windows
from agent.wire.encode import BatchHead, FrameEncoder, WindowEncoder, batch_payload, event_line
from agent.wire.events import EventBook, Happening
from drivers.model import Equipment, Frame, Point, Quality
from tests.agent.points import BAD, GOOD, START_NS, frame, group, point, sparse

Parsed = tuple[str, dict[str, str], dict[str, float | int | str], int]


def split_outside_quotes(text: str, mark: str) -> list[str]:
    parts, quoted, skip, current = [], False, False, ""
    for letter in text:
        if skip:
            skip = False
        elif letter == "\\":
            skip = True
        elif letter == '"':
            quoted = not quoted
        elif letter == mark and not quoted:
            parts.append(current)
            current = ""
            continue
        current += letter
    return [*parts, current]


def parse(line: str) -> Parsed:
    head, fields, stamp = split_outside_quotes(line, " ")
    measurement, *tags = head.split(",")
    values: dict[str, float | int | str] = {}
    for entry in split_outside_quotes(fields, ","):
        name, _, value = entry.partition("=")
        assert name not in values, f"{name} twice in {line}"
        if value.startswith('"'):
            values[name] = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        elif value.endswith("i"):
            values[name] = int(value[:-1])
        else:
            values[name] = float(value)
    assert len(stamp) == 19
    return measurement, dict(tag.split("=") for tag in tags), values, int(stamp)


def lines_of(payload: bytes) -> list[Parsed]:
    assert not payload.endswith(b"\n")
    return [parse(line) for line in payload.decode().split("\n")]


singles = st.floats(width=32, allow_nan=False, allow_infinity=False)
doubles = st.floats(allow_nan=False, allow_infinity=False)
KINDS = {
    "float32": singles,
    "float64": doubles,
    "": doubles,
    "uint16": st.integers(0, 65535).map(float),
    "int64": st.integers(-(2**53), 2**53).map(float),
    "bool": st.integers(0, 1).map(float),
}
NAMES = ["pot.voltage", "pot.noise_hf", "pot.current", "potline.voltage", "pot.mode"]


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    chosen = draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 3)), min_size=1, unique=True)
    )
    points: list[Point] = []
    values: list[float] = []
    for name, unit in chosen:
        kind = draw(st.sampled_from(list(KINDS)))
        points.append(point(name, f"line1/u{unit}", type=kind))
        values.append(draw(KINDS[kind]))
    codes = draw(
        st.one_of(
            st.just([GOOD] * len(points)),
            st.lists(
                st.sampled_from([int(q) for q in Quality]),
                min_size=len(points),
                max_size=len(points),
            ),
        )
    )
    shown = [v if Quality(c).has_value else math.nan for v, c in zip(values, codes, strict=True)]
    return frame(
        group(*points), START_NS, shown, codes, reason=draw(st.sampled_from(["", 'a "b" \\ c']))
    )


@settings(deadline=None)
@given(frames())
def test_every_value_and_reason_reads_back_exactly(sent: Frame) -> None:
    head, *rest = lines_of(FrameEncoder("demo", "gw1", sent.group).encode(sent))
    bad = int((sent.quality != 0).sum())
    assert head[:2] == (
        "frame",
        {"plant": "demo", "gateway": "gw1", "device": "plc", "interval": "1"},
    )
    assert head[2]["points"] == len(sent.values)
    assert head[2]["bad"] == bad
    assert head[2].get("reason", "") == sent.reason
    got = {
        (measurement, tags["line"], tags["unit"], name): value
        for measurement, tags, fields, stamp in rest
        for name, value in fields.items()
        if stamp == START_NS
    }
    if not rest:
        assert bad == len(sent.values)
        assert len(set(sent.quality.tolist())) == 1
        return
    for i, one in enumerate(sent.group.points):
        where = (one.quantity.measurement, one.equipment.line, one.equipment.unit)
        code = Quality(sent.quality[i])
        reason = got.pop((*where, f"{one.quantity.field}_q"), "good")
        assert reason == code.wire
        if code.has_value:
            value = got.pop((*where, one.quantity.field))
            assert isinstance(value, float)
            if one.type == "float32":
                assert struct.pack("<f", value) == struct.pack("<f", sent.values[i])
            elif one.type in {"float64", ""}:
                assert struct.pack("<d", value) == struct.pack("<d", sent.values[i])
            else:
                assert value == sent.values[i]
    assert not got, "lines hold more than was sent"


@given(st.integers(0, 65535), st.sampled_from([0.001, 0.1, 0.25, 1e-6, 10.0]))
def test_scaled_integers_read_back_as_the_same_float64(raw: int, scale: float) -> None:
    of = group(point("pot.voltage", type="uint16", scale=scale))
    (_, line) = lines_of(FrameEncoder("demo", "gw1", of).encode(frame(of, START_NS, [raw * scale])))
    assert line[2]["voltage"] == raw * scale


def test_an_all_lost_frame_is_one_line_with_the_reason() -> None:
    of = group(point("pot.voltage"), point("pot.current"))
    lost = Frame.missing(
        of, START_NS, START_NS + 500_000_000, Quality.NO_DATA, "timeout after 0.5 s"
    )
    assert FrameEncoder("demo", "gw1", of).encode(lost) == (
        b"frame,plant=demo,gateway=gw1,device=plc,interval=1 "
        b'points=2i,bad=2i,lag_ms=500,reason="timeout after 0.5 s" %d' % START_NS
    )


def test_a_poll_and_a_subscription_of_one_slot_have_frame_lines_of_their_own() -> None:
    heads = set()
    for mode in ("poll", "subscribe"):
        lost = Frame.missing(group(point(mode=mode)), START_NS, START_NS, Quality.NO_DATA, "x")
        heads.add(FrameEncoder("demo", "gw1", lost.group).encode(lost).split(b" ")[0])
    series = b"frame,plant=demo,gateway=gw1,device=plc,interval=1"
    assert heads == {series, series + b",mode=subscribe"}


def test_points_of_one_equipment_share_a_line_whatever_their_order() -> None:
    of = group(
        point("pot.voltage", "line1/pot001"),
        point("pot.voltage", "line1/pot002"),
        point("pot.current", "line1/pot001", type="uint16"),
        point("pot.serial", "line1/pot001", type="ascii:8"),
    )
    sent = frame(of, START_NS, [4.25, 4.5, 350.0, math.nan], texts={3: "A1"})
    text = FrameEncoder("demo", "gw1", of).encode(sent).decode().split("\n")
    assert text[1:] == [
        f"pot,plant=demo,line=line1,unit=pot001 voltage=4.25,current=350 {START_NS}",
        f"pot,plant=demo,line=line1,unit=pot002 voltage=4.5 {START_NS}",
    ]


def test_samples_of_a_subscription_keep_their_own_times() -> None:
    of = group(point("pot.voltage"), point("pot.current"))
    at = START_NS + 250_000_000
    sent = sparse(
        of,
        START_NS + 10**9,
        [(at, 0, 4.1, GOOD), (at, 1, 350.0, GOOD), (at, 0, 4.2, GOOD), (at + 5, 1, math.nan, BAD)],
    )
    _, *rest = lines_of(FrameEncoder("demo", "gw1", of).encode(sent))
    assert [(fields, stamp) for _, _, fields, stamp in rest] == [
        ({"voltage": pytest.approx(4.1), "current": 350.0}, at),
        ({"voltage": pytest.approx(4.2)}, at + 1),
        ({"current_q": "no_data"}, at + 5),
    ]


def test_deadband_thins_the_raw_stream_only_while_nothing_moves() -> None:
    of = group(point("pot.voltage", deadband=0.05), point("pot.current"))
    encoder = FrameEncoder("demo", "gw1", of)
    values = [4.0, 4.04, 4.06, 4.05, math.nan, 4.06]
    codes = [GOOD, GOOD, GOOD, GOOD, BAD, GOOD]
    written = []
    for k, (value, code) in enumerate(zip(values, codes, strict=True)):
        sent = frame(of, START_NS + k * 10**9, [value, 350.0], [code, GOOD])
        (_, _, fields, _) = lines_of(encoder.encode(sent))[1]
        written.append(sorted(set(fields) - {"current"}))
    assert written == [["voltage"], [], ["voltage"], [], ["voltage_q"], ["voltage"]]
    late = frame(of, START_NS + 70 * 10**9, [4.06, 350.0])
    assert "voltage" in lines_of(encoder.encode(late))[1][2], "repeated each minute"


def windows_of(points: tuple[Point, ...], **columns: list[float]) -> Windows:
    n = len(points)
    base = {name: np.full(n, np.nan) for name in ("mean", "low", "high", "last", "increment")} | {
        "good": np.ones(n)
    }
    base |= {
        k: np.array(v, dtype=float) for k, v in columns.items() if k not in {"count", "reason"}
    }
    return Windows(
        points,
        START_NS,
        60,
        count=np.array(columns.get("count", [60] * n), dtype=np.int64),
        reason=np.array(columns.get("reason", [0] * n), dtype=np.uint8),
        words={n - 1: b"\x00\x01\xe2\x40"},
        **base,
    )


def test_windows_leave_out_what_says_nothing() -> None:
    points = (
        point("pot.voltage"),
        point("pot.current"),
        point("pot.resistance"),
        point("meter.energy_import", "line1/ac1", original=True),
    )
    windows = windows_of(
        points,
        mean=[4.5, 350.0, math.nan, math.nan],
        low=[4.0, 350.0, math.nan, math.nan],
        high=[5.0, 350.0, math.nan, math.nan],
        last=[4.5, 350.0, math.nan, 123456.0],
        increment=[math.nan, math.nan, math.nan, 12.5],
        good=[1, 0.5, 0, 1],
        count=[60, 30, 0, 60],
        reason=[0, int(Quality.STUCK), int(Quality.NO_DATA), 0],
    )
    pots, meters = WindowEncoder("demo", points).encode(windows).decode().split("\n")
    assert pots == (
        "pot_1m,plant=demo,line=line1,unit=pot001 "
        "voltage=4.5,voltage_min=4,voltage_max=5,voltage_n=60i,"
        'current=350,current_n=30i,current_good=0.5,current_q="stuck",'
        f'resistance_n=0i,resistance_good=0,resistance_q="no_data" {START_NS}'
    )
    assert meters == (
        "meter_1m,plant=demo,line=line1,unit=ac1 energy_import_inc=12.5,"
        f'energy_import_last=123456,energy_import_n=60i,energy_import_raw="0001e240" {START_NS}'
    )


def test_a_batch_says_what_it_is() -> None:
    head = BatchHead("demo", "gw1", "record", "9c1e000000000000", (("source", 'a "b".csv'),))
    payload, lines = batch_payload(
        head,
        [
            b"a,b=c d=1 1790000000000000000\na,b=c d=2 1790000000000000001",
            b"e,f=g h=1 1790000000000000000",
        ],
        log="3f9a000000000000",
        seq=17,
        prev="0" * 64,
        closed_ns=START_NS,
    )
    first, *rest = lines_of(payload)
    assert lines == len(rest) == 3
    assert first == (
        "batch",
        {"plant": "demo", "gateway": "gw1", "stream": "record"},
        {
            "log": "3f9a000000000000",
            "seq": 17,
            "lines": 3,
            "config": "9c1e000000000000",
            "prev": "0" * 64,
            "source": 'a "b".csv',
        },
        START_NS,
    )


def test_an_event_keeps_its_identity_from_start_to_end() -> None:
    book = EventBook()
    lost = book.begin(Happening.DEVICE_LOST, "plc", START_NS, 'plc: "no answer"\nfrom 192.0.2.1')
    assert lost is not None
    assert book.begin(Happening.DEVICE_LOST, "plc", START_NS + 1, "again") is None
    other = book.begin(Happening.DEVICE_LOST, "plc2", START_NS, "plc2: no answer")
    assert other is not None
    assert other.start_ns == START_NS + 1
    back = book.finish(Happening.DEVICE_LOST, "plc", START_NS + 10**9)
    assert back is not None
    _, tags, fields, stamp = parse(event_line("demo", "gw1", back).decode())
    assert tags == {"plant": "demo", "gateway": "gw1", "kind": "device_lost"}
    assert fields == {
        "id": lost.id,
        "text": 'plc: "no answer" from 192.0.2.1',
        "end": START_NS + 10**9,
    }
    assert stamp == lost.start_ns
    one = book.once(Happening.RESET, START_NS, "x", equipment=Equipment("line1", "ac1"), amount=2.5)
    _, tags, fields, _ = parse(event_line("demo", "gw1", one).decode())
    assert (tags["line"], tags["unit"], fields["amount"]) == ("line1", "ac1", 2.5)
