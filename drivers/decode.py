"""
Registers → numbers: the only place that knows types and word order.

Pure and compiled once: a ``Decoder`` is made for the points of a group and turns the bytes of one
poll into the arrays of a Frame with a few numpy operations per *type*, never one per point.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.language import say
from drivers.model import Codes, Floats, Indices, Point, Quality

Family = Literal["bit", "int", "float", "bcd", "text"]

EXACT = 2**53  # beyond it a float64 no longer holds every integer
PAD = b"\0\0"  # in front of every buffer: the missing fourth word of a 48-bit value


@dataclass(frozen=True, slots=True)
class RegisterType:
    """What a ``type`` of the point table means: how many registers, and how they are a number."""

    name: str
    words: int
    family: Family
    code: str = ""  # numpy kind and size of the value, 48 bits widened to 64

    @property
    def signed(self) -> bool:
        return self.code.startswith("i")


_TYPES = {
    kind.name: kind
    for kind in (
        RegisterType("bool", 1, "bit"),
        RegisterType("uint16", 1, "int", "u2"),
        RegisterType("int16", 1, "int", "i2"),
        RegisterType("uint32", 2, "int", "u4"),
        RegisterType("int32", 2, "int", "i4"),
        RegisterType("uint48", 3, "int", "u8"),
        RegisterType("int48", 3, "int", "i8"),
        RegisterType("uint64", 4, "int", "u8"),
        RegisterType("int64", 4, "int", "i8"),
        RegisterType("float32", 2, "float", "f4"),
        RegisterType("float64", 4, "float", "f8"),
        RegisterType("bcd16", 1, "bcd", "u2"),
        RegisterType("bcd32", 2, "bcd", "u4"),
        RegisterType("bcd48", 3, "bcd", "u8"),
        RegisterType("bcd64", 4, "bcd", "u8"),
    )
}
_MEANT = {  # what other programs and manuals call them
    "real": "float32",
    "float": "float32",
    "single": "float32",
    "double": "float64",
    "lreal": "float64",
    "word": "uint16",
    "uint": "uint16",
    "int": "int16",
    "dword": "uint32",
    "udint": "uint32",
    "dint": "int32",
    "long": "int32",
    "lword": "uint64",
    "ulint": "uint64",
    "lint": "int64",
    "bit": "bool",
    "string": "ascii:N",
}
_ASCII = re.compile(r"ascii:([1-9]\d{0,2})")
TYPE_NAMES = (*_TYPES, "ascii:N")
_ANY_TYPE = f"one of {' '.join(TYPE_NAMES)} (N up to 250)"


@cache
def register_type(name: str) -> RegisterType:
    """The type of that name; ValueError says which one was meant."""
    if name in _TYPES:
        return _TYPES[name]
    text = _ASCII.fullmatch(name)
    if text and int(text[1]) <= 250:
        return RegisterType(name, (int(text[1]) + 1) // 2, "text")
    near = _MEANT.get(name.lower()) or next(iter(get_close_matches(name.lower(), TYPE_NAMES)), "")
    names = near or say(f"{' '.join(TYPE_NAMES)} 之一（N 最大 250）", _ANY_TYPE)
    raise ValueError(
        say(f"未知的类型 {name!r}；请写 {names}", f"unknown type {name!r}; write {names}")
    )


class Order(NamedTuple):
    """Words last first, and the two bytes of each word swapped."""

    words_reversed: bool
    bytes_swapped: bool

    def __str__(self) -> str:
        return {(0, 0): "ABCD", (1, 0): "CDAB", (0, 1): "BADC", (1, 1): "DCBA"}[self]


@cache
def order_of(letters: str, words: int) -> Order:
    """
    What the letters of a manual say for a value of that many registers.

    ``A`` is the most significant byte. The four-letter names go for every width; letters that
    spell the width out (``GHEFCDAB``, ``BA``) are understood too. ValueError names the choices.
    """
    plain = "ABCDEFGH"
    for order in (Order(False, False), Order(True, False), Order(False, True), Order(True, True)):
        pairs = [plain[2 * i : 2 * i + 2] for i in range(min(words, 4))]
        pairs = pairs[::-1] if order.words_reversed else pairs
        spelt = "".join(pair[::-1] if order.bytes_swapped else pair for pair in pairs)
        if letters in {str(order), spelt}:
            return order
    raise ValueError(
        say(
            f"未知的字节顺序 {letters!r}；请写 ABCD、CDAB、BADC 或 DCBA",
            f"unknown order {letters!r}; write ABCD, CDAB, BADC or DCBA",
        )
    )


class Place(NamedTuple):
    """Where in the buffer a value begins: byte offset, and for a bool the bit of that byte."""

    byte: int
    bit: int = 0


def packed_bit(byte: int, index: int) -> Place:
    """Coil ``index`` of a reply whose bytes begin at ``byte``: lowest bit first."""
    return Place(byte + index // 8, index % 8)


def register_bit(byte: int, bit: int, order: str) -> Place:
    """Bit 0 (lowest) to 15 of the register at ``byte``."""
    low = 0 if order_of(order, 1).bytes_swapped else 1
    return Place(byte + (low if bit < 8 else 1 - low), bit % 8)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Arrays of a Frame, in the order of the points."""

    values: Floats
    quality: Codes
    words: dict[int, bytes]
    texts: dict[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Gather:
    """All points of one type and byte order: which words, as what, to where."""

    kind: RegisterType
    dtype: np.dtype[np.generic]
    start: int  # first byte when the values lie side by side, else -1
    take: Indices  # word indices (n, words) or byte indices (n,) of bits
    bits: Codes
    target: slice | Indices


class Decoder:
    """
    Compiled decoding of one group.

    ``places[i]`` says where point ``i`` lies in the buffer; None is a point that is not asked for
    (its device refused it before): NaN and REFUSED in every frame. Registers lie at even places.
    ``decode`` takes the concatenated replies, in front of them ``PAD``.
    """

    def __init__(self, points: Sequence[Point], places: Sequence[Place | None], size: int) -> None:
        self._size = size
        self._quality = np.zeros(len(points), np.uint8)
        self._zeros = np.zeros(len(points))
        classes: dict[tuple[str, bool], list[int]] = {}
        self._texts: list[tuple[int, slice, bool]] = []
        self._originals: list[tuple[int, slice]] = []
        for i, (point, place) in enumerate(zip(points, places, strict=True)):
            kind = register_type(point.type)
            if place is None:
                self._quality[i] = Quality.REFUSED
                continue
            swapped = order_of(point.order, kind.words).bytes_swapped
            end = place.byte + (1 if kind.family == "bit" else 2 * kind.words)
            if point.original:
                self._originals.append((i, slice(place.byte, end)))
            if kind.family == "text":
                self._texts.append((i, slice(place.byte, end), swapped))
            else:
                key = (point.type, swapped and kind.family != "bit")
                classes.setdefault(key, []).append(i)
        self._absent = np.flatnonzero(self._quality)
        self._gathers = [
            _gather(key[0], key[1], members, points, places) for key, members in classes.items()
        ]
        self._scaling = _Scaling(points)
        coded = [(i, code) for i, point in enumerate(points) for code in _codes(point)]
        self._coded = np.array([i for i, _ in coded], np.int64)
        self._codes = np.array([code for _, code in coded], np.float64)

    def decode(self, buffer: bytes) -> Decoded:
        """Values with quality; a value that is not good here is NaN."""
        if len(buffer) != self._size:
            raise ValueError(f"{len(buffer)} bytes, compiled for {self._size}")
        values = np.zeros(len(self._quality))
        quality = self._quality.copy()
        texts: dict[int, str] = {}
        with np.errstate(all="ignore"):  # NaN and overflow are looked for below
            words = np.frombuffer(buffer, np.uint16, count=len(buffer) // 2)
            for gather in self._gathers:
                raw = _raw(gather, buffer, words)
                values[gather.target] = raw if gather.kind.family != "bcd" else _bcd(gather, raw)
                if gather.dtype.itemsize == 8 and gather.kind.words == 4:
                    _mark_inexact(gather, raw, quality)
            for i, span, swapped in self._texts:
                texts[i] = _text(buffer[span], swapped, quality, i)
            if len(self._coded):
                hits = self._coded[values[self._coded] == self._codes]
                quality[hits] = Quality.NOT_AVAILABLE
            self._scaling.apply(values)
            # NaN and inf times zero is NaN: one dot product finds them without temporaries
            if values.dot(self._zeros) != 0.0:
                quality[np.isnan(values) & (quality == 0)] = Quality.NOT_AVAILABLE
                quality[np.isinf(values) & (quality == 0)] = Quality.UNDECODABLE
        if quality.any():
            values[quality != 0] = np.nan
        return Decoded(values, quality, {i: buffer[span] for i, span in self._originals}, texts)


class _Scaling:
    """``raw * scale + offset`` for a whole group; absent where every scale is 1 and offset 0."""

    def __init__(self, points: Sequence[Point]) -> None:
        # Divide by 1000 where the table says 0.001: correctly rounded, 4012 gives 4.012 and not
        # 4.0120000000000005, so what is stored is what the device's manual says.
        inverse = [whole_inverse(point.scale) for point in points]
        divisors = np.array([inv or 1.0 for inv in inverse])
        factors = np.array(
            [1.0 if inv else p.scale for inv, p in zip(inverse, points, strict=True)]
        )
        offsets = np.array([point.offset for point in points])
        self._divisors = divisors if (divisors != 1.0).any() else None
        self._factors = factors if (factors != 1.0).any() else None
        self._offsets = offsets if offsets.any() else None

    def apply(self, values: Floats) -> None:
        if self._divisors is not None:
            values /= self._divisors
        if self._factors is not None:
            values *= self._factors
        if self._offsets is not None:
            values += self._offsets


def whole_inverse(scale: float) -> float:
    """The whole number whose reciprocal the scale is (0.001: 1000), or 0."""
    if not 0 < abs(scale) < 1:
        return 0.0
    inverse = float(round(1.0 / scale)) if 1.0 / abs(scale) < EXACT else 0.0
    return inverse if inverse and 1.0 / inverse == scale else 0.0


def _gather(
    name: str,
    swapped: bool,
    members: list[int],
    points: Sequence[Point],
    places: Sequence[Place | None],
) -> _Gather:
    kind = register_type(name)
    where = [place for i in members if (place := places[i]) is not None]
    target = _run(np.array(members, np.int64))
    if kind.family == "bit":
        take = np.array([place.byte for place in where], np.int64)
        bits = np.array([place.bit for place in where], np.uint8)
        return _Gather(kind, np.dtype(np.uint8), -1, take, bits, target)
    dtype = np.dtype(("<" if swapped else ">") + kind.code)
    pad = [0] * (dtype.itemsize // 2 - kind.words)
    rows = []
    for i, place in zip(members, where, strict=True):
        words = [place.byte // 2 + k for k in range(kind.words)]
        # swapped bytes are read as little-endian, which needs the words in the other order
        if order_of(points[i].order, kind.words).words_reversed != swapped:
            words.reverse()
        rows.append(pad + words if swapped else words + pad)
    take = np.array(rows, np.int64)
    flat = take.ravel()
    start = int(flat[0]) * 2 if (np.diff(flat) == 1).all() else -1
    return _Gather(kind, dtype, start, take, np.zeros(0, np.uint8), target)


def _run(members: Indices) -> slice | Indices:
    """A slice where the indices are consecutive: assignment through it is several times faster."""
    if (np.diff(members) == 1).all():
        return slice(int(members[0]), int(members[-1]) + 1)
    return members


def _raw(gather: _Gather, buffer: bytes, words: npt.NDArray[np.uint16]) -> npt.NDArray[np.generic]:
    if gather.kind.family == "bit":
        octets = np.frombuffer(buffer, np.uint8).take(gather.take)
        return (octets >> gather.bits) & 1
    if gather.start >= 0:
        raw = np.frombuffer(buffer, gather.dtype, len(gather.take), gather.start)
    else:
        raw = words.take(gather.take).view(gather.dtype).reshape(-1)
    return raw >> 16 if gather.kind.words == 3 else raw


def _bcd(gather: _Gather, raw: npt.NDArray[np.generic]) -> Floats:
    """Decimal digits in nibbles; NaN where a nibble is no digit, inf where float64 is inexact."""
    bits = raw.astype(np.uint64)
    value = np.zeros(len(bits), np.int64)
    wrong = np.zeros(len(bits), np.bool_)
    for k in range(gather.kind.words):
        four = _four_digits()[((bits >> np.uint64(16 * k)) & np.uint64(0xFFFF)).astype(np.int64)]
        wrong |= four < 0
        value += four * 10000**k
    found = value.astype(np.float64)
    found[wrong | (value > EXACT)] = np.inf
    return found


@cache
def _four_digits() -> npt.NDArray[np.int64]:
    """Value of every 16-bit BCD word, -1 where a nibble is above 9."""
    word = np.arange(0x10000)
    nibbles = np.stack([(word >> shift) & 0xF for shift in (12, 8, 4, 0)])
    value = np.array([1000, 100, 10, 1]) @ nibbles
    return np.where((nibbles > 9).any(axis=0), -1, value).astype(np.int64)


def _mark_inexact(gather: _Gather, raw: npt.NDArray[np.generic], quality: Codes) -> None:
    """64-bit integers that float64 cannot hold: a counter rounded in silence is wrong."""
    if gather.kind.family != "int":
        return
    wide = raw > EXACT  # type: ignore[operator]
    if gather.kind.signed:
        wide |= raw < -EXACT  # type: ignore[operator]
    if wide.any():
        flags = quality[gather.target]
        flags[wide] = Quality.UNDECODABLE
        quality[gather.target] = flags


def _text(octets: bytes, swapped: bool, quality: Codes, i: int) -> str:
    if swapped:
        octets = b"".join(octets[k : k + 2][::-1] for k in range(0, len(octets), 2))
    octets = octets.split(b"\0", 1)[0]
    try:
        text = octets.decode("ascii").strip()
    except UnicodeDecodeError:
        text = "\x7f"
    if not text:
        quality[i] = Quality.NOT_AVAILABLE
    elif not text.isprintable():
        quality[i] = Quality.UNDECODABLE
        text = ""
    return text


def _codes(point: Point) -> list[float]:
    """``not_available`` as the device sends it: -9999.9 in a float32 is another number."""
    if point.type == "float32":
        return [float(np.float32(code)) for code in point.not_available]
    return list(point.not_available)
