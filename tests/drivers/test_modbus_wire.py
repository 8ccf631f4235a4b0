"""Replies judged byte by byte: only the one right reply is taken, whatever comes, in any pieces."""

import contextlib

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from drivers.modbus.wire import (
    ExceptionReply,
    Request,
    frame_of,
    judge_rtu,
    judge_tcp,
    late_reply,
    read_request,
)
from drivers.model import NonsenseError
from drivers.plan import Table
from tests.drivers.opponent import crc16

requests = st.builds(
    read_request,
    st.integers(1, 247),
    st.sampled_from(Table),
    st.integers(0, 60000),
    st.integers(1, 125),
)


def right_reply(request: Request, framing: str, frame: bytes, data: bytes) -> bytes:
    pdu = request.head + data
    if framing == "tcp":
        return frame[:2] + b"\0\0" + len(pdu).to_bytes(2, "big") + pdu
    return pdu + crc16(pdu)


def judge(framing: str, data: bytes, frame: bytes, request: Request) -> bytes | None:
    if framing == "tcp":
        return judge_tcp(data, frame, request)
    judged = judge_rtu(data, frame, request)
    return judged[0] if judged else None


framings = st.sampled_from(["tcp", "rtu"])


@settings(max_examples=150, deadline=None)
@given(requests, framings, st.binary(min_size=250, max_size=250), st.integers(1, 65535))
def test_the_right_reply_is_taken_once_it_is_whole(
    request: Request, framing: str, filling: bytes, transaction: int
) -> None:
    frame = frame_of(request, framing, transaction)  # type: ignore[arg-type]
    data = filling[: request.octets]
    reply = right_reply(request, framing, frame, data)
    assume(reply != frame)
    for cut in (0, 1, 2, 3, 5, 8, 9, len(reply) - 1):
        if cut < len(reply):
            assert judge(framing, reply[:cut], frame, request) is None
    assert judge(framing, reply, frame, request) == data
    if framing == "rtu":
        assert judge(framing, frame + reply, frame, request) == data  # an adapter's echo
        with pytest.raises(NonsenseError):  # one of the two is old
            judge(framing, reply + reply, frame, request)


@settings(max_examples=300, deadline=None)
@given(requests, framings, st.binary(max_size=300), st.data())
def test_no_other_bytes_are_taken(
    request: Request, framing: str, noise: bytes, data: st.DataObject
) -> None:
    """Noise, and the right reply with one byte of its frame changed."""
    frame = frame_of(request, framing, 7)  # type: ignore[arg-type]
    with contextlib.suppress(NonsenseError, ExceptionReply):
        assert judge(framing, noise, frame, request) is None
    reply = bytearray(right_reply(request, framing, frame, bytes(request.octets)))
    last = 8 if framing == "tcp" else len(reply) - 1
    reply[data.draw(st.integers(0, last))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(NonsenseError, ExceptionReply):
        assert judge(framing, bytes(reply), frame, request) is None


@settings(deadline=None)
@given(requests, framings, st.integers(0, 255))
def test_an_exception_reply_carries_its_code(request: Request, framing: str, code: int) -> None:
    frame = frame_of(request, framing, 7)  # type: ignore[arg-type]
    pdu = bytes((request.unit, request.pdu[0] | 0x80, code))
    reply = frame[:4] + b"\0\3" + pdu if framing == "tcp" else pdu + crc16(pdu)
    with pytest.raises(ExceptionReply) as caught:
        judge(framing, reply, frame, request)
    assert caught.value.code == code


@settings(deadline=None)
@given(requests, st.binary(min_size=250, max_size=250), st.integers(0, 260))
@example(read_request(1, Table.HOLDING, 0, 1), bytes(250), 1)
def test_a_late_reply_is_recognised_whole_and_waited_for_in_pieces(
    request: Request, filling: bytes, cut: int
) -> None:
    pdu = request.head + filling[: request.octets]
    reply = pdu + crc16(pdu)
    assert late_reply(reply + b"more", request.head, exceptions=False) == len(reply)
    if 0 < cut < len(reply):
        assert late_reply(reply[:cut], request.head, exceptions=False) == -1
    broken = reply[:-1] + bytes((reply[-1] ^ 1,))
    assert late_reply(broken, request.head, exceptions=False) == 0


def test_an_echo_that_could_be_a_reply_is_not_taken_for_one() -> None:
    """17 coils from 768 on: the question is byte for byte a reply with the coils 00 00 11."""
    request = read_request(1, Table.COIL, 768, 17)
    frame = frame_of(request, "rtu", 1)
    assert frame == right_reply(request, "rtu", frame, b"\x00\x00\x11")
    assert judge("rtu", frame, frame, request) is None
    reply = right_reply(request, "rtu", frame, b"\x01\x02\x00")
    assert judge("rtu", frame + reply, frame, request) == b"\x01\x02\x00"
