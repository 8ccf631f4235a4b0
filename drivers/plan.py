"""
Points → Modbus blocks: addresses, and which registers one request reads together.

Pure. What an engineer reads about a plan is in ``drivers/explain.py``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache

from drivers.config import DeviceConfig
from drivers.decode import PAD, Place, packed_bit, register_bit, register_type
from drivers.language import say
from drivers.model import Point


class Table(Enum):
    """The four address spaces of a Modbus device, by the function that reads them."""

    COIL = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4

    @property
    def packed(self) -> bool:
        """One bit per address instead of one register."""
        return self in {Table.COIL, Table.DISCRETE}

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """``holding:100``, ``holding:100.3`` (a bit), ``holding:+3`` (relative, in profiles)."""

    table: Table = field(compare=False)
    number: int
    bit: int = -1
    relative: bool = False

    def __str__(self) -> str:
        bit = f".{self.bit}" if self.bit >= 0 else ""
        return f"{self.table.word}:{'+' if self.relative else ''}{self.number}{bit}"


_ADDRESS = re.compile(r"(holding|input|coil|discrete):(\+?)(\d{1,5})(?:\.(\d{1,2}))?")
_NUMBERED = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}


@cache
def parse_address(text: str) -> Address:
    """The address in that text; ValueError says what to write instead."""
    found = _ADDRESS.fullmatch(text)
    if not found:
        raise ValueError(
            say(f"{text!r} 不是 Modbus 地址；", f"{text!r} is no Modbus address; ") + _meant(text)
        )
    table = Table[found[1].upper()]
    number, bit = int(found[3]), int(found[4]) if found[4] else -1
    if number > 65535:
        raise ValueError(
            say(
                f"{text!r}：地址从 0 起，到 65535 止",
                f"{text!r}: addresses end at 65535 and count from 0",
            )
        )
    if bit > 15:
        raise ValueError(
            say(
                f"{text!r}：寄存器的位是 .0（最低位）到 .15",
                f"{text!r}: bits of a register are .0 (lowest) to .15",
            )
        )
    if bit >= 0 and table.packed:
        raise ValueError(
            say(
                f"{text!r}：{table.word} 本身就是一位；请去掉 .{bit}",
                f"{text!r}: a {table.word} is one bit already; leave out .{bit}",
            )
        )
    return Address(table, number, bit, bool(found[2]))


def _meant(text: str) -> str:
    """Manuals count 40001, 40002 …; the wire and this table count holding:0, holding:1 …"""
    numbered = re.fullmatch(r"([0134])(\d{4,5})", text)
    if numbered and int(numbered[2]) > 0:
        place = f"{_NUMBERED[numbered[1]]}:{int(numbered[2]) - 1}"
        return say(f"请写 {place}（从 0 起算）", f"write {place} (counted from 0)")
    if re.fullmatch(r"\d+", text):
        others = "input:, coil:, discrete:"
        return say(f"请写 holding:{text}（或 {others}）", f"write holding:{text} (or {others})")
    return say(
        "请写成 holding:100、holding:100.3、input:30、coil:5 或 discrete:7",
        "write holding:100, holding:100.3, input:30, coil:5 or discrete:7",
    )


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses that must be read in one request: one value, or values that share registers."""

    table: Table
    start: int
    end: int
    members: tuple[int, ...]  # indices of the points


@dataclass(frozen=True, slots=True)
class Block:
    """One request: ``count`` addresses from ``start``, and the spans it brings."""

    table: Table
    start: int
    count: int
    spans: tuple[Span, ...]

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(i for span in self.spans for i in span.members)

    @property
    def asked(self) -> int:
        """Addresses that belong to a point; the rest of ``count`` is bridged."""
        return sum(span.end - span.start for span in self.spans)

    @property
    def octets(self) -> int:
        """Data bytes of the reply."""
        return (self.count + 7) // 8 if self.table.packed else 2 * self.count


Cuts = frozenset[tuple[Table, int]]  # addresses at which a new block must begin


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may be, and what it costs, for one device."""

    registers: int = 125
    bits: int = 2000
    bridge: int = 16  # unasked registers worth reading to save a request
    distinct: bool = False  # neighbouring requests get replies of different length, see `_unlike`


def limits_of(device: DeviceConfig) -> Limits:
    """The device's limits; on a serial line a gap is bridged only while that is faster."""
    bridge = device.bridge_gap
    if device.driver == "modbus-rtu":
        bridge = min(bridge, int(request_cost_chars(device) // 2))
    return Limits(device.max_registers, device.max_bits, bridge, device.driver != "modbus-tcp")


def request_cost_chars(device: DeviceConfig) -> float:
    """
    Characters of a serial line that one more request costs beside its data.

    Request 8, reply's frame 5, two silences of 3.5 (Modbus over Serial Line V1.02, 2.5.1.1),
    and the pause.
    """
    return 8 + 5 + 7 + device.pause_s / char_s(device)


def char_s(device: DeviceConfig) -> float:
    """Seconds one character takes on the device's serial line: start, data, parity, stop bits."""
    serial = device.serial
    bits = 1 + serial.bytesize + (serial.parity != "N") + serial.stopbits
    return bits / serial.baudrate


def spans_of(points: Sequence[Point]) -> tuple[Span, ...]:
    """Spans in address order; points that overlap (bits of one register) become one span."""
    raw = sorted(
        (address.table.value, address.number, address.number + width_of(point), i)
        for i, point in enumerate(points)
        for address in (parse_address(point.address),)
    )
    spans: list[Span] = []
    for table, start, end, i in raw:
        last = spans[-1] if spans else None
        if last and last.table.value == table and start < last.end:
            spans[-1] = Span(last.table, last.start, max(end, last.end), (*last.members, i))
        else:
            spans.append(Span(Table(table), start, end, (i,)))
    return tuple(spans)


def width_of(point: Point) -> int:
    """Addresses a point occupies: registers, or one coil."""
    return register_type(point.type).words


def plan_blocks(
    spans: Iterable[Span],
    limits: Limits,
    cuts: Cuts = frozenset(),
) -> tuple[Block, ...]:
    """
    Spans (in address order) merged into the fewest requests the limits allow.

    ``cuts`` are addresses at which a new block must begin: the device refused to read across.
    """
    kept = tuple(spans)
    blocks: list[Block] = []
    while kept:
        n = 1
        while n < len(kept) and _fits(kept[:1] + kept[n - 1 : n + 1], limits, cuts):
            n += 1
        block = block_of(kept[:n])
        if limits.distinct and blocks:
            neighbours = [blocks[-1], blocks[0]] if n == len(kept) else [blocks[-1]]
            block = _unlike(block, neighbours, limits, cuts)
        blocks.append(block)
        kept = kept[len(block.spans) :]
    return tuple(blocks)


def _unlike(block: Block, neighbours: list[Block], limits: Limits, cuts: Cuts) -> Block:
    """
    The block made a little longer, or else shorter, so that its reply has a length of its own.

    An RTU reply names neither address nor request: only its length can betray that it belongs to
    the request before (a duplicate, a gateway serving two masters).
    """
    taken = {(other.table, other.octets) for other in neighbours}
    step = 8 if block.table.packed else 1
    ways = [replace(block, count=block.count + step * k) for k in range(3)]
    ways += [block_of(block.spans[:-k]) for k in (1, 2) if len(block.spans) > k]
    free = (b for b in ways if (b.table, b.octets) not in taken and _allowed(b, limits, cuts))
    return next(free, block)


def _allowed(block: Block, limits: Limits, cuts: Cuts) -> bool:
    """Whether the registers a block was made longer by may be read."""
    bare = block_of(block.spans)
    room = limits.bits if block.table.packed else limits.registers
    return block == bare or (
        limits.bridge > 0
        and block.count <= room
        and block.start + block.count <= 65536
        and (block.table, bare.start + bare.count) not in cuts
    )


def unmistakable(
    block: Block, taken: frozenset[int], limits: Limits, cuts: Cuts
) -> tuple[Block, ...]:
    """
    Requests for a block whose replies have none of the lengths (in octets) ``taken``.

    Split where no value is split, or else made longer; empty when neither helps.
    """
    end = block.start + block.count
    borders = [span.start for span in block.spans[1:]]
    if block.table.packed:  # so that the halves' bytes join to the bytes of the whole
        borders = list(range(block.start + 8, end, 8))
    ways = [
        (replace(block, count=at - block.start), replace(block, start=at, count=end - at))
        for at in borders
    ]
    if len(ways) > 1:
        ways = [way for way in ways if way[0].octets != way[1].octets]  # unlike one another too
    step = 8 if block.table.packed else 1
    longer = (replace(block, count=block.count + step * k) for k in range(1, limits.bridge + 1))
    singles = [(wider,) for wider in longer if _allowed(wider, limits, cuts)]
    free = (
        way for way in ((block,), *ways, *singles) if not taken.intersection(p.octets for p in way)
    )
    return next(free, ())


def block_of(spans: Sequence[Span]) -> Block:
    """The request that brings these spans (in address order) and nothing outside them."""
    start = spans[0].start
    return Block(spans[0].table, start, spans[-1].end - start, tuple(spans))


def _fits(spans: Sequence[Span], limits: Limits, cuts: Cuts) -> bool:
    """Whether the last of (first, …, one before, last) may join the block of the others."""
    first, last, span = spans[0], spans[-2], spans[-1]
    packed = span.table.packed
    room = limits.bits if packed else limits.registers
    bridge = limits.bridge * 16 if packed else limits.bridge
    return (
        span.table is first.table
        and span.end - first.start <= room
        and span.start - last.end <= bridge
        and (span.table, span.start) not in cuts
    )


def places_of(
    points: Sequence[Point], blocks: Sequence[Block]
) -> tuple[tuple[Place | None, ...], int]:
    """
    Where each point lies when the replies of ``blocks`` follow one another behind ``PAD``.

    Packed blocks must come last (as ``order_blocks`` puts them). Also the size of the buffer.
    """
    places: list[Place | None] = [None] * len(points)
    base = len(PAD)
    for block in blocks:
        for i in block.members:
            address = parse_address(points[i].address)
            if block.table.packed:
                places[i] = packed_bit(base, address.number - block.start)
                continue
            byte = base + 2 * (address.number - block.start)
            bit = address.bit
            places[i] = register_bit(byte, bit, points[i].order) if bit >= 0 else Place(byte)
        base += block.octets
    return tuple(places), base


def order_blocks(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Registers first, so that every register lies at an even byte; then by address."""
    return tuple(sorted(blocks, key=lambda b: (b.table.packed, b.table.value, b.start)))
