"""
HJ 212: random bytes, mutated and truncated packets, lying lengths, nested headers, cipher text.

Held for each input: nothing raises; whole and in pieces the reader finds the same frames; it keeps
no more than one packet; what it calls clean is encoded back to the same bytes; a frame that is ok
has the sum it says; a good packet after the rubbish is always found.
"""

import random
from collections.abc import Callable

from drivers.hj212.crc import crc16, crc16_modbus, crc_text
from drivers.hj212.cut import PACKET_MOST
from drivers.hj212.encode import encode
from drivers.hj212.frame import Frame, decode
from drivers.hj212.join import Joiner
from drivers.hj212.jsonform import frame_json, segment_of
from drivers.hj212.reader import FrameReader
from drivers.hj212.sm4 import encrypt_body

KEY = b"0" * 16
HEADS = (
    b"QN=20240520210700000;ST=31;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=5;",
    b"QN=20240520210700000;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;",
    b"ST=31;CN=2061;PW=123456;MN=010000A8900016F000169DC0;",
    b"QN=20240520210700000;ST=31;CN=2061;PW=123456;MN=010000A8900016F000169DC0;Flag=7;PNUM=2;PNO=1;",
)
PIECES = (
    *(b";", b",", b"=", b"&&", b"##", b"\r\n", b"\n", b"CP=&&", b"Flag=9;", b"Flag=255;", b"=//"),
    *(b"##0101", b"##9999", b"##0000", b"##1024QN=", b"1C80\r\n", b"&&1C80\r\n", b"&&\r\n##"),
    *(b"a21026-Avg=1.20", b"a21026-ZsAvg=9999.99", b"a01013-Avg=-500", b"02-Rtd=", b"-Rtd=1"),
    *(b"DataTime=20240520210600", b"a21026-Flag=N", b"PNUM=9999;PNO=0;", b"RF=0;", b"nan", b"1e99"),
    *("清洗".encode(), "清洗".encode("gbk"), b"\x00", b"\xff\xfe", b" ", b"9" * 40),
)
GOOD_PACKET = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&1C80\r\n"
)


def make() -> Callable[[random.Random], str]:
    """The target."""
    joiner = Joiner()

    def trial(chance: random.Random) -> str:
        maker = chance.choice(_MAKERS)
        return _hold(maker(chance), chance, joiner) + f" of {maker.__name__[1:]}"

    return trial


def _hold(data: bytes, chance: random.Random, joiner: Joiner) -> str:
    key = KEY if chance.random() < 0.3 else None
    frames = decode(data, key=key)
    for number, frame in enumerate(frames):
        _look_at(frame, key)
        if frame.segment.pnum is not None:
            joiner.take(frame.segment, float(number))
    _in_pieces(data, frames, chance, key)
    if any(frame.ok for frame in frames):
        return "with a good frame"
    return "with bad frames" if frames else "without frame"


def _look_at(frame: Frame, key: bytes | None) -> None:
    if frame.ok:
        assert frame.crc.upper() == crc_text(crc16(frame.plain)), frame
        assert frame.declared == len(frame.plain), frame
    if frame.ok and frame.clean:
        sent = encode(frame.segment, key=key if frame.encrypted else None)
        assert sent == frame.raw, (sent, frame.raw)
        assert segment_of(frame_json(frame)) == frame.segment, frame
    else:
        frame_json(frame)


def _in_pieces(data: bytes, frames: list[Frame], chance: random.Random, key: bytes | None) -> None:
    """The same frames whatever the pieces are, and then a good one; memory stays small."""
    reader = FrameReader(key=key)
    found: list[Frame] = []
    at = 0
    while at < len(data):
        size = chance.choice((1, 7, 100, 1460, 16384)) if len(data) < 2000 else 1460
        found += reader.feed(data[at : at + size])
        assert reader.pending <= PACKET_MOST + 16, reader.pending
        at += size
    found += reader.finish()
    assert [f.raw for f in found] == [f.raw for f in frames], "other frames in pieces"
    assert reader.pending == 0
    assert [f.raw for f in (*reader.feed(GOOD_PACKET), *reader.finish())] == [GOOD_PACKET]


def _packet(plain: bytes, chance: random.Random) -> bytes:
    total = crc16(plain) if chance.random() < 0.9 else crc16_modbus(plain)
    wire, start = plain, plain.find(b"CP=&&") + 5
    if b"Flag=9;" in plain and start > 5 and chance.random() < 0.3:
        wire = plain[:start] + encrypt_body(plain[start:-2], KEY) + plain[-2:]
    length = len(plain) if chance.random() < 0.9 else chance.randrange(10_000)
    return b"##%04d%b%b\r\n" % (min(length, 9999), wire, crc_text(total).encode())


def _plain(chance: random.Random) -> bytes:
    items = [b"DataTime=20240520210600"]
    for _ in range(chance.randrange(12)):
        code = chance.choice((b"a21026", b"a34013", b"a01013", b"g12701", b"i12001", b"a99999"))
        text = b"%.*f" % (chance.randrange(4), chance.uniform(-10, 2000))
        items.append(
            b"%b-Avg=%b,%b-Flag=%b" % (code, text, code, chance.choice((b"N", b"D", b"?")))
        )
    return chance.choice(HEADS) + b"CP=&&" + b";".join(items) + b"&&"


def _noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(600))


def _soup(chance: random.Random) -> bytes:
    return b"".join(chance.choices(PIECES, k=chance.randrange(40)))


def _packets(chance: random.Random) -> bytes:
    return b"".join(_packet(_plain(chance), chance) for _ in range(chance.randrange(1, 4)))


def _mutants(chance: random.Random) -> bytes:
    data = bytearray(_packets(chance))
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[at:at] = chance.choice(PIECES)
        elif kind == 1:
            del data[at : at + chance.randrange(20)]
        elif at < len(data):
            data[at] = chance.randrange(256) if kind == 2 else data[at] ^ 1 << chance.randrange(8)
    return bytes(data)


def _cut_off(chance: random.Random) -> bytes:
    data = _packets(chance)
    return data[: chance.randrange(len(data))]


def _huge(chance: random.Random) -> bytes:
    """Long, repetitive and nested: what costs time. Rare, because it does."""
    if chance.random() > 0.02:
        return _soup(chance)
    size = chance.randrange(1000, 10_000)
    piece = chance.choice(PIECES) + chance.choice(PIECES)
    if chance.random() < 0.5:
        return b"##%04dCP=&&" % min(size, 9999) + piece * (size // len(piece))
    nested = bytearray()
    while len(nested) < size:
        nested += b"##%04d" % max(min(size - len(nested) - 6, 9999), 0) + piece
    return bytes(nested) + b"&&12AB\r\n"


_MAKERS = (_noise, _soup, _packets, _mutants, _cut_off, _huge)
